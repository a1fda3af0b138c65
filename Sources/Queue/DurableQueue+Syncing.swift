// What was written is made to survive a loss of power.
//
// With `interval` the owner does not wait for the disk: a sync is begun, the driver does it beside the owner, and its end is taken up at a later commit or tick. What
// is written after the begin is the next one's. At most one is under way.

extension DurableQueue {
    /// A sync that was begun and whose end was not taken up.
    struct Syncing {
        var began: UInt64 = 0
        /// For each of the request's files.
        var segments: [Segment] = []
        var folder = false
        /// Sidecars that go when the folder's sync has ended well: their segments were removed before it began.
        var orphans: [Orphan] = []
    }

    func syncIfDue(_ now: UInt64, _ monotonic: UInt64) {
        guard case .interval(let nanoseconds) = limits.sync, syncing == nil,
            now < lastSync || now - lastSync >= nanoseconds
        else { return }
        lastSync = now
        beginSync(monotonic)
    }

    private func beginSync(_ monotonic: UInt64) {
        var begun = Syncing(began: monotonic)
        var request = QueueSyncRequest()
        for segment in segments {
            if segment.isDirty {
                begun.segments.append(segment)
                request.files.append(
                    QueueSyncRequest.File(name: segment.name, open: segment === active ? activeFile : nil))
            }
            segment.isDirty = false
            if segment.sidecarIsDirty {
                begun.segments.append(segment)
                request.files.append(QueueSyncRequest.File(name: segment.sidecarName, open: nil))
            }
            segment.sidecarIsDirty = false
        }
        if folderIsDirty {
            request.folder = true
            begun.folder = true
            swap(&begun.orphans, &orphans)
            folderIsDirty = false
        }
        guard !request.files.isEmpty || request.folder else {
            syncedAt = monotonic
            return
        }
        syncing = begun
        files.beginSync(request)
    }

    /// Takes up the end of the sync under way, if there is one and it has ended. False: something of it failed.
    @discardableResult func takeUpSync(waiting: Bool) -> Bool {
        guard let begun = syncing, let end = files.endOfSync(waiting: waiting) else { return true }
        syncing = nil
        var isDone = true
        for (segment, error) in zip(begun.segments, end.files) {
            // One that was removed meanwhile need not be on disk, and cannot be found any more.
            guard let error, segment.bytes >= 0 else { continue }
            fail(error, segment)
            isDone = false
        }
        if isDone, end.folder == nil { syncedAt = begun.began }
        guard begun.folder else { return isDone }
        if let error = end.folder {
            failure = error
            folderIsDirty = true
            orphans = begun.orphans + orphans
            return false
        }
        remove(begun.orphans)
        return isDone
    }

    /// Everything written so far survives a loss of power when this returns true; for the end of a process that wants to be sure. Waits for the disk.
    @discardableResult public func sync() -> Bool {
        var isDone = takeUpSync(waiting: true)
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
            fail(error, segment)
            return false
        }
    }

    /// What of the segment reached the disk nobody can say; the copy in memory is still whole. New entries go elsewhere.
    private func fail(_ error: QueueFileError, _ segment: Segment) {
        failure = error
        guard segment === active else { return }
        // The frames of a group that waits can go nowhere else.
        if segment === target { sealsAfterGroup = true } else { seal() }
    }

    func syncFolderIfDirty() throws(QueueFileError) {
        guard folderIsDirty else { return }
        try files.syncFolder()
        folderIsDirty = false
        removeOrphans()
    }

    func removeOrphans() {
        remove(orphans)
        orphans = []
    }

    /// Those that cannot be removed are found when the queue is opened again.
    private func remove(_ orphans: [Orphan]) {
        for (name, bytes) in orphans {
            _ = try? files.remove(name)
            counts.bytesOnDisk -= bytes
        }
    }
}
