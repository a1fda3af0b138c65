internal import Platform

/// What the watchdog's thread enforces. docs/limits.md.
struct WatchdogLimits: Sendable {
    // Of a whole run, and of each child isolate of one.
    var cpuMilliseconds: Double?
    var wallMilliseconds: Double?
    // Of a server: JavaScript that does not come back holds up every other request.
    var requestCPUMilliseconds: Double?
    /// No turn may be longer than a request.
    var requestWallMilliseconds: Double?
    var loopBlockMilliseconds: Double?
    // Of both.
    var window: CPUWindowWatch.Limit?
    /// ArrayBuffers and memories of WebAssembly. Bytes.
    var memoryBytes: Int?

    /// Of the whole process. Bytes.
    var residentBytes: Int?

    /// Memory is looked at this often while something runs. Milliseconds.
    static let memoryMilliseconds = 10.0
    /// What the process has resident is looked at this often. Milliseconds.
    static let residentMilliseconds = 100.0

    /// What a job has exceeded that another thread does for a request: each may take as much as the request.
    func exceeded(by crypto: CryptoUsage) -> Outcome? {
        guard let limit = requestCPUMilliseconds, crypto.now.longest > limit * 1e6 else { return nil }
        return .limit(.cpu(milliseconds: limit))
    }

    /// How often turns are looked at for limits; infinite: never.
    var lookMilliseconds: Double {
        // An eighth of a limit is what it may be exceeded by, and a look a millisecond is enough.
        let times = [requestCPUMilliseconds, requestWallMilliseconds, loopBlockMilliseconds].compactMap(\.self).map {
            max(1, $0 / 8)
        }
        let others = [
            window?.stepMilliseconds, memoryBytes.map { _ in Self.memoryMilliseconds },
            residentBytes.map { _ in Self.residentMilliseconds },
        ].compactMap(\.self)
        return (times + others).min() ?? .infinity
    }
}
