internal import CLinux
internal import Glibc

/// A socket that datagrams come in at. One thread receives.
public final class DatagramSocket: Sendable {
    /// Taken with one call.
    public static let countMax = Int(SL_DATAGRAMS_MAX)

    public let fileDescriptor: Int32
    /// With the port that was chosen.
    public let place: ListeningSocket.Place

    /// - Parameter bufferBytes: what the kernel is asked to keep while nobody receives; net.core.rmem_max bounds it.
    public init(_ place: ListeningSocket.Place, bufferBytes: Int32) throws(ListeningSocket.Failure) {
        switch place {
        case .tcp(let host, let port):
            var result = sl_listen_result()
            fileDescriptor = sl_bind_udp(host, port, bufferBytes, &result)
            self.place = .tcp(host: host, port: result.port)
            if fileDescriptor < 0 { throw ListeningSocket.failure(errno, &result) }
        case .unix(let path):
            fileDescriptor = sl_bind_unix_datagram(path, bufferBytes)
            self.place = place
            if fileDescriptor < 0 { throw ListeningSocket.Failure(reason: ListeningSocket.reason(errno)) }
        }
    }

    deinit { close(fileDescriptor) }

    public func removePath() {
        if case .unix(let path) = place { unlink(path) }
    }

    /// Takes what is there, without waiting.
    /// - Parameters:
    ///   - memory: for `countMax` datagrams, in equal parts; of a longer one the rest is lost.
    ///   - dropped: how many the kernel had no room for since the socket was made; it wraps at 32 bits.
    /// - Returns: how many there were; 0 also when it failed.
    public func receive(
        into memory: UnsafeMutableRawBufferPointer, dropped: inout UInt32,
        _ body: (_ datagram: UnsafeRawBufferPointer, _ isCut: Bool) -> Void
    ) -> Int {
        let each = memory.count / Self.countMax
        return withUnsafeTemporaryAllocation(of: sl_datagram.self, capacity: Self.countMax) { datagrams in
            let count = retryingInterrupted {
                Int(
                    sl_receive_datagrams(
                        fileDescriptor, memory.baseAddress!, each, datagrams.baseAddress!, Int32(SL_DATAGRAMS_MAX),
                        &dropped))
            }
            guard let count else { return 0 }
            for index in 0..<count {
                let start = memory.baseAddress! + index * each
                body(UnsafeRawBufferPointer(start: start, count: Int(datagrams[index].count)), datagrams[index].is_cut)
            }
            return count
        }
    }
}
