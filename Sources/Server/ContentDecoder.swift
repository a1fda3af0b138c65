internal import CZlib
internal import CZstd
internal import Glibc
public import System

/// Codings of a request's content, RFC 9110 section 8.4.1 and RFC 8878.
public enum ContentCoding: Sendable {
    case gzip, deflate, zstd

    /// For `Accept-Encoding` of a 415.
    public static let accepted = "gzip, deflate, zstd"

    public enum Named: Sendable {
        case identity
        case coded(ContentCoding)
        /// Unknown, or several on top of each other, which no sender of telemetry has a reason for.
        case unknown
    }

    /// What a Content-Encoding says.
    public static func named(_ value: UnsafeRawBufferPointer) -> Named {
        func isIt(_ literal: StaticString) -> Bool {
            value.count == literal.utf8CodeUnitCount
                && strncasecmp(
                    value.baseAddress!.assumingMemoryBound(to: CChar.self),
                    UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self), value.count) == 0
        }
        if value.isEmpty || isIt("identity") { return .identity }
        if isIt("gzip") || isIt("x-gzip") { return .coded(.gzip) }
        if isIt("deflate") { return .coded(.deflate) }
        if isIt("zstd") { return .coded(.zstd) }
        return .unknown
    }
}

/// Decodes whole bodies, one at a time, with one state a coding. The result's room is taken from the budget before it is allocated, and never exceeds the
/// limit: a bomb costs no more than a body that is allowed.
public struct ContentDecoder: ~Copyable {
    public enum Failure: Error {
        case malformed, tooLarge, memory
    }

    /// 8 MiB: what RFC 9659 lets a sender over HTTP use.
    private static let zstdWindowLogMax: Int32 = 23
    /// Deflate cannot do better.
    private static let deflateRatioMax = 1_032
    private static let capacityMin = 4 * 1024

    private var inflater: UnsafeMutablePointer<z_stream>?
    private var zstd: OpaquePointer?

    public init() {}

    deinit {
        if let inflater {
            inflateEnd(inflater)
            inflater.deallocate()
        }
        if let zstd { ZSTD_freeDCtx(zstd) }
    }

    /// The decoded bytes; who gets them owes the budget `charged` bytes.
    public mutating func decode(
        _ bytes: UnsafeRawBufferPointer, _ coding: ContentCoding, bytesMax: Int, _ budget: MemoryBudget
    ) throws(Failure) -> (bytes: [UInt8], charged: Int) {
        guard !bytes.isEmpty else { throw .malformed }
        var result = Result(bytesMax: bytesMax, budget: budget)
        do throws(Failure) {
            switch coding {
            case .gzip: try inflate(bytes, gzip: true, windowBits: 15 + 16, &result)
            // RFC 9110 means zlib's format; some senders leave its two bytes out.
            case .deflate: try inflate(bytes, gzip: false, windowBits: Self.isZlib(bytes) ? 15 : -15, &result)
            case .zstd: try decompress(bytes, &result)
            }
            return (result.bytes, result.charged)
        } catch {
            budget.giveBack(result.charged)
            throw error
        }
    }

    private static func isZlib(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= 2 && bytes[0] & 0x0F == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
    }

    /// What is decoded so far.
    private struct Result {
        let bytesMax: Int
        let budget: MemoryBudget
        var bytes: [UInt8] = []
        var charged = 0

        /// Makes room behind the end: the first time `hint` bytes, then twice what there is.
        mutating func grow(hint: Int) throws(Failure) {
            // One byte over the limit, so that a result that is too large can be told from one that just fits.
            guard bytes.count <= bytesMax else { throw .tooLarge }
            let wanted = min(bytesMax + 1, max(charged * 2, hint, capacityMin))
            guard budget.take(wanted) else { throw .memory }
            bytes.reserveCapacity(wanted)
            budget.giveBack(charged)
            charged = wanted
        }

        /// Lets `fill` write into what room there is; it returns how many bytes it wrote.
        mutating func fill(_ fill: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
            bytes.append(addingCapacity: charged - bytes.count) { span in
                span.withUnsafeMutableBufferPointer { buffer, filled in filled = fill(buffer) }
            }
        }

