// Handing entries out, making room and dropping.

import Telemetry

extension DurableQueue {
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

    func file(of segment: Segment) throws(QueueFileError) -> QueueFile {
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
    func segmentIndex(of id: QueueEntryID) -> Int? {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].number <= id.sequence { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }

    func locate(_ id: QueueEntryID) -> (Segment, Int)? {
        guard let place = segmentIndex(of: id), let index = segments[place].index(of: id) else { return nil }
        return (segments[place], index)
    }

    // MARK: Room, age and drops

    /// Entries the queue gave up since the last call, oldest first; of many, the latest 256 groups.
    public func takeDrops() -> [QueueDrop] {
        defer { drops = [] }
        return drops
    }

    /// The committed entries that the queue gave up since the last call, in any order, for who waits for them. Only with `keepsDroppedIDs`; at most
    /// `entriesMax` between two calls.
    public func takeDroppedIDs() -> [QueueEntryID] {
        guard !droppedIDs.isEmpty else { return [] }
        defer { droppedIDs = [] }
        return droppedIDs
    }

    func hasRoom(_ bytes: Int) -> Bool {
        counts.bytesOnDisk + groupBytes + bytes <= limits.bytesMax && counts.entries + group.count < limits.entriesMax
    }

    /// Removes what is acknowledged, and where the limits say so the oldest entries that nobody is working on, a segment at a time.
    func makeRoom(_ bytes: Int) -> Bool {
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

    func expire(_ now: UInt64) {
        guard let age = limits.ageMaxNanoseconds, counts.entries > 0, now > age else { return }
        for segment in segments where segment.unacknowledged > segment.handedOut {
            guard let first = segment.nextIndex(after: nil) else { continue }
            var old: [Int] = []
            var isOver = false
            for index in first..<segment.entries.count where !segment.entries[index].isAcknowledged {
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
            if keepsDroppedIDs { droppedIDs.append(segment.id(index)) }
        }
        for signal in Signal.allCases { counts[reason][signal] += items[signal] }
        note(
            QueueDrop(
                reason: reason, ids: segment.id(first)...segment.id(last), entries: indices.count, items: items,
                bytes: bytes))
    }

    func note(_ drop: QueueDrop) {
        if drops.count == Self.dropsMax { drops.removeFirst() }
        drops.append(drop)
    }
}
