// The agent's end of the ring. Bytes are copied out before anything looks at them, since a compromised worker can change
// them at any time; what is handed on is a private copy of whole records.

internal import CLinux
internal import Glibc

/// Takes records out of a ring. One thread at a time.
public struct RingReader: ~Copyable {
    /// Most bytes taken in one step, unless one record is larger: what is copied is still in the first-level cache when it is looked at, and a batch, which
    /// ends with a step, is not much larger than it should be.
    public static let chunkBytes = 16 << 10

    public enum Step: Equatable, Sendable {
        /// Nothing was there.
        case empty
        /// So many bytes were taken; there may be more.
        case read(bytes: Int)
        /// The frame is lost (a bad length, an impossible head): nothing more can be taken from this ring.
        case broken(BrokenReason)
    }

    public enum BrokenReason: String, Sendable {
        case head = "head beyond the capacity"
        case length = "record length out of range"
    }

    public let mapping: RingMapping
    /// What is taken out of the ring is without these values.
    private let mask: SecretMask?
    private let buffer: UnsafeMutableRawPointer
    /// Own copy: the shared cell is for the producer to read, never trusted here.
    private var tail: UInt32 = 0
    private var broken: BrokenReason?
    private let lengthMax: Int

    public init(_ mapping: RingMapping, mask: SecretMask? = nil) {
        self.mapping = mapping
        self.mask = mask
        lengthMax = min(mapping.capacity / 4, RecordLimits.recordBytesMax)
        buffer = .allocate(byteCount: max(lengthMax, Self.chunkBytes), alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Bytes ever taken, modulo 2^32.
    public var consumed: UInt32 { tail }

    /// Bytes waiting.
    public var pending: Int { Int(mapping.load(RingMapping.Cell.head) &- tail) }

    /// Copies what is there (at most `chunkBytes`) and hands over each record: whole, with its header, 8-aligned, valid for the
    /// call. Room is given back to the producer afterwards.
    public mutating func read(_ body: (UnsafeRawBufferPointer) -> Void) -> Step {
        if let broken { return .broken(broken) }
        let available = Int(mapping.load(RingMapping.Cell.head) &- tail)
        if available == 0 { return .empty }
        guard available <= mapping.capacity, available & 7 == 0 else { return fail(.head) }
        let start = mapping.data + Int(tail) & (mapping.capacity - 1)
        var count = min(available, Self.chunkBytes)
        memcpy(buffer, start, count)
        // The first record's length decides, as copied: the shared one may change meanwhile. A bad one is found below.
        let first = Int(buffer.load(as: UInt32.self))
        if first > count, first <= min(available, lengthMax) {
            memcpy(buffer + count, start + count, first - count)
            count = first
        }
        // All at once: four times cheaper than by record. One that the chunk's end cuts comes
        // again, whole.
        mask?.apply(UnsafeMutableRawBufferPointer(start: buffer, count: count))
        var position = 0
        while count - position >= RecordLimits.headerBytes {
            let length = Int(buffer.load(fromByteOffset: position, as: UInt32.self))
            guard length >= RecordLimits.headerBytes, length & 7 == 0, length <= lengthMax else {
                advance(position)
                return fail(.length)
            }
            if length > count - position {
                // Cut by the chunk's end; whole in the next one. Cut by `head` itself: the producer lied.
                guard available > count else {
                    advance(position)
                    return fail(.length)
                }
                break
            }
            body(UnsafeRawBufferPointer(start: buffer + position, count: length))
            position += length
        }
        advance(position)
        return .read(bytes: position)
    }

    private mutating func advance(_ bytes: Int) {
        tail &+= UInt32(bytes)
        mapping.store(tail, at: RingMapping.Cell.tail)
    }

    private mutating func fail(_ reason: BrokenReason) -> Step {
        broken = reason
        return .broken(reason)
    }

    /// Asks to be woken once `bytes` more than now consumed are there. Returns false when they already are: do not sleep.
    public func requestWake(after bytes: Int) -> Bool {
        let wakeAt = tail &+ UInt32(bytes)
        // The exchange is a full fence: the load of head below cannot come before it.
        sl_exchange_u32(mapping.baseAddress + RingMapping.Cell.wakeAt, wakeAt)
        return Int32(bitPattern: mapping.load(RingMapping.Cell.head) &- wakeAt) < 0
    }

    /// Records the producer dropped for want of room so far, by kind.
    public func dropped(_ kind: RecordKind) -> UInt32 { mapping.load(RingMapping.Cell.dropped + 4 * Int(kind.rawValue)) }
}
