import Logs
import System
import Testing

/// A tailer and its owner over simulated files that are written, rotated, compressed and removed as a seed says, while the process dies and the power is lost. Every line
/// has a number; what counts is what is in the queue.
///
/// What cannot be read by anybody is not asked for: a content is removed for good only when its lines are safe, or while it is open and then read at once. Where rotated names do
/// not match the pattern a file is rotated only when it is known.
final class TailWorld {
    struct Kind {
        var matchesRotated = true
        var losesPower = false
        /// A writer goes on where it was when its file was emptied, and leaves a gap. Heads of 0 tell no file from another: each rotation is looked at, and nobody dies.
        var leavesGaps = false
    }

    /// Lines of one content, in order: from one emptying or creation of a file to the next.
    private struct Stream {
        let name: String
        var content = 0
        /// The last line is written only half.
        var half: [UInt8] = []
        /// Names of its rotated files, the newest last, and the rotations so far.
        var rotated: [(name: String, content: Int)] = []
        var rotations = 0
        var shifts = 0
        /// A file that is being compressed: name, bytes that are missing.
        var compressing: (name: String, rest: [UInt8])?
    }

    private struct Entry {
        var lines: [Int]
        var sequence: UInt64
    }

    let seed: UInt64
    let kind: Kind
    private var generator: Generator
    private let files: SimulatedTailFiles
    private let disk = SimulatedPositionFiles.Disk()
    private var positionFiles: SimulatedPositionFiles
    private var log: PositionLog?
    private var tailer: Tailer?
    private var limits = TailLimits()
    private var now: UInt64 = 1_000_000_000_000
    private var boot = 1
    private var streams: [Stream]

    /// Content of each line, by number.
    private var contentOf: [Int] = []
    private var contents = 0
    private var queue: [Entry] = []
    private var nextSequence: UInt64 = 1
    private var queueSynced = 0
    private var queueSyncedAt: UInt64?
    /// Given out by sinks, not yet committed.
    private var batch: [Int] = []
    private var pending: TailMark?
    private var isDead = true
    /// A process ended after a full disk had kept places out of its log: what it had queued since comes again.
    private var mayRepeat = false

    let isTraced: Bool
    private(set) var problems: [String] = []

    init(seed: UInt64, kind: Kind, isTraced: Bool = false) {
        self.seed = seed
        self.kind = kind
        self.isTraced = isTraced
        generator = Generator(seed: seed)
        files = SimulatedTailFiles(seed: seed ^ 0xF11E)
        files.hintsTold = [0, 50, 100][generator.below(3)]
        positionFiles = SimulatedPositionFiles(disk, seed: seed)
        streams = (0..<1 + generator.below(3)).map { Stream(name: "s\($0).log", content: $0) }
        contents = streams.count
        limits.openFilesMax = [2, 3, 8, 64][generator.below(4)]
        limits.quantumBytes = [64, 300, 4096][generator.below(3)]
        limits.rotateWaitNanoseconds = 5_000_000_000
        limits.copyWaitNanoseconds = 20_000_000_000
        trace(
            "\(kind) streams \(streams.count) open \(limits.openFilesMax) quantum \(limits.quantumBytes) hints \(files.hintsTold)"
        )
    }

    private func trace(_ text: @autoclosure () -> String) {
        if isTraced { print("\((now - 1_000_000_000_000) / 1_000_000) ms: \(text())") }
    }

    private func problem(_ text: String) {
        trace("PROBLEM \(text)")
        problems.append("seed \(seed): \(text)")
    }

    // MARK: The process

    private func start() {
        tailer = nil
        files.closeAll()
        batch = []
        pending = nil
        positionFiles = SimulatedPositionFiles(disk, seed: generator.next())
        if !kind.leavesGaps, generator.chance(5) { positionFiles.deathAt = 1 }
        log = try? PositionLog(positionFiles, boot: "\(boot)") { [queue] name in
            name == "queue" ? queue.last?.sequence : nil
        }
        guard let log, !positionFiles.isDead else {
            trace("died at the start")
            return
        }
        isDead = false
        if !kind.leavesGaps, generator.chance(60) { positionFiles.deathAt = 2 + generator.below(60) }
        trace(
            "start, places \(log.places.map { "\($0.id) \($0.path) \($0.resume.start)\($0.isEnded ? " ended" : "")" })")
        var settings = TailSettings(receiver: "files", include: [kind.matchesRotated ? "logs/s*" : "logs/s*.log"])
        settings.lineBytesMax = 2000
        let holdsBack = generator.chance(50)
        tailer = Tailer(files, [settings], positions: log, limits: limits) { [unowned self] source, resume in
            ModelSink(source.path, resume, holdsBack: holdsBack) { self.batch.append($0) }
        }
    }