        var isFull: Bool { bytes.count == charged }
    }

    // MARK: deflate

    private mutating func inflate(
        _ input: UnsafeRawBufferPointer, gzip: Bool, windowBits: Int32, _ result: inout Result
    ) throws(Failure) {
        let stream = try readyInflater(windowBits)
        defer {
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        // zlib only reads `next_in`; the type lacks the const. Requests are far below 4 GiB.
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress!.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(clamping: input.count)
        try result.grow(hint: Self.hint(input, gzip: gzip, bytesMax: result.bytesMax))
        while true {
            if result.isFull { try result.grow(hint: 0) }
            var code: Int32 = Z_OK
            result.fill { room in
                stream.pointee.next_out = room.baseAddress
                stream.pointee.avail_out = UInt32(clamping: room.count)
                code = CZlib.inflate(stream, Z_NO_FLUSH)
                return room.count - Int(stream.pointee.avail_out)
            }
            switch code {
            case Z_STREAM_END:
                guard stream.pointee.avail_in > 0 else {
                    if result.bytes.count > result.bytesMax { throw .tooLarge }
                    return
                }
                // RFC 1952 section 2.2: members follow each other. Behind deflate nothing may stand.
                guard gzip, inflateReset(stream) == Z_OK else { throw .malformed }
            // No room was left, or the input ended too early.
            case Z_OK, Z_BUF_ERROR:
                if !result.isFull { throw .malformed }
            case Z_MEM_ERROR: throw .memory
            default: throw .malformed
            }
        }
    }

    /// What a gzip member says its size is (modulo 4 GiB), where that can be true; else a usual ratio.
    private static func hint(_ input: UnsafeRawBufferPointer, gzip: Bool, bytesMax: Int) -> Int {
        let usual = min(input.count * 4, bytesMax)
        guard gzip, input.count >= 18 else { return usual }
        let said = Int(
            UInt32(littleEndian: input.loadUnaligned(fromByteOffset: input.count - 4, as: UInt32.self)))
        // A few bytes more, so that the end is seen without another look.
        return said <= bytesMax && said <= input.count * deflateRatioMax && said <= max(usual * 4, 1 << 20)
            ? said + 16 : usual
    }

    private mutating func readyInflater(_ windowBits: Int32) throws(Failure) -> UnsafeMutablePointer<z_stream> {
        let stream: UnsafeMutablePointer<z_stream>
        if let inflater {
            stream = inflater
        } else {
            // On the heap because zlib remembers the stream's address.
            stream = .allocate(capacity: 1)
            stream.initialize(to: z_stream())
            guard sl_zlib_raw_inflate_init(stream) == Z_OK else {
                stream.deallocate()
                throw .memory
            }
            inflater = stream
        }
        guard inflateReset2(stream, windowBits) == Z_OK else { throw .memory }
        return stream
    }

    // MARK: zstd

    private mutating func decompress(_ input: UnsafeRawBufferPointer, _ result: inout Result) throws(Failure) {
        if zstd == nil {
            zstd = ZSTD_createDCtx()
            guard zstd != nil else { throw .memory }
            ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, Self.zstdWindowLogMax)
        }
        ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only)
        // Unknown and broken sizes are the two largest numbers.
        let said = ZSTD_getFrameContentSize(input.baseAddress, input.count)
        let usual = min(input.count * 4, result.bytesMax)
        try result.grow(hint: said <= UInt64(max(usual * 4, 1 << 20)) ? Int(said) + 1 : usual)
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        while true {
            if result.isFull { try result.grow(hint: 0) }
            var left = 0
            let context = zstd
            let before = source.pos
            var written = 0
            result.fill { room in
                var target = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                left = ZSTD_decompressStream(context, &target, &source)
                written = target.pos
                return target.pos
            }
            guard ZSTD_isError(left) == 0 else { throw .malformed }
            if result.bytes.count > result.bytesMax { throw .tooLarge }
            if source.pos == source.size {
                // 0: a frame is over. Frames may follow each other.
                if left == 0 { return }
                guard result.isFull else { throw .malformed }
            } else if source.pos == before, written == 0 {
                throw .malformed
            }
        }
    }
}
