import Queue
import Telemetry
import Testing

/// A queue on a simulated disk beside a simple model of what it has to hold. Every entry's payload begins with a number of its own, by which it is known again.
final class QueueWorld {
    enum Loss {
        /// The process ends; what it wrote stays.
        case kill
        case power
    }

    struct Known {
        let head: QueueEntryHead
        let payload: [UInt8]
        var id: QueueEntryID
        var state = State.pending
        /// Survives a loss of power.
        var isDurable = false
        var isHandedOut = false
        /// It came back after it was acknowledged, and may go again: a sidecar that a failing disk cost may be brought back by a loss of power.
        var wasGone = false
        /// Its end is in a file, or durable.
        var goneInFile = false
        var goneDurable = false
    }

    enum State {
        case pending, committed
        /// The queue said that it does not have it, and nothing hindered it from making sure.
        case refused
        /// The same, in the middle of other failures; or the process died meanwhile.
        case unknown
        /// Acknowledged or given up.
        case gone
    }

    let disk = SimulatedDisk()
    var limits: QueueLimits
    var generator: Generator
    let seed: UInt64
    private(set) var files: SimulatedFiles
    private(set) var queue: DurableQueue?
    private(set) var known: [UInt64: Known] = [:]
    private var ids: [QueueEntryID: UInt64] = [:]
    private var nextTag: UInt64 = 1
    private(set) var now: UInt64 = 1_000_000
    private var cursor: QueueEntryID?
    private(set) var log: [String] = []
    /// Some disk operation failed since the model was last certain.
    private var hadFaults = false
    private(set) var problems: [String] = []
    private var opened = 0
    /// The worst since the last look.
    private var loss = Loss.kill
    /// A fault while opening may have cost anything.
    private var provesNothing = false
    private var everFailed = false
    /// Segments that were removed may have come back, which no limit foresees.
    private var lostPower = false
    /// A loss of power cost these their payloads.
    private var unreadable: Set<QueueEntryID> = []
    /// What the sync under way has to make survive: entries, and ends of entries.
    private var covered: (entries: [UInt64], ends: [UInt64]) = ([], [])

    init(seed: UInt64, limits: QueueLimits) {
        self.seed = seed
        self.limits = limits
        generator = Generator(seed: seed)
        files = SimulatedFiles(disk, seed: seed)
    }

    var isDead: Bool { files.isDead }

    private func problem(_ text: String) {
        problems.append("seed \(seed): \(text); last: \(log.suffix(12).joined(separator: ", "))")
    }

    private func check(_ holds: Bool, _ text: @autoclosure () -> String) {
        if !holds { problem(text()) }
    }

    // MARK: Operations

    /// Opens the queue. False when the process died in it, or a file could not be read.
    func open(
        deathAt: (Int, SimulatedFiles.Tear)? = nil, fault: @escaping (Int) -> SimulatedFiles.Fault? = { _ in nil }
    ) -> Bool {
        opened += 1
        files = SimulatedFiles(disk, seed: seed &+ UInt64(opened) &* 7919)
        files.deathAt = deathAt
        files.fault = fault
        files.began = { [unowned self] in syncBegan() }
        files.endedWell = { [unowned self] in syncEndedWell() }
        hadFaults = false
        cursor = nil
        do {
            let queue = try DurableQueue(files, limits: limits, now: now)
            if files.faults > 0 {
                provesNothing = true
                everFailed = true
            }
            if files.isDead { return false }
            self.queue = queue
            return true
        } catch {
            check(files.isDead || files.faults > 0, "opening failed: \(error)")
            if files.faults > 0 {
                provesNothing = true
                everFailed = true
            }
            check(files.openCount == 0, "\(files.openCount) files left open by a failed opening")
            return false
        }
    }

    func step() {
        guard let queue, !isDead else { return }
        now += UInt64(generator.below(5000))
        switch generator.below(100) {
        case 0..<45: append(queue)
        case 45..<63: commit(queue)
        case 63..<72: handOut(queue)
        case 72..<86: acknowledge(queue)
        case 86..<90:
            log.append("flush")
            queue.flushAcknowledgements()
        case 90..<93:
            log.append("tick")
            queue.tick(now: now)
        case 93..<95: sync(queue)
        case 95..<97: readOne(queue)
        default: giveBack(queue)
        }
        afterwards(queue)
    }

