internal import CZlib

/// Messages of WebSockets, each compressed by itself: https://www.rfc-editor.org/rfc/rfc7692#section-7.2
/// One for all sockets of a realm, on its thread. Memory is taken at the first use: 300 KiB, and 260 KiB for each further size of window.
final class MessageDeflate {
    enum Failure: Error {
        case tooLong, invalid
    }

    /// Fast: a message of a hundred times the size would hold up all requests of the thread.
    private static let level: Int32 = 3
    /// What ends each compressed message and is left out on the way.
    private static let tail: [UInt8] = [0, 0, 0xFF, 0xFF]

    /// By window bits.
    private var deflaters = [UnsafeMutablePointer<z_stream>?](repeating: nil, count: 16)
    private var inflater: UnsafeMutablePointer<z_stream>?

    deinit {
        for stream in deflaters {
            guard let stream else { continue }
            deflateEnd(stream)
            stream.deallocate()
        }
        guard let inflater else { return }
        inflateEnd(inflater)
        inflater.deallocate()
    }

    private static func makeStream(_ open: (UnsafeMutablePointer<z_stream>) -> Int32) -> UnsafeMutablePointer<z_stream>?
    {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        if open(stream) == Z_OK { return stream }
        stream.deallocate()
        return nil
    }

    /// Nil when it would not be shorter, or there is no memory for it.
    /// - Parameter windowBits: 9 to 15.
    func deflated(_ bytes: UnsafeRawBufferPointer, windowBits: Int) -> [UInt8]? {
        if let stream = deflaters[windowBits] {
            deflateReset(stream)
        } else {
            deflaters[windowBits] = Self.makeStream { sl_zlib_raw_deflate_init($0, Self.level, Int32(windowBits)) }
        }
        guard let stream = deflaters[windowBits] else { return nil }
        var isWhole = false
        // A byte shorter, once the tail is gone.
        let target = [UInt8](unsafeUninitializedCapacity: bytes.count + Self.tail.count - 1) { room, count in
            stream.pointee.next_in = bytes.bindMemory(to: UInt8.self).baseAddress.map {
                UnsafeMutablePointer(mutating: $0)
            }
            stream.pointee.avail_in = UInt32(bytes.count)
            stream.pointee.next_out = room.baseAddress
            stream.pointee.avail_out = UInt32(room.count)
            let code = deflate(stream, Z_SYNC_FLUSH)
            // With room left everything is out, the tail included.
            isWhole = code == Z_OK && stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0
            count = isWhole ? room.count - Int(stream.pointee.avail_out) - Self.tail.count : 0
        }
        return isWhole ? target : nil
    }

    /// - Parameter bytesMax: of the result.
    func inflated(_ bytes: [UInt8], bytesMax: Int) throws(Failure) -> [UInt8] {
        if let inflater {
            inflateReset(inflater)
        } else {
            inflater = Self.makeStream { sl_zlib_raw_inflate_init($0) }
        }
        guard let stream = inflater else { throw .tooLong }
        var result: [UInt8] = []
        var count = 0
        for input in [bytes, Self.tail] {
            try input.withUnsafeBufferPointer { (input) throws(Failure) in
                try Self.inflateAll(input, stream, bytesMax, &result, &count)
            }
        }
        // Between two blocks.
        guard stream.pointee.data_type & 128 != 0 else { throw .invalid }
        result.removeLast(result.count - count)
        return result
    }

    /// Until the input is used up and nothing more comes of it.
    /// - Parameters:
    ///   - result: what there is, and room behind it, which is used up before there is more: a message may have as many ends as it likes.
    ///   - count: bytes of what there is.
    private static func inflateAll(
        _ input: UnsafeBufferPointer<UInt8>, _ stream: UnsafeMutablePointer<z_stream>, _ bytesMax: Int,
        _ result: inout [UInt8], _ count: inout Int
    ) throws(Failure) {
        stream.pointee.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0) }
        stream.pointee.avail_in = UInt32(input.count)
        var isDone = false
        while !isDone {
            if count == result.count {
                // One byte over the limit tells that there is more than that.
                let room = min(max(4 * input.count, result.count, 1024), bytesMax + 1 - result.count)
                result.append(contentsOf: repeatElement(0, count: room))
            }
            let from = count
            let code = result.withUnsafeMutableBufferPointer { buffer in
                stream.pointee.next_out = buffer.baseAddress! + from
                stream.pointee.avail_out = UInt32(buffer.count - from)
                return inflate(stream, Z_SYNC_FLUSH)
            }
            count = result.count - Int(stream.pointee.avail_out)
            guard count <= bytesMax else { throw .tooLong }
            switch code {
            case Z_OK, Z_BUF_ERROR: isDone = stream.pointee.avail_out > 0
            case Z_STREAM_END:
                // Section 7.2.3.4: a block may say that it is the last, and others follow all the same.
                inflateReset(stream)
                isDone = stream.pointee.avail_in == 0
            default: throw .invalid
            }
        }
        stream.pointee.next_in = nil
        stream.pointee.next_out = nil
    }
}