    private func die(_ why: String) {
        isDead = true
        if positionFiles.hasMissed { mayRepeat = true }
        trace("died \(why)")
        if kind.losesPower, generator.chance(50) {
            boot += 1
            queueSyncedAt = nil
            queue.removeLast(queue.count - queueSynced)
            SimulatedPositionFiles.losePower(disk, &generator)
            trace("power lost, \(queue.count) entries left")
        }
    }

    private func checkDeath(_ why: String) -> Bool {
        if positionFiles.isDead, !isDead { die(why) }
        return isDead
    }

    /// A turn of the owner's loop.
    private func turn() {
        while isDead { start() }
        guard let tailer, let log else { return }
        if pending == nil {
            _ = tailer.turn(bytesMax: [100, 1000, 100_000][generator.below(3)], now: now, observed: 1)
            if files.openCount > limits.openFilesMax { problem("\(files.openCount) files are open") }
        }
        if generator.chance(70) { commit(log, tailer) }
    }

    private func commit(_ log: PositionLog, _ tailer: Tailer) {
        if pending == nil { pending = tailer.mark() }
        guard let mark = pending else {
            if !batch.isEmpty { problem("lines without a mark") }
            return
        }
        log.intend(mark, entries: batch.isEmpty ? [] : [("queue", nextSequence)])
        if checkDeath("in intend") { return }
        if !kind.leavesGaps, generator.chance(3) { return die("after intend") }
        if !batch.isEmpty {
            if generator.chance(10) {
                trace("queue failed")
                log.abandon(mark)
                if checkDeath("in abandon") { return }
                // Somebody else's.
                if generator.chance(50) {
                    queue.append(Entry(lines: [], sequence: nextSequence))
                    nextSequence += 1
                }
                return
            }
            queue.append(Entry(lines: batch, sequence: nextSequence))
            trace("queued \(nextSequence): \(batch)")
            nextSequence += 1
            batch = []
        }
        if !kind.leavesGaps, generator.chance(3) { return die("before commit") }
        pending = nil
        log.commit(mark)
        trace(
            "commit \(mark.places.map { "\($0.id) \($0.path) \($0.resume.start)\($0.isEnded ? " ended" : "")" }) forgotten \(mark.forgotten)"
        )
        _ = checkDeath("in commit")
    }

    private func tick() {
        if generator.chance(70) {
            queueSynced = queue.count
            queueSyncedAt = now
        }
        now += 1
        guard !isDead, let log else { return }
        positionFiles.isFull = generator.chance(5)
        log.tick(now: now, queuesSyncedAt: queueSyncedAt)
        positionFiles.isFull = false
        _ = checkDeath("in tick")
    }

    // MARK: The writers

    private func line(_ stream: Int, closing half: Bool = false) {
        let number = contentOf.count
        contentOf.append(streams[stream].content)
        let padding = String(repeating: "x", count: generator.below(generator.chance(10) ? 1500 : 40))
        let text = Array("\(number) s\(stream) \(padding)\n".utf8)
        if generator.chance(20), !half {
            let cut = 1 + generator.below(text.count - 1)
            files.append(streams[stream].name, Array(text[..<cut]))
            streams[stream].half = Array(text[cut...])
        } else {
            files.append(streams[stream].name, text)
        }
    }

    private func closeHalf(_ stream: Int) {
        guard !streams[stream].half.isEmpty else { return }
        files.append(streams[stream].name, streams[stream].half)
        streams[stream].half = []
    }

    private func write(_ stream: Int) {
        trace("write \(streams[stream].name) from \(contentOf.count)")
        for _ in 0..<1 + generator.below(5) {
            closeHalf(stream)
            line(stream)
        }
    }

