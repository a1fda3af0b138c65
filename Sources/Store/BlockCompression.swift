// Why compress: what a span costs the store is almost all bytes written (once to the WAL, once at the checkpoint: about 2.7 ns
// a byte on the machine of PEERS.md), and OTLP repeats itself. Compressing four times takes 0.9 ns a byte and saves twice that, and the
// same disk space keeps four times as many spans. Numbers: docs/adr/store-compressed-batches.md.
//
// Why own code: the format is fixed and small, and liblz4 would be one more package on the user's machine. The bytes are the
// public LZ4 block format, <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>, so any LZ4 decoder reads them.

/// Compresses and expands blocks in the LZ4 block format.
///
/// A value keeps the encoder's table; use one from one thread at a time.
struct BlockCompressor: ~Copyable {
    /// 32 KiB: fits the first-level cache.
    private static let hashBits: UInt64 = 13
    private static let minMatch = 4
    private static let offsetMax = 65_535
    /// The format wants the last bytes to be literals, and no match to begin in the last twelve.
    private static let lastLiterals = 5
    private static let matchStartMargin = 12
    /// The encoder's step begins with two (half of the time, 3 % more bytes) and grows by one after this many (2^n) places without a match.
    private static let skipShift = 5

    private let table: UnsafeMutablePointer<UInt32>

    init() {
        table = .allocate(capacity: 1 << Self.hashBits)
    }

    deinit { table.deallocate() }

    /// Room that the output may need.
    static func bytesMax(_ count: Int) -> Int { count + count / 255 + 32 }

    /// Returns the bytes written. `output` holds at least `bytesMax(input.count)`; `input` is at most 1 GiB.
    borrowing func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        precondition(
            output.count >= Self.bytesMax(input.count) && input.count <= 1 << 30, "\(input.count) in \(output.count)")
        guard let source = input.baseAddress, let target = output.baseAddress else { return 0 }
        let count = input.count
        var out = target
        var anchor = 0
        if count > Self.matchStartMargin {
            table.update(repeating: 0, count: 1 << Self.hashBits)
            let matchEnd = count - Self.lastLiterals
            let searchEnd = count - Self.matchStartMargin
            var position = 1
            search: while true {
                var candidate = 0
                var trials = 2 << Self.skipShift
                while true {
                    if position > searchEnd { break search }
                    let sequence = source.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    let slot = Self.slot(sequence)
                    candidate = Int(truncatingIfNeeded: table[slot])
                    table[slot] = UInt32(truncatingIfNeeded: position)
                    if source.loadUnaligned(fromByteOffset: candidate, as: UInt32.self)
                        == UInt32(truncatingIfNeeded: sequence), position &- candidate <= Self.offsetMax
                    {
                        break
                    }
                    position &+= trials >> Self.skipShift
                    trials &+= 1
                }
                let offset = position &- candidate
                while position > anchor, candidate > 0,
                    source.load(fromByteOffset: position &- 1, as: UInt8.self)
                        == source.load(fromByteOffset: candidate &- 1, as: UInt8.self)
                {
                    position &-= 1
                    candidate &-= 1
                }
                let length =
                    Self.minMatch
                    &+ Self.common(source, position &+ Self.minMatch, candidate &+ Self.minMatch, end: matchEnd)
                out = Self.put(
                    literals: source + anchor, count: position &- anchor, slack: count &- position, length: length,
                    offset: offset, to: out)
                position &+= length
                anchor = position
                if position > searchEnd { break }
                let behind = position &- 2
                table[Self.slot(source.loadUnaligned(fromByteOffset: behind, as: UInt64.self))] =
                    UInt32(truncatingIfNeeded: behind)
            }
        }
        let rest = count - anchor
        out = Self.put(token: UInt8(min(rest, 15)) << 4, extra: rest, to: out)
        out.copyMemory(from: source + anchor, byteCount: rest)
        return out + rest - target
    }

    /// Hashes the first five bytes.
    @inline(__always)
    private static func slot(_ sequence: UInt64) -> Int {
        Int(truncatingIfNeeded: ((sequence << 24) &* 889_523_592_379) >> (64 - hashBits))
    }

    /// Bytes that two places have in common, up to `end`.
    @inline(__always)
    private static func common(_ source: UnsafeRawPointer, _ left: Int, _ right: Int, end: Int) -> Int {
        var left = left
        var right = right
        let start = left
        while left &+ 8 <= end {
            let difference =
                source.loadUnaligned(fromByteOffset: left, as: UInt64.self)
                ^ source.loadUnaligned(fromByteOffset: right, as: UInt64.self)
            if difference != 0 { return left &- start &+ difference.trailingZeroBitCount >> 3 }
            left &+= 8
            right &+= 8
        }
        while left < end,
            source.load(fromByteOffset: left, as: UInt8.self) == source.load(fromByteOffset: right, as: UInt8.self)
        {
            left &+= 1
            right &+= 1
        }
        return left &- start
    }

    /// A token and, when its upper half is full, the bytes that carry on the count.
    @inline(__always)
    private static func put(token: UInt8, extra: Int, to out: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        out.storeBytes(of: token, as: UInt8.self)
        return extra >= 15 ? putRest(extra &- 15, to: out + 1) : out + 1
    }

    @inline(__always)
    private static func putRest(_ rest: Int, to out: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var rest = rest
        var out = out
        while rest >= 255 {
            out.storeBytes(of: 255, as: UInt8.self)
            out += 1
            rest &-= 255
        }
        out.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        return out + 1
    }

    /// - Parameter slack: bytes of the source that lie behind the literals.
    @inline(__always)
    private static func put(
        literals: UnsafeRawPointer, count: Int, slack: Int, length: Int, offset: Int, to start: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let matchRest = length &- minMatch
        let token = UInt8(truncatingIfNeeded: min(count, 15) << 4 | min(matchRest, 15))
        var out = put(token: token, extra: count, to: start)
        if count <= 16, slack &+ count >= 16 {
            // `bytesMax` leaves room behind the output; sixteen bytes at once beat a call of memcpy.
            out.storeBytes(of: literals.loadUnaligned(as: UInt64.self), as: UInt64.self)
            out.storeBytes(
                of: literals.loadUnaligned(fromByteOffset: 8, as: UInt64.self), toByteOffset: 8, as: UInt64.self)
        } else {
            out.copyMemory(from: literals, byteCount: count)
        }
        out += count
        out.storeBytes(of: UInt16(truncatingIfNeeded: offset).littleEndian, as: UInt16.self)
        out += 2
        return matchRest >= 15 ? putRest(matchRest &- 15, to: out) : out
    }
}

