// The durable queue of an exporter: what was accepted lies in files before the sender gets its answer, and stays until a backend has it.
//
// Entries go into the active segment, in order; `append` gathers them in memory and `commit` writes the group with one call. The index of all entries is in
// memory (32 bytes each), so nothing is searched on disk. What is acknowledged is written to a small file beside its segment, and a segment whose entries
// are all acknowledged is removed. Files are never rewritten, so a crash at any point leaves what was committed as it is.
//
// After a failed write or sync nobody can say what of the group is on disk. The group is forgotten (its senders were told to come again), the file is cut
// back to what was committed; where that fails too, and after every failed sync, the segment is sealed and the group's numbers are acknowledged in its
// sidecar, so that nothing of it comes back. Sequence numbers are not used twice.

import Telemetry

/// A queue in a folder. Belongs to one owner at a time and knows no lock; may be handed between threads.
public final class DurableQueue {
    public let limits: QueueLimits
    /// What opening found.
    public internal(set) var recovery = QueueRecovery()
    /// Why the last commit failed; nil when it did not, or a later one succeeded. A full disk shows here.
    public private(set) var failure: QueueFileError?
    public internal(set) var counts = QueueCounts()

    let files: any QueueFiles
    /// By number; the last may be the active one.
    var segments: [Segment] = []
    var active: Segment?
    var nextSequence: UInt64 = 1

    /// The open files: of the active segment, of another that was read last, of the sidecar that was written last.
    var activeFile: QueueFile?
    private var readerFile: (number: UInt64, file: QueueFile)?
    private var sidecarFile: (number: UInt64, file: QueueFile)?

    /// Room for a header, then the frames of the group. Kept from commit to commit unless it grew large.
    private var buffer: UnsafeMutableRawBufferPointer
    private var groupBytes = 0
    private var group: [Entry] = []
    /// Salt and number of the segment the group will go to. Frames depend on them, so they are chosen with the group's first entry.
    private var target: Segment?

    private var drops: [QueueDrop] = []
    private var lastSync: UInt64
    var folderIsDirty = false
    /// Sidecars of segments that were removed. A loss of power may bring such a segment back: its sidecar stays until the folder is synced.
    var orphans: [(name: String, bytes: Int)] = []
    /// Some segment has acknowledgements that are in no file, or nothing unacknowledged.
    var hasSettled = false

    private static let bufferBytesKept = 2 << 20
    private static let bufferBytesAtFirst = 64 << 10
    /// `takeDrops` gives at most as many; the counts know of all.
    static let dropsMax = 256

    /// Opens the queue in a folder and recovers what is in it. `now`: Unix nanoseconds. Throws when the folder cannot be used, or holds files of a later
    /// version; damage is no reason.
    public init(_ files: any QueueFiles, limits: QueueLimits = QueueLimits(), now: UInt64) throws(QueueError) {
        self.files = files
        self.limits = limits.inRange
        lastSync = now
        buffer = .allocate(byteCount: Self.bufferBytesAtFirst, alignment: 16)
        try recover(now)
    }

    deinit {
        for file in [activeFile, readerFile?.file, sidecarFile?.file] {
            if let file { files.close(file) }
        }
        buffer.deallocate()
    }

    // MARK: Taking entries

    public enum Append: Sendable {
        /// In the group that the next commit writes.
        case queued(QueueEntryID)
        /// The queue has no room. Counted as dropped.
        case full
        /// The payload has more than `entryBytesMax` bytes. Not counted: it never was in the queue.
        case tooLarge
        /// The group has `groupBytesMax` bytes: commit, then append again.
        case groupFull
    }

    public func append(_ head: QueueEntryHead, _ payload: [UInt8]) -> Append {
        payload.withUnsafeBytes { append(head, $0) }
    }

