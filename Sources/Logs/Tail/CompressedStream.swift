internal import CZlib
internal import CZstd
internal import System

/// The content of a compressed file (gzip, RFC 1952; zstd, RFC 8878), from its beginning, a piece at a time. Members and frames may follow each other. What it costs is
/// its room: a bomb costs no more than any other file.
final class CompressedStream {
    enum Format {
        case gzip, zstd

        /// What a file's first bytes say.
        static func detect(_ head: UnsafeRawBufferPointer) -> Format? {
            if head.count >= 3, head[0] == 0x1F, head[1] == 0x8B, head[2] == 8 { return .gzip }
            if head.count >= 4, head[0] == 0x28, head[1] == 0xB5, head[2] == 0x2F, head[3] == 0xFD { return .zstd }
            return nil
        }

        /// A file of this name will be compressed once it has its first bytes.
        static func isExpected(_ name: String) -> Bool { name.hasSuffix(".gz") || name.hasSuffix(".zst") }
    }

    enum State {
        /// There is more.
        case going
        /// All of the file is read and a member is not at its end: the file is still being written, or was cut.
        case waiting
        /// All of the file is read.
        case complete
        case damaged
    }

    private(set) var state = State.going
    /// Content that is not yet taken.
    private(set) var pending: [UInt8] = []
    /// Of the first byte of `pending`, in the content.
    private(set) var offset: UInt64 = 0
    /// Of the file, read so far.
    private(set) var consumed: UInt64 = 0

    private static let inputBytes = 64 << 10
    /// 128 MiB, what `zstd` itself takes without being told.
    private static let windowLogMax: Int32 = 27
    private var inflater: UnsafeMutablePointer<z_stream>?
    private var zstd: OpaquePointer?
    private var input: [UInt8]
    private var inputUsed = 0
    private var inputCount = 0
    /// Between members: the file may end here. And there was one.
    private var isBetween = true
    private var hadMember = false
    /// There was no room for all that the input holds.
    private var isFull = false

    init(_ format: Format) {
        input = [UInt8](repeating: 0, count: Self.inputBytes)
        switch format {
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            inflater = stream
            if sl_zlib_raw_inflate_init(stream) != Z_OK || inflateReset2(stream, 15 + 16) != Z_OK { state = .damaged }
        case .zstd:
            zstd = ZSTD_createDCtx()
            if zstd == nil { state = .damaged }
            ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, Self.windowLogMax)
        }
    }

    deinit {
        if let inflater {
            inflateEnd(inflater)
            inflater.deallocate()
        }
        if let zstd { ZSTD_freeDCtx(zstd) }
    }

    /// Takes content away from the beginning of `pending`.
    func drop(_ count: Int) {
        pending.removeFirst(count)
        offset += UInt64(count)
    }

    /// Adds up to `room` bytes of content or the content of one piece of the file; returns how much.
    func fill(_ files: any TailFiles, _ file: TailFile, room: Int) -> Int {
        guard state != .damaged else { return 0 }
        if inputUsed == inputCount, !isFull {
            let got = input.withUnsafeMutableBytes { files.read(file, into: $0, at: consumed) }
            guard let got else {
                state = .damaged
                return 0
            }
            guard got > 0 else {
                state = isBetween && consumed > 0 ? .complete : .waiting
                return 0
            }
            inputUsed = 0
            inputCount = got
            consumed += UInt64(got)
        }
        state = .going
        let before = pending.count
        pending.append(addingCapacity: room) { span in
            span.withUnsafeMutableBufferPointer { output, filled in
                filled = inflater != nil ? inflate(output) : decompress(output)
                isFull = filled == output.count
            }
        }
        return pending.count - before
    }

    private func inflate(_ output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let stream = inflater!
        return input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress! + inputUsed
            stream.pointee.avail_in = UInt32(inputCount - inputUsed)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            let code = CZlib.inflate(stream, Z_NO_FLUSH)
            inputUsed = inputCount - Int(stream.pointee.avail_in)
            switch code {
            case Z_STREAM_END:
                isBetween = true
                hadMember = true
                if inflateReset(stream) != Z_OK { state = .damaged }
            // Z_BUF_ERROR: nothing to do now.
            case Z_OK: isBetween = false
            case Z_BUF_ERROR: break
            // Behind a whole member anything may stand, zeros of a tape for one.
            case _ where isBetween && hadMember: inputUsed = inputCount
            default: state = .damaged
            }
            return output.count - Int(stream.pointee.avail_out)
        }
    }

    private func decompress(_ output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        input.withUnsafeBytes { input in
            var source = ZSTD_inBuffer(src: input.baseAddress, size: inputCount, pos: inputUsed)
            var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            let left = ZSTD_decompressStream(zstd, &target, &source)
            if source.pos > inputUsed || target.pos > 0 {
                isBetween = left == 0
            } else if inputUsed < inputCount {
                state = .damaged
            }
            inputUsed = source.pos
            if ZSTD_isError(left) != 0 { state = .damaged }
            return target.pos
        }
    }
}
