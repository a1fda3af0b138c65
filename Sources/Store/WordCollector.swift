import Glibc
import Telemetry
import Wire

/// Gathers the distinct words of a row's log records. Its memory is used again for the next row.
final class WordCollector {
    /// A row with more is not indexed.
    static let wordsMax = 16_384
    private static let slotsCount = 32_768

    private struct Slot {
        /// Of which row it is; others are free.
        var row: UInt32
        var hash: UInt32
        /// In `text`.
        var offset: UInt32
        var count: UInt32
    }

    private let slots: UnsafeMutablePointer<Slot>
    private var row: UInt32 = 0
    private var count = 0
    /// The words, each with a space behind it.
    private var text: [UInt8] = []
    /// The texts of the record before, by their number in it: many attributes say the same again and again. Of the bytes under way.
    private var earlier: [UnsafeRawBufferPointer] = []
    private static let earlierMax = 64

    init() {
        // Zeroed pages that are not touched cost nothing.
        let memory = calloc(Self.slotsCount, MemoryLayout<Slot>.stride)!
        slots = memory.bindMemory(to: Slot.self, capacity: Self.slotsCount)
    }

    deinit { free(slots) }

    /// The words of framed log records (`Batch.bytes`), each once, separated by spaces. Nil: there are too many.
    func words(of records: [UInt8]) -> String? {
        begin()
        records.withUnsafeBytes { bytes in
            var reader = ProtobufReader(bytes)
            do throws(DecodeError) {
                while count <= Self.wordsMax, let field = try reader.next() {
                    guard field.type == .lengthDelimited else {
                        try reader.skip(field)
                        continue
                    }
                    var number = 0
                    LogTexts.forEach(try reader.message()) { text in
                        if isNew(text, number) { Words.forEach(text, add) }
                        number += 1
                    }
                }
            } catch {
                // Framed by ourselves.
            }
            earlier.removeAll(keepingCapacity: true)
        }
        return count <= Self.wordsMax ? String(decoding: text, as: UTF8.self) : nil
    }

    /// Whether a text is another than that in its place in the record before.
    @inline(__always)
    private func isNew(_ text: UnsafeRawBufferPointer, _ number: Int) -> Bool {
        guard number < earlier.count else {
            if number == earlier.count, number < Self.earlierMax { earlier.append(text) }
            return true
        }
        let before = earlier[number]
        guard before.count == text.count,
            text.isEmpty || memcmp(before.baseAddress!, text.baseAddress!, text.count) == 0
        else {
            earlier[number] = text
            return true
        }
        return false
    }

    private func begin() {
        text.removeAll(keepingCapacity: true)
        count = 0
        if row == .max {
            slots.update(repeating: Slot(row: 0, hash: 0, offset: 0, count: 0), count: Self.slotsCount)
            row = 0
        }
        row += 1
    }

    @inline(__always)
    private func add(_ word: UnsafeRawBufferPointer) {
        guard count <= Self.wordsMax else { return }
        let hash = Self.hash(word)
        var index = Int(hash) & (Self.slotsCount - 1)
        while slots[index].row == row {
            let slot = slots[index]
            if slot.hash == hash, slot.count == word.count,
                text.withUnsafeBytes({ memcmp($0.baseAddress! + Int(slot.offset), word.baseAddress!, word.count) }) == 0
            {
                return
            }
            index = (index + 1) & (Self.slotsCount - 1)
        }
        slots[index] = Slot(row: row, hash: hash, offset: UInt32(text.count), count: UInt32(word.count))
        text.append(contentsOf: word)
        text.append(0x20)
        count += 1
    }

    /// Of a word with zero bytes behind it.
    @inline(__always)
    private static func hash(_ word: UnsafeRawBufferPointer) -> UInt32 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while offset < word.count {
            let mask: UInt64 = word.count - offset >= 8 ? .max : (1 << (UInt64(word.count - offset) * 8)) - 1
            let part = UnsafeRawPointer(word.baseAddress! + offset).loadUnaligned(as: UInt64.self).littleEndian & mask
            let product = (hash ^ part).multipliedFullWidth(by: 0xBF58_476D_1CE4_E5B9)
            hash = product.high ^ product.low
            offset += 8
        }
        return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
    }
}
