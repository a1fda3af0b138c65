/// That isolates were replaced at a limit, which whoever asks for it can have ten times a second, is told of once in a while.
struct LimitNotices {
    static let intervalNanoseconds: UInt64 = 10_000_000_000

    private var places: [Int: (told: UInt64, untold: Int)] = [:]

    /// How many were not told of since the last that was; nil: this one is not to be told of either.
    /// - Parameter atLimit: false for all other ends, which are always told of.
    mutating func take(_ place: Int, atLimit: Bool, now: UInt64) -> Int? {
        let last = places[place]
        if atLimit, let last, now &- last.told < Self.intervalNanoseconds {
            places[place] = (last.told, last.untold + 1)
            return nil
        }
        if atLimit { places[place] = (now, 0) }
        return atLimit ? last?.untold ?? 0 : 0
    }
}
