extension LogFormatter {
    /// Whether the line is of a format that makes a record of each; then it has been written.
    @inline(__always)
    func parsed(_ text: Text, of stream: LogStream, time: UInt64) -> Bool {
        switch settings.format {
        case .auto, .docker, .cri:
            let byte = text.start.pointee
            if byte == UInt8(ascii: "{") {
                if text.end[-1] == UInt8(ascii: "}"), workspace.line.json(text) {
                    return write(text, of: stream, time: time)
                }
                workspace.counts.misfits &+= 1
                return false
            }
            if byte.isDigit ? text.start[4] != UInt8(ascii: "-") : byte.isLetter {
                if LineFields.isLogfmt(text) {
                    if workspace.line.logfmt(text, unasked: true) { return write(text, of: stream, time: time) }
                } else if workspace.line.access(text, workspace.names) {
                    return write(text, of: stream, time: time)
                }
            } else if byte == UInt8(ascii: ":"), workspace.line.access(text, workspace.names) {
                return write(text, of: stream, time: time)
            }
            return false
        case .json:
            if text.start.pointee == UInt8(ascii: "{"), workspace.line.json(text) {
                return write(text, of: stream, time: time)
            }
        case .logfmt:
            if workspace.line.logfmt(text, unasked: false) { return write(text, of: stream, time: time) }
        case .access:
            if workspace.line.access(text, workspace.names) { return write(text, of: stream, time: time) }
        case .regex:
            if let groups, workspace.line.pattern(text, groups.pattern, keys: groups.keys, places: groups.places) {
                return write(text, of: stream, time: time)
            }
        case .plain, .raw: return false
        }
        workspace.counts.misfits &+= 1
        return false
    }

    /// The same for a line that is longer than a record's text: an object's fields are what they are, and each text is cut by itself.
    @inline(never)
    func parsedLong(_ text: Text, of stream: LogStream, time: UInt64) -> Bool {
        switch settings.format {
        case .auto, .docker, .cri, .json: break
        case .logfmt, .access, .regex, .plain, .raw: return false
        }
        guard text.count <= LogFormatSettings.recordBytesRange.upperBound, text.start.pointee == UInt8(ascii: "{"),
            workspace.line.json(text)
        else { return false }
        let cut = workspace.line.cut(text, to: settings.recordBytesMax)
        if cut > 0 {
            workspace.counts.cutRecords &+= 1
            workspace.counts.cutBytes &+= UInt64(cut)
        }
        return write(text, of: stream, time: time)
    }

    @inline(__always)
    private func write(_ text: Text, of stream: LogStream, time: UInt64) -> Bool {
        workspace.write(text, time: time, observed: observed, attributes: stream.attributes(time: time), to: batch)
        return true
    }

    // MARK: plain lines

    /// Writes a line that no format fits, or what has been joined.
    /// - Parameter cut: bytes of it that are missing already.
    func writePlain(_ text: Text, of stream: LogStream, time: UInt64, observed: UInt64, trace: TraceState?, cut: Int) {
        let whole = text
        let text = whole.prefix(settings.recordBytesMax)
        let cut = cut + whole.count - text.count
        if cut > 0 {
            workspace.counts.cutRecords &+= 1
            workspace.counts.cutBytes &+= UInt64(cut)
        }
        workspace.line.begin()
        let isJoined = trace.map { $0.lastStart > 0 } ?? false
        let firstLine = isJoined ? Text(text.start, text.first(0x0A) ?? text.end) : text
        if looksInside { workspace.line.plain(firstLine, observed: observed, workspace.names) }
        workspace.line.body = Field(
            key: text, value: Text(workspace.line.messageStart ?? text.start, text.end), kind: .text)
        workspace.line.hasBody = true
        if looksInside, let trace, trace.isTrace { workspace.line.exception(text, trace) }
        workspace.write(text, time: time, observed: observed, attributes: stream.attributes(time: time), to: batch)
    }

    private var looksInside: Bool { if case .raw = settings.format { false } else { true } }

    // MARK: lines that belong together

    /// Whether the line belongs to what its stream holds.
    @inline(__always)
    func verdict(_ line: Text, _ stream: LogStream) -> TraceState.Verdict {
        switch settings.multiline {
        case .off: return .separate
        case .auto: break
        case .rules(let rules): return joins(line, stream, rules) ? .belongs : .separate
        }
        if !stream.trace.isKnown { stream.trace.begin(stream.text) }
        let observed = stream.observed
        return stream.trace.takes(line, after: stream.text.count) {
            workspace.line.begin()
            workspace.line.plain(stream.text, observed: observed, workspace.names)
            return workspace.line.isReport(stream.text)
        }
    }

    private func joins(_ line: Text, _ stream: LogStream, _ rules: LogFormatSettings.MultilineRules) -> Bool {
        if let end = rules.end, end.matches(stream.lastLine) { return false }
        if let start = rules.start, start.matches(line) { return false }
        guard let next = rules.next else { return rules.start != nil || rules.end != nil }
        // The last line need not look like those between.
        return next.matches(line) || rules.end?.matches(line) ?? false
    }

    /// An empty line has come behind what the stream holds.
    func blank(_ stream: LogStream, at start: UInt64) {
        switch settings.multiline {
        case .rules(let rules) where joins(workspace.line.empty, stream, rules):
            stream.append(workspace.line.empty, max: settings.recordBytesMax)
        case .auto:
            if !stream.trace.isKnown { stream.trace.begin(stream.text) }
            if stream.trace.isHead {
                if appendMaybe(workspace.line.empty, of: stream, at: start, time: 0) { return }
                finishHeld(stream)
                if stream.isHeld { blank(stream, at: start) }
                return
            }
            guard stream.trace.mayHaveBlank, !stream.trace.hasBlank else { return finishHeld(stream) }
            stream.trace.hasBlank = true
        default: finishHeld(stream)
        }
    }

    func appendMaybe(_ line: Text, of stream: LogStream, at start: UInt64, time: UInt64) -> Bool {
        stream.appendMaybe(line, start: start, time: time, observed: observed, max: settings.recordBytesMax)
    }
}
