public import System

// Follows files. What is known of a file is a `TailedFile`, one a content, wherever that lies; its states are there.
//
// - `byIdentity` has each content that something is known to lead to (`reading`, `rotated`, `ended`, `held`), by device and inode. `byPath` has those whose path led to them at
//   the last look.
// - Hints (inotify) make a look come sooner. What counts is what `poll` and `walk` see: sizes, names, numbers.
// - A file's bytes are believed to be those that were there before when its head is what it was *after* they were read, and when the byte before them still ends a line. If not, the
//   file was emptied, or another one has its number: what it was goes on in a copy (`rotated`) or is `gone`, and its path has a new content that begins at 0.
// - Only what a sink says that it has finished counts as done (`LineSink.resume`).

/// Reads all files that the patterns mean, as they grow, move and go, and hands their lines to sinks. One thread.
public final class Tailer {
    public typealias MakeSink = (_ source: LogSource, _ resume: ResumePoint) -> any LineSink

    struct Receiver {
        let settings: TailSettings
        let rules: PathRules
        /// Has no places yet: what is there at the first walk begins where the settings say.
        let isNew: Bool
    }

    let files: any TailFiles
    let receivers: [Receiver]
    let limits: TailLimits
    let makeSink: MakeSink
    let isFull: () -> Bool

    var all: [TailedFile] = []
    var byIdentity: [TailFileIdentity: TailedFile] = [:]
    var byPath: [String: TailedFile] = [:]
    /// The content that a family had last.
    var latest: [String: TailedFile] = [:]
    /// Paths without a known content that the walk which goes on has found.
    var newPaths: Set<String> = []
    var named = NameIndex()
    var held: [TailedFile] = []
    /// Compressed files of which too little is there, with their size and since when that is so.
    var unready: [TailFileIdentity: (bytes: UInt64, since: UInt64, walk: UInt64)] = [:]
    /// From the log of places, and not yet found.
    var unfound: [TailedFile] = []

    /// To be read, in turn.
    var ready = Ring()
    /// To be read later: their receiver's rate is used up.
    var delayed: [TailedFile] = []
    /// Whose sinks wait for something.
    var waiting: [TailedFile] = []
    var dirty: [TailedFile] = []
    var forgotten: [UInt64] = []
    var hinted: [TailedFile] = []

    var open: [TailedFile] = []
    var closingHand = 0
    var streams = 0

    var watched: Set<String> = []
    var isWatchedWhole = false
    var folderEntries: [String: FolderListing] = [:]
    /// Contents of which no copy was found in this turn: it may be younger than what is known of its folder.
    var lost: [TailedFile] = []
    var walkNumber: UInt64 = 0
    var nextWalk: UInt64 = 0
    var lastWalk: UInt64 = 0
    var nextPoll: UInt64 = 0
    var nextID: UInt64 = 1
    var nextMark: UInt64 = 1

    var now: UInt64 = 0
    var observed: UInt64 = 0
    var text = LineText()
    var tally = TailCounts()
    let buffer: UnsafeMutableRawBufferPointer
    let headBuffer: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - receivers: which files, and how; one a receiver.
    ///   - isFull: whether the sinks have given out as much as is wanted for now. Asked every few lines; then nothing more is given to them in that turn.
    ///   - makeSink: makes the sink of a source that begins, or begins again, at a place: the first line it is given begins at `resume.start` or behind.
    public init(
        _ files: any TailFiles, _ receivers: [TailSettings], positions: PositionLog, limits: TailLimits = TailLimits(),
        isFull: @escaping () -> Bool = { false }, makeSink: @escaping MakeSink
    ) {
        self.files = files
        self.limits = limits
        self.isFull = isFull
        self.makeSink = makeSink
        self.receivers = receivers.map {
            Receiver(settings: $0, rules: PathRules($0), isNew: !positions.receivers.contains($0.receiver))
        }
        buffer = .allocate(byteCount: max(limits.quantumBytes, HeadPrint.bytesMax) + 1, alignment: 16)
        headBuffer = .allocate(byteCount: HeadPrint.bytesMax, alignment: 16)
        for place in positions.places { add(place) }
    }

