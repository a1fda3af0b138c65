/// What formatters of one workspace did. All but `joined` and `partials` tell of lines or bytes that are somewhere else than one might expect.
public struct LogCounts: Equatable, Sendable {
    public var lines: UInt64 = 0
    public var records: UInt64 = 0
    /// Lines that belong to the record of a line before: of stack traces, by rules.
    public var joined: UInt64 = 0
    /// Pieces that a container's runtime had cut a line into, but for the last.
    public var partials: UInt64 = 0
    /// Lines with nothing in them; there is no record of them.
    public var empty: UInt64 = 0
    /// Lines that are not what the source's format or their own beginning promises (`{` and no JSON); plain records.
    public var misfits: UInt64 = 0
    /// Records cut to `recordBytesMax`, and the bytes that are missing of them.
    public var cutRecords: UInt64 = 0
    public var cutBytes: UInt64 = 0
    /// Records given out since nothing more came for `multilineWait`.
    public var timedOut: UInt64 = 0
    /// Lines left out since they had been given out before the start (`ResumePoint`).
    public var skipped: UInt64 = 0

    public init() {}
}
