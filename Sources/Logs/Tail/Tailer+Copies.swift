internal import System

/// How a path's file begins.
struct Probe {
    let status: TailFileStatus
    let isCompressed: Bool
    /// Of the content.
    let head: [UInt8]
    /// More of the head may be there when the file is written to its end.
    let isPartial: Bool

    /// A copy that is being written: the rest is to come.
    func mayBecome(_ file: TailedFile) -> Bool { file.head.bytes > 0 && head.withUnsafeBytes { file.head.matches($0) } }

    /// The content may be what is known of the file, or go on from there.
    func isSurely(_ file: TailedFile) -> Bool { file.head.bytes > 0 && isLike(file) }

    /// The same, also where nothing is known.
    func isLike(_ file: TailedFile) -> Bool {
        head.withUnsafeBytes { file.head.matches($0) } && (isCompressed || status.bytes >= file.resume.start)
    }
}

// Copies: what a content becomes that is rotated by copying, or compressed. They lie in its folder, bear its name with something behind, and begin as it does.
extension Tailer {
    struct Copy {
        let path: String
        let status: TailFileStatus
        let isCompressed: Bool
    }

    /// Of a compressed file, looked at for its head.
    private static let probeBytesMax: UInt64 = 1 << 20

    func probe(_ path: String) -> Probe? {
        guard let descriptor = files.open(path) else {
            failed(path)
            return nil
        }
        defer { files.close(descriptor) }
        guard let status = files.status(descriptor), let count = files.read(descriptor, into: headBuffer, at: 0) else {
            return nil
        }
        let head = UnsafeRawBufferPointer(rebasing: headBuffer[..<count])
        guard let format = CompressedStream.Format.detect(head) else {
            // Its first bytes are to come.
            let isPartial = count < 4 && CompressedStream.Format.isExpected(path)
            return Probe(status: status, isCompressed: false, head: Array(head), isPartial: isPartial)
        }
        let stream = CompressedStream(format)
        // Members may be empty, as many as there are.
        while stream.pending.count < HeadPrint.bytesMax, stream.state == .going, stream.consumed < Self.probeBytesMax {
            _ = stream.fill(files, descriptor, room: HeadPrint.bytesMax)
        }
        return Probe(
            status: status, isCompressed: true, head: Array(stream.pending.prefix(HeadPrint.bytesMax)),
            isPartial: stream.pending.count < HeadPrint.bytesMax && stream.state == .waiting)
    }

    /// The files of a folder, looked at once a turn.
    func entries(_ folder: String) -> FolderListing {
        if let entries = folderEntries[folder] { return entries }
        var names: [String] = []
        _ = files.list(folder) { name, kind in
            if kind == .file || kind == .link { names.append(name) }
            return names.count < limits.entriesMax
        }
        let entries = FolderListing(
            names.compactMap { name -> FolderEntry? in
                let path = joined(folder, name)
                guard let status = files.status(path), status.kind == .file else { return nil }
                return FolderEntry(path: path, status: status)
            })
        folderEntries[folder] = entries
        return entries
    }

    /// Its file, under another name.
    func entry(of file: TailedFile) -> FolderEntry? {
        for folder in Set(file.names.map(folder(of:))) {
            if let entry = entries(folder).entry(file.identity) { return entry }
        }
        return nil
    }

    /// Whether one name is another one after a rotation: "app.log" and "app.log.1", "app.log-20261126.gz" or "app-20261126.log".
    static func isRotation(_ name: String, of original: String) -> Bool {
        if name == original { return false }
        if name.hasPrefix(original) { return RotationName.marks.contains(name.dropFirst(original.count).first!) }
        guard let dot = original.lastIndex(of: "."), dot > original.startIndex else { return false }
        let stem = original[..<dot]
        guard name.hasPrefix(stem) else { return false }
        let rest = name.dropFirst(stem.count)
        let date = rest.prefix { $0.isNumber || "-._TZ".contains($0) }
        return date.count > 1 && date.last == "." && "-._".contains(date.first!)
            && rest.dropFirst(date.count).hasPrefix(original[dot...].dropFirst())
    }

    /// Whether both are rotations of the same: "app.log.1" and "app.log.2.gz".
    static func areRotations(_ name: String, _ other: String) -> Bool {
        name != other && RotationName.base(name) == RotationName.base(other)
    }

    private func isCopy(_ path: String, of file: TailedFile) -> Bool {
        let name = fileName(path)
        return file.names.contains { original in
            folder(of: path) == folder(of: original)
                && (Self.isRotation(name, of: fileName(original))
                    || CompressedStream.Format.isExpected(name) && Self.areRotations(name, fileName(original)))
        }
    }

    /// Of a plain file: a line ends where it was read up to.
    private func hasLineEnd(_ path: String, before file: TailedFile) -> Bool {
        let place = file.resume.start
        guard !file.hasEnded, place > 3, let descriptor = files.open(path) else { return true }
        defer { files.close(descriptor) }
        // UTF-16 in either order ends it with 10 and 0.
        let room = UnsafeMutableRawBufferPointer(rebasing: headBuffer[..<2])
        guard files.read(descriptor, into: room, at: place - 2) == 2 else { return true }
        return room[1] == 10 || room[0] == 10 && room[1] == 0
    }

    /// Whether that is what a compressor makes of the file's name.
    private func isNamed(_ path: String, for file: TailedFile) -> Bool {
        path == "\(file.path).gz" || path == "\(file.path).zst"
    }

