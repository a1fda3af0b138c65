/// Which restarts are told of. That isolates were replaced at a limit, which whoever asks for it can have ten times a second, is told of once in a while; another cause
/// is told of by itself.
struct RestartNotices {
    static let intervalNanoseconds: UInt64 = 10_000_000_000

    /// A place, and why its worker ended: from a small set.
    private struct Cause: Hashable {
        var place: Int
        var reason: String
    }

    private var causes: [Cause: (told: UInt64, untold: Int)] = [:]

    /// How many of the same were not told of since the last that was; nil: this one is not to be told of either.
    /// - Parameters:
    ///   - atLimit: told of once in the interval.
    ///   - isNewStep: of all others those are always told of after which the delay is another; the rest only when their cause was not told of before.
    mutating func take(_ place: Int, _ reason: String, atLimit: Bool, isNewStep: Bool, now: UInt64) -> Int? {
        let cause = Cause(place: place, reason: reason)
        let last = causes[cause]
        if let last, atLimit ? now &- last.told < Self.intervalNanoseconds : !isNewStep {
            causes[cause] = (last.told, last.untold + 1)
            return nil
        }
        causes[cause] = (now, 0)
        return last?.untold ?? 0
    }
}
