/// Places in the network, and what may be asked of them. Its name does not count when two are compared.
public struct NetworkRule: Hashable, Sendable {
    enum Host: Hashable, Sendable {
        case any
        /// In lower case.
        case name(String)
        /// All names that end like this; it begins with a dot.
        case below(String)
        case block(AddressBlock)
    }

    var host: Host
    /// As it was written, in lower case.
    public private(set) var hostText: String
    /// Nil: any. That of https is wss's too, that of http ws's.
    public private(set) var scheme: String?
    /// Empty: any.
    public private(set) var ports: [ClosedRange<UInt16>]
    /// Empty: any. In upper case.
    public private(set) var methods: [String]
    /// What decisions call it, as in `network.allow[2]`.
    public internal(set) var name = ""

    /// That a program can connect by.
    public static let schemes = ["http", "https", "ws", "wss", "service"]
    public static let portsMax = 32
    public static let methodsMax = 32

    /// Why something is no rule; completes `"text" …`.
    public struct Failure: Error, Hashable, Sendable {
        public var message: String
    }

    /// `https://api.example.com`, `*.example.org:443`, `db.internal:8000-8010`, `10.0.0.0/8`, `[::1]:*`, `*`.
    public init(parsing text: String) throws(Failure) {
        var rest = text[...]
        var scheme: String?
        if let separator = rest.firstRange(of: "://") {
            scheme = String(rest[..<separator.lowerBound])
            rest = rest[separator.upperBound...]
            if rest.last == "/", !rest.dropLast().contains("/") { rest = rest.dropLast() }
        }
        guard !rest.contains("@") else {
            throw Failure(message: "has a user's name in it: a rule is for a host, whoever asks")
        }
        var portText: Substring?
        if rest.first == "[" {
            guard let close = rest.firstIndex(of: "]") else { throw Failure(message: "has no ] behind the address") }
            // A block's length may stand in the brackets or behind them.
            var after = rest[rest.index(after: close)...]
            var address = String(rest[rest.index(after: rest.startIndex)..<close])
            if after.first == "/" {
                let length = after.dropFirst().prefix { $0 != ":" }
                address += "/" + length
                after = after.dropFirst(length.count + 1)
            }
            guard after.isEmpty || after.first == ":" else {
                throw Failure(message: "has \"\(after)\" behind the address, where only a port can stand")
            }
            portText = after.isEmpty ? nil : after.dropFirst()
            rest = address[...]
        } else if rest.filter({ $0 == ":" }).count == 1, let colon = rest.firstIndex(of: ":") {
            portText = rest[rest.index(after: colon)...]
            rest = rest[..<colon]
        }
        var ports: [ClosedRange<UInt16>] = []
        if let portText, portText != "*" { ports = [try Self.ports(String(portText))] }
        try self.init(host: String(rest), scheme: scheme, ports: ports)
        if portText == nil, let port = Self.standardPort(self.scheme) { self.ports = [port...port] }
    }

