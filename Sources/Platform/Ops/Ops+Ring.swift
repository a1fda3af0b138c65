internal import Engine

extension PlatformOps {
    /// writeRing(text, offset, limit): UTF-8 of a string into the ring's mapping, from offset to before limit (bytes from its start);
    /// bytes written, or -1 when it does not fit.
    static let ring = [
        Op("writeRing") {
            let call = OpCall($0, $1)
            let offset = call.integer(1, nan: -1)
            let limit = call.integer(2, nan: -1)
            guard let ring = call.platform.ring, offset >= 0, offset <= limit, limit <= ring.count else {
                return call.returns(-1)
            }
            call.returns(Double(call.writeUTF8(0, to: UnsafeMutableRawBufferPointer(rebasing: ring[offset..<limit]))))
        },
    ]
}
