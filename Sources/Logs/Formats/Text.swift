import Glibc

/// A run of bytes of a line. At least `Text.slack` bytes behind `end` may be read.
struct Text {
    /// Bytes that may be read beyond the end of what is parsed, and that writers have beyond what they count.
    static let slack = 64

    var start: UnsafePointer<UInt8>
    var end: UnsafePointer<UInt8>

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        self.start = start
        self.end = end
    }

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        end = start + count
    }

    @inline(__always)
    var count: Int { end - start }

    @inline(__always)
    var isEmpty: Bool { end == start }

    /// The first eight bytes, the first one lowest.
    @inline(__always)
    var word: UInt64 { start.word }

    @inline(__always)
    func hasPrefix(_ word: StaticString) -> Bool {
        count >= word.utf8CodeUnitCount && memcmp(start, word.utf8Start, word.utf8CodeUnitCount) == 0
    }

    func equals(_ word: StaticString) -> Bool { count == word.utf8CodeUnitCount && hasPrefix(word) }

    /// Without the white space at both ends.
    func trimmed() -> Text {
        var text = self
        while text.start < text.end, text.start.pointee.isSpace { text.start += 1 }
        while text.end > text.start, text.end[-1].isSpace { text.end -= 1 }
        return text
    }

    /// The first place of `byte`.
    @inline(__always)
    func first(_ byte: UInt8) -> UnsafePointer<UInt8>? {
        memchr(start, Int32(byte), count).map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }
    }

    /// The text, cut to `limit` bytes and there not within a character.
    func prefix(_ limit: Int) -> Text {
        guard count > limit else { return self }
        var end = start + limit
        while end > start, end.pointee & 0xC0 == 0x80 { end -= 1 }
        return Text(start, end)
    }
}

extension UnsafePointer<UInt8> {
    /// The eight bytes here, the first one lowest.
    @inline(__always)
    var word: UInt64 { UInt64(littleEndian: UnsafeRawPointer(self).loadUnaligned(as: UInt64.self)) }
}

extension UInt8 {
    @inline(__always)
    var isSpace: Bool { self == 0x20 || self &- 9 <= 4 }

    @inline(__always)
    var isDigit: Bool { self &- 0x30 <= 9 }

    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- 0x61 <= 25 }
}