    deinit {
        for file in open { if let descriptor = file.file { files.close(descriptor) } }
        buffer.deallocate()
        headBuffer.deallocate()
    }

    private func add(_ place: TailPlace) {
        let fitting = receivers.indices.filter { receivers[$0].rules.matches(place.source.path) }
        // Where its receiver is gone or has another name now, the one that would find it there.
        let receiver = fitting.first { receivers[$0].settings.receiver == place.source.receiver } ?? fitting.first
        let name = receiver.map { receivers[$0].settings.receiver } ?? place.source.receiver
        let file = TailedFile(
            id: place.id, source: LogSource(path: place.source.path, receiver: name), receiver: receiver, state: .gone,
            identity: place.identity,
            head: place.head, path: place.path, resume: place.resume)
        file.hasEnded = place.isEnded
        file.target = place.target
        file.marked = place
        list(file)
        unfound.append(file)
        file.family = family(of: place.source.path)
        latest[file.family] = file
        nextID = max(nextID, place.id &+ 1)
    }

    /// Reads about `bytesMax` bytes at most, fairly over the files, and hands them to the sinks; looks for new files when it is time or the system said so.
    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - observed: Unix nanoseconds.
    /// - Returns: whether there is more to read at once, and when to call again at the latest.
    public func turn(bytesMax: Int, now: UInt64, observed: UInt64) -> (canGoOn: Bool, wakeAt: UInt64?) {
        self.now = now
        self.observed = observed
        folderEntries.removeAll(keepingCapacity: true)
        lookForLost()
        takeHints()
        if now >= nextWalk {
            walk()
        } else if now >= nextPoll {
            poll()
        }
        wakeDelayed()
        let isStuck = read(bytesMax: bytesMax)
        turnSinks()
        var wakeAt = min(nextPoll, nextWalk)
        for file in waiting where !file.isQueued { wakeAt = min(wakeAt, file.sinkWake ?? .max) }
        for file in delayed { wakeAt = min(wakeAt, file.notBefore) }
        return (!ready.isEmpty && !isStuck, wakeAt)
    }

    /// The places of all files that moved since the last mark; nil: none did.
    public func mark() -> TailMark? {
        var places: [TailPlace] = []
        for file in dirty {
            file.isDirty = false
            let place = file.placeNow
            guard place != file.marked, file.state != .held else { continue }
            file.marked = place
            places.append(place)
        }
        dirty.removeAll(keepingCapacity: true)
        guard !places.isEmpty || !forgotten.isEmpty else { return nil }
        let gone = Set(forgotten)
        defer {
            nextMark += 1
            forgotten = []
        }
        return TailMark(number: nextMark, places: places.filter { !gone.contains($0.id) }, forgotten: forgotten)
    }

    public var counts: TailCounts {
        var counts = tally
        counts.filesKnown = all.count
        counts.filesOpen = open.count
        for file in all where file.isFollowed {
            counts.filesFollowed += 1
            counts.lagBytes += Self.lag(file)
        }
        return counts
    }

    /// The files that are the farthest behind, at most `count`.
    public func mostLagging(_ count: Int) -> [TailLag] {
        all.filter { $0.isFollowed && Self.lag($0) > 0 }.sorted { Self.lag($0) > Self.lag($1) }.prefix(count).map {
            TailLag(path: $0.path, receiver: $0.source.receiver, bytes: Self.lag($0))
        }
    }

    /// Of a compressed file in bytes of the file, as far as it is not read.
    private static func lag(_ file: TailedFile) -> UInt64 {
        let done = file.isCompressed ? file.stream?.consumed ?? 0 : file.resume.start
        return file.size > done ? file.size - done : 0
    }

