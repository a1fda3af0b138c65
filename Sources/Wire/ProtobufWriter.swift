// Writes protobuf into one growing block of memory.
//
// Two levels. The `put…` methods check for room and write a whole field; `store…` methods do not check, for messages whose
// size has a bound: ask once with `ensureCapacity`, then store. In debug builds the unchecked ones trap past the end.
//
// A nested message of unknown size is opened with `begin` and closed with `end`. `begin` leaves room for the length as
// long as the caller expects it to be (one byte holds 127, two hold 16,383); where `end` finds another size it moves the body
// by the difference. The result is always the shortest encoding, and a move is rare and of bytes still in the first-level cache.

/// A growing buffer of protobuf fields. Owned by one thread at a time.
/// Wire format: <https://protobuf.dev/programming-guides/encoding/>.
public struct ProtobufWriter: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int

    /// Bytes written.
    public private(set) var count: Int

    /// The five most bytes a tag needs, and the ten most of a varint.
    public static let tagBytesMax = 5
    public static let varintBytesMax = 10

    public init(capacity: Int = 4096) {
        let capacity = max(capacity, 64)
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
        count = 0
    }

    deinit { base.deallocate() }

    // MARK: the buffer

    /// Makes room for `extra` more bytes.
    @inline(__always)
    public mutating func ensureCapacity(_ extra: Int) {
        if _slowPath(capacity - count < extra) { grow(extra) }
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let new = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        new.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = new
        capacity = larger
    }

    /// What has been written. The pointer is valid inside `body` only.
    public borrowing func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// What has been written as an array, and empties the writer; its memory stays for the next use.
    public mutating func takeBytes() -> [UInt8] {
        let bytes = [UInt8](UnsafeRawBufferPointer(start: base, count: count))
        count = 0
        return bytes
    }

    /// Forgets what was written after the first `count` bytes, as when a record turns out to be bad half way.
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "truncate to \(count) of \(self.count) bytes")
        self.count = count
    }

    // MARK: unchecked stores, after ensureCapacity

    @inline(__always)
    public mutating func storeByte(_ value: UInt8) {
        assert(count < capacity)
        base.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    public mutating func storeVarint(_ value: UInt64) {
        if value < 0x80 { return storeByte(UInt8(truncatingIfNeeded: value)) }
        storeLongVarint(value)
    }

    private mutating func storeLongVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            storeByte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        storeByte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    public mutating func storeTag(_ field: UInt32, _ type: Protobuf.WireType) {
        storeVarint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    @inline(__always)
    public mutating func storeFixed32(_ value: UInt32) {
        assert(capacity - count >= 4)
        base.storeBytes(of: value.littleEndian, toByteOffset: count, as: UInt32.self)
        count &+= 4
    }

    @inline(__always)
    public mutating func storeFixed64(_ value: UInt64) {
        assert(capacity - count >= 8)
        base.storeBytes(of: value.littleEndian, toByteOffset: count, as: UInt64.self)
        count &+= 8
    }

    /// The bytes alone: no tag, no length.
    @inline(__always)
    public mutating func storeBytes(_ bytes: UnsafeRawBufferPointer) {
        assert(capacity - count >= bytes.count)
        guard let source = bytes.baseAddress else { return }
        let target = base + count
        let length = bytes.count
        if _fastPath(UInt(bitPattern: length &- 8) <= 24) {
            // Most names, keys and values: their first and their last words, which overlap, cost less than the call of memcpy.
            let first = source.loadUnaligned(as: UInt64.self)
            let last = source.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
            if length > 16 {
                let second = source.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                let third = source.loadUnaligned(fromByteOffset: length &- 16, as: UInt64.self)
                target.storeBytes(of: second, toByteOffset: 8, as: UInt64.self)
                target.storeBytes(of: third, toByteOffset: length &- 16, as: UInt64.self)
            }
            target.storeBytes(of: first, as: UInt64.self)
            target.storeBytes(of: last, toByteOffset: length &- 8, as: UInt64.self)
        } else {
            target.copyMemory(from: source, byteCount: length)
        }
        count &+= length
    }

    /// `length` bytes, the first of which becomes `tag`, of a place from which whole blocks of 16 may be read; room for as many is there.
    @inline(__always)
    mutating func storeBlocks(_ source: UnsafeRawPointer, tag: UInt8, _ length: Int) {
        assert(capacity - count >= (length + 15) & ~15)
        let target = base + count
        var position = 0
        repeat {
            let low = source.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let high = source.loadUnaligned(fromByteOffset: position &+ 8, as: UInt64.self)
            target.storeBytes(of: low, toByteOffset: position, as: UInt64.self)
            target.storeBytes(of: high, toByteOffset: position &+ 8, as: UInt64.self)
            position &+= 16
        } while position < length
        target.storeBytes(of: tag, as: UInt8.self)
        count &+= length
    }

    /// The bytes written since there were `start`. Valid until the next write.
    @inline(__always)
    borrowing func bytes(since start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + start, count: count &- start)
    }

    // MARK: whole fields, checked

    @inline(__always)
    public mutating func putVarint(_ field: UInt32, _ value: UInt64) {
        ensureCapacity(Self.tagBytesMax + Self.varintBytesMax)
        storeTag(field, .varint)
        storeVarint(value)
    }

    @inline(__always)
    public mutating func putFixed32(_ field: UInt32, _ value: UInt32) {
        ensureCapacity(Self.tagBytesMax + 4)
        storeTag(field, .fixed32)
        storeFixed32(value)
    }

    @inline(__always)
    public mutating func putFixed64(_ field: UInt32, _ value: UInt64) {
        ensureCapacity(Self.tagBytesMax + 8)
        storeTag(field, .fixed64)
        storeFixed64(value)
    }

    @inline(__always)
    public mutating func putDouble(_ field: UInt32, _ value: Double) {
        putFixed64(field, value.bitPattern)
    }

    @inline(__always)
    public mutating func putBytes(_ field: UInt32, _ bytes: UnsafeRawBufferPointer) {
        ensureCapacity(Self.tagBytesMax + Self.varintBytesMax + bytes.count)
        storeTag(field, .lengthDelimited)
        storeVarint(UInt64(bytes.count))
        storeBytes(bytes)
    }

    @inline(__always)
    public mutating func putBytes(_ field: UInt32, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { putBytes(field, $0) }
    }

    @inline(__always)
    public mutating func putString(_ field: UInt32, _ text: String) {
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { putBytes(field, UnsafeRawBufferPointer($0)) }
        if _slowPath(done == nil) { putBytes(field, Array(text.utf8)) }
    }

    /// A whole field of one byte's tag, whose tag becomes `tag`.
    @inline(__always)
    mutating func putFrame(_ frame: UnsafeRawBufferPointer, tag: UInt8) {
        ensureCapacity(frame.count)
        let start = count
        storeBytes(frame)
        base.storeBytes(of: tag, toByteOffset: start, as: UInt8.self)
    }

    /// Bytes that are fields already, as they are.
    public mutating func putRaw(_ bytes: UnsafeRawBufferPointer) {
        ensureCapacity(bytes.count)
        storeBytes(bytes)
    }

    // MARK: nested messages

    /// Where the length of an open message lies.
    public struct Mark {
        fileprivate let body: Int
        fileprivate let reserved: Int
    }

    /// Opens a nested message. `lengthBytes` (1 ... 5) is how long its length will be, as a guess: 1 for a body under 128 bytes,
    /// 2 under 16 KiB.
    @inline(__always)
    public mutating func begin(_ field: UInt32, lengthBytes: Int = 1) -> Mark {
        ensureCapacity(Self.tagBytesMax + lengthBytes)
        storeTag(field, .lengthDelimited)
        count &+= lengthBytes
        return Mark(body: count, reserved: lengthBytes)
    }

    /// Closes the message that `mark` opened. Messages close in the reverse order of opening.
    @inline(__always)
    public mutating func end(_ mark: Mark) {
        let length = count - mark.body
        if _fastPath(length < 0x80 && mark.reserved == 1) {
            base.storeBytes(of: UInt8(truncatingIfNeeded: length), toByteOffset: mark.body - 1, as: UInt8.self)
        } else if _fastPath(mark.reserved == 2 && UInt(bitPattern: length &- 0x80) < 0x3F80) {
            let bytes = UInt16(truncatingIfNeeded: (length & 0x7F) | 0x80 | ((length >> 7) << 8))
            base.storeBytes(of: bytes.littleEndian, toByteOffset: mark.body - 2, as: UInt16.self)
        } else {
            endSlowly(mark, length)
        }
    }

    private mutating func endSlowly(_ mark: Mark, _ length: Int) {
        let needed = Protobuf.varintSize(UInt64(length))
        if needed != mark.reserved {
            ensureCapacity(max(0, needed - mark.reserved))
            (base + (mark.body - mark.reserved + needed)).copyMemory(from: base + mark.body, byteCount: length)
        }
        count = mark.body - mark.reserved
        storeVarint(UInt64(length))
        count += length
    }

    /// A nested message whose fields `body` writes.
    @inline(__always)
    public mutating func message(_ field: UInt32, lengthBytes: Int = 1, _ body: (inout ProtobufWriter) -> Void) {
        let mark = begin(field, lengthBytes: lengthBytes)
        body(&self)
        end(mark)
    }
}
