internal import CLinux
internal import CScan
internal import CSimdJSON
internal import Glibc

/// How the bytes of a file are text.
enum LineEncoding: Sendable {
    case utf8
    case utf16(isBigEndian: Bool)
    case latin1

    /// What a file's first bytes say, and how many of them are its mark. Nil: there are too few to tell.
    static func detect(_ head: UnsafeRawBufferPointer, _ setting: TailEncoding) -> (encoding: LineEncoding, mark: Int)?
    {
        if setting == .latin1 { return (.latin1, 0) }
        guard let first = head.first else { return nil }
        switch first {
        case 0xFF, 0xFE:
            guard head.count > 1 else { return nil }
            if first ^ head[1] == 1 { return (.utf16(isBigEndian: first == 0xFE), 2) }
        case 0xEF:
            guard head.count > 2 else { return nil }
            if head[1] == 0xBB, head[2] == 0xBF { return (.utf8, 3) }
        default: break
        }
        return (.utf8, 0)
    }

    /// A line's end is one byte, which nothing else has.
    var isByBytes: Bool { if case .utf16 = self { false } else { true } }

    /// Behind the last line end. `bytes` begin at a character.
    func lastLineEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return nil }
        guard case .utf16(let isBigEndian) = self else {
            return sl_last_byte(base, 10, bytes.count).map { $0 - base + 1 }
        }
        var count = bytes.count
        while let at = sl_last_byte(base, 10, count).map({ $0 - base }) {
            let unit = at & ~1
            if unit + 1 < bytes.count, Self.unit(bytes, unit, isBigEndian) == 10 { return unit + 2 }
            count = at
        }
        return nil
    }

    /// Behind the first line end.
    func firstLineEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return nil }
        var from = 0
        while from < bytes.count, let found = memchr(base + from, 10, bytes.count - from) {
            let at = UnsafeRawPointer(found) - base
            guard case .utf16(let isBigEndian) = self else { return at + 1 }
            let unit = at & ~1
            if unit + 1 < bytes.count, Self.unit(bytes, unit, isBigEndian) == 10 { return unit + 2 }
            from = at + 1
        }
        return nil
    }

    static func unit(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ isBigEndian: Bool) -> UInt16 {
        let raw = bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)
        return isBigEndian ? UInt16(bigEndian: raw) : UInt16(littleEndian: raw)
    }
}

/// Hands lines on as UTF-8: at once where they are that already, one by one where they have to be written anew.
struct LineText {
    /// A line that is written anew; kept for its room.
    private var scratch: [UInt8] = []
    private static let scratchBytesMax = 1 << 20
    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// - Parameters:
    ///   - lines: whole; the last may lack its end where the source has ended.
    ///   - offset: of `lines` in the source.
    mutating func hand(
        _ lines: UnsafeRawBufferPointer, at offset: UInt64, _ encoding: LineEncoding, to sink: any LineSink,
        observed: UInt64, _ counts: inout TailCounts
    ) {
        guard let base = lines.baseAddress, lines.count > 0 else { return }
        counts.bytes += UInt64(lines.count)
        counts.lines += Self.lineEnds(lines)
        if Self.isClean(lines, encoding) {
            return sink.take(lines, at: offset, sourceBytes: UInt64(lines.count), observed: observed)
        }
        // Lines that are clean and follow each other are handed on together.
        var start = 0
        var clean = 0
        func flush(_ end: Int) {
            guard clean < end else { return }
            sink.take(
                UnsafeRawBufferPointer(rebasing: lines[clean..<end]), at: offset + UInt64(clean),
                sourceBytes: UInt64(end - clean), observed: observed)
        }
        while start < lines.count {
            let rest = UnsafeRawBufferPointer(start: base + start, count: lines.count - start)
            let line = UnsafeRawBufferPointer(rebasing: rest[..<(encoding.firstLineEnd(rest) ?? rest.count)])
            if !Self.isClean(line, encoding) {
                flush(start)
                handOne(
                    line, at: offset + UInt64(start), sourceBytes: UInt64(line.count), encoding, to: sink,
                    observed: observed, &counts)
                clean = start + line.count
            }
            start += line.count
        }
        flush(lines.count)
    }

