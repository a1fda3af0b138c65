internal import System

/// What reading a file comes to.
enum ReadStep {
    /// There is more at once.
    case more
    /// All is read that is there for now.
    case idle
    /// It cannot be read before another one is closed.
    case full
    /// It cannot be read now; the next look tries again.
    case failed
    /// It has become something else.
    case changed
}

// Reading: one file a step, a quantum at most.
extension Tailer {
    /// Whether no file that waits can be read before another one has ended.
    func read(bytesMax: Int) -> Bool {
        let before = tally.bytes
        var steps = 0
        var full = 0
        // What is skipped costs as well.
        let stepsMax = max(16, bytesMax / max(1, limits.quantumBytes) * 4 + ready.count)
        while steps < stepsMax, tally.bytes - before < UInt64(bytesMax), full < max(1, ready.count),
            !isFull(), let file = ready.popFirst()
        {
            file.isQueued = false
            guard file.isFollowed, !file.isBlocked else { continue }
            steps += 1
            switch step(file) {
            case .more:
                if file.successor != nil, !file.isCompressed, file.place >= file.successorFrom { release(file) }
                enqueue(file)
            case .idle: release(file)
            case .full:
                full += 1
                enqueue(file)
                continue
            case .failed:
                failed(file.path)
                close(file)
                release(file)
            case .changed: break
            }
            full = 0
        }
        return full > 0
    }

    /// It could not be opened or read.
    func failed(_ path: String) {
        tally.failures += 1
        tally.failedPath = path
    }

    /// Who waited for it is read now.
    func release(_ file: TailedFile) {
        guard let successor = file.successor else { return }
        file.successor = nil
        successor.isBlocked = false
        if successor.hasUnread { enqueue(successor) } else { release(successor) }
    }

    /// It is read in its turn, or when its rate lets it.
    func enqueue(_ file: TailedFile) {
        guard !file.isQueued, !file.isBlocked, file.isFollowed else { return }
        file.isQueued = true
        if file.notBefore > now {
            delayed.append(file)
        } else {
            ready.append(file)
        }
    }

    func wakeDelayed() {
        guard !delayed.isEmpty else { return }
        delayed.removeAll { file in
            guard file.notBefore <= now else { return false }
            ready.append(file)
            return true
        }
    }

    private func step(_ file: TailedFile) -> ReadStep {
        guard let receiver = file.receiver else { return .idle }
        switch openFile(file) {
        case .open: break
        case .full: return .full
        case .failed: return .failed
        case .changed: return .changed
        }
        file.wasUsed = true
        let before = tally.bytes
        let settings = receivers[receiver].settings
        let step = file.isCompressed ? readCompressed(file, settings) : readPlain(file, settings)
        if tally.bytes > before {
            if let rate = settings.bytesPerSecondMax, rate > 0 {
                let cost = (tally.bytes - before).multipliedFullWidth(by: 1_000_000_000)
                let nanoseconds = rate > cost.high ? rate.dividingFullWidth(cost).quotient : 0
                file.notBefore = max(now, file.notBefore) + nanoseconds
            }
            turnSink(file)
        }
        return step
    }

    private enum Opening {
        case open, full, failed, changed
    }

    private func openFile(_ file: TailedFile) -> Opening {
        if file.file != nil { return .open }
        guard open.count < limits.openFilesMax || makeRoom() else { return .full }
        guard let descriptor = files.open(file.path) else {
            look(file)
            return file.isFollowed && file.hasPath ? .failed : .changed
        }
        guard files.status(descriptor)?.identity == file.identity else {
            files.close(descriptor)
            left(file)
            return .changed
        }
        keepOpen(file, descriptor)
        return .open
    }

    func keepOpen(_ file: TailedFile, _ descriptor: TailFile) {
        file.file = descriptor
        file.openIndex = open.count
        open.append(file)
    }

    /// The descriptor of a file that is not read from there any more.
    func takeDescriptor(_ file: TailedFile) -> TailFile? {
        guard let descriptor = file.file else { return nil }
        file.file = nil
        if file.stream != nil {
            file.stream = nil
            streams -= 1
        }
        let last = open.removeLast()
        if last !== file {
            open[file.openIndex] = last
            last.openIndex = file.openIndex
        }
        return descriptor
    }

    func close(_ file: TailedFile) {
        if let descriptor = takeDescriptor(file) { files.close(descriptor) }
    }