    /// - Parameters:
    ///   - host: A name, "*." and a name, an address, a block of addresses, or "*".
    ///   - ports: Empty: any.
    ///   - methods: Empty: any.
    public init(
        host: String, scheme: String? = nil, ports: [ClosedRange<UInt16>] = [], methods: [String] = []
    ) throws(Failure) {
        let text = host.lowercased()
        self.host = try Self.host(text)
        hostText = text.hasSuffix(".") ? String(text.dropLast()) : text
        self.ports = ports
        self.methods = methods.map { $0.uppercased() }
        self.scheme = scheme?.lowercased()
        if let scheme = self.scheme {
            guard let first = scheme.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first),
                scheme.utf8.allSatisfy({ Self.isOfScheme($0) })
            else { throw Failure(message: "begins with something that is no scheme, as https is one") }
            guard Self.schemes.contains(scheme) else {
                throw Failure(
                    message: "has a scheme that nothing connects by: there are \(Self.schemes.joined(separator: ", "))")
            }
        }
        guard self.methods.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isOfToken) }) else {
            throw Failure(message: "has a method that is none, as GET is one")
        }
        guard ports.count <= Self.portsMax, methods.count <= Self.methodsMax else {
            throw Failure(message: "has more than \(Self.portsMax) ports or methods")
        }
    }

    /// `443` or `8000-8010`.
    public static func ports(_ text: String) throws(Failure) -> ClosedRange<UInt16> {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts.map { part in
            part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt16(part) : nil
        }
        guard let first = numbers[0], let last = numbers.last ?? nil, first >= 1, first <= last else {
            throw Failure(message: "has no port from 1 to 65535, or range of ports, behind the colon")
        }
        return first...last
    }

    private static func host(_ text: String) throws(Failure) -> Host {
        guard !text.isEmpty else { throw Failure(message: "names no host") }
        if text == "*" { return .any }
        if let slash = text.firstIndex(of: "/") {
            guard let address = IPAddress(String(text[..<slash])) else {
                throw Failure(message: "has a path, and a rule is for a whole host: leave out what is behind it")
            }
            let length = text[text.index(after: slash)...]
            guard length.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let bits = Int(length), bits <= (address.isV4 ? 32 : 128)
            else {
                throw Failure(message: "has no length of a prefix, up to \(address.isV4 ? 32 : 128), behind the slash")
            }
            return .block(AddressBlock(address, prefixBits: bits))
        }
        if let address = IPAddress(text) { return .block(AddressBlock(address)) }
        let isBelow = text.hasPrefix("*.")
        var name = isBelow ? text.dropFirst(2)[...] : text[...]
        if name.last == "." { name = name.dropLast() }
        guard !name.contains("*") else {
            throw Failure(message: "has a \"*\" that is not alone, nor the first label, as in *.example.org")
        }
        guard !name.utf8.contains(where: { $0 >= 0x80 }) else {
            throw Failure(message: "has letters beyond ASCII: write the name as DNS has it, xn--…")
        }
        switch IPAddress.host(String(name)) {
        case .address, .invalid: throw Failure(message: "looks like an address and is none as it is usually written")
        case .name: break
        }
        guard name.utf8.count <= 253, !name.isEmpty,
            name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({
                (1...63).contains($0.utf8.count) && $0.utf8.allSatisfy(Self.isOfName)
            })
        else { throw Failure(message: "is no name of a host") }
        return isBelow ? .below("." + name) : .name(String(name))
    }

    private static func standardPort(_ scheme: String?) -> UInt16? {
        switch scheme {
        case "http", "ws": 80
        case "https", "wss": 443
        default: nil
        }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func isOfScheme(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    /// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
    private static func isOfToken(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte | 0x20) || isLetterOrDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    public static func == (left: NetworkRule, right: NetworkRule) -> Bool {
        left.host == right.host && left.scheme == right.scheme && left.ports == right.ports
            && left.methods == right.methods
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(host)
        hasher.combine(scheme)
        hasher.combine(ports)
        hasher.combine(methods)
    }

    // MARK: Matching

    func matches(method: String, scheme: String, host: String, address: IPAddress?, port: UInt16) -> Bool {
        matches(port: port) && matches(host: host, address: address)
            && (self.scheme.map { Self.covers($0, scheme) } ?? true)
            && (methods.isEmpty || methods.contains { Self.areEqual($0, method) })
    }

    /// Whether it is for this place, whatever is asked of it.
    func matches(host: String, address: IPAddress?, port: UInt16) -> Bool {
        matches(port: port) && matches(host: host, address: address)
    }

    /// Whether it says nothing of what is asked.
    var isForAllRequests: Bool { scheme == nil && methods.isEmpty }

    private func matches(port: UInt16) -> Bool { ports.isEmpty || ports.contains { $0.contains(port) } }

    private func matches(host text: String, address: IPAddress?) -> Bool {
        switch host {
        case .any: return true
        case .name(let name): return Self.areEqual(name, text)
        case .below(let end):
            let bytes = text.utf8
            let count = bytes.count - (bytes.last == UInt8(ascii: ".") ? 1 : 0)
            guard count > end.utf8.count else { return false }
            return zip(bytes.prefix(count).suffix(end.utf8.count), end.utf8).allSatisfy { Self.lower($0) == $1 }
        case .block(let block): return address.map(block.contains) ?? false
        }
    }

    /// - Parameters:
    ///   - own: A rule's, in one case.
    ///   - other: In any case, perhaps with a dot at its end.
    private static func areEqual(_ own: String, _ other: String) -> Bool {
        let (left, right) = (own.utf8, other.utf8)
        let count = right.count - (right.last == UInt8(ascii: ".") ? 1 : 0)
        return left.count == count && zip(left, right).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// What is allowed of a scheme is so of a WebSocket's that is as safe.
    private static func covers(_ own: String, _ other: String) -> Bool {
        own == other || (own == "https" && other == "wss") || (own == "http" && other == "ws")
    }
}

extension NetworkRule: CustomStringConvertible {
    /// As a policy file has it, if it says no methods and at most one range of ports.
    public var description: String {
        var text = hostText.contains(":") ? "[\(hostText)]" : hostText
        if let scheme { text = "\(scheme)://\(text)" }
        let standard = Self.standardPort(scheme)
        if ports.isEmpty { return standard == nil ? text : text + ":*" }
        if let standard, ports == [standard...standard] { return text }
        return text + ":"
            + ports.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// Whether `description` says all of it.
    public var isPlain: Bool { methods.isEmpty && ports.count <= 1 }
}
