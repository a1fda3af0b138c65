internal import COpenSSL
internal import Engine

/// The jobs that an isolate has under way. On its thread.
public final class CryptoJobs {
    /// Waiting or running at once.
    static let jobsMax = 1 << 16
    /// Copied for all of them.
    static let bytesMax = 512 << 20

    private var count = 0
    private var byteCount = 0
    private var lastID = 0
    private let cancellation = CryptoJob.Cancellation()
    private let usage: CryptoUsage

    init(_ usage: CryptoUsage) { self.usage = usage }

    deinit { cancellation.cancel() }

    /// Has it done on another thread. The job's id, or nil: there are too many.
    /// - Parameter end: called on that thread.
    func start(_ job: sl_crypto_job, end: @escaping @Sendable (CryptoJob) -> Void) -> Int? {
        let bytes = job.data.count + job.iv.count + job.extra.count
        guard count < Self.jobsMax, bytes <= Self.bytesMax - byteCount else { return nil }
        lastID += 1
        let copy = CryptoJob(lastID, job, cancellation)
        count += 1
        byteCount += bytes
        CryptoThreads.shared.perform { [usage] in
            copy.cpuNanoseconds = usage.measure(job: copy.id) { copy.run() }
            end(copy)
        }
        return copy.id
    }

    /// A job has come back.
    public func ended(_ job: CryptoJob) {
        count -= 1
        byteCount -= job.byteCount
    }
}
