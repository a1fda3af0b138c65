/// An http or https URL as far as an endpoint needs one: scheme, host, port, path, query. Written by hand because
/// these layers do without Foundation. RFC 3986; a user name or a fragment has no meaning here and is refused.
public struct EndpointURL: Hashable, Sendable, CustomStringConvertible {
    public enum Scheme: String, Sendable { case http, https }

    /// Who knows where a service is: a prefix of the scheme, as Thanos, Mimir and Loki write the first.
    public enum Finding: String, Sendable, CaseIterable {
        /// `host` is a name at which SRV records of DNS say where to go.
        case dns = "dnssrv+"
        /// `host` is the name of a service in Consul, or `TAG.NAME`.
        case consul = "consul+"
        /// `host` is the name of a service in etcd.
        case etcd = "etcd+"
    }

    /// Why a text is no endpoint.
    public struct Failure: Error, Hashable, Sendable {
        /// Completes "bad URL: …".
        public var message: String
    }

    public var scheme: Scheme
    /// Nil: `host` is one. Else it is a service, and has no port.
    public var finding: Finding?
    /// Lower case; an IPv6 address without its brackets.
    public var host: String
    /// Nil for the scheme's own.
    public var explicitPort: UInt16?
    /// "" or with a leading "/", as given.
    public var path: String
    /// Without the "?".
    public var query: String?

    public var port: UInt16 { explicitPort ?? (scheme == .https ? 443 : 80) }

    public var isIPv6: Bool { host.contains(":") }

    /// Stands where it is not known yet what will.
    static let anywhere: EndpointURL = {
        guard let url = try? EndpointURL(parsing: "http://localhost") else { preconditionFailure("http://localhost") }
        return url
    }()

    public var isService: Bool { finding != nil }

    public var description: String {
        let port = explicitPort.map { ":\($0)" } ?? ""
        return
            "\(finding?.rawValue ?? "")\(scheme.rawValue)://\(isIPv6 ? "[\(host)]" : host)\(port)\(path)\(query.map { "?" + $0 } ?? "")"
    }

    /// The same place with this path, and the query only if given.
    public func with(path: String, query: String? = nil) -> EndpointURL {
        var url = self
        url.path = path
        url.query = query
        return url
    }

    /// Whether the path says nothing: "" or "/".
    public var hasNoPath: Bool { path.isEmpty || path == "/" }

    /// - Parameter allowsService: Whether DNS or a registry may find it.
    public init(parsing text: String, allowsService: Bool = false) throws(Failure) {
        if let bad = text.unicodeScalars.first(where: {
            $0.value <= 0x20 || $0.value >= 0x7F || "<>\"\\^`{|}".unicodeScalars.contains($0)
        }) {
            throw Failure(message: "the character \(String(bad).debugDescription) must be percent-encoded")
        }
        guard let colon = text.firstRange(of: "://") else {
            throw Failure(message: text.isEmpty ? "it is empty" : "it must start with http:// or https://")
        }
        var word = text[..<colon.lowerBound].lowercased()
        if allowsService, let finding = Finding.allCases.first(where: { word.hasPrefix($0.rawValue) }) {
            self.finding = finding
            word.removeFirst(finding.rawValue.count)
        }
        guard let scheme = Scheme(rawValue: word) else {
            throw Self.badScheme(text[..<colon.lowerBound], allowsService)
        }
        var rest = text[colon.upperBound...]
        guard !rest.contains("#") else { throw Failure(message: "a fragment (\"#…\") has no meaning here") }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        self.scheme = scheme
        path = String(rest[slash...])
        (host, explicitPort) = try Self.parse(authority: rest[..<slash])
        if isService { try checkService() }
    }

    private static func badScheme(_ text: Substring, _ allowsService: Bool) -> Failure {
        let given = "the scheme \"\(text)\" is not http or https"
        let word = text.lowercased()
        guard allowsService else { return Failure(message: given) }
        if word.contains("srv") {
            return Failure(
                message: "\(given); what DNS knows by SRV records is written as in dnssrv+http://_otlp._tcp.example.com"
            )
        }
        for (name, example) in [("consul", "consul+http://collector"), ("etcd", "etcd+http://collector")]
        where word.contains(name) {
            return Failure(message: "\(given); what \(name) knows is written as in \(example)")
        }
        return Failure(message: given)
    }

