// Bytes of the queue's files, as docs/specs/queue-format.md says. All integers are little-endian.
//
// A segment's 64 bits of salt stand in its file's name. The lower half begins each frame, the upper one seeds its checksum: so that nothing inside a payload
// can be taken for a frame when damage makes the scan look for the next one, and no file is taken for another that had its number before.

internal import CLinux
internal import Telemetry

enum QueueFormat {
    static let version: UInt32 = 1
    /// Of a segment's and a sidecar's header.
    static let headerBytes = 32
    static let headBytes = 40
    static let recordBytes = 16
    /// Frames begin at multiples of it.
    static let alignment = 8
    static let segmentMagic: UInt64 = 0x0A45_5545_5551_4C53  // "SLQUEUE\n"
    static let sidecarMagic: UInt64 = 0x0A53_4B43_4151_4C53  // "SLQACKS\n"
    /// No queue gets that far; what is derived from a name cannot overflow.
    static let numberMax: UInt64 = 1 << 62
    static let segmentSuffix = ".queue"
    static let sidecarSuffix = ".acked"
    static let damagedSuffix = ".damaged"

    static func frameBytes(payload: Int) -> Int { (headBytes + payload + alignment - 1) & ~(alignment - 1) }

    static func checksum(_ seed: UInt32, _ bytes: UnsafeRawPointer, _ count: Int) -> UInt32 {
        sl_crc32c(seed, bytes, count)
    }

    // MARK: Names

    /// "00000000000000000042-00c0ffee00c0ffee.queue"
    static func name(_ number: UInt64, _ salt: UInt64, _ suffix: String) -> String {
        let digits = String(number)
        let hex = String(salt, radix: 16)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits + "-"
            + String(repeating: "0", count: 16 - hex.utf8.count) + hex + suffix
    }

    /// Number and salt of a name that `name` makes; nil for any other.
    static func parse(_ name: String, _ suffix: String) -> (number: UInt64, salt: UInt64)? {
        guard name.hasSuffix(suffix), name.utf8.count == 37 + suffix.utf8.count else { return nil }
        let utf8 = Array(name.utf8)
        guard utf8[20] == UInt8(ascii: "-"), utf8[..<20].allSatisfy({ 48...57 ~= $0 }),
            utf8[21..<37].allSatisfy({ 48...57 ~= $0 || 97...102 ~= $0 }),
            let number = UInt64(String(decoding: utf8[..<20], as: UTF8.self)), number <= numberMax,
            let salt = UInt64(String(decoding: utf8[21..<37], as: UTF8.self), radix: 16)
        else { return nil }
        return (number, salt)
    }

    // MARK: Headers