    /// Contents that a new file may be a copy of, those first that nothing leads to.
    func known(_ probe: Probe, _ path: String) -> [TailedFile] {
        let found = named.originals(of: path).filter { file in
            // A gap at the beginning says nothing of which one it is.
            if probe.head.first == 0, !(probe.isCompressed ? isNamed(path, for: file) : file.isThere) { return false }
            return file.state != .held && probe.mayBecome(file) && isCopy(path, of: file)
                && (probe.isLike(file) || file.isFollowed && file.isThere)
                && (probe.isCompressed || hasLineEnd(path, before: file))
        }.sorted { ($1.head.bytes, $0.id) < ($0.head.bytes, $1.id) }
        return found.filter { !$0.isThere } + found.filter(\.isThere)
    }

    /// What was made of a content that is not where it was.
    func copy(of file: TailedFile) -> Copy? {
        guard file.head.bytes > 0 else { return nil }
        var best: Copy?
        for folder in Set(file.names.map(folder(of:))) {
            let entries = entries(folder)
            var seen: Set<TailFileIdentity> = [file.identity]
            for entry in file.names.flatMap(entries.copies(of:))
            where isCopy(entry.path, of: file) && seen.insert(entry.status.identity).inserted {
                let other = byIdentity[entry.status.identity].flatMap { $0.original === file ? nil : $0 }
                if other?.file != nil { continue }
                // One that is not open may have lost its number since the last look.
                guard let probe = probe(entry.path), probe.isLike(file), !(other.map(probe.isSurely) ?? false),
                    probe.isCompressed || hasLineEnd(entry.path, before: file)
                else { continue }
                if probe.head.first == 0, file.hasEnded || probe.isCompressed && !isNamed(entry.path, for: file) {
                    continue
                }
                let copy = Copy(path: entry.path, status: probe.status, isCompressed: probe.isCompressed)
                if best.map({ Self.isBetter(copy, than: $0) }) ?? true { best = copy }
            }
        }
        return best
    }

    private static func isBetter(_ copy: Copy, than other: Copy) -> Bool {
        if copy.isCompressed != other.isCompressed { return !copy.isCompressed }
        return copy.status.modified > other.status.modified
    }

    /// From now on a content lies there.
    func adopt(_ file: TailedFile, _ path: String, _ status: TailFileStatus, isCompressed: Bool) {
        if let other = byIdentity[status.identity], other !== file {
            if other.state == .held {
                held.removeAll { $0 === other }
                remove(other)
            } else {
                gone(other)
            }
        }
        close(file)
        attach(file, path, status)
        file.state = .rotated
        file.missed = nil
        file.hasEnded = false
        file.since = now
        file.walk = walkNumber
        file.isCompressed = isCompressed
        file.size = status.bytes
        file.modified = status.modified
        file.scanned = file.place
        file.followsLineEnd = false
        file.isGap = false
        enqueue(file)
    }

    // MARK: Held ones

    /// A file that says what another one says is not read before it is known what it is.
    func hold(_ path: String, _ probe: Probe, for original: TailedFile, receiver: Int) {
        let source = LogSource(path: path, receiver: receivers[receiver].settings.receiver)
        let file = TailedFile(
            id: nextID, source: source, receiver: receiver, state: .held, identity: probe.status.identity,
            head: HeadPrint.empty, path: path, resume: ResumePoint(0))
        nextID += 1
        file.isCompressed = probe.isCompressed
        file.original = original
        file.since = now
        file.walk = walkNumber
        file.size = probe.status.bytes
        list(file)
        attach(file, path, probe.status)
        held.append(file)
    }

    func lookAtHeld() {
        for file in held { lookAtHeld(file) }
    }

    func lookAtHeld(_ file: TailedFile) {
        guard file.state == .held, let original = file.original else { return }
        guard let status = files.status(file.path), status.identity == file.identity else {
            held.removeAll { $0 === file }
            remove(file)
            wantWalk()
            return
        }
        if status.bytes != file.size { file.since = now }
        file.size = status.bytes
        if original.state == .gone || !original.isThere {
            adopt(original, file.path, status, isCompressed: file.isCompressed)
        } else if !isStillCopy(file, original) {
            if isItself(original) {
                letGo(file)
            } else {
                contentLost(original)
            }
        }
    }

    private func isStillCopy(_ file: TailedFile, _ original: TailedFile) -> Bool {
        // What is compressed is read when its original is gone: while that is there it has all of it.
        if file.isCompressed { return true }
        guard file.since + limits.copyWaitNanoseconds > now else { return false }
        return file.size <= original.size && saysTheSame(file, original)
    }

    /// Whether its content is where it was.
    private func isItself(_ file: TailedFile) -> Bool {
        guard let descriptor = file.file ?? files.open(file.path) else { return false }
        defer { if file.file == nil { files.close(descriptor) } }
        guard let count = files.read(descriptor, into: headBuffer, at: 0) else { return true }
        return file.head.matches(UnsafeRawBufferPointer(rebasing: headBuffer[..<count]))
    }

    /// The last of what both have.
    private func saysTheSame(_ file: TailedFile, _ original: TailedFile) -> Bool {
        guard let copy = files.open(file.path) else { return true }
        defer { files.close(copy) }
        guard let other = original.file ?? files.open(original.path) else { return true }
        defer { if original.file == nil { files.close(other) } }
        let from = file.size - min(file.size, UInt64(HeadPrint.bytesMax))
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<HeadPrint.bytesMax])
        guard let count = files.read(copy, into: headBuffer, at: from),
            let otherCount = files.read(other, into: room, at: from)
        else { return true }
        return otherCount >= count && headBuffer[..<count].elementsEqual(room[..<count])
    }

    /// It is a file of its own.
    private func letGo(_ file: TailedFile) {
        held.removeAll { $0 === file }
        file.original = nil
        file.state = .reading
        touch(file)
        enqueue(file)
    }
}
