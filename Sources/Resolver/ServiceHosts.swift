public import System

/// Which hosts of URLs are services, and of whom they are asked for.
public struct ServiceHosts: Hashable, Sendable {
    /// `NAME.service.consul`, and what else Consul's name server knows by that.
    public var consul = false
    /// `NAME.service.etcd`.
    public var etcd = false
    /// `_NAME._tcp.DOMAIN`; name servers, empty for the system's. Nil: such hosts are hosts.
    public var nameServers: [String]?

    public init() {}

    /// What to ask for; nil: the host is one. With a port of its own it is.
    /// - Parameter url: http or https, as URLs are serialized, without credentials.
    public func question(url: String) -> ServiceQuestion? { candidate(url: url).flatMap(question(host:)) }

    /// The host, if it looks as one that is a service.
    public func candidate(url: String) -> Substring? {
        let bytes = url.utf8
        guard var start = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        start = bytes.index(start, offsetBy: 3, limitedBy: bytes.endIndex) ?? bytes.endIndex
        let rest = bytes[start...]
        let end = rest.firstIndex { Self.endsHost($0) } ?? rest.endIndex
        guard start < end, end == rest.endIndex || rest[end] != UInt8(ascii: ":") else { return nil }
        let host = rest[start..<end]
        let isService =
            consul && host.last == UInt8(ascii: "l") && host.suffix(7).elementsEqual(".consul".utf8)
            || etcd && host.last == UInt8(ascii: "d") && host.suffix(13).elementsEqual(".service.etcd".utf8)
            || nameServers != nil && host.first == UInt8(ascii: "_")
        return isService ? url[start..<end] : nil
    }

    /// - Parameter host: a candidate.
    public func question(host: Substring) -> ServiceQuestion? {
        let name = String(host)
        if consul, name.hasSuffix(".consul"), let question = consulQuestion(name) { return question }
        if etcd, name.hasSuffix(".service.etcd"), EtcdName(name) != nil { return ServiceQuestion(.etcd, name: name) }
        return dns(host)
    }

    private static func endsHost(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// `a.consul` is no `TAG.NAME` here.
    private func consulQuestion(_ host: String) -> ServiceQuestion? {
        host.contains(".service.") && ConsulName(host) != nil ? ServiceQuestion(.consul, name: host) : nil
    }

    /// As RFC 2782 writes services: the first two labels begin with "_".
    private func dns(_ host: Substring) -> ServiceQuestion? {
        guard let nameServers else { return nil }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 2, labels[0].hasPrefix("_"), labels[1].hasPrefix("_"),
            labels.allSatisfy({ (1...63).contains($0.utf8.count) })
        else { return nil }
        return ServiceQuestion(name: String(host), servers: nameServers)
    }
}