    private func rotate(_ stream: Int) {
        closeHalf(stream)
        guard files.names[streams[stream].name] != nil else { return }
        if !kind.matchesRotated || kind.leavesGaps {
            if files.names[streams[stream].name]!.bytes.isEmpty { line(stream, closing: true) }
            settle()
            if generator.chance(70) {
                line(stream, closing: true)
                closeHalf(stream)
            }
        }
        let name = streams[stream].name
        let shifts = generator.chance(40)
        if shifts, streams[stream].compressing == nil {
            for index in streams[stream].rotated.indices {
                let old = streams[stream].rotated[index].name
                let ending = old.hasSuffix(".gz") ? ".gz" : ""
                streams[stream].shifts += 1
                let new = "\(name).\(1000 + streams[stream].shifts)\(ending)"
                trace("rename \(old) \(new)")
                files.rename(old, new)
                streams[stream].rotated[index].name = new
            }
        }
        streams[stream].rotations += 1
        let rotated = "\(name).\(streams[stream].rotations)"
        if generator.chance(50) {
            trace("rename \(name) \(rotated)")
            files.rename(name, rotated)
        } else {
            trace("copytruncate \(name) \(rotated)")
            let bytes = files.names[name]!.bytes.count
            files.copyTruncate(name, rotated)
            if kind.leavesGaps {
                files.append(name, [UInt8](repeating: 0, count: bytes))
                contents += 1
                streams[stream].rotated.append((rotated, streams[stream].content))
                streams[stream].content = contents
                return write(stream)
            }
        }
        streams[stream].rotated.append((rotated, streams[stream].content))
        contents += 1
        streams[stream].content = contents
        if !kind.matchesRotated, generator.chance(50) { write(stream) }
    }

    private func compress(_ stream: Int) {
        if let (name, rest) = streams[stream].compressing {
            trace("compressed \(name)")
            files.append(name + ".gz", rest)
            files.remove(name)
            let index = streams[stream].rotated.firstIndex { $0.name == name }!
            streams[stream].rotated[index].name = name + ".gz"
            streams[stream].compressing = nil
            return
        }
        let plain = streams[stream].rotated.map(\.name).filter { !$0.hasSuffix(".gz") }
        guard !plain.isEmpty else { return }
        let name = plain[generator.below(plain.count)]
        if kind.leavesGaps { settle() }
        let bytes = gzip(files.names[name]!.bytes)
        let cut = generator.below(bytes.count)
        trace("compressing \(name)")
        files.append(name + ".gz", Array(bytes[..<cut]))
        streams[stream].compressing = (name, Array(bytes[cut...]))
        if generator.chance(50) { compress(stream) }
    }

    /// A writer that does not know of the rotation yet.
    private func writeLate(_ stream: Int) {
        guard kind.matchesRotated, let (name, content) = streams[stream].rotated.last, !name.hasSuffix(".gz"),
            streams[stream].compressing?.name != name
        else { return }
        trace("write late \(name) \(contentOf.count)")
        files.append(name, Array("\(contentOf.count) late\n".utf8))
        contentOf.append(content)
    }

    /// For good: only what is safe.
    private func remove(_ stream: Int) {
        guard let name = streams[stream].rotated.first?.name, streams[stream].compressing == nil else { return }
        settle()
        trace("remove \(name)")
        files.remove(name)
        streams[stream].rotated.removeFirst()
    }

    /// The file is removed with lines that nobody has read, but it is open.
    private func removeOpen(_ stream: Int) {
        closeHalf(stream)
        settle()
        let name = streams[stream].name
        guard let node = files.names[name], node.opens > 0 else { return }
        line(stream, closing: true)
        closeHalf(stream)
        trace("remove \(name), open")
        files.remove(name)
        if generator.chance(50) { files.append(node, []) }
        contents += 1
        streams[stream].content = contents
        if generator.chance(50) { write(stream) }
        let death = positionFiles.deathAt
        positionFiles.deathAt = nil
        settle(isDying: false)
        positionFiles.deathAt = death.map { max($0, positionFiles.operations + 1) }
    }

    // MARK: Lives

    func step() {
        now += UInt64(generator.below(5)) * 400_000_000
        let stream = generator.below(streams.count)
        switch generator.below(100) {
        case ..<35: write(stream)
        case ..<70: turn()
        case ..<76: tick()
        case ..<84: rotate(stream)
        case ..<90: compress(stream)
        case ..<92: remove(stream)
        case ..<94: removeOpen(stream)
        case ..<96: now += 8_000_000_000
        case ..<97: now += 30_000_000_000
        case ..<98: if !isDead, !kind.leavesGaps { die("so") }
        case ..<99: writeLate(stream)
        default: closeHalf(stream)
        }
    }