    /// The first bytes of a line that is too long, as a line of its own.
    mutating func handCut(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, _ encoding: LineEncoding,
        to sink: any LineSink, observed: UInt64, _ counts: inout TailCounts
    ) {
        counts.bytes += sourceBytes
        counts.lines += 1
        counts.linesCut += 1
        counts.bytesCut += sourceBytes - UInt64(bytes.count)
        let whole = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Self.openEnd(bytes, encoding)))
        begin()
        convert(whole, encoding, &counts)
        scratch.append(10)
        give(at: offset, sourceBytes: sourceBytes, to: sink, observed: observed)
    }

    private mutating func handOne(
        _ line: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, _ encoding: LineEncoding,
        to sink: any LineSink, observed: UInt64, _ counts: inout TailCounts
    ) {
        var skipped = 0
        if encoding.isByBytes {
            skipped = line.prefix { $0 == 0 }.count
            counts.nulBytes += UInt64(skipped)
        }
        guard skipped < line.count else { return }
        begin()
        convert(UnsafeRawBufferPointer(rebasing: line[skipped...]), encoding, &counts)
        give(
            at: offset + UInt64(skipped), sourceBytes: sourceBytes - UInt64(skipped), to: sink, observed: observed)
    }

    private mutating func begin() {
        scratch.removeAll(keepingCapacity: scratch.capacity <= Self.scratchBytesMax)
    }

    private func give(at offset: UInt64, sourceBytes: UInt64, to sink: any LineSink, observed: UInt64) {
        scratch.withUnsafeBytes { sink.take($0, at: offset, sourceBytes: sourceBytes, observed: observed) }
    }

    private static func lineEnds(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.withMemoryRebound(to: UInt8.self) { bytes in
            bytes.baseAddress.map { UInt64(sl_scan_count($0, bytes.count, 10)) } ?? 0
        }
    }

    /// Can be handed on as it is.
    private static func isClean(_ bytes: UnsafeRawBufferPointer, _ encoding: LineEncoding) -> Bool {
        guard let base = bytes.baseAddress, memchr(base, 0, bytes.count) == nil else { return false }
        switch encoding {
        case .utf8: return sl_utf8_is_valid(base.assumingMemoryBound(to: UInt8.self), bytes.count)
        case .latin1: return !bytes.contains { $0 >= 0x80 }
        case .utf16: return false
        }
    }

    /// Bytes at the end that begin a character which is not there whole.
    private static func openEnd(_ bytes: UnsafeRawBufferPointer, _ encoding: LineEncoding) -> Int {
        switch encoding {
        case .latin1: return 0
        case .utf16(let isBigEndian):
            let odd = bytes.count & 1
            guard bytes.count - odd >= 2 else { return odd }
            let last = LineEncoding.unit(bytes, bytes.count - odd - 2, isBigEndian)
            return odd + (last & 0xFC00 == 0xD800 ? 2 : 0)
        case .utf8:
            for back in 1...3 where back <= bytes.count {
                let byte = bytes[bytes.count - back]
                if byte & 0xC0 == 0x80 { continue }
                let length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
                return length > back ? back : 0
            }
            return 0
        }
    }

    // MARK: Writing anew

    private mutating func convert(
        _ bytes: UnsafeRawBufferPointer, _ encoding: LineEncoding, _ counts: inout TailCounts
    ) {
        switch encoding {
        case .utf8: repair(bytes, &counts)
        case .utf16(let isBigEndian): transcode(bytes, isBigEndian, &counts)
        case .latin1:
            for byte in bytes { append(Unicode.Scalar(byte)) }
        }
    }

    /// Each sequence that is none becomes one U+FFFD, as the Unicode standard recommends (section 3.9, "maximal subparts").
    private mutating func repair(_ bytes: UnsafeRawBufferPointer, _ counts: inout TailCounts) {
        var at = 0
        while at < bytes.count {
            let (length, isValid) = Self.sequence(bytes, at)
            if isValid {
                scratch.append(contentsOf: bytes[at..<at + length])
            } else {
                scratch.append(contentsOf: Self.replacement)
                counts.invalidBytes += UInt64(length)
            }
            at += length
        }
    }

    /// How long the character at a place is, or the beginning of one that breaks off (Unicode 15.0, table 3-7).
    private static func sequence(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> (length: Int, isValid: Bool) {
        let lead = bytes[at]
        var second: ClosedRange<UInt8> = 0x80...0xBF
        let length: Int
        switch lead {
        case 0...0x7F: return (1, true)
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            second = lead == 0xE0 ? 0xA0...0xBF : lead == 0xED ? 0x80...0x9F : second
        case 0xF0...0xF4:
            length = 4
            second = lead == 0xF0 ? 0x90...0xBF : lead == 0xF4 ? 0x80...0x8F : second
        default: return (1, false)
        }
        for index in 1..<length {
            guard at + index < bytes.count, (index == 1 ? second : 0x80...0xBF).contains(bytes[at + index]) else {
                return (index, false)
            }
        }
        return (length, true)
    }

    private mutating func transcode(
        _ bytes: UnsafeRawBufferPointer, _ isBigEndian: Bool, _ counts: inout TailCounts
    ) {
        var at = 0
        while at + 1 < bytes.count {
            let unit = LineEncoding.unit(bytes, at, isBigEndian)
            at += 2
            if let scalar = Unicode.Scalar(unit) {
                append(scalar)
                continue
            }
            if unit < 0xDC00, at + 1 < bytes.count {
                let low = LineEncoding.unit(bytes, at, isBigEndian)
                if low & 0xFC00 == 0xDC00 {
                    append(Unicode.Scalar(0x10000 + (UInt32(unit) & 0x3FF) << 10 + UInt32(low) & 0x3FF)!)
                    at += 2
                    continue
                }
            }
            scratch.append(contentsOf: Self.replacement)
            counts.invalidBytes += 2
        }
        if at < bytes.count {
            scratch.append(contentsOf: Self.replacement)
            counts.invalidBytes += 1
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        if scalar.value < 0x80 {
            scratch.append(UInt8(scalar.value))
        } else {
            scratch.append(contentsOf: UTF8.encode(scalar)!)
        }
    }
}