    private func append(_ queue: DurableQueue) {
        let tag = nextTag
        nextTag += 1
        let sizes = [0, 1, 7, 8, 100, 300, 700, 2000]
        var payload = withUnsafeBytes(of: tag.littleEndian) { Array($0) }
        for _ in 0..<sizes[generator.below(sizes.count)] { payload.append(UInt8(truncatingIfNeeded: generator.next())) }
        let head = QueueEntryHead(
            signal: Signal.allCases[generator.below(3)], items: UInt32(generator.below(200)), time: now)
        switch queue.append(head, payload) {
        case .queued(let id):
            log.append("append \(tag) as \(id) (\(payload.count))")
            known[tag] = Known(head: head, payload: payload, id: id)
            ids[id] = tag
        case .full: log.append("full")
        case .groupFull:
            log.append("groupFull")
            commit(queue)
        case .tooLarge: problem("too large")
        }
    }

    private func commit(_ queue: DurableQueue) {
        let pending = known.filter { $0.value.state == .pending }.keys
        let faultsBefore = files.faults
        let result = queue.commit(now: now)
        if isDead { return }
        hadFaults = hadFaults || files.faults > faultsBefore
        switch result {
        case .committed(let count):
            log.append("commit \(count)")
            check(count == pending.count, "committed \(count), not \(pending.count)")
            for tag in pending {
                known[tag]!.state = .committed
                if limits.sync == .everyCommit && !disk.lies { known[tag]!.isDurable = true }
            }
        case .failed(let error):
            log.append("commit failed: \(error)")
            check(files.faults > faultsBefore || disk.capacity < .max, "commit failed without a cause: \(error)")
            check(queue.failure == error, "failure is not told")
            let isSure =
                files.faults - faultsBefore <= 1 && disk.capacity == .max && queue.counts.acknowledgementsPending == 0
            for tag in pending { known[tag]!.state = isSure ? .refused : .unknown }
        }
    }

    private func handOut(_ queue: DurableQueue) {
        let open = openTags()
        let expected = open.first { tag in cursor.map { id(of: tag) > $0 } ?? true }
        let found = queue.next(after: cursor)
        if isDead { return }
        log.append("next \(found.map { "\($0.id)" } ?? "none")")
        check(
            found.flatMap { ids[$0.id] } == expected,
            "next gave \(found.map { "\($0.id)" } ?? "none"), not \(expected ?? 0)")
        guard let found, let tag = ids[found.id] else {
            cursor = nil
            return
        }
        check(found.head == known[tag]!.head, "head of \(tag)")
        known[tag]!.isHandedOut = true
        cursor = found.id
        read(queue, found.id, tag)
    }

    private func read(_ queue: DurableQueue, _ id: QueueEntryID, _ tag: UInt64) {
        do {
            let payload = try queue.read(id)
            check(payload == known[tag]!.payload, "payload of \(tag)")
        } catch {
            if isDead { return }
            check(files.faults > 0, "\(tag) cannot be read: \(error)")
        }
    }

    private func readOne(_ queue: DurableQueue) {
        guard let tag = openTags().randomElement(using: &generator) else { return }
        read(queue, id(of: tag), tag)
    }

    private func acknowledge(_ queue: DurableQueue) {
        // Mostly in order, as exporters do.
        let open = openTags()
        guard !open.isEmpty else { return }
        for _ in 0..<(1 + generator.below(6)) {
            let tag =
                generator.chance(80) ? open[generator.below(min(8, open.count))] : open[generator.below(open.count)]
            queue.acknowledge(id(of: tag))
            log.append("acknowledge \(tag)")
            known[tag]!.state = .gone
        }
    }

    private func giveBack(_ queue: DurableQueue) {
        guard let tag = openTags().first(where: { known[$0]!.isHandedOut }) else { return }
        queue.giveBack(id(of: tag))
        known[tag]!.isHandedOut = false
        log.append("give back \(tag)")
    }

    private func sync(_ queue: DurableQueue) {
        let faultsBefore = files.faults
        let failedBefore = files.hasSyncFailedBeside
        queue.flushAcknowledgements()
        let isDone = queue.sync()
        if isDead { return }
        hadFaults = hadFaults || files.faults > faultsBefore
        log.append("sync \(isDone)")
        check(isDone || failedBefore || files.faults > faultsBefore, "sync failed without a cause")
        check(!files.isSyncUnderWay, "synced, and a sync is under way")
        if !hadFaults && !everFailed && !disk.lies { check(disk.segmentsAreDurable, "synced, and is not") }
    }

