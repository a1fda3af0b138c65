// Opening: what lies in the folder becomes segments in memory again.
//
// Heads are read, payloads are not, but those of the last segment, in which the process may have died. Nothing here is fatal that is only damage: what cannot
// be read is skipped, or set aside under another name. The one thing that is changed in a segment is its torn end, and only in the one that is continued.

import Telemetry

extension DurableQueue {
    /// Files set aside that are kept; older ones are removed when a queue is opened.
    static let damagedFilesMax = 4

    /// Sequences begin with the time in microseconds, or after the last one that is found: so that a segment that was removed and that a loss of power brings back
    /// does not come after what was accepted since.
    func recover(_ now: UInt64) throws(QueueError) {
        nextSequence = min(max(now / 1000, 1), QueueFormat.numberMax)
        let listing: [QueueListing]
        do throws(QueueFileError) { listing = try files.list() } catch { throw .files(folder: files.folder, error) }
        var found: [(number: UInt64, salt: UInt64, listing: QueueListing)] = []
        var sidecars: [String: Int] = [:]
        for file in listing {
            if let (number, salt) = QueueFormat.parse(file.name, QueueFormat.segmentSuffix) {
                found.append((number, salt, file))
            } else if QueueFormat.parse(file.name, QueueFormat.sidecarSuffix) != nil {
                sidecars[file.name] = file.bytes
            }
        }
        found.sort { ($0.number, $0.salt) < ($1.number, $1.salt) }
        try refuseNewer(found.map { ($0.number, $0.listing.name, QueueFormat.segmentMagic) })
        try refuseNewer(
            sidecars.keys.sorted().compactMap { name in
                QueueFormat.parse(name, QueueFormat.sidecarSuffix).map { ($0.number, name, QueueFormat.sidecarMagic) }
            })
        for (place, file) in found.enumerated() {
            nextSequence = max(nextSequence, file.number + 1)
            let segment = Segment(number: file.number, salt: file.salt)
            let next = place + 1 < found.count ? found[place + 1].number : .max
            do throws(QueueFileError) {
                try recover(segment, bytes: file.listing.bytes, before: next, isLast: place + 1 == found.count)
                guard segment.bytes > 0 else { continue }
                if let bytes = sidecars.removeValue(forKey: segment.sidecarName) {
                    segment.hasSidecar = true
                    try recoverSidecar(of: segment, bytes)
                }
            } catch {
                guard error.kind == .damaged else { throw .files(folder: files.folder, error) }
                recovery.damagedBytes += file.listing.bytes
                recovery.damagedRegions += 1
                setAside(segment.name)
                continue
            }
            adopt(segment)
        }
        orphans = sidecars.map { ($0.key, $0.value) }
        counts.bytesOnDisk += orphans.reduce(0) { $0 + $1.bytes }
        // What the last process removed may come back until the folder is synced: a segment with a number within those of the one that is continued would hide
        // what is appended to that.
        folderIsDirty = true
        if limits.sync == .never { removeOrphans() } else { _ = try? syncFolderIfDirty() }
        let aside = listing.map(\.name).filter { $0.hasSuffix(QueueFormat.damagedSuffix) }.sorted()
        for name in aside.dropLast(Self.damagedFilesMax) { _ = try? files.remove(name) }
        recovery.entries = counts.entries
        recovery.items = counts.items
        hasSettled = true
        flushAcknowledgements()
    }

    /// Before anything is changed: is there a file that a later version wrote?
    private func refuseNewer(_ found: [(number: UInt64, name: String, magic: UInt64)]) throws(QueueError) {
        for (number, name, magic) in found {
            let header: QueueFormat.Header
            do throws(QueueFileError) {
                let file = try files.open(name)
                defer { files.close(file) }
                header = try self.header(magic, number, of: file)
            } catch {
                guard error.kind == .damaged else { throw .files(folder: files.folder, error) }
                continue
            }
            if case .newer(let version) = header { throw .newer(file: files.folder + "/" + name, version: version) }
        }
    }