    /// All that is there is read, queued and safe.
    private func settle(isDying: Bool = true) {
        var idle = 0
        var rounds = 0
        while idle < 12 {
            rounds += 1
            if rounds > 3000 { return problem("does not settle") }
            while isDead { start() }
            guard let tailer, let log else { return }
            if !isDying { positionFiles.deathAt = nil }
            now += 1_100_000_000
            var canGoOn = false
            if pending == nil { canGoOn = tailer.turn(bytesMax: 100_000, now: now, observed: 1).canGoOn }
            let hadMark = pending != nil
            commitForSure(log, tailer)
            if isDead { continue }
            idle = canGoOn || hadMark ? 0 : idle + 1
        }
        queueSynced = queue.count
        queueSyncedAt = now + 2
        for _ in 0..<2 where !isDead {
            now += 1
            log?.tick(now: now, queuesSyncedAt: now + 1)
            _ = checkDeath("in tick")
        }
        if isDead { settle(isDying: isDying) }
    }

    /// Without accidents but those of the log.
    private func commitForSure(_ log: PositionLog, _ tailer: Tailer) {
        if pending == nil { pending = tailer.mark() }
        guard let mark = pending else { return }
        log.intend(mark, entries: batch.isEmpty ? [] : [("queue", nextSequence)])
        if checkDeath("in intend") { return }
        if !batch.isEmpty {
            trace("queued \(nextSequence): \(batch)")
            queue.append(Entry(lines: batch, sequence: nextSequence))
            nextSequence += 1
            batch = []
        }
        pending = nil
        log.commit(mark)
        trace(
            "commit \(mark.places.map { "\($0.id) \($0.path) \($0.resume.start)\($0.isEnded ? " ended" : "")" }) forgotten \(mark.forgotten)"
        )
        _ = checkDeath("in commit")
    }

    func live(steps: Int) {
        for _ in 0..<steps where problems.isEmpty { step() }
        guard problems.isEmpty else { return }
        for stream in streams.indices {
            closeHalf(stream)
            if streams[stream].compressing != nil { compress(stream) }
        }
        settle()
        now += 30_000_000_000
        settle(isDying: false)
        verify()
    }

    private func verify() {
        var seen = [Int](repeating: 0, count: contentOf.count)
        var last: [Int: Int] = [:]
        for line in queue.flatMap(\.lines) {
            guard seen.indices.contains(line) else { return problem("line \(line) was never written") }
            seen[line] += 1
            if seen[line] > 1 { continue }
            if let last = last[contentOf[line]], last > line { problem("line \(line) comes after \(last)") }
            last[contentOf[line]] = line
        }
        let lost = seen.indices.filter { seen[$0] == 0 }
        if !lost.isEmpty { problem("lost \(lost.prefix(20))") }
        let repeated = seen.indices.filter { seen[$0] > 1 }
        if !kind.losesPower, !mayRepeat, !repeated.isEmpty { problem("repeated \(repeated.prefix(20))") }
        if let counts = tailer?.counts, counts.lagBytes > 0 { problem("\(counts.lagBytes) bytes behind at the end") }
    }
}

/// Gives lines out at once, or the last one only when another one or some time has come.
private final class ModelSink: LineSink {
    private(set) var resume: ResumePoint
    private let give: (Int) -> Void
    private let holdsBack: Bool
    private var waiting: (line: Int, end: UInt64, since: UInt64?)?
    private let path: String

    init(_ path: String, _ resume: ResumePoint, holdsBack: Bool, _ give: @escaping (Int) -> Void) {
        self.path = path
        self.resume = resume
        self.holdsBack = holdsBack
        self.give = give
    }

    func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
        var at = offset
        for line in lines.split(separator: 10) {
            at += UInt64(line.count + 1)
            let text = String(decoding: line, as: UTF8.self)
            let number = Int(text.prefix { $0.isNumber }) ?? -1
            flush()
            if holdsBack {
                waiting = (number, at, nil)
            } else {
                give(number)
                resume = ResumePoint(at)
            }
        }
    }

    private func flush() {
        guard let (line, end, _) = waiting else { return }
        give(line)
        resume = ResumePoint(end)
        waiting = nil
    }

    func turn(now: UInt64, observed: UInt64) -> UInt64? {
        guard waiting != nil else { return nil }
        let since = waiting!.since ?? now
        waiting!.since = since
        guard now >= since + 1_000_000_000 else { return since + 1_000_000_000 }
        flush()
        return nil
    }

    func end(observed: UInt64) { flush() }
}