    /// In a commit or tick: what was written until now is covered, a group that still waits is not.
    private func syncBegan() {
        let isWritten = queue?.groupCount == 0
        covered.entries = known.filter { $0.value.state == .committed || $0.value.state == .pending && isWritten }.map(
            \.key)
        covered.ends = known.filter { $0.value.state == .gone && $0.value.goneInFile }.map(\.key)
        log.append("sync begins")
    }

    /// What was covered is durable, whether the queue knows already or not. After a failure nobody can say.
    private func syncEndedWell() {
        log.append("sync ended well")
        guard !everFailed, files.faults == 0, !disk.lies else { return }
        for tag in covered.entries { known[tag]!.isDurable = true }
        for tag in covered.ends { known[tag]!.goneDurable = true }
    }

    /// What the queue dropped, and what the model knows from the state of the disk.
    private func afterwards(_ queue: DurableQueue) {
        hadFaults = hadFaults || files.faults > 0
        everFailed = everFailed || hadFaults
        for drop in queue.takeDrops() where drop.reason != .full {
            log.append("dropped \(drop.entries) \(drop.reason)")
            let tags = openTags().filter {
                drop.ids!.contains(id(of: $0)) && (drop.reason == .damaged || !known[$0]!.isHandedOut)
            }
            check(tags.count == drop.entries, "dropped \(drop.entries) of \(tags.count)")
            check(tags.reduce(0) { $0 + Int(known[$1]!.head.items) } == drop.items.total, "items of a drop")
            for tag in tags { known[tag]!.state = .gone }
        }
        if isDead { return }
        let open = openTags()
        check(queue.counts.entries == open.count, "\(queue.counts.entries) entries, not \(open.count)")
        for signal in Signal.allCases {
            let items = open.reduce(0) { $0 + (known[$1]!.head.signal == signal ? Int(known[$1]!.head.items) : 0) }
            check(queue.counts.items[signal] == items, "\(signal): \(queue.counts.items[signal]) items, not \(items)")
        }
        check(queue.counts.payloadBytes == open.reduce(0) { $0 + known[$1]!.payload.count }, "payload bytes")
        check(
            lostPower || queue.counts.bytesOnDisk <= limits.bytesMax * 4 / 3 + 4096,
            "\(queue.counts.bytesOnDisk) bytes on disk")
        if !hadFaults && disk.capacity == .max && !disk.names.keys.contains(where: { $0.hasSuffix(".damaged") }) {
            // A sidecar may end in a part of a record.
            let unknown = disk.bytes - queue.counts.bytesOnDisk
            let sidecars = disk.names.keys.count { $0.hasSuffix(".acked") }
            check(0...(16 * sidecars) ~= unknown, "\(queue.counts.bytesOnDisk) bytes on disk, not \(disk.bytes)")
        }
        let gone = known.filter { $0.value.state == .gone }.keys
        if queue.counts.acknowledgementsPending == 0 { for tag in gone { known[tag]!.goneInFile = true } }
        if disk.isDurable {
            for (tag, entry) in known {
                if entry.state == .committed { known[tag]!.isDurable = true }
                if entry.goneInFile { known[tag]!.goneDurable = true }
            }
        }
    }

    private func openTags() -> [UInt64] { known.filter { $0.value.state == .committed }.keys.sorted() }
    private func id(of tag: UInt64) -> QueueEntryID { known[tag]!.id }

    // MARK: After the end

    /// The process is gone. What it was in the middle of may have happened or not.
    func end(_ loss: Loss) {
        queue = nil
        check(files.openCount == 0, "\(files.openCount) files left open")
        log.append("\(loss)")
        for (tag, entry) in known where entry.state == .pending {
            known[tag]!.state = entry.state == .pending ? .unknown : .gone
        }
        if loss == .power { disk.losePower(&generator) }
        if loss == .power {
            self.loss = .power
            lostPower = true
        }
    }

