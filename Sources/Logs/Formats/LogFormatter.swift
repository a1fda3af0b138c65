import Glibc

/// Makes OTLP records of the lines of one source, straight into its workspace's batches.
///
/// A plain line waits until the next one of its stream has shown that it does not belong to it, or nothing has come for a while. It waits where it was read; it is copied only
/// if what was read ends before that, or a line is added to it.
public final class LogFormatter: LineSink {
    let settings: LogFormatSettings
    let workspace: LogWorkspace
    let batch: OpenBatch
    /// Standard output of a container, and all of any other source.
    let first: LogStream
    /// A container's standard error.
    let second: LogStream
    private let isContainer: Bool
    /// Of the format `regex`.
    let groups: PatternGroups?
    /// Whether the source has been seen to have two.
    private var hasSecond: Bool
    /// Lines that begin before are given out, or wait.
    private var taken: UInt64
    /// The end of the line that is being taken.
    var lineEnd: UInt64 = 0
    var observed: UInt64 = 0

    /// - Parameter resume: of the last run; of a source that begins: `ResumePoint(0)`.
    public init(_ source: LogSource, _ settings: LogFormatSettings, _ workspace: LogWorkspace, resume: ResumePoint) {
        precondition(
            LogFormatSettings.recordBytesRange.contains(settings.recordBytesMax),
            "records of \(settings.recordBytesMax) bytes")
        precondition(
            LogFormatSettings.multilineWaitRange.contains(settings.multilineWait),
            "a wait of \(settings.multilineWait) ns")
        self.settings = settings
        self.workspace = workspace
        let origin = LogOrigin(source, settings)
        isContainer = origin.isContainer
        batch = workspace.batch(of: origin.resource)
        first = LogStream(
            attributes: origin.attributes, ofStream: LogOrigin.attributes(ofStream: "stdout"), place: resume.first)
        second = LogStream(
            attributes: origin.attributes, ofStream: LogOrigin.attributes(ofStream: "stderr"), place: resume.second)
        groups = if case .regex(let pattern) = settings.format { PatternGroups(pattern) } else { nil }
        hasSecond = resume.first != resume.second
        taken = resume.start
    }

    deinit { workspace.release(batch) }

    // MARK: LineSink

