import System

/// One content that is followed, wherever it lies: a file and, after a rotation, what became of it.
final class TailedFile {
    /// - `reading`: its path leads to it.
    /// - `rotated`: it lay elsewhere when it was found; it is read to its end, where it waits for a while.
    /// - `ended`: all of it is given out and nothing of it is kept open. It goes on if it grows.
    /// - `gone`: nothing leads to it. A copy of it, compressed perhaps, may come: then it is `rotated`.
    /// - `held`: not read, for it says what another one says: a copy of that, perhaps.
    enum State {
        case reading, rotated, ended, gone, held
    }

    let id: UInt64
    private(set) var source: LogSource
    /// Index of the receiver; nil: nobody reads it any more.
    private(set) var receiver: Int?
    var state: State
    var identity: TailFileIdentity
    var head: HeadPrint
    var path: String
    /// Where the path led when it was found, if it is a link to a file of another name; else empty.
    var target = ""
    /// The path led to it at the last look.
    var hasPath = false
    var hasEnded = false
    var isCompressed = false

    /// Open: counted by the tailer.
    var file: TailFile?
    var stream: CompressedStream?
    /// Known once the first bytes are.
    var encoding: LineEncoding?
    /// Given to the sink up to here.
    var place: UInt64
    /// No line ends between `place` and here.
    var scanned: UInt64
    /// All between them is 0: a gap, or room made beforehand.
    var isGap = false
    /// Bytes that nothing leads to any more, and whether they went as the file was emptied. They count as missed when nothing has been found for a while: a copy, another name.
    var missed: (bytes: UInt64, isTruncated: Bool)?
    /// The byte before `place` ends a line: if it does not any more, the content is another one.
    var followsLineEnd = false
    /// At the last look, in bytes of the file.
    var size: UInt64 = 0
    var modified: Int64 = 0

    /// Where to begin when there is no sink.
    var saved: ResumePoint
    var sink: (any LineSink)?
    var sinkWake: UInt64?

    /// When it came to its state, or grew last.
    var since: UInt64 = 0
    /// Not to be read before.
    var notBefore: UInt64 = 0
    /// The path that it had, or had before a rotation gave it the name it was found under: `Tailer.family(of:)`.
    var family = ""
    /// The file that came in its place and is not read before it is: up to here, or to its end.
    var successor: TailedFile?
    var successorFrom: UInt64 = 0
    var isBlocked = false
    /// Of what it may be a copy.
    var original: TailedFile?

    var isQueued = false
    var isDirty = false
    var isHinted = false
    /// The walk that saw it last.
    var walk: UInt64 = 0
    var marked: TailPlace?
    /// Paths by which the names' index has it.
    var indexed: [String] = []
    /// Its index in the tailer's list.
    var index = 0
    /// Its index among those that are open, and that it was read since it was last looked at for closing.
    var openIndex = 0
    var wasUsed = false

    init(
        id: UInt64, source: LogSource, receiver: Int?, state: State, identity: TailFileIdentity, head: HeadPrint,
        path: String, resume: ResumePoint
    ) {
        self.id = id
        self.source = source
        self.receiver = receiver
        self.state = state
        self.identity = identity
        self.head = head
        self.path = path
        saved = resume
        place = resume.start
        scanned = resume.start
    }

    /// It is, or may be, read on.
    var isFollowed: Bool { state == .reading || state == .rotated }
    /// Something leads to its content: it can be read from where it was.
    var isThere: Bool { hasPath || file != nil }
    /// Names that it has or had: what a rotation makes of it lies beside one of them.
    var names: [String] {
        var names = [path]
        if source.path != path { names.append(source.path) }
        if !target.isEmpty { names.append(target) }
        return names
    }
    var resume: ResumePoint { sink?.resume ?? saved }

    /// There may be something to read.
    var hasUnread: Bool {
        isCompressed ? !hasEnded && (stream.map { $0.consumed < size || $0.state == .going } ?? true) : size > scanned
    }

    /// Another receiver reads it on.
    func belong(to source: LogSource, receiver: Int) {
        self.source = source
        self.receiver = receiver
    }

    var placeNow: TailPlace {
        TailPlace(
            id: id, identity: identity, head: head, resume: resume, isEnded: hasEnded, path: path,
            target: target, source: source)
    }
}
