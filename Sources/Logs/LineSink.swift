// The seam between what reads text (files, standard input, pipes) and what makes records of it.

/// Where lines come from. One source has one sink, for as long as the source is read.
public struct LogSource: Hashable, Sendable {
    /// Of a file: its path as the pattern matched it. Of anything else: empty.
    public var path: String
    /// The receiver that reads it, as configured: "files/shop".
    public var receiver: String
    /// "stdout" or "stderr", where a program's streams are read one by one; else empty.
    public var stream: String

    public init(path: String, receiver: String, stream: String = "") {
        self.path = path
        self.receiver = receiver
        self.stream = stream
    }
}

/// How far a source's records are finished, in bytes of the source.
///
/// Lines of two streams may be interleaved in one file (a container's stdout and stderr), and a record of one may be unfinished while later lines of the other
/// are already given out. So each stream has a place of its own; within a stream records are given out in order. A reader that begins again reads from `start`
/// and hands both places to the new sink, which leaves out the lines of a stream that begin before its place.
public struct ResumePoint: Hashable, Sendable {
    /// Everything of the first stream (or of a source that has only one) that begins before is given out.
    public var first: UInt64
    /// The same of the second stream. Equal to `first` in a source that has only one.
    public var second: UInt64

    public init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }

    public init(_ offset: UInt64) { self.init(first: offset, second: offset) }

    /// Where to read from.
    public var start: UInt64 { min(first, second) }
}

/// Makes records of the lines of one source. On the reader's thread.
public protocol LineSink: AnyObject {
    /// Takes whole lines, in order: UTF-8, each ended by LF (the last line of a source that has ended may lack it; a CR before the LF belongs to the end).
    /// - Parameters:
    ///   - offset: of `lines` in the source, in bytes of the source.
    ///   - sourceBytes: how many bytes of the source they are. Other than `lines.count` only where the text was transcoded or cut; then it is one line.
    ///   - observed: Unix nanoseconds.
    func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64)

    /// Gives out what has waited for more lines for too long. Returns when to call it again (the clock of `now`); nil: nothing waits.
    /// - Parameter now: monotonic nanoseconds.
    func turn(now: UInt64, observed: UInt64) -> UInt64?

    /// The source has ended, or begins anew at 0: nothing more belongs to what waits, which is given out.
    func end(observed: UInt64)

    /// What would have to be read again if nothing but what was given out remained.
    var resume: ResumePoint { get }
}
