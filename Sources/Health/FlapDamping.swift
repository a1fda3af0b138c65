internal import Glibc

// Damping as routers do it (RFC 2439): each fall adds a penalty of 1, which halves with time. Above a threshold what flaps is held at its worst, until the
// penalty has decayed below another, lower one. So something that falls once a day is up again at once, and something that falls every few seconds is down
// for as long as it does so and a bounded time longer.

/// Whether something falls too often. Pure.
public struct FlapDamping: Hashable, Sendable {
    /// Held from here on: three falls in quick succession.
    static let holdAbove = 2.5
    /// Let go below.
    static let releaseBelow = 0.8
    /// More falls add nothing, so that nobody is held for longer than log2(6 / 0.8) = 2.9 half-lives after the last.
    static let penaltyMax = 6.0

    /// Nanoseconds in which the penalty halves; nil: nothing is damped.
    public let halfLifeNanoseconds: UInt64?
    public private(set) var isHeld = false
    private var penalty = 0.0
    private var updatedAt: UInt64 = 0

    public init(halfLifeNanoseconds: UInt64?) { self.halfLifeNanoseconds = halfLifeNanoseconds }

    /// It has become worse.
    public mutating func fell(now: UInt64) {
        decay(now)
        penalty = min(penalty + 1, Self.penaltyMax)
        if halfLifeNanoseconds != nil, penalty > Self.holdAbove { isHeld = true }
    }

    /// Some time has gone by.
    public mutating func tick(now: UInt64) {
        guard isHeld else { return }
        decay(now)
        if penalty < Self.releaseBelow { isHeld = false }
    }

    private mutating func decay(_ now: UInt64) {
        guard let halfLifeNanoseconds, now > updatedAt else { return }
        penalty *= exp2(-Double(now - updatedAt) / Double(halfLifeNanoseconds))
        updatedAt = now
    }
}
