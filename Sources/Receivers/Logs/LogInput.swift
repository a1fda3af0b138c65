// Logs that come in otherwise than in files: syslog, pipes, programs' output.
//
// One thread reads them all, each a piece at a time. What was made of them is handed on together, and as long as it has not been taken, only so much more is read: a
// full queue is a sender that has to wait, or, where it cannot, datagrams that the kernel drops and counts.

internal import Linux
public import Telemetry

/// What one receiver reads. On the thread of `LogInputs`.
public protocol LogInput: AnyObject {
    /// As it is called in the configuration.
    var receiver: String { get }
    /// Before anything else.
    func begin(_ watcher: LogInputWatcher, _ time: LogInputTime)
    /// Reads a piece from a descriptor of its own. `mark` is what it was watched with.
    func readable(_ mark: UInt32, _ time: LogInputTime)
    /// Does what is due; returns when it is to be called again at the latest (monotonic nanoseconds).
    func turn(_ time: LogInputTime) -> UInt64?
    /// Bytes of the records that `takeBatches` would give.
    var bytesWaiting: Int { get }
    func takeBatches() -> [Batch]
    /// What `takeBatches` gave last is in the queues.
    func taken()
    /// Nothing more comes of itself: the stream has ended.
    var isOver: Bool { get }
    /// `end` comes next, after all that end together have been asked to.
    func askToEnd()
    /// Nothing more is read; what waits for more is given out.
    func end(_ time: LogInputTime)
    var counts: LogInputCounts { get }
}

extension LogInput {
    public func askToEnd() {}
}

/// Where an input says which descriptors it reads from.
public struct LogInputWatcher {
    let ready: ReadySet
    let number: UInt32

    /// Until `unwatch`, which has to come before it is closed. False: the system does not watch it; a file is always readable.
    func watch(_ descriptor: Int32, _ mark: UInt32) -> Bool {
        (try? ready.add(descriptor, mark: UInt64(number) << 32 | UInt64(mark))) != nil
    }

    func unwatch(_ descriptor: Int32) { ready.remove(descriptor) }
}

/// Nanoseconds.
public struct LogInputTime: Hashable, Sendable {
    /// Of a clock that does not go back.
    public var now: UInt64
    /// Since the Unix epoch.
    public var unix: UInt64
}

/// What a receiver of logs has done.
public struct LogInputCounts: Hashable, Sendable {
    public var bytes: UInt64 = 0
    /// Messages or lines.
    public var messages: UInt64 = 0
    public var records: UInt64 = 0
    /// What is not of the form that was expected: a plain record.
    public var misfits: UInt64 = 0
    /// Messages or lines that were cut, and the bytes that are missing of them.
    public var cut: UInt64 = 0
    public var cutBytes: UInt64 = 0
    /// Messages or pieces of text that were no UTF-8, and had bytes replaced.
    public var replaced: UInt64 = 0
    /// Datagrams that the kernel had no room for.
    public var datagramsDropped: UInt64 = 0
    public var connections = 0
    /// Connections that were closed at once, since there were as many as may be.
    public var connectionsRefused: UInt64 = 0
    /// Starts of a program after the first.
    public var restarts: UInt64 = 0

    public init() {}
}
