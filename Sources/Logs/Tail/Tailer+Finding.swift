internal import System

/// A name in a folder, as it was in this turn.
struct FolderEntry {
    let path: String
    let status: TailFileStatus
}

/// A path that was found.
private struct Finding {
    let path: String
    let status: TailFileStatus
    let receiver: Int
}

// Finding: which files there are, and which of them are new.
extension Tailer {
    /// Looks at everything that is known.
    func poll() {
        nextPoll = now + limits.pollNanoseconds
        for file in all where file.isFollowed { look(file) }
        lookAtHeld()
        for file in all where file.isFollowed && (file.state == .rotated || file.isCompressed) { endIfIdle(file) }
        for file in all where file.missed != nil && file.since + 2 * limits.pollNanoseconds <= now {
            settleMissed(file)
        }
    }

    private func endIfIdle(_ file: TailedFile) {
        guard !file.isQueued, !file.isBlocked, file.since + limits.rotateWaitNanoseconds <= now else { return }
        if file.stream?.state == .waiting {
            // It never became whole.
            tally.failures += 1
        } else if file.hasUnread {
            return enqueue(file)
        }
        end(file)
    }

    /// Looks at all that the patterns mean.
    func walk() {
        walkNumber += 1
        tally.walks += 1
        var walk = FolderWalk(files, entriesMax: limits.entriesMax)
        var findings: [Finding] = []
        for (index, receiver) in receivers.enumerated() {
            for (path, status) in walk.look(receiver.rules) {
                findings.append(Finding(path: path, status: status, receiver: index))
            }
        }
        tally.leftOut += walk.leftOut
        watch(walk.folders)
        nextWalk = now + (isWatchedWhole ? limits.walkNanoseconds : limits.unwatchedWalkNanoseconds)
        lastWalk = now

        var unknown = recognize(findings)
        for file in all where file.hasPath && file.walk != walkNumber && file.state != .held {
            if file.isFollowed {
                look(file)
            } else if files.status(file.path)?.identity != file.identity {
                gone(file)
            }
        }
        unknown = findUnfound(unknown)
        // The oldest first: of several rotations their order. Within a tick of the file system's clock the one comes last that has nothing behind its name.
        unknown.sort {
            ($0.status.modified, -$0.path.utf8.count, $0.path) < ($1.status.modified, -$1.path.utf8.count, $1.path)
        }
        newPaths = Set(unknown.map(\.path))
        for finding in unknown where byIdentity[finding.status.identity] == nil { consider(finding) }
        newPaths = []
        poll()
        forget()
        if !unready.isEmpty {
            unready = unready.filter { $0.value.walk + 1 >= walkNumber }
            nextWalk = min(nextWalk, now + limits.pollNanoseconds)
        }
    }

    private func watch(_ folders: Set<String>) {
        for folder in watched where !folders.contains(folder) { files.forget(folder) }
        var isWhole = true
        watched = []
        for folder in folders {
            if files.watch(folder) {
                watched.insert(folder)
            } else {
                isWhole = false
            }
        }
        isWatchedWhole = isWhole
    }

    /// Takes note of those that are known; returns the others, each once.
    private func recognize(_ findings: [Finding]) -> [Finding] {
        var unknown: [Finding] = []
        var paths: [TailFileIdentity: [Finding]] = [:]
        for finding in findings { paths[finding.status.identity, default: []].append(finding) }
        for finding in findings {
            guard let file = byIdentity[finding.status.identity] else {
                if let first = paths.removeValue(forKey: finding.status.identity)?.first { unknown.append(first) }
                continue
            }
            guard file.walk != walkNumber else { continue }
            file.walk = walkNumber
            // Of several paths of one file it keeps the one it has.
            let isWhereItWas =
                file.hasPath && paths[finding.status.identity]?.contains { $0.path == file.path } ?? false
            if isWhereItWas {
                observe(file, finding.status)
            } else {
                movedTo(file, finding.path, finding.status)
            }
        }
        return unknown
    }

    /// It lies somewhere else than before.
    private func movedTo(_ file: TailedFile, _ path: String, _ status: TailFileStatus) {
        // Its number may have been given to another file meanwhile, unless it is open.
        if file.file == nil, file.state != .held, let probe = probe(path), !probe.isSurely(file) {
            contentLost(file, now: path, status)
            return
        }
        attach(file, path, status)
        if file.state == .reading { rotate(file) }
        observe(file, status)
    }

