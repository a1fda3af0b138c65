extension LogFormatter {
    /// Whether the line is of a format that makes a record of each; then it has been written.
    @inline(__always)
    func parsed(_ text: Text, of stream: LogStream, time: UInt64) -> Bool {
        switch settings.format {
        case .auto, .docker, .cri:
            if text.start.pointee == UInt8(ascii: "{") {
                if text.end[-1] == UInt8(ascii: "}"), workspace.line.json(text) { return write(text, of: stream, time: time) }
                workspace.counts.misfits &+= 1
            }
            return false
        case .json:
            if text.start.pointee == UInt8(ascii: "{"), workspace.line.json(text) { return write(text, of: stream, time: time) }
            workspace.counts.misfits &+= 1
            return false
        case .plain: return false
        case .logfmt, .access, .regex: return false
        }
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
        workspace.line.plain(firstLine, observed: observed)
        workspace.line.body = Field(key: text, value: text, kind: .text)
        workspace.line.hasBody = true
        if let trace, trace.isTrace { workspace.line.exception(text, trace) }
        workspace.write(text, time: time, observed: observed, attributes: stream.attributes(time: time), to: batch)
    }

    // MARK: lines that belong together

    /// Whether the line belongs to what its stream holds.
    @inline(__always)
    func joins(_ line: Text, _ stream: LogStream) -> Bool {
        switch settings.multiline {
        case .off: return false
        case .auto: break
        case .rules(let rules): return joins(line, stream, rules)
        }
        if !stream.trace.isKnown { stream.trace.begin(stream.text) }
        let observed = stream.observed
        return stream.trace.takes(line, after: stream.text.count) {
            workspace.line.begin()
            workspace.line.plain(stream.text, observed: observed)
            return workspace.line.time != 0 && workspace.line.severity >= 13
        }
    }

    private func joins(_ line: Text, _ stream: LogStream, _ rules: LogFormatSettings.MultilineRules) -> Bool {
        false
    }

    /// An empty line has come behind what the stream holds.
    func blank(_ stream: LogStream) {
        guard case .auto = settings.multiline else { return finishHeld(stream) }
        if !stream.trace.isKnown { stream.trace.begin(stream.text) }
        guard stream.trace.mayHaveBlank, !stream.trace.hasBlank else { return finishHeld(stream) }
        stream.trace.hasBlank = true
    }
}