    /// Closes one that was not read for long: of those that wait for more, one whose path leads to it, or one that was rotated and then ends early.
    private func makeRoom() -> Bool {
        for _ in 0..<2 * open.count {
            closingHand = (closingHand + 1) % open.count
            let file = open[closingHand]
            if file.wasUsed {
                file.wasUsed = false
            } else if file.hasPath, file.stream == nil {
                close(file)
                return true
            } else if file.state == .rotated, !file.hasUnread {
                end(file)
                return true
            }
        }
        return false
    }

    // MARK: Plain files

    /// Nil: the file begins as it did, and more may be known of its head. Else what the step comes to.
    private func verify(_ file: TailedFile, _ descriptor: TailFile, _ settings: TailSettings) -> ReadStep? {
        guard let count = files.read(descriptor, into: headBuffer, at: 0) else { return .failed }
        let head = UnsafeRawBufferPointer(rebasing: headBuffer[..<count])
        guard file.head.matches(head) else { return replaced(file) }
        learn(file, head, settings)
        return nil
    }

    func learn(_ file: TailedFile, _ head: UnsafeRawBufferPointer, _ settings: TailSettings) {
        // Room that was made beforehand will have something else in it.
        let known = head.first == 0 ? head.count : head.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        if known > file.head.bytes, file.head.bytes < HeadPrint.bytesMax {
            file.head = file.head.grown(with: UnsafeRawBufferPointer(rebasing: head[..<known]))
            touch(file)
        }
        if file.encoding == nil, let (encoding, mark) = LineEncoding.detect(head, settings.encoding) {
            file.encoding = encoding
            if file.place == 0, mark > 0, file.sink == nil {
                file.place = UInt64(mark)
                file.scanned = file.place
                file.saved = ResumePoint(file.place)
            }
        }
    }