    private func rotate(_ file: TailedFile) {
        tally.rotations += 1
        file.state = .rotated
        file.since = now
        wantWalk()
    }

    /// Looks whether it is still where it was, and how large it is.
    func look(_ file: TailedFile) {
        switch file.state {
        case .held: lookAtHeld(file)
        case .reading, .rotated:
            if file.hasPath {
                if let status = files.status(file.path), status.identity == file.identity {
                    observe(file, status)
                } else {
                    left(file)
                }
            } else if let descriptor = file.file, let status = files.status(descriptor) {
                observe(file, status)
            }
        case .ended:
            if let status = files.status(file.path), status.identity == file.identity {
                observe(file, status)
            } else {
                wantWalk()
            }
        case .gone: break
        }
    }

    /// What is known of its size and time.
    private func observe(_ file: TailedFile, _ status: TailFileStatus) {
        let wasWritten = status.modified != file.modified
        let hasGrown = status.bytes > file.size
        let least = file.isCompressed ? file.size : max(file.place, UInt64(file.head.bytes))
        if status.bytes < least, file.state != .held {
            contentLost(file, now: file.path, status)
            return
        }
        if wasWritten, !hasGrown, !file.isCompressed {
            // It may have been written over: in room that was made beforehand, or from the beginning to the same size.
            file.scanned = file.place
            file.isGap = false
        }
        file.size = status.bytes
        file.modified = status.modified
        if wasWritten || hasGrown, file.state == .rotated { file.since = now }
        if file.state == .ended, hasGrown, file.isCompressed || status.bytes > file.place {
            file.state = .rotated
            file.hasEnded = false
            file.since = now
            file.scanned = file.place
            file.followsLineEnd = false
        }
        if file.hasUnread || wasWritten && !file.isCompressed { enqueue(file) }
    }

    /// Its path leads to it no more.
    func left(_ file: TailedFile) {
        if byPath[file.path] === file { byPath[file.path] = nil }
        file.hasPath = false
        if file.state == .reading { rotate(file) }
        if let descriptor = file.file {
            if let status = files.status(descriptor) { observe(file, status) }
            // What was written meanwhile.
            if file.isFollowed { enqueue(file) }
            return
        }
        wantWalk()
        if let entry = entry(of: file),
            probe(entry.path)?.isSurely(file) ?? false
        {
            attach(file, entry.path, entry.status)
            observe(file, entry.status)
        } else if let copy = copy(of: file) {
            adopt(file, copy.path, copy.status, isCompressed: copy.isCompressed)
        } else {
            gone(file)
            lost.append(file)
        }
    }

    /// Once more, in folders as they are now.
    func lookForLost() {
        for file in lost where file.state == .gone && file.receiver != nil {
            guard let copy = copy(of: file) else { continue }
            adopt(file, copy.path, copy.status, isCompressed: copy.isCompressed)
        }
        for file in lost where file.state == .gone { release(file) }
        lost.removeAll()
    }

    private func miss(_ file: TailedFile, isTruncated: Bool) {
        guard !file.hasEnded, file.size > file.place, !file.isCompressed else { return }
        file.missed = (file.size - file.place, isTruncated)
    }

    /// Counts what is missed.
    private func settleMissed(_ file: TailedFile) {
        guard let (bytes, isTruncated) = file.missed else { return }
        if isTruncated { tally.missedTruncated += bytes } else { tally.missedDeleted += bytes }
        file.missed = nil
    }

    /// Nothing leads to its content.
    func gone(_ file: TailedFile) {
        detach(file)
        miss(file, isTruncated: false)
        file.state = .gone
        file.since = now
        finish(file)
        // What was held for it is it.
        if let copy = held.first(where: { $0.original === file }), let status = files.status(copy.path),
            status.identity == copy.identity
        {
            adopt(file, copy.path, status, isCompressed: copy.isCompressed)
        }
    }

    /// A content that is not where it was: its file was emptied, or its number was given to another one, which lies at `path`.
    func contentLost(_ file: TailedFile, now path: String? = nil, _ status: TailFileStatus? = nil) {
        tally.truncations += 1
        let path = path ?? file.path
        let hadPath = file.hasPath || path != file.path
        detach(file)
        file.followsLineEnd = false
        var copy = copy(of: file)
        if copy == nil {
            // It may have been made since the folder was looked at in this turn.
            folderEntries.removeAll(keepingCapacity: true)
            copy = self.copy(of: file)
        }
        if let copy {
            adopt(file, copy.path, copy.status, isCompressed: copy.isCompressed)
        } else {
            miss(file, isTruncated: true)
            file.size = file.place
            gone(file)
            lost.append(file)
        }
        wantWalk()
        guard hadPath, let status = status ?? files.status(path), byIdentity[status.identity] == nil,
            let receiver = receivers.firstIndex(where: { $0.rules.matches(path) })
        else { return }
        consider(Finding(path: path, status: status, receiver: receiver))
    }

