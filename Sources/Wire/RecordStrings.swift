internal import Telemetry

/// The strings a worker has interned, as bytes ready to be copied into protobuf. Bounded: record-format.md section 4. What it
/// hands out is valid until the next `define`.
final class RecordStrings {
    private struct Entry {
        /// Of the framed form in `arena`; 0 for an id that was never defined.
        var frameOffset: UInt32 = 0
        var frameBytes: UInt16 = 0
        var textBytes: UInt16 = 0
    }

    /// Each string as field 1 of a message (tag 0x0A, length, text): how `KeyValue.key` begins. Its first byte is unused.
    private var arena = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
    private var arenaCapacity = 4096
    private var arenaCount = 1
    private var entries: [Entry] = [Entry()]
    let memo = AttributeMemo()

    deinit { arena.deallocate() }

    func define(_ id: UInt32, _ text: UnsafeRawBufferPointer) throws(RecordError) {
        guard id >= 1, id <= RecordLimits.stringIDMax, text.count <= RecordLimits.stringBytesMax else { throw .range }
        guard arenaCount + text.count + 3 <= RecordLimits.stringTableBytesMax else { throw .tableFull }
        guard text.isUTF8 else { throw .utf8 }
        while entries.count <= id { entries.append(Entry()) }
        guard entries[Int(id)].frameOffset == 0 else { throw .reference }
        if arenaCapacity < arenaCount + text.count + 3 { grow() }
        let offset = arenaCount
        append(0x0A)
        if text.count < 0x80 {
            append(UInt8(text.count))
        } else {
            append(UInt8(text.count & 0x7F) | 0x80)
            append(UInt8(text.count >> 7))
        }
        if let source = text.baseAddress { (arena + arenaCount).copyMemory(from: source, byteCount: text.count) }
        arenaCount += text.count
        entries[Int(id)] = Entry(
            frameOffset: UInt32(offset), frameBytes: UInt16(arenaCount - offset), textBytes: UInt16(text.count))
    }

    private func append(_ byte: UInt8) {
        arena.storeBytes(of: byte, toByteOffset: arenaCount, as: UInt8.self)
        arenaCount += 1
    }

    private func grow() {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: arenaCapacity * 2, alignment: 16)
        larger.copyMemory(from: arena, byteCount: arenaCount)
        arena.deallocate()
        arena = larger
        arenaCapacity *= 2
    }

    @inline(__always)
    private func entry(_ id: UInt32) throws(RecordError) -> Entry {
        guard id < entries.count else { throw .reference }
        let entry = entries[Int(id)]
        guard entry.frameOffset != 0 else { throw .reference }
        return entry
    }

    /// The framed string: tag, length, text.
    @inline(__always)
    func frame(_ id: UInt32) throws(RecordError) -> UnsafeRawBufferPointer {
        let entry = try entry(id)
        return UnsafeRawBufferPointer(start: arena + Int(entry.frameOffset), count: Int(entry.frameBytes))
    }

    /// The text alone.
    @inline(__always)
    func text(_ id: UInt32) throws(RecordError) -> UnsafeRawBufferPointer {
        let entry = try entry(id)
        let end = Int(entry.frameOffset) + Int(entry.frameBytes)
        return UnsafeRawBufferPointer(start: arena + (end - Int(entry.textBytes)), count: Int(entry.textBytes))
    }

    /// The text that a record read before referred to.
    func string(_ ref: UInt32) -> String {
        (try? text(ref)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