    static func putHeader(_ magic: UInt64, _ number: UInt64, at place: UnsafeMutableRawPointer) {
        place.storeBytes(of: magic.littleEndian, as: UInt64.self)
        place.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt32.self)
        place.storeBytes(of: UInt32(headerBytes).littleEndian, toByteOffset: 12, as: UInt32.self)
        place.storeBytes(of: number.littleEndian, toByteOffset: 16, as: UInt64.self)
        place.storeBytes(of: 0, toByteOffset: 24, as: UInt32.self)
        place.storeBytes(of: checksum(0, place, 28).littleEndian, toByteOffset: 28, as: UInt32.self)
    }

    enum Header: Equatable {
        case good
        /// Of a later version.
        case newer(UInt32)
        case damaged
    }

    /// Looks at the header of a file whose name says `number`. `bytes` are the first of the file, at most `newerHeaderBytesMax`.
    static func header(_ magic: UInt64, _ number: UInt64, in bytes: UnsafeRawBufferPointer) -> Header {
        guard bytes.count >= headerBytes, bytes.u64(0) == magic else { return .damaged }
        let length = Int(bytes.u32(12))
        guard length >= headerBytes, length <= bytes.count, length & 3 == 0 else { return .damaged }
        guard bytes.u32(length - 4) == checksum(0, bytes.baseAddress!, length - 4) else { return .damaged }
        let found = bytes.u32(8)
        if found > version { return .newer(found) }
        return found == version && length == headerBytes && bytes.u64(16) == number ? .good : .damaged
    }

    /// A later version's header may be as long.
    static let newerHeaderBytesMax = 4096

    // MARK: Frames

    /// Writes the head of a frame and returns the checksum of its payload.
    static func putHead(
        _ head: QueueEntryHead, sequence: UInt64, payload: UnsafeRawBufferPointer, salt: UInt64,
        at place: UnsafeMutableRawPointer
    ) -> UInt32 {
        let headChecksum = putHeadFields(
            head, sequence: sequence, payloadBytes: UInt32(payload.count), salt: salt, at: place)
        let payloadChecksum = payload.baseAddress.map { checksum(headChecksum, $0, payload.count) } ?? headChecksum
        place.storeBytes(of: headChecksum.littleEndian, toByteOffset: 32, as: UInt32.self)
        place.storeBytes(of: payloadChecksum.littleEndian, toByteOffset: 36, as: UInt32.self)
        return payloadChecksum
    }

    /// The first 32 bytes of a head; returns their checksum.
    private static func putHeadFields(
        _ head: QueueEntryHead, sequence: UInt64, payloadBytes: UInt32, salt: UInt64, at place: UnsafeMutableRawPointer
    ) -> UInt32 {
        place.storeBytes(of: UInt32(truncatingIfNeeded: salt).littleEndian, as: UInt32.self)
        place.storeBytes(of: payloadBytes.littleEndian, toByteOffset: 4, as: UInt32.self)
        place.storeBytes(of: sequence.littleEndian, toByteOffset: 8, as: UInt64.self)
        place.storeBytes(of: head.time.littleEndian, toByteOffset: 16, as: UInt64.self)
        place.storeBytes(of: head.items.littleEndian, toByteOffset: 24, as: UInt32.self)
        place.storeBytes(of: UInt32(head.signal.rawValue).littleEndian, toByteOffset: 28, as: UInt32.self)
        return checksum(UInt32(truncatingIfNeeded: salt >> 32), place, 32)
    }

    /// The checksum of an entry's head, made again from what is in memory.
    static func headChecksum(of entry: Entry, number: UInt64, salt: UInt64) -> UInt32 {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { bytes in
            putHeadFields(
                entry.head, sequence: number + UInt64(entry.delta), payloadBytes: entry.payloadBytes, salt: salt,
                at: bytes.baseAddress!)
        }
    }

    /// The frame that begins with these bytes (`headBytes` of them at least); nil when none does. The payload is not looked at.
    static func entry(
        in bytes: UnsafeRawBufferPointer, at offset: Int, number: UInt64, salt: UInt64
    ) -> Entry? {
        guard bytes.u32(0) == UInt32(truncatingIfNeeded: salt),
            bytes.u32(32) == checksum(UInt32(truncatingIfNeeded: salt >> 32), bytes.baseAddress!, 32)
        else { return nil }
        let sequence = bytes.u64(8)
        guard sequence >= number, let delta = UInt32(exactly: sequence - number), delta < UInt32.max,
            bytes.u32(28) <= 255, let signal = Signal(rawValue: UInt8(bytes.u32(28))),
            let place = UInt32(exactly: offset)
        else { return nil }
        return Entry(
            time: bytes.u64(16), offset: place, payloadBytes: bytes.u32(4), delta: delta, items: bytes.u32(24),
            payloadChecksum: bytes.u32(36), signal: signal)
    }

    // MARK: Acknowledgements

    static func putRecord(first: UInt32, count: UInt32, salt: UInt64, at place: UnsafeMutableRawPointer) {
        place.storeBytes(of: UInt32(truncatingIfNeeded: salt).littleEndian, as: UInt32.self)
        place.storeBytes(of: first.littleEndian, toByteOffset: 4, as: UInt32.self)
        place.storeBytes(of: count.littleEndian, toByteOffset: 8, as: UInt32.self)
        let sum = checksum(UInt32(truncatingIfNeeded: salt >> 32), place, 12)
        place.storeBytes(of: sum.littleEndian, toByteOffset: 12, as: UInt32.self)
    }

    /// A run of acknowledged entries, as sequences less the segment's number; nil for a damaged record.
    static func record(in bytes: UnsafeRawBufferPointer, salt: UInt64) -> ClosedRange<UInt32>? {
        guard bytes.u32(0) == UInt32(truncatingIfNeeded: salt),
            bytes.u32(12) == checksum(UInt32(truncatingIfNeeded: salt >> 32), bytes.baseAddress!, 12)
        else { return nil }
        let first = bytes.u32(4)
        let count = bytes.u32(8)
        guard count > 0, first <= UInt32.max - count else { return nil }
        return first...first + (count - 1)
    }
}

extension UnsafeRawBufferPointer {
    func u32(_ offset: Int) -> UInt32 { UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    func u64(_ offset: Int) -> UInt64 { UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
}