    // MARK: What comes

    /// A path of a file that is not known.
    private func consider(_ finding: Finding) {
        guard all.count < limits.filesMax else {
            tally.leftOut += 1
            return
        }
        guard let probe = probe(finding.path), probe.status.identity == finding.status.identity else { return }
        if probe.isPartial, isUnready(probe, finding.path) { return }
        if isBeginningOfCopy(probe, finding.path) { return }
        for known in known(probe, finding.path) {
            if known.state == .gone || !known.isThere || probe.isCompressed && known.hasEnded && !known.hasPath {
                if known.receiver == nil { give(known, to: finding) }
                return adopt(known, finding.path, probe.status, isCompressed: probe.isCompressed)
            }
            if probe.isCompressed || known.isFollowed {
                return hold(finding.path, probe, for: known, receiver: finding.receiver)
            }
        }
        create(finding, probe)
    }

    /// Whether its first bytes are waited for: what it is can be told by them alone.
    private func isUnready(_ probe: Probe, _ path: String) -> Bool {
        // What it is made of is still there.
        if let dot = path.lastIndex(of: "."), files.status(String(path[..<dot])) != nil { return true }
        return isChanging(probe, for: limits.rotateWaitNanoseconds)
    }

    /// Whether it is larger than at the last look, or was within that time.
    private func isChanging(_ probe: Probe, for time: UInt64) -> Bool {
        let last = unready[probe.status.identity]
        let hasChanged = last.map { $0.bytes != probe.status.bytes } ?? true
        let since = hasChanged ? now : last!.since
        unready[probe.status.identity] = (probe.status.bytes, since, walkNumber)
        return since + time > now
    }

    /// Whether it may be the copy that a rotation makes of a file, and has so little yet that this cannot be told: it is waited for a moment.
    private func isBeginningOfCopy(_ probe: Probe, _ path: String) -> Bool {
        guard !probe.isCompressed, probe.head.count < HeadPrint.bytesMax else { return false }
        let name = fileName(path)
        let isNamedSo = name.indices.dropFirst().contains { index in
            RotationName.marks.contains(name[index])
                && byPath[joined(folder(of: path), String(name[..<index]))].map { original in
                    original.isFollowed && original.head.bytes > probe.head.count
                } ?? false
        }
        return isNamedSo && isChanging(probe, for: limits.pollNanoseconds)
    }

    private func create(_ finding: Finding, _ probe: Probe) {
        let receiver = receivers[finding.receiver]
        let source = LogSource(path: finding.path, receiver: receiver.settings.receiver)
        let file = TailedFile(
            id: nextID, source: source, receiver: finding.receiver, state: .reading,
            identity: finding.status.identity, head: HeadPrint.empty, path: finding.path, resume: ResumePoint(0))
        nextID += 1
        file.isCompressed = probe.isCompressed
        if let target = files.resolved(finding.path), fileName(target) != fileName(finding.path) {
            file.target = target
        }
        file.since = now
        file.walk = walkNumber
        list(file)
        probe.head.withUnsafeBytes { learn(file, $0, receiver.settings) }
        if walkNumber == 1, receiver.isNew, receiver.settings.start == .end { beginAtEnd(file, probe) }
        file.family = family(of: finding.path)
        let before = latest.updateValue(file, forKey: file.family)
        attach(file, finding.path, probe.status)
        file.size = probe.status.bytes
        file.modified = probe.status.modified
        if let before { block(file, behind: before) }
        if file.hasUnread { enqueue(file) }
    }

    /// The file that a path's content is of: of "app.log.1" it is "app.log", where that is known or has just been found. Contents of a family are read in the order in
    /// which they were found, which is that of their last writing.
    func family(of path: String) -> String {
        let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        for index in path[start...].indices.dropFirst() where RotationName.marks.contains(path[index]) {
            let base = String(path[..<index])
            if latest[base] != nil || newPaths.contains(base) { return base }
        }
        return path
    }

