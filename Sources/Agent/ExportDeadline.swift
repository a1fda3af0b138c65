/// How long the end of a run waits for backends. Pure; times are monotonic nanoseconds.
struct ExportDeadline {
    /// For one that has taken something, or not yet answered.
    static let defaultNanoseconds: UInt64 = 5_000_000_000
    /// For one that has failed and never taken anything: most likely it is not running, and whoever develops waits.
    static let hopelessNanoseconds: UInt64 = 2_000_000_000

    let end: UInt64
    private let hopelessEnd: UInt64
    private(set) var isAbandoned = false

    /// - Parameters:
    ///   - now: when the worker ended.
    ///   - asked: what the user said it may take; then it holds for every backend.
    init(now: UInt64, asked: UInt64?) {
        end = now &+ (asked ?? Self.defaultNanoseconds)
        hopelessEnd = now &+ (asked ?? Self.hopelessNanoseconds)
    }

    /// The user does not want to wait any longer.
    mutating func abandon() { isAbandoned = true }

    /// Whether to wait on for an exporter that still holds something.
    func isWaiting(sent: Int, retries: Int, now: UInt64) -> Bool {
        !isAbandoned && now < (sent == 0 && retries > 0 ? hopelessEnd : end)
    }
}
