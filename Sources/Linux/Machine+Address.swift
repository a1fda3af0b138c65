internal import Glibc

extension Machine {
    /// The address that this machine's packets leave from, where a route to other networks leads: IPv4, else IPv6. Nil: there is no such route. Sends nothing.
    public static var primaryAddress: String? {
        source(to: "192.0.2.1", AF_INET) ?? source(to: "2001:db8::1", AF_INET6)
    }

    /// - Parameter destination: Of the networks that are set aside for documentation, RFC 5737 and RFC 3849: nobody is there.
    private static func source(to destination: String, _ family: Int32) -> String? {
        let socket = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isFound = withUnsafeMutableBytes(of: &storage) { bytes in
            let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            if family == AF_INET {
                var there = sockaddr_in()
                there.sin_family = sa_family_t(AF_INET)
                there.sin_port = UInt16(9).bigEndian
                inet_pton(AF_INET, destination, &there.sin_addr)
                bytes.storeBytes(of: there, as: sockaddr_in.self)
            } else {
                var there = sockaddr_in6()
                there.sin6_family = sa_family_t(AF_INET6)
                there.sin6_port = UInt16(9).bigEndian
                inet_pton(AF_INET6, destination, &there.sin6_addr)
                bytes.storeBytes(of: there, as: sockaddr_in6.self)
            }
            let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
            return connect(socket, address, socklen_t(size)) == 0 && getsockname(socket, address, &length) == 0
        }
        guard isFound else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isWritten = withUnsafeBytes(of: &storage) { bytes in
            // Behind family and port, and IPv6's flow.
            inet_ntop(family, bytes.baseAddress! + (family == AF_INET ? 4 : 8), &text, socklen_t(text.count)) != nil
        }
        guard isWritten else { return nil }
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The place itself: a machine that answers for every address.
        return address == destination ? nil : address
    }
}