    /// Looks through a queue that was opened again, and takes what it has as the truth from now on.
    func verify() {
        guard let queue else { return }
        let loss = self.loss
        self.loss = .kill
        defer { provesNothing = false }
        var found: [UInt64: QueueEntryID] = [:]
        var last: QueueEntryID?
        var lastTag: UInt64 = 0
        while let (id, head) = queue.next(after: last) {
            last = id
            queue.giveBack(id)
            let payload: [UInt8]
            do { payload = try queue.read(id) } catch {
                check(
                    loss == .power || provesNothing || unreadable.contains(id),
                    "entry \(id) cannot be read after a kill: \(error)")
                unreadable.insert(id)
                continue
            }
            let tag = payload.count >= 8 ? payload.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } : 0
            guard let entry = known[tag], entry.payload == payload, entry.head == head else {
                problem("entry \(id) was invented")
                continue
            }
            check(tag > lastTag, "\(tag) after \(lastTag)")
            lastTag = tag
            check(entry.state != .refused || loss == .power || provesNothing, "\(tag) was refused and came back")
            check(
                provesNothing || disk.lies || limits.sync == .never && loss == .power
                    || !(entry.state == .gone && (loss == .kill ? entry.goneInFile : entry.goneDurable)),
                "\(tag) came back after \(loss)")
            found[tag] = id
        }
        for (tag, entry) in known
        where entry.state == .committed && !entry.wasGone && (loss == .kill || entry.isDurable) {
            check(provesNothing || disk.lies || found[tag] != nil, "\(tag) is lost after \(loss)")
        }
        var remaining: [UInt64: Known] = [:]
        ids = [:]
        for (tag, id) in found {
            var entry = known[tag]!
            entry.wasGone = entry.wasGone || entry.state == .gone
            entry.state = .committed
            entry.id = id
            entry.isHandedOut = false
            entry.goneInFile = false
            entry.goneDurable = false
            if loss == .power { entry.isDurable = true }
            remaining[tag] = entry
            ids[id] = tag
        }
        // What an earlier loss left behind may still be found by the next, where this one only did not see it.
        for (tag, var entry) in known where found[tag] == nil {
            if entry.state == .committed { entry.state = .unknown }
            remaining[tag] = entry
        }
        known = remaining
        _ = queue.takeDrops()
    }

    /// Some steps, with a disk that fails as the seed says, until the process dies or has lived enough.
    func live(isFaultless: Bool = false) {
        let mode = isFaultless ? 7 : generator.below(8)
        let first = files.operations
        let at = first + 1 + generator.below(80)
        var chances = Generator(seed: generator.next())
        let length = 1 + generator.below(30)
        switch mode {
        case 0: files.fault = { $0 == at ? .noSpace : nil }
        case 1: files.fault = { $0 == at ? .input : nil }
        case 2: files.fault = { _ in chances.chance(5) ? .input : nil }
        case 3: files.fault = { $0 >= at && $0 < at + length ? .noSpace : nil }
        case 4: files.fault = { $0 >= at && $0 < at + length ? .input : nil }
        case 5:
            everFailed = true
            disk.capacity = disk.bytes + generator.below(20_000)
            hadFaults = true
        default: break
        }
        if generator.chance(70) {
            let tears: [SimulatedFiles.Tear] = [.nothing, .everything, .half, .bytes(generator.below(300))]
            files.deathAt = (first + 1 + generator.below(150), tears[generator.below(4)])
        }
        log.append("mode \(mode)")
        for _ in 0..<80 where !isDead { step() }
        files.fault = { _ in nil }
        disk.capacity = .max
        for _ in 0..<20 where !isDead { step() }
    }

    /// Everything is delivered: the queue takes no room any more, and goes on.
    func drain() {
        guard let queue else { return }
        files.fault = { _ in nil }
        files.deathAt = nil
        disk.capacity = .max
        // The end of one that failed before.
        _ = queue.sync()
        commit(queue)
        afterwards(queue)
        for tag in openTags() {
            queue.acknowledge(known[tag]!.id)
            known[tag]!.state = .gone
        }
        queue.flushAcknowledgements()
        check(queue.sync(), "sync failed without a cause")
        check(
            queue.counts.entries == 0 && queue.counts.items.total == 0,
            "\(queue.counts.entries) entries after all were acknowledged")
        check(queue.counts.segments <= 1, "\(queue.counts.segments) segments after all were acknowledged")
        check(
            queue.counts.bytesOnDisk <= limits.segmentBytes,
            "\(queue.counts.bytesOnDisk) bytes after all were acknowledged")
        let others = disk.names.keys.filter { $0.hasSuffix(".queue") || $0.hasSuffix(".acked") }
        check(others.count <= 2 || hadFaults, "files left: \(others)")
        append(queue)
        check(queue.groupCount == 1, "an empty queue takes nothing")
        commit(queue)
        check(queue.failure == nil, "an empty queue cannot commit")
        afterwards(queue)
    }
}
