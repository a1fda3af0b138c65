import CCurl
import Glibc
import System

extension HTTPPeer {
    /// Where a socket is about to be connected to.
    init(_ place: UnsafePointer<curl_sockaddr>) {
        // curl's struct ends in a `struct sockaddr` that is as long as `addrlen` says.
        let start = UnsafeRawPointer(place) + MemoryLayout<curl_sockaddr>.offset(of: \.addr)!
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(place.pointee.addrlen))
        switch place.pointee.family {
        case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
            self.init(address: Array(bytes[4..<8]), port: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
            self.init(address: Array(bytes[8..<24]), port: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        default: self.init(address: [], port: 0)
        }
    }

    /// The end of a connection that stands, in curl's words.
    init(text: UnsafePointer<CChar>?, port: CInt) {
        var address = [UInt8](repeating: 0, count: 16)
        if let text, inet_pton(AF_INET, text, &address) == 1 {
            address.removeLast(12)
        } else if text == nil || inet_pton(AF_INET6, text!, &address) != 1 {
            address = []
        }
        self.init(address: address, port: UInt16(truncatingIfNeeded: port))
    }
}
