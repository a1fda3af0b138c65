/// What counts as a word, for the index and for who searches it: a run of letters and digits, in lower case, and beyond ASCII of the marks that go with them, as
/// Unicode says. A Chinese, Japanese or Korean character is a word of its own, and so is an emoji, since nothing separates words there.
enum Words {
    /// Of a longer word its first bytes count.
    static let bytesMax = 64

    /// Calls `body` with each word, in their order. The bytes are valid during the call, and followed by eight zero bytes.
    @inline(__always)
    static func forEach(_ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: bytesMax + 8, alignment: 8) { word in
            var index = 0
            while index < text.count {
                var folded = fold(text[index])
                if folded == 0 {
                    index &+= 1
                    continue
                }
                let start = index
                var count = 0
                var all: UInt8 = 0
                repeat {
                    all |= folded
                    if count < bytesMax {
                        word[count] = folded
                        count &+= 1
                    }
                    index &+= 1
                    folded = index < text.count ? fold(text[index]) : 0
                } while folded != 0
                if all < 0x80 {
                    word.storeBytes(of: 0, toByteOffset: count, as: UInt64.self)
                    body(UnsafeRawBufferPointer(rebasing: word[..<count]))
                } else {
                    forEachBeyondASCII(UnsafeRawBufferPointer(rebasing: text[start..<index]), word, body)
                }
            }
        }
    }

    /// A byte of a word, in lower case; 0: of none.
    @inline(__always)
    private static func fold(_ byte: UInt8) -> UInt8 {
        if byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte >= 0x80 { return byte }
        return byte &- 0x41 < 26 ? byte | 0x20 : 0
    }

    /// Cuts a run up where characters separate words or are words.
    private static func forEachBeyondASCII(
        _ run: UnsafeRawBufferPointer, _ word: UnsafeMutableRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        var start = 0
        var index = 0
        while index < run.count {
            let (kind, length) = character(run, index)
            if kind != .letter {
                put(run[start..<index], word, body)
                if kind == .word { put(run[index..<index + length], word, body) }
                start = index + length
            }
            index += length
        }
        put(run[start...], word, body)
    }

    private enum Kind { case letter, word, separator }

    /// What the character there is, and its length in bytes. Bytes that are not UTF-8 are letters.
    private static func character(_ run: UnsafeRawBufferPointer, _ index: Int) -> (Kind, Int) {
        func next(_ offset: Int) -> UInt8 {
            let byte = index + offset < run.count ? run[index + offset] : 0
            return byte & 0xC0 == 0x80 ? byte : 0
        }
        switch run[index] {
        case 0xC2 where next(1) != 0: return (.separator, 2)  // U+0080…U+00BF
        case 0xE2 where 0x80...0xAF ~= next(1) && next(2) != 0: return (.separator, 3)  // U+2000…U+2BFF
        case 0xE3 where next(1) == 0x80 && next(2) != 0: return (.separator, 3)  // U+3000…U+303F
        case 0xE3...0xE9 where next(1) != 0 && next(2) != 0,
            0xEB...0xEC where next(1) != 0 && next(2) != 0,
            0xEA where next(1) >= 0xB0 && next(2) != 0,
            0xED where 0x80...0x9E ~= next(1) && next(2) != 0:
            return (.word, 3)
        case 0xF0 where next(1) != 0 && next(2) != 0 && next(3) != 0: return (.word, 4)
        case 0xC3...0xDF where next(1) != 0:
            return (kind(UInt32(run[index] & 0x1F) << 6 | UInt32(next(1) & 0x3F)), 2)
        case 0xE0...0xEF where next(1) != 0 && next(2) != 0:
            return (kind(UInt32(run[index] & 0xF) << 12 | UInt32(next(1) & 0x3F) << 6 | UInt32(next(2) & 0x3F)), 3)
        default: return (.letter, 1)
        }
    }

    /// Of a character that needs two or three bytes. U+FFFD stands for bytes that are not UTF-8.
    private static func kind(_ code: UInt32) -> Kind {
        guard code != 0xFFFD, let scalar = Unicode.Scalar(code) else { return .letter }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber, .privateUse, .surrogate,
            .unassigned:
            return .letter
        default: return .separator
        }
    }

    private static func put(
        _ piece: Slice<UnsafeRawBufferPointer>, _ word: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        guard !piece.isEmpty else { return }
        // Only so much of a long run is made a string of.
        let lower = Array(String(decoding: cut(piece), as: UTF8.self).lowercased().utf8)
        let bytes = cut(lower[...])
        word.copyBytes(from: bytes)
        word.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt64.self)
        body(UnsafeRawBufferPointer(rebasing: word[..<bytes.count]))
    }

    /// At most `bytesMax`, without half a character at the end.
    private static func cut<Bytes: RandomAccessCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence
    where Bytes.Index == Int {
        guard bytes.count > bytesMax else { return bytes[...] }
        var end = bytes.startIndex + bytesMax
        while end > bytes.startIndex + bytesMax - 4, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return bytes[bytes.startIndex..<end]
    }
}