    private func header(
        _ magic: UInt64, _ number: UInt64, of file: QueueFile
    ) throws(QueueFileError) -> QueueFormat.Header {
        var bytes = [UInt8](repeating: 0, count: QueueFormat.newerHeaderBytesMax)
        var failure: QueueFileError?
        let header = bytes.withUnsafeMutableBytes { bytes -> QueueFormat.Header in
            do throws(QueueFileError) {
                let count = try files.read(file, into: bytes, at: 0)
                return QueueFormat.header(magic, number, in: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            } catch {
                failure = error
                return .damaged
            }
        }
        if let failure, failure.kind != .damaged { throw failure }
        return header
    }

    private func adopt(_ segment: Segment) {
        // The last process may have left it unsynced.
        segment.isDirty = true
        segment.sidecarIsDirty = segment.sidecarBytes > 0
        segments.append(segment)
        counts.segments += 1
        counts.bytesOnDisk += segment.bytes + segment.sidecarBytes
        counts.entries += segment.unacknowledged
        for entry in segment.entries where !entry.isAcknowledged {
            counts.items[entry.signal] += Int(entry.items)
            counts.payloadBytes += Int(entry.payloadBytes)
        }
        if let last = segment.lastSequence {
            nextSequence = max(nextSequence, last + 1)
            recovery.lastSequence = max(recovery.lastSequence ?? 0, last)
        }
    }

    private func setAside(_ name: String) {
        do throws(QueueFileError) {
            try files.rename(name, to: name + QueueFormat.damagedSuffix)
            recovery.filesSetAside += 1
        } catch {
            // It stays under its name, and is no part of the queue either.
        }
    }

    /// Reads a segment's heads. Its `bytes` stay 0 when nothing of it is of use: its file is gone then.
    private func recover(
        _ segment: Segment, bytes: Int, before next: UInt64, isLast: Bool
    ) throws(QueueFileError) {
        let file = try files.open(segment.name)
        var isOpen = true
        defer { if isOpen { files.close(file) } }
        let header = try self.header(QueueFormat.segmentMagic, segment.number, of: file)
        let scan = SegmentScan(files, file, bytes: bytes)
        try scan.run(segment, before: next, verifying: isLast)
        recovery.damagedBytes += scan.damagedBytes
        recovery.damagedRegions += scan.damagedRegions
        for signal in Signal.allCases { counts.damaged[signal] += scan.damagedItems[signal] }
        if segment.entries.isEmpty {
            try recoverEmpty(segment, bytes: bytes, isTorn: isLast && header == .good, scan)
            return
        }
        recovery.tornBytes += bytes - scan.end
        segment.bytes = bytes
        // Lost for good: found again, they would be counted again.
        segment.pending = scan.damagedDeltas
        counts.acknowledgementsPending += segment.pending.count
        guard isLast else { return }
        if scan.end < bytes {
            do throws(QueueFileError) { try files.truncate(file, to: scan.end) } catch { return }
        }
        segment.bytes = scan.end
        guard header == .good, scan.damagedRegions == 0, scan.end < limits.segmentBytes else { return }
        active = segment
        activeFile = file
        isOpen = false
    }

    private func recoverEmpty(
        _ segment: Segment, bytes: Int, isTorn: Bool, _ scan: SegmentScan
    ) throws(QueueFileError) {
        if bytes <= QueueFormat.headerBytes || isTorn || scan.isZero() {
            recovery.tornBytes += bytes
            // Where it cannot be removed it is found again the next time.
            _ = try? files.remove(segment.name)
        } else {
            recovery.damagedBytes += bytes
            recovery.damagedRegions += 1
            setAside(segment.name)
        }
    }

    /// Applies a sidecar. One that cannot be used is removed: its entries come again.
    private func recoverSidecar(of segment: Segment, _ bytes: Int) throws(QueueFileError) {
        do throws(QueueFileError) {
            let file = try files.open(segment.sidecarName)
            defer { files.close(file) }
            if try header(QueueFormat.sidecarMagic, segment.number, of: file) == .good {
                try readRecords(of: segment, file, bytes)
                return
            }
        } catch {
            guard error.kind == .damaged else { throw error }
        }
        _ = try? files.remove(segment.sidecarName)
    }

    private func readRecords(of segment: Segment, _ file: QueueFile, _ bytes: Int) throws(QueueFileError) {
        let records = (bytes - QueueFormat.headerBytes) / QueueFormat.recordBytes
        let window = SegmentScan(files, file, bytes: bytes)
        for index in 0..<max(records, 0) {
            let place = QueueFormat.headerBytes + index * QueueFormat.recordBytes
            guard let record = try window.bytes(at: place, QueueFormat.recordBytes) else { break }
            guard let run = QueueFormat.record(in: record, salt: segment.salt) else { continue }
            segment.acknowledge(recovered: run)
            // A number whose entry was lost is not given to another: it would count as acknowledged.
            nextSequence = max(nextSequence, segment.number + UInt64(run.upperBound) + 1)
        }
        segment.sidecarBytes = QueueFormat.headerBytes + max(records, 0) * QueueFormat.recordBytes
    }
}
