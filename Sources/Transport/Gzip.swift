import CZlib
import Synchronization

/// gzip (RFC 1952) for request bodies.
public enum Gzip {
    /// The process' one compressor: exporters compress on one thread, and a deflate state takes 268 KB.
    private static let shared = Mutex(GzipCompressor())

    /// `bytes` as one gzip member. Any thread; calls run one after the other.
    public static func compress(_ bytes: [UInt8]) -> [UInt8] {
        shared.withLock { $0.compress(bytes) }
    }
}

/// A deflate state that is used again for every body, because making one costs more than compressing a small body.
public struct GzipCompressor: ~Copyable, @unchecked Sendable {
    // @unchecked: the pointer is owned by this value alone, and it cannot be copied.

    /// Level 1: telemetry repeats itself so much that higher levels gain little and cost several times the CPU.
    private static let level: Int32 = 1

    /// On the heap because zlib remembers the stream's address. Made at the first use.
    private var stream: UnsafeMutablePointer<z_stream>?

    public init() {}

    deinit {
        guard let stream else { return }
        deflateEnd(stream)
        stream.deallocate()
    }

    /// `bytes` as one gzip member.
    public mutating func compress(_ bytes: [UInt8]) -> [UInt8] {
        let stream = readyStream()
        precondition(bytes.count <= UInt32.max / 2, "too much for one body: \(bytes.count) bytes")
        let outputMax = Int(deflateBound(stream, UInt(bytes.count)))
        return [UInt8](unsafeUninitializedCapacity: outputMax) { output, count in
            bytes.withUnsafeBufferPointer { input in
                // zlib only reads `next_in`; the type lacks the const.
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(outputMax)
                let code = deflate(stream, Z_FINISH)
                precondition(code == Z_STREAM_END, "deflate into a buffer of deflateBound's size ended with \(code)")
                count = outputMax - Int(stream.pointee.avail_out)
                stream.pointee.next_in = nil
            }
        }
    }

    private mutating func readyStream() -> UnsafeMutablePointer<z_stream> {
        if let stream {
            deflateReset(stream)
            return stream
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = sl_zlib_gzip_init(stream, Self.level)
        guard code == Z_OK else { fatalError("zlib gives no deflate state (error \(code))") }
        self.stream = stream
        return stream
    }
}
