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
    public private(set) var limits: QueueLimits
    /// Where it lies.
    public var folder: String { files.folder }
    /// What opening found.
    public internal(set) var recovery = QueueRecovery()
    /// Why the last commit failed; nil when it did not, or a later one succeeded. A full disk shows here.
    public internal(set) var failure: QueueFileError?
    public internal(set) var counts = QueueCounts()

    let files: any QueueFiles
    /// By number; the last may be the active one.
    var segments: [Segment] = []
    var active: Segment?
    var nextSequence: UInt64 = 1

    /// The open files: of the active segment, of another that was read last, of the sidecar that was written last.
    var activeFile: QueueFile?
    var readerFile: (number: UInt64, file: QueueFile)?
    var sidecarFile: (number: UInt64, file: QueueFile)?

    /// Room for a header, then the frames of the group. Kept from commit to commit unless it grew large.
    var buffer: UnsafeMutableRawBufferPointer
    var groupBytes = 0
    var group: [Entry] = []
    /// Salt and number of the segment the group will go to. Frames depend on them, so they are chosen with the group's first entry.
    var target: Segment?

    var drops: [QueueDrop] = []
    /// Whether `takeDroppedIDs` has anything to give.
    public var keepsDroppedIDs = false
    var droppedIDs: [QueueEntryID] = []
    var lastSync: UInt64
    var folderIsDirty = false
    /// Sidecars of segments that were removed. A loss of power may bring such a segment back: its sidecar stays until the folder is synced.
    var orphans: [Orphan] = []
    typealias Orphan = (name: String, bytes: Int)
    var syncing: Syncing?
    /// When the last sync began that ended well, as `monotonic` said: all that was committed before survives a loss of power. Nil: there was none. With `interval` only.
    public internal(set) var syncedAt: UInt64?
    /// A sync of the active segment failed while a group waited for it.
    var sealsAfterGroup = false
    /// Some segment has acknowledgements that are in no file, or nothing unacknowledged.
    var hasSettled = false

    private static let bufferBytesKept = 4 << 20
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

    /// Other limits from now on; what is there already stays until it is acknowledged, too old, or makes room.
    public func change(_ limits: QueueLimits) {
        let wasSynced = self.limits.sync == .everyCommit
        self.limits = limits.inRange
        // What was written before is promised no less than what comes.
        if limits.sync == .everyCommit, !wasSynced { sync() }
    }

    // MARK: Taking entries

    public enum Append: Sendable {
        /// In the group that the next commit writes.
        case queued(QueueEntryID)
        /// The queue has no room. Counted as dropped.
        case full
        /// The payload has more than `entryBytesMax` bytes, or more than the whole queue may have. It never gets room. Not counted: it never was in the queue.
        case tooLarge
        /// The group has `groupBytesMax` bytes: commit, then append again.
        case groupFull
    }

    public func append(_ head: QueueEntryHead, _ payload: [UInt8]) -> Append {
        payload.withUnsafeBytes { append(head, $0) }
    }

    /// Takes an entry into the pending group. The bytes are copied. Older entries may give way (`takeDrops` says which).
    public func append(_ head: QueueEntryHead, _ payload: UnsafeRawBufferPointer) -> Append {
        let bytes = QueueFormat.frameBytes(payload: payload.count)
        guard payload.count <= limits.entryBytesMax, bytes <= limits.bytesMax else { return .tooLarge }
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

    /// Whether a payload of so many bytes has room, or would get it by what the limits say. Nothing is dropped for it. True of what never has: `append` says so.
    public func mayTake(_ bytes: Int) -> Bool {
        let bytes = QueueFormat.frameBytes(payload: bytes)
        guard bytes <= limits.bytesMax else { return true }
        if hasRoom(bytes) { return true }
        // Only when full: what can be removed is removed now, not when the next entry comes.
        flushAcknowledgements()
        if hasRoom(bytes) { return true }
        let mayGo = segments.contains { segment in
            segment !== target && (segment.unacknowledged == 0 || limits.overflow == .oldest && segment.handedOut == 0)
        }
        return mayGo
    }

    // MARK: Writing

    public enum Commit: Sendable {
        /// So many entries are in the file, and on disk where `sync` is `everyCommit`.
        case committed(Int)
        /// Nothing of the group is kept: it has to be sent again. The queue goes on, and the next commit tries again.
        case failed(QueueFileError)
    }

    /// Writes what was appended since the last one. `now`: Unix nanoseconds; ages are judged by it, and intervals. Without a group it does what `tick` does.
    /// Waits for the disk with `everyCommit` only. `monotonic`: nanoseconds of a clock that is not set, for `syncedAt`.
    public func commit(now: UInt64, monotonic: UInt64 = 0) -> Commit {
        expire(now)
        defer { flushAcknowledgements() }
        let count = group.count
        if limits.sync == .everyCommit { takeUpSync(waiting: true) }
        if count > 0 {
            do throws(QueueFileError) {
                try writeGroup()
                failure = nil
            } catch {
                failure = error
                counts.commitsFailed += 1
                hasSettled = true
                return .failed(error)
            }
        }
        takeUpSync(waiting: false)
        syncIfDue(now, monotonic)
        return .committed(count)
    }

    /// What is to be done from time to time when nothing is committed: drops what is too old, writes acknowledgements, syncs. About once a second.
    public func tick(now: UInt64, monotonic: UInt64 = 0) {
        expire(now)
        flushAcknowledgements()
        takeUpSync(waiting: limits.sync == .everyCommit)
        if limits.sync == .everyCommit { _ = try? syncFolderIfDirty() }
        syncIfDue(now, monotonic)
    }

    func segmentForGroup(adding bytes: Int) -> Segment {
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

    func reserve(_ bytes: Int) {
        guard bytes > buffer.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes, buffer.count * 2), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
        buffer.deallocate()
        buffer = larger
    }

    func writeGroup() throws(QueueFileError) {
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

    func forgetGroup() {
        group.removeAll(keepingCapacity: true)
        groupBytes = 0
        target = nil
        if sealsAfterGroup { seal() }
        sealsAfterGroup = false
        guard buffer.count > Self.bufferBytesKept else { return }
        buffer.deallocate()
        buffer = .allocate(byteCount: Self.bufferBytesAtFirst, alignment: 16)
        group = []
    }

    /// Makes the file of a new active segment.
    func start(_ segment: Segment) throws(QueueFileError) {
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
    func discardTail(of segment: Segment, mayContinue: Bool) {
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
}

extension SignalCounts {
    static func of(_ signal: Signal, _ count: Int) -> SignalCounts {
        var counts = SignalCounts()
        counts[signal] = count
        return counts
    }
}