    /// It is not read before the other one is, as far as that goes by now.
    private func block(_ file: TailedFile, behind other: TailedFile) {
        var last = other
        while let next = last.successor { last = next }
        // One that is looked for once more may have more to read.
        let isLost = last.state == .gone && lost.contains { $0 === last }
        let isBehind = last.isFollowed && (last.hasUnread || last.isQueued || last.isBlocked)
        guard last !== file, isLost || isBehind else { return }
        last.successor = file
        last.successorFrom = isLost ? .max : last.size
        file.isBlocked = true
    }

    /// Those that a restart has found, too.
    private func blockInOrder(_ files: [TailedFile]) {
        var before: [String: TailedFile] = [:]
        for file in files.sorted(by: { $0.id < $1.id }) where file.isFollowed && file.hasUnread && !file.isBlocked {
            if let other = before.updateValue(file, forKey: file.family) { block(file, behind: other) }
        }
    }

    /// Behind the last line end: a line that is being written comes whole.
    private func beginAtEnd(_ file: TailedFile, _ probe: Probe) {
        if file.isCompressed {
            file.state = .ended
            file.hasEnded = true
            return
        }
        var start = probe.status.bytes
        if let encoding = file.encoding, let descriptor = files.open(file.path) {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<limits.quantumBytes])
            let from = start > UInt64(room.count) ? (start - UInt64(room.count)) & ~1 : 0
            if let count = files.read(descriptor, into: room, at: from) {
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                start = from + UInt64(encoding.lastLineEnd(bytes) ?? (from == 0 ? 0 : count))
            }
            files.close(descriptor)
        }
        file.place = max(file.place, start)
        file.scanned = file.place
        file.saved = ResumePoint(file.place)
    }

    /// Looks for those that the log of places knows. Returns what of the findings is none of them.
    private func findUnfound(_ findings: [Finding]) -> [Finding] {
        guard !unfound.isEmpty else { return findings }
        var byNumber: [TailFileIdentity: [TailedFile]] = [:]
        for file in unfound {
            file.since = now
            byNumber[file.identity, default: []].append(file)
        }
        let rest = findings.filter { finding in
            guard let files = byNumber[finding.status.identity], let probe = probe(finding.path),
                let file = files.filter({ $0.path == finding.path ? probe.isLike($0) : probe.isSurely($0) }).max(by: {
                    ($0.head.bytes, $0.id) < ($1.head.bytes, $1.id)
                })
            else { return true }
            attach(file, finding.path, finding.status)
            if file.receiver == nil { give(file, to: finding) }
            resumed(file, probe, finding.path == file.source.path ? .reading : .rotated)
            return false
        }
        for file in unfound where file.state == .gone && !file.hasEnded && file.receiver != nil {
            findElsewhere(file)
        }
        blockInOrder(unfound)
        unfound = []
        return rest
    }

    /// Who found it reads it from now on.
    private func give(_ file: TailedFile, to finding: Finding) {
        let receiver = receivers[finding.receiver].settings.receiver
        named.remove(file)
        file.belong(to: LogSource(path: finding.path, receiver: receiver), receiver: finding.receiver)
        named.add(file)
    }

    private func findElsewhere(_ file: TailedFile) {
        if let entry = entry(of: file),
            byIdentity[entry.status.identity] == nil, let probe = probe(entry.path), probe.isSurely(file)
        {
            attach(file, entry.path, entry.status)
            resumed(file, probe, .rotated)
        } else if let copy = copy(of: file) {
            adopt(file, copy.path, copy.status, isCompressed: copy.isCompressed)
        }
    }

    private func resumed(_ file: TailedFile, _ probe: Probe, _ state: TailedFile.State) {
        file.walk = walkNumber
        file.state = file.hasEnded ? .ended : state
        file.isCompressed = probe.isCompressed
        // Of an ended one that has grown meanwhile, `observe` sees it.
        file.size = file.hasEnded && !file.isCompressed ? file.place : 0
        file.size = file.hasEnded && file.isCompressed ? probe.status.bytes : file.size
        observe(file, probe.status)
    }

    /// Forgets what is gone for long, and earlier where there is much of it.
    private func forget() {
        let isMuch = all.count > limits.filesMax / 4 * 3
        let wait = isMuch ? limits.rotateWaitNanoseconds * 2 : limits.forgetNanoseconds
        let old = all.filter { file in
            (file.state == .gone || file.state == .ended && !file.isThere) && file.since + wait <= now
                && !held.contains { $0.original === file }
        }
        for file in old {
            settleMissed(file)
            forgotten.append(file.id)
            remove(file)
        }
    }
}
