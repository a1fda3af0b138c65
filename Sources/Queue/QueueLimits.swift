/// Bounds of a queue. What is out of range is brought into it by `DurableQueue`.
public struct QueueLimits: Sendable {
    public enum Overflow: Sendable {
        /// A full queue takes nothing new.
        case newest
        /// A full queue drops its oldest segment that nobody is working on.
        case oldest
    }

    /// When what a commit wrote has to survive a loss of power. It survives the end of the process (kill -9) in every case.
    public enum Sync: Sendable, Equatable {
        /// Before `commit` returns.
        case everyCommit
        /// A sync begins at the first commit or `tick` so many nanoseconds after the last one began, and goes on beside them.
        case interval(nanoseconds: UInt64)
        /// When the kernel likes.
        case never
    }

    /// Of all files of the queue together. What a commit needs for a segment's header may come on top.
    public var bytesMax = 1 << 30
    /// A segment that has as many is sealed. At most an eighth of `bytesMax`, so that dropping the oldest segment does not drop everything.
    public var segmentBytes = 8 << 20
    /// Payload of one entry.
    public var entryBytesMax = 16 << 20
    /// Entries that wait for one commit, payloads and heads; one entry always has room.
    public var groupBytesMax = 16 << 20
    /// Entries in the queue; each takes 32 bytes of memory.
    public var entriesMax = 1 << 19
    /// Entries older than this are dropped; nil: they never are.
    public var ageMaxNanoseconds: UInt64?
    public var overflow = Overflow.newest
    public var sync = Sync.interval(nanoseconds: 1_000_000_000)

    public init() {}

    static let segmentBytesRange = 4 << 10...1 << 30
    static let entryBytesRange = 1...256 << 20

    /// The same within what the format can carry.
    var inRange: QueueLimits {
        var limits = self
        limits.bytesMax = max(bytesMax, Self.segmentBytesRange.lowerBound)
        limits.segmentBytes = segmentBytes.clamped(to: Self.segmentBytesRange)
        limits.segmentBytes = min(limits.segmentBytes, max(limits.bytesMax / 8, Self.segmentBytesRange.lowerBound))
        limits.entryBytesMax = entryBytesMax.clamped(to: Self.entryBytesRange)
        limits.groupBytesMax = groupBytesMax.clamped(to: Self.entryBytesRange)
        limits.entriesMax = max(entriesMax, 1)
        return limits
    }
}

extension Int {
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