    // MARK: The tables

    func list(_ file: TailedFile) {
        file.index = all.count
        all.append(file)
        named.add(file)
    }

    /// Nothing is known of it any more.
    func remove(_ file: TailedFile) {
        detach(file)
        named.remove(file)
        let last = all.removeLast()
        if last !== file {
            all[file.index] = last
            last.index = file.index
        }
        if latest[file.family] === file { latest[file.family] = nil }
    }

    /// Nothing leads to it any more.
    func detach(_ file: TailedFile) {
        close(file)
        if byIdentity[file.identity] === file { byIdentity[file.identity] = nil }
        if byPath[file.path] === file { byPath[file.path] = nil }
        file.hasPath = false
    }

    /// It lies there.
    func attach(_ file: TailedFile, _ path: String, _ status: TailFileStatus) {
        if byPath[file.path] === file { byPath[file.path] = nil }
        if byIdentity[file.identity] === file { byIdentity[file.identity] = nil }
        if file.path != path {
            named.remove(file)
            file.path = path
            named.add(file)
        }
        file.identity = status.identity
        file.hasPath = true
        byPath[path] = file
        byIdentity[status.identity] = file
        touch(file)
    }

    func touch(_ file: TailedFile) {
        guard !file.isDirty else { return }
        file.isDirty = true
        dirty.append(file)
    }

    // MARK: Sinks

    func sink(of file: TailedFile) -> any LineSink {
        if let sink = file.sink { return sink }
        let sink = makeSink(file.source, file.saved)
        file.sink = sink
        return sink
    }

    /// After lines were given to it.
    func turnSink(_ file: TailedFile) {
        guard let sink = file.sink else { return }
        let wasWaiting = file.sinkWake != nil
        file.sinkWake = sink.turn(now: now, observed: observed)
        if file.sinkWake != nil, !wasWaiting { waiting.append(file) }
        touch(file)
    }

    private func turnSinks() {
        waiting.removeAll { file in
            guard let wake = file.sinkWake else { return true }
            // What is known to be in the file may belong to what waits, however long it took to come to it.
            guard wake <= now, !file.isQueued, let sink = file.sink, !isFull() else { return false }
            file.sinkWake = sink.turn(now: now, observed: observed)
            touch(file)
            return file.sinkWake == nil
        }
    }

    // MARK: Hints

    private func takeHints() {
        files.takeChanges { change in
            switch change {
            case .written(let folder, let name):
                if let file = byPath[joined(folder, name)] { hint(file) }
            case .named(let folder, let name):
                let path = joined(folder, name)
                if let file = byPath[path] {
                    hint(file)
                } else if receivers.contains(where: { $0.rules.matches(path) }) || files.status(path)?.kind == .folder {
                    wantWalk()
                }
            case .lost:
                nextPoll = now
                wantWalk()
            }
        }
        for file in hinted {
            file.isHinted = false
            look(file)
        }
        hinted.removeAll(keepingCapacity: true)
    }

    private func hint(_ file: TailedFile) {
        guard !file.isHinted else { return }
        file.isHinted = true
        hinted.append(file)
    }

    /// Soon, but so that walks take a small part of the time however many files there are.
    func wantWalk() {
        nextWalk = min(nextWalk, max(now, lastWalk + 100_000_000 + UInt64(all.count) * 20_000))
    }
}

/// A queue of files.
struct Ring {
    private var items: [TailedFile] = []
    private var first = 0

    var isEmpty: Bool { first == items.count }
    var count: Int { items.count - first }

    mutating func append(_ file: TailedFile) { items.append(file) }

    mutating func popFirst() -> TailedFile? {
        guard first < items.count else { return nil }
        defer {
            first += 1
            if first > 64, first * 2 > items.count {
                items.removeFirst(first)
                first = 0
            }
        }
        return items[first]
    }
}
