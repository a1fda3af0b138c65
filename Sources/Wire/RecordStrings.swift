/// The strings a worker has interned, as bytes ready to be copied into protobuf. Bounded: record-format.md section 4.
struct RecordStrings {
    private struct Entry {
        /// Of the framed form in `arena`; 0 for an id that was never defined.
        var frameOffset: UInt32 = 0
        var frameBytes: UInt16 = 0
        var textBytes: UInt16 = 0
    }

    /// Each string as field 1 of a message (tag 0x0A, length, text): how `KeyValue.key` begins.
    private var arena: [UInt8] = [0]
    private var entries: [Entry] = [Entry()]

    mutating func define(_ id: UInt32, _ text: UnsafeRawBufferPointer) throws(RecordError) {
        guard id >= 1, id <= RecordLimits.stringIDMax, text.count <= RecordLimits.stringBytesMax else { throw .range }
        guard arena.count + text.count + 4 <= RecordLimits.stringTableBytesMax else { throw .tableFull }
        guard text.isUTF8 else { throw .utf8 }
        while entries.count <= id { entries.append(Entry()) }
        guard entries[Int(id)].frameOffset == 0 else { throw .reference }
        let offset = arena.count
        arena.append(0x0A)
        if text.count < 0x80 {
            arena.append(UInt8(text.count))
        } else {
            arena.append(UInt8(text.count & 0x7F) | 0x80)
            arena.append(UInt8(text.count >> 7))
        }
        arena.append(contentsOf: text)
        entries[Int(id)] = Entry(
            frameOffset: UInt32(offset), frameBytes: UInt16(arena.count - offset), textBytes: UInt16(text.count))
    }

    /// Calls `body` with the framed string (tag, length, text).
    @inline(__always)
    func withFrame<Result>(
        _ id: UInt32, _ body: (UnsafeRawBufferPointer) throws(RecordError) -> Result
    ) throws(RecordError) -> Result {
        guard id < entries.count else { throw .reference }
        let entry = entries[Int(id)]
        guard entry.frameOffset != 0 else { throw .reference }
        let start = Int(entry.frameOffset)
        return try arena.withUnsafeBytes { (all) throws(RecordError) in
            try body(UnsafeRawBufferPointer(rebasing: all[start..<start &+ Int(entry.frameBytes)]))
        }
    }

    /// Calls `body` with the text alone.
    @inline(__always)
    func withText<Result>(
        _ id: UInt32, _ body: (UnsafeRawBufferPointer) throws(RecordError) -> Result
    ) throws(RecordError) -> Result {
        guard id < entries.count else { throw .reference }
        let entry = entries[Int(id)]
        guard entry.frameOffset != 0 else { throw .reference }
        let end = Int(entry.frameOffset) + Int(entry.frameBytes)
        return try arena.withUnsafeBytes { (all) throws(RecordError) in
            try body(UnsafeRawBufferPointer(rebasing: all[end &- Int(entry.textBytes)..<end]))
        }
    }
}