    private func checkService() throws(Failure) {
        guard explicitPort == nil else {
            let whose = finding == .dns ? "its SRV records say" : "its instances have"
            throw Failure(message: "the port is what \(whose): leave it out")
        }
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard !isIPv6, !Self.isIPv4Address(name), name.utf8.count <= 253,
            labels.allSatisfy({ (1...63).contains($0.utf8.count) })
        else {
            throw Failure(message: "\"\(host)\" is no name \(finding == .dns ? "in DNS" : "of a service")")
        }
    }

    private static func parse(authority: Substring) throws(Failure) -> (String, UInt16?) {
        guard !authority.contains("@") else {
            throw Failure(
                message: "a user name or password in the URL would end up in messages; use OTEL_EXPORTER_OTLP_HEADERS")
        }
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else {
                throw Failure(message: "the \"[\" of the IPv6 address is not closed")
            }
            let host = authority[authority.index(after: authority.startIndex)..<close].lowercased()
            guard isIPv6Address(host) else { throw Failure(message: "\"\(host)\" is no IPv6 address") }
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw Failure(message: "after \"]\" comes \"\(rest)\" instead of a port")
            }
            return (host, try parse(port: rest.isEmpty ? nil : rest.dropFirst()))
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            throw Failure(message: "an IPv6 address must stand in brackets, as in http://[::1]:4318")
        }
        let host = parts[0].lowercased()
        guard !host.isEmpty else { throw Failure(message: "it has no host") }
        guard host.utf8.allSatisfy({ $0.isHostCharacter }) else {
            throw Failure(message: "\"\(host)\" is no host name")
        }
        return (host, try parse(port: parts.count == 2 ? parts[1] : nil))
    }

    private static func parse(port: Substring?) throws(Failure) -> UInt16? {
        guard let port, !port.isEmpty else { return nil }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port), number > 0 else {
            throw Failure(message: "\"\(port)\" is no port (1 to 65535)")
        }
        return number
    }

    /// Groups of up to four hex digits, at most one "::", optionally ending in an IPv4 address. RFC 4291, section 2.2.
    static func isIPv6Address(_ text: String) -> Bool {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return false }
        var count = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let groups = half.split(separator: ":", omittingEmptySubsequences: false)
            for (position, group) in groups.enumerated() {
                if index == halves.count - 1, position == groups.count - 1, group.contains(".") {
                    guard isIPv4Address(group) else { return false }
                    count += 2
                } else {
                    guard (1...4).contains(group.utf8.count), UInt16(group, radix: 16) != nil, group.first != "+" else {
                        return false
                    }
                    count += 1
                }
            }
        }
        return halves.count == 2 ? count <= 7 : count == 8
    }

    static func isIPv4Address(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8($0) != nil }
    }
}

/// HOST:PORT, as of `--admin` and `--listen`.
public struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// An IPv6 address without its brackets.
    public var host: String
    /// 0 lets the system choose.
    public var port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Nil when `text` is not "host:port" or "[address]:port".
    public init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let port = text[text.index(after: colon)...]
        guard !port.isEmpty, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port) else {
            return nil
        }
        let host = text[..<colon]
        if host.first == "[", host.last == "]" {
            let address = String(host.dropFirst().dropLast())
            guard EndpointURL.isIPv6Address(address) else { return nil }
            self.init(host: address, port: number)
        } else {
            guard !host.isEmpty, host.utf8.allSatisfy({ $0.isHostCharacter }) else { return nil }
            self.init(host: String(host), port: number)
        }
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether the host is an address, which nobody has to look up.
    var isAddress: Bool { EndpointURL.isIPv6Address(host) || EndpointURL.isIPv4Address(host[...]) }
}

extension UInt8 {
    /// Letters, digits, "-", ".", and "_", which container networks use.
    fileprivate var isHostCharacter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
