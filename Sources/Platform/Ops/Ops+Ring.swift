internal import Engine

extension PlatformOps {
    /// writeRing(text, offset): UTF-8 of a string into the ring's mapping, offset in bytes from its start; bytes written, or -1.
    /// The end of the mapping bounds it; the caller has reserved the room. wakeAgent(): tells the agent to read.
    static let ring = [
        Op("writeRing") {
            let call = OpCall($0, $1)
            let offset = call.integer(1, nan: -1)
            guard let ring = call.platform.ring, offset >= 0, offset <= ring.count else { return call.returns(-1) }
            call.returns(Double(call.writeUTF8(0, to: UnsafeMutableRawBufferPointer(rebasing: ring[offset...]))))
        },
        Op("wakeAgent") { OpCall($0, $1).platform.host.wakeAgent() },
    ]
}
