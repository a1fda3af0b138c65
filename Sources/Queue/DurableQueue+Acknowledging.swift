// What is done with: acknowledgements in memory, in sidecars, and the removal of segments that hold nothing else.

extension DurableQueue {
    /// The entry is delivered, or dropped by its owner: it is not handed out again, and gone from disk in time. What is not there is no error. In memory
    /// until `flushAcknowledgements`, which every commit calls.
    public func acknowledge(_ id: QueueEntryID) {
        guard let (segment, index) = locate(id) else { return }
        settle(segment, index)
    }

    func settle(_ segment: Segment, _ index: Int) {
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

    /// The active segment stays while it is small: a queue that keeps up would otherwise make and remove a file with each commit. But after
    /// a failed commit, most likely on a full disk, all room counts.
    func isKept(_ segment: Segment) -> Bool {
        segment === active
            && (segment === target || failure == nil && segment.bytes < limits.segmentBytes / 2)
    }

    /// Removes the files of a segment; afterwards its `bytes` are negative.
    func remove(_ segment: Segment) -> Bool {
        if segment === active { seal() }
        closeFiles(of: segment)
        do throws(QueueFileError) {
            try files.remove(segment.name)
        } catch {
            return false
        }
        if segment.hasSidecar { orphans.append((segment.sidecarName, segment.sidecarBytes)) }
        folderIsDirty = true
        if limits.sync == .never { removeOrphans() }
        counts.acknowledgementsPending -= segment.pending.count
        counts.bytesOnDisk -= segment.bytes
        counts.segments -= 1
        segment.pending = []
        segment.bytes = -1
        return true
    }

    func closeFiles(of segment: Segment) {
        if let (number, file) = readerFile, number == segment.number {
            files.close(file)
            readerFile = nil
        }
        if let (number, file) = sidecarFile, number == segment.number {
            files.close(file)
            sidecarFile = nil
        }
    }

    func writeSidecar(of segment: Segment) -> Bool {
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

    func sidecar(of segment: Segment) throws(QueueFileError) -> QueueFile {
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
            segment.hasSidecar = true
            folderIsDirty = true
        } else {
            file = try files.open(segment.sidecarName)
        }
        sidecarFile = (segment.number, file)
        return file
    }
}
