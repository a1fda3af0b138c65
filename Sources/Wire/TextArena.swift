/// Unescaped texts of one span. A text stays where it is until `reset`.
final class TextArena {
    private static let chunkBytes = 16 << 10

    private var chunk: UnsafeMutableRawBufferPointer
    private var used = 0
    private var others: [UnsafeMutableRawBufferPointer] = []

    init() { chunk = .allocate(byteCount: Self.chunkBytes, alignment: 16) }

    deinit {
        reset()
        chunk.deallocate()
    }

    func reset() {
        used = 0
        for other in others { other.deallocate() }
        others.removeAll(keepingCapacity: true)
    }

    /// The string's text: itself where it has no escapes.
    @inline(__always)
    func text(_ string: JSONString) throws(DecodeError) -> ForeignText {
        string.hasEscapes ? try unescaped(string) : string.bytes
    }

    private func unescaped(_ string: JSONString) throws(DecodeError) -> ForeignText {
        let room = string.bytes.count
        if chunk.count - used >= room {
            let place = UnsafeMutableRawBufferPointer(rebasing: chunk[used..<used + room])
            let count = try string.unescape(into: place)
            used += count
            return ForeignText(rebasing: place[..<count])
        }
        let own = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        others.append(own)
        return ForeignText(rebasing: own[..<(try string.unescape(into: own))])
    }

    /// The text itself, kept.
    func copy(_ text: [UInt8]) -> ForeignText {
        let place: UnsafeMutableRawBufferPointer
        if chunk.count - used >= text.count {
            place = UnsafeMutableRawBufferPointer(rebasing: chunk[used..<used + text.count])
            used += text.count
        } else {
            place = .allocate(byteCount: text.count, alignment: 1)
            others.append(place)
        }
        text.withUnsafeBytes { place.copyMemory(from: $0) }
        return ForeignText(place)
    }
}