enum BlockExpander {
    /// Expands a block that must fill `output` exactly. The input may be damaged or hostile: false says that it is, and then the content of
    /// `output` means nothing.
    static func expand(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        guard let source = input.baseAddress, let target = output.baseAddress else {
            return input.isEmpty && output.isEmpty
        }
        let end = input.count
        let room = output.count
        var position = 0
        var written = 0
        while position < end {
            let token = Int(source.load(fromByteOffset: position, as: UInt8.self))
            position &+= 1
            guard let literals = length(token >> 4, source, &position, end) else { return false }
            guard literals <= end &- position, literals <= room &- written else { return false }
            if literals <= 16, end &- position >= 16, room &- written >= 16 {
                copy16(source + position, to: target + written)
            } else {
                (target + written).copyMemory(from: source + position, byteCount: literals)
            }
            position &+= literals
            written &+= literals
            if position == end { return written == room }

            guard end &- position >= 2 else { return false }
            let offset = Int(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: position, as: UInt16.self)))
            position &+= 2
            guard let rest = length(token & 15, source, &position, end) else { return false }
            let count = rest &+ 4
            guard offset > 0, offset <= written, count <= room &- written else { return false }
            repeatBytes(target + written, offset: offset, count: count, room: room &- written)
            written &+= count
        }
        return false
    }

    /// A count of which the token holds the first 15; nil when the input ends or the count is absurd.
    @inline(__always)
    private static func length(_ nibble: Int, _ source: UnsafeRawPointer, _ position: inout Int, _ end: Int) -> Int? {
        guard nibble == 15 else { return nibble }
        var length = 15
        while position < end {
            let byte = source.load(fromByteOffset: position, as: UInt8.self)
            position &+= 1
            length &+= Int(byte)
            if byte != 255 { return length }
        }
        return nil
    }

    @inline(__always)
    private static func copy16(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        let low = source.loadUnaligned(as: UInt64.self)
        let high = source.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: low, as: UInt64.self)
        target.storeBytes(of: high, toByteOffset: 8, as: UInt64.self)
    }

    /// Copies from `offset` bytes before `target`; source and target may overlap, and then the bytes repeat.
    @inline(__always)
    private static func repeatBytes(_ target: UnsafeMutableRawPointer, offset: Int, count: Int, room: Int) {
        let source = UnsafeRawPointer(target - offset)
        var done = 0
        if offset >= 16 {
            while done < count, room &- done >= 16 {
                copy16(source + done, to: target + done)
                done &+= 16
            }
        }
        while done < count {
            target.storeBytes(of: source.load(fromByteOffset: done, as: UInt8.self), toByteOffset: done, as: UInt8.self)
            done &+= 1
        }
    }
}