    /// Takes an entry into the pending group. The bytes are copied. Older entries may give way (`takeDrops` says which).
    public func append(_ head: QueueEntryHead, _ payload: UnsafeRawBufferPointer) -> Append {
        guard payload.count <= limits.entryBytesMax else { return .tooLarge }
        let bytes = QueueFormat.frameBytes(payload: payload.count)
        guard groupBytes == 0 || groupBytes + bytes <= limits.groupBytesMax else { return .groupFull }
        guard hasRoom(bytes) || makeRoom(bytes) else {
            counts.full[head.signal] += Int(head.items)
            note(
                QueueDrop(
                    reason: .full, ids: nil, entries: 1, items: .of(head.signal, Int(head.items)), bytes: payload.count)
            )
            return .full
        }
        let segment = segmentForGroup(adding: bytes)
        reserve(QueueFormat.headerBytes + groupBytes + bytes)
        let place = buffer.baseAddress! + QueueFormat.headerBytes + groupBytes
        let end = QueueFormat.headBytes + payload.count
        if let source = payload.baseAddress {
            (place + QueueFormat.headBytes).copyMemory(from: source, byteCount: payload.count)
        }
        (place + end).initializeMemory(as: UInt8.self, repeating: 0, count: bytes - end)
        let sequence = nextSequence
        let checksum = QueueFormat.putHead(
            head, sequence: sequence,
            payload: UnsafeRawBufferPointer(start: place + QueueFormat.headBytes, count: payload.count),
            salt: segment.salt, at: place)
        nextSequence += 1
        group.append(
            Entry(
                time: head.time, offset: UInt32(groupBytes), payloadBytes: UInt32(payload.count),
                delta: UInt32(sequence - segment.number), items: head.items, payloadChecksum: checksum,
                signal: head.signal))
        groupBytes += bytes
        return .queued(QueueEntryID(sequence: sequence))
    }

    /// Entries that wait for a commit.
    public var groupCount: Int { group.count }

    // MARK: Writing

    public enum Commit: Sendable {
        /// So many entries are in the file, and on disk where `sync` is `everyCommit`.
        case committed(Int)
        /// Nothing of the group is kept: it has to be sent again. The queue goes on, and the next commit tries again.
        case failed(QueueFileError)
    }

    /// Writes what was appended since the last one. `now`: Unix nanoseconds; ages are judged by it, and intervals. Without a group it does what `tick` does.
    public func commit(now: UInt64) -> Commit {
        expire(now)
        defer { flushAcknowledgements() }
        let count = group.count
        if count > 0 {
            do throws(QueueFileError) {
                try writeGroup()
                failure = nil
            } catch {
                failure = error
                counts.commitsFailed += 1
                return .failed(error)
            }
        }
        syncIfDue(now)
        return .committed(count)
    }

    /// What is to be done from time to time when nothing is committed: drops what is too old, writes acknowledgements, syncs. About once a second.
    public func tick(now: UInt64) {
        expire(now)
        flushAcknowledgements()
        if limits.sync == .everyCommit { _ = try? syncFolderIfDirty() }
        syncIfDue(now)
    }

    private func segmentForGroup(adding bytes: Int) -> Segment {
        if let target { return target }
        if let active, active.bytes + bytes <= limits.segmentBytes,
            nextSequence - active.number < UInt64(UInt32.max / 2)
        {
            target = active
            return active
        }
        let segment = Segment(number: nextSequence, salt: files.random())
        target = segment
        return segment
    }