    private func readPlain(_ file: TailedFile, _ settings: TailSettings) -> ReadStep {
        guard let descriptor = file.file else { return .failed }
        if file.encoding == nil {
            if let step = verify(file, descriptor, settings) { return step }
            guard file.encoding != nil else {
                file.scanned = file.size
                return .idle
            }
        }
        let chunk = min(limits.quantumBytes, max(settings.lineBytesMax, 1024))
        if file.isGap || file.scanned - file.place >= UInt64(min(chunk, 64 << 10)) {
            return search(file, descriptor, settings)
        }
        let lead = file.followsLineEnd ? 1 : 0
        guard
            let count = files.read(
                descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<(chunk + lead)]),
                at: file.place - UInt64(lead))
        else { return .failed }
        // The head after the bytes: so they are of the content that it is the head of.
        if let step = verify(file, descriptor, settings) { return step }
        guard lead == 0 || count > 0 && buffer[0] == 10 else { return replaced(file) }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[lead..<max(lead, count)])
        let isAtEnd = bytes.count < chunk
        let end = file.place + UInt64(bytes.count)
        if isAtEnd { file.size = max(end, file.place) }
        guard let encoding = file.encoding, !bytes.isEmpty else { return .idle }
        if let count = encoding.lastLineEnd(bytes) {
            guard deliver(file, UnsafeRawBufferPointer(rebasing: bytes[..<count]), encoding) == count else {
                return .more
            }
        } else if bytes[0] == 0, encoding.isByBytes {
            if let first = bytes.firstIndex(where: { $0 != 0 }) {
                passGap(file, to: file.place + UInt64(first))
                return .more
            }
            file.isGap = true
        }
        file.scanned = end
        return isAtEnd ? .idle : .more
    }

    /// What short lines become is a hundred times as much: so much is given to a sink before it is asked whether that is enough. Bytes.
    private static let sliceBytes = 8 << 10

    /// Returns how many bytes of the lines were wanted.
    func deliver(_ file: TailedFile, _ lines: UnsafeRawBufferPointer, _ encoding: LineEncoding) -> Int {
        var done = 0
        repeat {
            let rest = UnsafeRawBufferPointer(rebasing: lines[done...])
            let slice = UnsafeRawBufferPointer(rebasing: rest[..<min(Self.sliceBytes, rest.count)])
            let count =
                slice.count == rest.count
                ? rest.count
                : encoding.lastLineEnd(slice) ?? encoding.firstLineEnd(rest) ?? rest.count
            text.hand(
                UnsafeRawBufferPointer(rebasing: rest[..<count]), at: file.place, encoding, to: sink(of: file),
                observed: observed, &tally)
            moved(file, to: file.place + UInt64(count), encoding)
            done += count
        } while done < lines.count && !isFull()
        return done
    }

    func moved(_ file: TailedFile, to place: UInt64, _ encoding: LineEncoding) {
        file.place = place
        file.scanned = max(file.scanned, place)
        file.isGap = false
        file.followsLineEnd = encoding.isByBytes
        touch(file)
    }

    /// Looks for the end of a long line, or of a gap, behind what was looked at before.
    private func search(_ file: TailedFile, _ descriptor: TailFile, _ settings: TailSettings) -> ReadStep {
        guard let encoding = file.encoding else { return .failed }
        // At a character's beginning.
        if !encoding.isByBytes { file.scanned -= (file.scanned - file.place) & 1 }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<limits.quantumBytes])
        guard let count = files.read(descriptor, into: room, at: file.scanned) else { return .failed }
        if let step = verify(file, descriptor, settings) { return step }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        let isAtEnd = count < room.count
        if isAtEnd { file.size = max(file.place, file.scanned + UInt64(count)) }
        if file.isGap {
            guard let first = bytes.firstIndex(where: { $0 != 0 }) else {
                file.scanned += UInt64(count)
                return isAtEnd ? .idle : .more
            }
            passGap(file, to: file.scanned + UInt64(first))
            return .more
        }
        guard let end = encoding.firstLineEnd(bytes) else {
            file.scanned += UInt64(count)
            return isAtEnd ? .idle : .more
        }
        return takeLong(file, descriptor, settings, end: file.scanned + UInt64(end), hasEnd: true)
    }

    private func passGap(_ file: TailedFile, to end: UInt64) {
        tally.nulBytes += end - file.place
        file.isGap = false
        file.followsLineEnd = false
        file.place = end
        file.scanned = end
    }

    /// Gives out a line that does not fit into the buffer; of one that is too long the beginning.
    private func takeLong(
        _ file: TailedFile, _ descriptor: TailFile, _ settings: TailSettings, end: UInt64, hasEnd: Bool
    ) -> ReadStep {
        guard let encoding = file.encoding else { return .failed }
        let length = end - file.place
        let most = max(settings.lineBytesMax, 1024)
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(length, UInt64(most))), alignment: 16)
        defer { room.deallocate() }
        guard let count = files.read(descriptor, into: room, at: file.place) else { return .failed }
        if let step = verify(file, descriptor, settings) { return step }
        guard count == room.count else { return replaced(file) }
        let bytes = UnsafeRawBufferPointer(room)
        if length <= UInt64(most) {
            _ = deliver(file, bytes, encoding)
        } else {
            text.handCut(
                bytes, at: file.place, sourceBytes: length, encoding, to: sink(of: file), observed: observed, &tally)
            moved(file, to: end, encoding)
        }
        file.followsLineEnd = hasEnd && encoding.isByBytes
        return .more
    }

    func replaced(_ file: TailedFile) -> ReadStep {
        contentLost(file)
        return .changed
    }

    // MARK: The end

    /// Gives out what there is without a line end, and keeps nothing of the file open.
    func end(_ file: TailedFile) {
        if let receiver = file.receiver, !takeRest(file, receivers[receiver].settings) { return }
        file.state = .ended
        file.hasEnded = true
        file.since = now
        finish(file)
        close(file)
    }

    /// False: it has become something else meanwhile.
    private func takeRest(_ file: TailedFile, _ settings: TailSettings) -> Bool {
        guard let descriptor = file.file, let encoding = file.encoding else { return true }
        if let stream = file.stream {
            guard stream.offset == file.place, !stream.pending.isEmpty else { return true }
            stream.pending.withUnsafeBytes { rest in
                var done = 0
                while done < rest.count {
                    done += deliver(file, UnsafeRawBufferPointer(rebasing: rest[done...]), encoding)
                }
            }
        } else if file.size > file.place, !file.isGap {
            if case .changed = takeLong(file, descriptor, settings, end: file.size, hasEnd: false) { return false }
        }
        return true
    }

    /// Its sink has all there is.
    func finish(_ file: TailedFile) {
        if let sink = file.sink {
            sink.end(observed: observed)
            file.saved = ResumePoint(file.place)
            file.sink = nil
            file.sinkWake = nil
        }
        touch(file)
        release(file)
    }
}
