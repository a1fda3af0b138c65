public import Telemetry

/// A number for each signal.
public struct SignalCounts: Hashable, Sendable {
    public var traces = 0
    public var logs = 0
    public var metrics = 0

    public init() {}

    public subscript(signal: Signal) -> Int {
        get {
            switch signal {
            case .traces: traces
            case .logs: logs
            case .metrics: metrics
            }
        }
        set {
            switch signal {
            case .traces: traces = newValue
            case .logs: logs = newValue
            case .metrics: metrics = newValue
            }
        }
    }

    public var total: Int { traces + logs + metrics }
}

/// Why the queue itself gave up entries.
public enum QueueDropReason: String, Sendable, CaseIterable {
    /// It was full; the entry was refused.
    case full = "queue_full"
    /// It was full; an older entry made room.
    case evicted
    /// Older than `ageMaxNanoseconds`.
    case expired
    /// The head could be read, the payload could not.
    case damaged
}

/// Entries that the queue gave up together.
public struct QueueDrop: Sendable {
    public let reason: QueueDropReason
    /// First and last of them; nil where none was given out.
    public let ids: ClosedRange<QueueEntryID>?
    public let entries: Int
    public let items: SignalCounts
    /// Payloads.
    public let bytes: Int
}

/// What opening found.
public struct QueueRecovery: Hashable, Sendable {
    /// Unacknowledged entries.
    public var entries = 0
    public var items = SignalCounts()
    /// At the ends of segments: of writes that were not finished. Cut off.
    public var tornBytes = 0
    /// Between readable entries, or in segments without one. Skipped.
    public var damagedBytes = 0
    /// Stretches of them.
    public var damagedRegions = 0
    /// Files that hold nothing readable, renamed to `*.damaged`.
    public var filesSetAside = 0
    /// The highest of all entries that the files have, acknowledged ones too; nil: they have none.
    public var lastSequence: UInt64?

    public init() {}
}

/// How a queue stands.
public struct QueueCounts: Hashable, Sendable {
    /// Committed and not acknowledged.
    public var entries = 0
    public var items = SignalCounts()
    /// Payloads of those.
    public var payloadBytes = 0
    /// All files of the queue, without those set aside.
    public var bytesOnDisk = 0
    public var segments = 0
    /// Since opening, items by reason.
    public var full = SignalCounts()
    public var evicted = SignalCounts()
    public var expired = SignalCounts()
    public var damaged = SignalCounts()
    /// Commits that failed since opening.
    public var commitsFailed = 0
    /// Acknowledgements in memory that are not in a file yet.
    public var acknowledgementsPending = 0

    public init() {}

    public subscript(reason: QueueDropReason) -> SignalCounts {
        get {
            switch reason {
            case .full: full
            case .evicted: evicted
            case .expired: expired
            case .damaged: damaged
            }
        }
        set {
            switch reason {
            case .full: full = newValue
            case .evicted: evicted = newValue
            case .expired: expired = newValue
            case .damaged: damaged = newValue
            }
        }
    }
}

/// Why a queue could not be opened, or an entry not read.
public enum QueueError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process has it. `pid` as that process wrote it; nil when it cannot be read.
    case locked(folder: String, pid: Int32?)
    /// A file is of a later version of the format. Nothing was changed.
    case newer(file: String, version: UInt32)
    case files(folder: String, QueueFileError)
    /// The payload does not agree with its checksum. The queue has dropped and counted the entry.
    case damaged(file: String, offset: Int, bytes: Int)
    /// Acknowledged, given way or never there.
    case unknown(QueueEntryID)

    public var description: String {
        switch self {
        case .locked(let folder, let pid):
            "queue \(folder) is in use by \(pid.map { "process \($0)" } ?? "another process"): give each agent a folder of its own"
        case .newer(let file, let version):
            "\(file) is of version \(version) of the queue's format, this is version \(QueueFormat.version): start the newer agent again, or move the file away"
        case .files(let folder, let error):
            "queue \(folder): \(error)"
        case .damaged(let file, let offset, let bytes):
            "\(file) is damaged in the entry at byte \(offset) with \(bytes) bytes of payload: dropped"
        case .unknown(let id):
            "entry \(id) is not in the queue"
        }
    }
}
