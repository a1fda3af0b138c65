internal import Glibc
internal import Policy
internal import Synchronization
internal import System

/// Asked by the transport about every address that a request is about to be sent to: what a name turned out to be, again for each connection, so that neither a redirect nor
/// a name that has changed its mind leads where the policy does not. Any thread.
final class NetworkGate: Sendable {
    private let policy: Policy
    private let host: String
    private let found = Mutex<(decision: Decision, access: Access)?>(nil)

    /// - Parameter host: of the URL.
    init(_ policy: Policy, host: String) {
        self.policy = policy
        self.host = host
    }

    func admits(_ peer: HTTPPeer) -> Bool {
        // What is no address of the Internet (a socket of this machine) nobody has allowed.
        guard let address = peer.withBytes(IPAddress.init(bytes:)) else { return false }
        let access = Access.reach(host: host, address: address, port: peer.port)
        let decision = policy.decide(access)
        if !decision.isAllowed || decision.isAudited { found.withLock { $0 = (decision, access) } }
        return decision.isAllowed
    }

    /// What is to be told of it, once.
    func takeFinding() -> (decision: Decision, access: Access)? {
        found.withLock { found in
            defer { found = nil }
            return found
        }
    }
}

/// Where a URL leads, as the platform's own URL parser has written it: the host is in lower case, in IPv6's brackets, or an IPv4 address in its one form.
struct URLPlace: Hashable {
    let scheme: String
    let host: String
    let port: UInt16

    init?(_ url: String) {
        let bytes = url.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            return nil
        }
        let scheme = String(url[..<colon])
        guard let portDefault: UInt16 = ["http": 80, "https": 443][scheme] else { return nil }
        let start = bytes.index(colon, offsetBy: 3)
        let end = bytes[start...].firstIndex { "/?#".utf8.contains($0) } ?? bytes.endIndex
        var authority = bytes[start..<end]
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) { authority = authority[bytes.index(after: at)...] }
        var port = portDefault
        // Not one within brackets.
        if let last = authority.lastIndex(of: UInt8(ascii: ":")), !authority[last...].contains(UInt8(ascii: "]")) {
            guard let number = UInt16(Substring(authority[bytes.index(after: last)...])) else { return nil }
            port = number
            authority = authority[..<last]
        }
        guard !authority.isEmpty else { return nil }
        (self.scheme, self.host, self.port) = (scheme, String(Substring(authority)), port)
    }

    /// What a header `host:value` has for a value; nil: it is another header.
    static func hostValue(of line: ArraySlice<UInt8>) -> String? {
        let key = "host:".utf8
        guard line.count >= key.count, zip(line, key).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { return nil }
        let blanks: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t")]
        var value = line.dropFirst(key.count).drop { blanks.contains($0) }
        while let last = value.last, blanks.contains(last) { value.removeLast() }
        return String(decoding: value, as: UTF8.self)
    }

    /// The host that such a value names, in lower case and without its port; nil: it is no `uri-host [":" port]` (RFC 9110, section 7.2), so that who passes the
    /// request on may read another host in it.
    static func named(by value: String) -> String? {
        var host = Substring(value)
        if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
            guard host[colon...].dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            host = host[..<colon]
        }
        let isIPv6 = host.hasPrefix("[") && host.hasSuffix("]")
        let name = isIPv6 ? host.dropFirst().dropLast() : host
        let isNamed = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."): true
            case UInt8(ascii: ":"): isIPv6
            case UInt8(ascii: "-"), UInt8(ascii: "_"): !isIPv6
            default: false
            }
        }
        return isNamed && !name.isEmpty ? host.lowercased() : nil
    }
}