    public func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
        guard let base = lines.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        self.observed = observed
        workspace.line.times.utcOffset = settings.utcOffsetSeconds
        let end = base + lines.count
        let isWhole = sourceBytes != UInt64(lines.count)
        var place = base
        while place < end {
            let newline =
                memchr(place, 0x0A, end - place).map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) } ?? end
            let next = newline < end ? newline + 1 : end
            let lineStart = offset + UInt64(place - base)
            lineEnd = isWhole || next == end ? offset + sourceBytes : offset + UInt64(next - base)
            var text = Text(place, newline)
            if !text.isEmpty, text.end[-1] == 0x0D { text.end -= 1 }
            workspace.counts.lines &+= 1
            if _fastPath(end - text.end >= Text.slack) {
                line(text, at: lineStart, stays: true)
            } else {
                line(workspace.lastLine.copy(text), at: lineStart, stays: false)
            }
            taken = lineEnd
            place = next
        }
        first.own()
        second.own()
    }

    public func turn(now: UInt64, observed: UInt64) -> UInt64? {
        self.observed = observed
        let one = turn(first, now)
        let other = turn(second, now)
        if let one, let other { return min(one, other) }
        return one ?? other
    }

    private func turn(_ stream: LogStream, _ now: UInt64) -> UInt64? {
        guard stream.waiting != nil else { return nil }
        let deadline = stream.deadline ?? now &+ settings.multilineWait
        stream.deadline = deadline
        guard now >= deadline else { return deadline }
        workspace.counts.timedOut &+= 1
        finish(stream)
        return nil
    }

    public func end(observed: UInt64) {
        self.observed = observed
        finish(first)
        finish(second)
        first.place = 0
        second.place = 0
    }

    public var resume: ResumePoint {
        let one = first.waiting ?? max(first.place, taken)
        return ResumePoint(first: one, second: hasSecond ? second.waiting ?? max(second.place, taken) : one)
    }

    // MARK: lines

    /// - Parameter stays: the text stays where it is until `take` returns.
    private func line(_ text: Text, at start: UInt64, stays: Bool) {
        switch settings.format {
        case .auto:
            if container(text, at: start, stays: stays) { return }
        case .cri:
            if cri(text, at: start, stays: stays) { return }
            workspace.counts.misfits &+= 1
        case .docker:
            if docker(text, at: start) { return }
            workspace.counts.misfits &+= 1
        case .raw: break
        default:
            // What is asked for is inside of what the runtime writes.
            if isContainer, container(text, at: start, stays: stays) { return }
        }
        guard !isTaken(first, start) else { return }
        record(text, of: first, at: start, time: 0, stays: stays)
    }

    /// Whether the line has been given out before the start.
    @inline(__always)
    func isTaken(_ stream: LogStream, _ start: UInt64) -> Bool {
        if stream === second { hasSecond = true }
        guard start < stream.place else { return false }
        workspace.counts.skipped &+= 1
        return true
    }

    /// A whole line of a stream, without what a container's runtime puts around it.
    /// - Parameter time: when the container's runtime took it; 0 unknown.
    func record(_ text: Text, of stream: LogStream, at start: UInt64, time: UInt64, stays: Bool) {
        if text.isEmpty {
            workspace.counts.empty &+= 1
            if stream.isHeld { blank(stream, at: start) }
            return
        }
        if stream.isHeld {
            let hasBlank = stream.trace.hasBlank
            switch verdict(text, stream) {
            case .belongs:
                workspace.counts.joined &+= UInt64(1 + stream.maybes.count)
                stream.keepMaybes()
                if hasBlank { stream.append(workspace.line.empty, max: settings.recordBytesMax) }
                stream.append(text, max: settings.recordBytesMax)
                return
            case .maybe where appendMaybe(text, of: stream, at: start, time: time): return
            case .maybe, .separate: finishHeld(stream)
            }
            // What was no part of it may be what this line belongs to.
            if stream.isHeld { return record(text, of: stream, at: start, time: time, stays: stays) }
        }
        if text.count <= settings.recordBytesMax {
            if parsed(text, of: stream, time: time) { return }
        } else if parsedLong(text, of: stream, time: time) {
            return
        }
        if case .off = settings.multiline {
            writePlain(text, of: stream, time: time, observed: observed, trace: nil, cut: 0)
        } else {
            stream.hold(text, stays: stays, start: start, time: time, observed: observed)
        }
    }

    /// Gives out what waits: the record, and the line of which only pieces have come.
    private func finish(_ stream: LogStream) {
        // It is whole now, as far as anybody will know.
        if stream.isPartial { finishPartial(stream) }
        while stream.isHeld { finishHeld(stream) }
    }

    func finishPartial(_ stream: LogStream) {
        if stream.partialCut > 0 {
            workspace.counts.cutRecords &+= 1
            workspace.counts.cutBytes &+= UInt64(stream.partialCut)
        }
        record(stream.partialText, of: stream, at: stream.partialStart, time: stream.partialTime, stays: false)
        stream.dropPartial()
    }

    /// Gives out the record that waits. Lines that were only maybe a part of it are taken anew; the last of them may then wait in its place.
    func finishHeld(_ stream: LogStream) {
        // No line has come behind it that would have had it looked at.
        if case .auto = settings.multiline, !stream.trace.isKnown { stream.trace.begin(stream.text) }
        let lines = stream.takeMaybes(into: &workspace.takenBack)
        writePlain(
            stream.text, of: stream, time: stream.time, observed: stream.observed, trace: stream.trace, cut: stream.cut)
        stream.drop()
        let now = observed
        for (text, line) in lines {
            observed = line.observed
            if !text.isEmpty {
                record(text, of: stream, at: line.start, time: line.time, stays: false)
            } else if stream.isHeld {
                blank(stream, at: line.start)
            }
        }
        observed = now
    }
}
