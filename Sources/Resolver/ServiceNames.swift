// How services are called where a host's name stands.

/// `NAME` or `TAG.NAME`, with `.service.consul` or `.service.DATACENTER.consul` behind it or without, as Consul's own name server reads it.
struct ConsulName: Hashable {
    var service: String
    var tag: String?
    var datacenter: String?

    /// Nil: it is none.
    init?(_ text: String) {
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy(\.isServiceLabel) else { return nil }
        if labels.count > 2, labels.last == "consul" {
            labels.removeLast()
            if labels.last != "service" { datacenter = String(labels.removeLast()) }
            guard labels.popLast() == "service" else { return nil }
        }
        guard (1...2).contains(labels.count) else { return nil }
        service = String(labels[labels.count - 1])
        tag = labels.count == 2 ? String(labels[0]) : nil
    }
}

/// `NAME`, with `.service.etcd` behind it or without.
struct EtcdName: Hashable {
    var service: String

    /// Nil: it is none.
    init?(_ text: String) {
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy(\.isServiceLabel) else { return nil }
        if labels.count > 2, labels.suffix(2) == ["service", "etcd"] { labels.removeLast(2) }
        service = labels.joined(separator: ".")
    }
}

extension Substring {
    /// Letters, digits, "-" and "_": nothing that would mean something in a URL or a key.
    fileprivate var isServiceLabel: Bool {
        (1...63).contains(utf8.count)
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