    private func reserve(_ bytes: Int) {
        guard bytes > buffer.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes, buffer.count * 2), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
        buffer.deallocate()
        buffer = larger
    }

    private func writeGroup() throws(QueueFileError) {
        let segment = target!
        defer { forgetGroup() }
        if segment !== active { try start(segment) }
        let isNew = segment.bytes == 0
        if isNew { QueueFormat.putHeader(QueueFormat.segmentMagic, segment.number, at: buffer.baseAddress!) }
        let first = isNew ? 0 : QueueFormat.headerBytes
        let end = QueueFormat.headerBytes + groupBytes
        let file = activeFile!
        do throws(QueueFileError) {
            try files.write(file, UnsafeRawBufferPointer(rebasing: buffer[first..<end]), at: segment.bytes)
        } catch {
            discardTail(of: segment, mayContinue: true)
            throw error
        }
        if limits.sync == .everyCommit {
            do throws(QueueFileError) {
                try files.sync(file)
                try syncFolderIfDirty()
            } catch {
                discardTail(of: segment, mayContinue: false)
                throw error
            }
        } else {
            segment.isDirty = true
        }
        let base = isNew ? QueueFormat.headerBytes : segment.bytes
        segment.bytes += end - first
        counts.bytesOnDisk += end - first
        for var entry in group {
            entry.offset += UInt32(base)
            segment.append(entry)
            counts.items[entry.signal] += Int(entry.items)
            counts.payloadBytes += Int(entry.payloadBytes)
        }
        counts.entries += group.count
    }

    private func forgetGroup() {
        group.removeAll(keepingCapacity: true)
        groupBytes = 0
        target = nil
        guard buffer.count > Self.bufferBytesKept else { return }
        buffer.deallocate()
        buffer = .allocate(byteCount: Self.bufferBytesAtFirst, alignment: 16)
        group = []
    }

    /// Makes the file of a new active segment.
    private func start(_ segment: Segment) throws(QueueFileError) {
        let file = try files.create(segment.name)
        seal()
        folderIsDirty = true
        segments.append(segment)
        counts.segments += 1
        active = segment
        activeFile = file
    }

    func seal() {
        guard active != nil else { return }
        if let activeFile { files.close(activeFile) }
        activeFile = nil
        active = nil
        hasSettled = true
    }

    /// A part of the group may be behind what was committed.
    private func discardTail(of segment: Segment, mayContinue: Bool) {
        do throws(QueueFileError) {
            try files.truncate(activeFile!, to: segment.bytes)
            if mayContinue { return }
        } catch {
            // Sealed below, as the caller asked or because of this.
        }
        if segment.bytes > 0 {
            segment.pending += group.map(\.delta)
            counts.acknowledgementsPending += group.count
        }
        seal()
    }

    // MARK: Acknowledging

    /// The entry is delivered, or dropped by its owner: it is not handed out again, and gone from disk in time. What is not there is no error. In memory
    /// until `flushAcknowledgements`, which every commit calls.
    public func acknowledge(_ id: QueueEntryID) {
        guard let (segment, index) = locate(id) else { return }
        settle(segment, index)
    }

    private func settle(_ segment: Segment, _ index: Int) {
        guard segment.acknowledge(index) else { return }
        let entry = segment.entries[index]
        counts.entries -= 1
        counts.items[entry.signal] -= Int(entry.items)
        counts.payloadBytes -= Int(entry.payloadBytes)
        segment.pending.append(entry.delta)
        counts.acknowledgementsPending += 1
        hasSettled = true
    }

    /// Writes the acknowledgements that are in memory, and removes segments that hold nothing else: what was acknowledged before does not come back after
    /// kill -9. Where a file cannot be written the acknowledgements stay in memory until the next time.
    public func flushAcknowledgements() {
        guard hasSettled else { return }
        hasSettled = false
        var hasRemoved = false
        for segment in segments where segment.unacknowledged == 0 && !isKept(segment) {
            if remove(segment) { hasRemoved = true } else { hasSettled = true }
        }
        if hasRemoved { segments.removeAll { $0.bytes < 0 } }
        for segment in segments where !segment.pending.isEmpty {
            if !writeSidecar(of: segment) { hasSettled = true }
        }
    }

    /// The active segment stays while it is small: a queue that keeps up would otherwise make and remove a file with each commit.
    private func isKept(_ segment: Segment) -> Bool {
        segment === active && (segment === target || segment.bytes < limits.segmentBytes / 2)
    }

    /// Removes the files of a segment; afterwards its `bytes` are negative.
    private func remove(_ segment: Segment) -> Bool {
        if segment === active { seal() }
        closeFiles(of: segment)
        do throws(QueueFileError) {
            try files.remove(segment.name)
        } catch {
            return false
        }
        if segment.sidecarBytes > 0 { orphans.append((segment.sidecarName, segment.sidecarBytes)) }
        folderIsDirty = true
        if limits.sync == .never { removeOrphans() }
        counts.acknowledgementsPending -= segment.pending.count
        counts.bytesOnDisk -= segment.bytes
        counts.segments -= 1
        segment.pending = []
        segment.bytes = -1
        return true
    }

    private func closeFiles(of segment: Segment) {
        if let (number, file) = readerFile, number == segment.number {
            files.close(file)
            readerFile = nil
        }
        if let (number, file) = sidecarFile, number == segment.number {
            files.close(file)
            sidecarFile = nil
        }
    }

    private func writeSidecar(of segment: Segment) -> Bool {
        segment.pending.sort()
        let isNew = segment.sidecarBytes == 0
        let most = QueueFormat.headerBytes + segment.pending.count * QueueFormat.recordBytes
        return withUnsafeTemporaryAllocation(byteCount: most, alignment: 8) { bytes in
            var end = 0
            if isNew {
                QueueFormat.putHeader(QueueFormat.sidecarMagic, segment.number, at: bytes.baseAddress!)
                end = QueueFormat.headerBytes
            }
            var index = 0
            while index < segment.pending.count {
                let first = segment.pending[index]
                var count: UInt32 = 1
                index += 1
                while index < segment.pending.count, segment.pending[index] <= first + count {
                    if segment.pending[index] == first + count { count += 1 }
                    index += 1
                }
                QueueFormat.putRecord(first: first, count: count, salt: segment.salt, at: bytes.baseAddress! + end)
                end += QueueFormat.recordBytes
            }
            do throws(QueueFileError) {
                let file = try sidecar(of: segment)
                try files.write(file, UnsafeRawBufferPointer(rebasing: bytes[..<end]), at: segment.sidecarBytes)
            } catch {
                return false
            }
            segment.sidecarBytes += end
            segment.sidecarIsDirty = true
            counts.bytesOnDisk += end
            counts.acknowledgementsPending -= segment.pending.count
            segment.pending.removeAll(keepingCapacity: segment === active)
            return true
        }
    }

    private func sidecar(of segment: Segment) throws(QueueFileError) -> QueueFile {
        if let (number, file) = sidecarFile {
            if number == segment.number { return file }
            files.close(file)
            sidecarFile = nil
        }
        let file: QueueFile
        if segment.sidecarBytes == 0 {
            // One that is there cannot be used.
            try files.remove(segment.sidecarName)
            file = try files.create(segment.sidecarName)
            folderIsDirty = true
        } else {
            file = try files.open(segment.sidecarName)
        }
        sidecarFile = (segment.number, file)
        return file
    }

    // MARK: Reading

    /// The next unacknowledged entry in order of arrival; with nil, the first. Only what was committed. It is handed out from now on, which keeps it from
    /// making room for others and from growing too old, until it is acknowledged or given back.
    public func next(after id: QueueEntryID?) -> (id: QueueEntryID, head: QueueEntryHead)? {
        var place = id.map { segmentIndex(of: $0) ?? 0 } ?? 0
        while place < segments.count {
            let segment = segments[place]
            if segment.unacknowledged > 0, let index = segment.nextIndex(after: id) {
                segment.handOut(index)
                return (segment.id(index), segment.entries[index].head)
            }
            place += 1
        }
        return nil
    }

    /// The owner stops working on an entry without being done with it.
    public func giveBack(_ id: QueueEntryID) {
        guard let (segment, index) = locate(id) else { return }
        segment.giveBack(index)
    }

    /// The payload of a committed, unacknowledged entry, its checksum verified. `QueueError.damaged`: the entry is dropped and counted; there is nothing left to
    /// acknowledge. `QueueError.files`: it may be readable later.
    public func read(_ id: QueueEntryID) throws(QueueError) -> [UInt8] {
        guard let (segment, index) = locate(id), !segment.entries[index].isAcknowledged else { throw .unknown(id) }
        let entry = segment.entries[index]
        let count = Int(entry.payloadBytes)
        let offset = Int(entry.offset) + QueueFormat.headBytes
        var failure: QueueFileError?
        var isIntact = false
        let payload = [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            do throws(QueueFileError) {
                let raw = UnsafeMutableRawBufferPointer(start: bytes.baseAddress, count: count)
                if count > 0, try files.read(file(of: segment), into: raw, at: offset) < count { return }
                initialized = count
                isIntact = verify(entry, UnsafeRawBufferPointer(raw), of: segment)
            } catch {
                failure = error
            }
        }
        if isIntact { return payload }
        if let failure, failure.kind != .damaged { throw .files(folder: files.folder, failure) }
        drop(segment, [index], .damaged)
        throw .damaged(file: files.folder + "/" + segment.name, offset: Int(entry.offset), bytes: count)
    }

    func verify(_ entry: Entry, _ payload: UnsafeRawBufferPointer, of segment: Segment) -> Bool {
        let head = QueueFormat.headChecksum(of: entry, number: segment.number, salt: segment.salt)
        let sum = payload.baseAddress.map { QueueFormat.checksum(head, $0, payload.count) } ?? head
        return sum == entry.payloadChecksum
    }

    private func file(of segment: Segment) throws(QueueFileError) -> QueueFile {
        if segment === active, let activeFile { return activeFile }
        if let (number, file) = readerFile {
            if number == segment.number { return file }
            files.close(file)
            readerFile = nil
        }
        let file = try files.open(segment.name)
        readerFile = (segment.number, file)
        return file
    }

    /// The last segment whose number is no greater.
    private func segmentIndex(of id: QueueEntryID) -> Int? {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].number <= id.sequence { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }

    private func locate(_ id: QueueEntryID) -> (Segment, Int)? {
        guard let place = segmentIndex(of: id), let index = segments[place].index(of: id) else { return nil }
        return (segments[place], index)
    }

    // MARK: Room, age and drops

    /// Entries the queue gave up since the last call, oldest first; of many, the latest 256 groups.
    public func takeDrops() -> [QueueDrop] {
        defer { drops = [] }
        return drops
    }

    private func hasRoom(_ bytes: Int) -> Bool {
        counts.bytesOnDisk + groupBytes + bytes <= limits.bytesMax && counts.entries + group.count < limits.entriesMax
    }

    /// Removes what is acknowledged, and where the limits say so the oldest entries that nobody is working on, a segment at a time.
    private func makeRoom(_ bytes: Int) -> Bool {
        flushAcknowledgements()
        if !hasRoom(bytes), let active, active.unacknowledged == 0, active !== target {
            seal()
            flushAcknowledgements()
        }
        guard limits.overflow == .oldest else { return hasRoom(bytes) }
        while !hasRoom(bytes) {
            guard let segment = segments.first(where: { $0.handedOut == 0 && $0.unacknowledged > 0 && $0 !== target })
            else { return false }
            let open = segment.entries.indices.filter { !segment.entries[$0].isAcknowledged }
            drop(segment, open, .evicted)
            if segment === active { seal() }
            flushAcknowledgements()
            // A file that cannot be removed makes no room, and the next one would not either.
            if segment.bytes >= 0 { return hasRoom(bytes) }
        }
        return true
    }

    private func expire(_ now: UInt64) {
        guard let age = limits.ageMaxNanoseconds, counts.entries > 0, now > age else { return }
        for segment in segments where segment.unacknowledged > segment.handedOut {
            var old: [Int] = []
            var isOver = false
            for index in segment.entries.indices where !segment.entries[index].isAcknowledged {
                let entry = segment.entries[index]
                if entry.time >= now - age {
                    isOver = true
                    break
                }
                if !entry.isHandedOut { old.append(index) }
            }
            if !old.isEmpty { drop(segment, old, .expired) }
            if isOver { return }
        }
    }

    func drop(_ segment: Segment, _ indices: [Int], _ reason: QueueDropReason) {
        guard let first = indices.first, let last = indices.last else { return }
        var items = SignalCounts()
        var bytes = 0
        for index in indices {
            let entry = segment.entries[index]
            items[entry.signal] += Int(entry.items)
            bytes += Int(entry.payloadBytes)
            settle(segment, index)
        }
        for signal in Signal.allCases { counts[reason][signal] += items[signal] }
        note(
            QueueDrop(
                reason: reason, ids: segment.id(first)...segment.id(last), entries: indices.count, items: items,
                bytes: bytes))
    }

    private func note(_ drop: QueueDrop) {
        if drops.count == Self.dropsMax { drops.removeFirst() }
        drops.append(drop)
    }

    // MARK: Syncing

    private func syncIfDue(_ now: UInt64) {
        guard case .interval(let nanoseconds) = limits.sync, now < lastSync || now - lastSync >= nanoseconds else {
            return
        }
        lastSync = now
        sync()
    }

    /// Everything written so far survives a loss of power when this returns true; for the end of a process that wants to be sure.
    @discardableResult public func sync() -> Bool {
        var isDone = true
        for segment in segments {
            if segment.isDirty {
                isDone = syncOne(segment, segment === active ? activeFile : nil, segment.name) && isDone
            }
            segment.isDirty = false
            if segment.sidecarIsDirty { isDone = syncOne(segment, nil, segment.sidecarName) && isDone }
            segment.sidecarIsDirty = false
        }
        do throws(QueueFileError) { try syncFolderIfDirty() } catch {
            failure = error
            isDone = false
        }
        return isDone
    }

    private func syncOne(_ segment: Segment, _ open: QueueFile?, _ name: String) -> Bool {
        do throws(QueueFileError) {
            if let open {
                try files.sync(open)
            } else {
                let file = try files.open(name)
                defer { files.close(file) }
                try files.sync(file)
            }
            return true
        } catch {
            // What of it reached the disk nobody can say; the copy in memory is still whole. New entries go elsewhere.
            failure = error
            if segment === active, segment !== target { seal() }
            return false
        }
    }

    func syncFolderIfDirty() throws(QueueFileError) {
        guard folderIsDirty else { return }
        try files.syncFolder()
        folderIsDirty = false
        removeOrphans()
    }

    /// Those that cannot be removed are found when the queue is opened again.
    func removeOrphans() {
        for (name, bytes) in orphans {
            _ = try? files.remove(name)
            counts.bytesOnDisk -= bytes
        }
        orphans = []
    }
}

extension SignalCounts {
    static func of(_ signal: Signal, _ count: Int) -> SignalCounts {
        var counts = SignalCounts()
        counts[signal] = count
        return counts
    }
}
