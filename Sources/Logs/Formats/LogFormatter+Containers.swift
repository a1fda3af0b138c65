import CScan

// What container runtimes put around a line. What is inside is a line of its own, once its pieces are together.

extension LogFormatter {
    @inline(__always)
    func container(_ text: Text, at start: UInt64, stays: Bool) -> Bool {
        let byte = text.start.pointee
        if byte.isDigit { return text.count >= 29 && cri(text, at: start, stays: stays) }
        if byte == UInt8(ascii: "{"), Self.mayBeDocker(text) { return docker(text, at: start) }
        return false
    }

    /// Whether the line's first field is one of Docker's three.
    @inline(__always)
    private static func mayBeDocker(_ text: Text) -> Bool {
        text.hasPrefix("{\"log\":") || text.hasPrefix("{\"stream") || text.hasPrefix("{\"time\":")
    }

    /// `2026-11-26T10:00:00.123456789Z stdout F text`.
    /// <https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>
    func cri(_ text: Text, at start: UInt64, stays: Bool) -> Bool {
        guard text.count >= 29, text.start[10] == UInt8(ascii: "T") else { return false }
        var space = text.start + 30
        if text.count < 40 || space.pointee != 0x20 {
            guard let first = Text(text.start, count: min(text.count, 40)).first(0x20) else { return false }
            space = first
        }
        guard text.end - space >= 9 else { return false }
        let word = (space + 1).word
        let stream: LogStream
        switch word & 0x00FF_FFFF_FFFF_FFFF {
        case 0x20_74_75_6F_64_74_73: stream = first
        case 0x20_72_72_65_64_74_73: stream = second
        default: return false
        }
        let tag = UInt8(truncatingIfNeeded: word >> 56)
        guard tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P") else { return false }
        var rest = space + 9
        if rest < text.end {
            if rest.pointee == UInt8(ascii: ":") {
                // Further tags.
                guard let after = Text(rest, text.end).first(0x20) else { return false }
                rest = after
            }
            guard rest.pointee == 0x20 else { return false }
            rest += 1
        }
        guard let found = workspace.line.times.iso(Text(text.start, space)), found.end == space else { return false }
        guard !isTaken(stream, start) else { return true }
        content(
            Text(rest, text.end), isPiece: tag == UInt8(ascii: "P"), of: stream, at: start, time: found.time,
            stays: stays)
        return true
    }

    /// `{"log":"text\n","stream":"stdout","time":"2026-11-26T10:00:00.123456789Z"}`; without its `\n` the text is a piece. In any order, with or without
    /// spaces.
    /// <https://docs.docker.com/engine/logging/drivers/json-file/>
    func docker(_ line: Text, at start: UInt64) -> Bool {
        guard line.start.pointee == UInt8(ascii: "{") else { return false }
        let end = line.end
        var at = line.start + 1
        var field = Field(key: line, value: line, kind: .null)
        var text: Text?
        var stream: LogStream?
        var time: Text?
        var labels = Text(line.start, count: 0)
        while true {
            JSONScan.skipSpace(&at, end)
            guard JSONScan.key(&at, end, &field) else { return false }
            if field.key.equals("log") {
                guard text == nil, at < end, at.pointee == UInt8(ascii: "\"") else { return false }
                workspace.containerText.begin(line.count)
                guard let (unescaped, after) = workspace.containerText.takeString(at + 1, end) else { return false }
                text = unescaped
                at = after
            } else {
                // A line of something else is left at its first other field.
                let letter = field.key.start.pointee
                guard letter == UInt8(ascii: "s") || letter == UInt8(ascii: "t") || letter == UInt8(ascii: "a"),
                    JSONScan.value(&at, end, &field)
                else { return false }
                if field.key.equals("stream") {
                    stream = field.value.equals("stdout") ? first : field.value.equals("stderr") ? second : nil
                } else if field.key.equals("time"), field.kind == .text {
                    time = field.value
                } else if field.key.equals("attrs"), field.kind == .json, field.value.start.pointee == UInt8(ascii: "{")
                {
                    labels = field.value
                } else {
                    return false
                }
            }
            JSONScan.skipSpace(&at, end)
            guard at < end else { return false }
            let byte = at.pointee
            at += 1
            if byte == UInt8(ascii: "}") { break }
            guard byte == UInt8(ascii: ",") else { return false }
        }
        guard at == end, var text, let stream, let time, let found = workspace.line.times.iso(time),
            found.end == time.end, found.time != 0
        else { return false }
        guard !isTaken(stream, start) else { return true }
        if !stream.hasLabels(labels) { take(labels, of: stream) }
        let isPiece = text.isEmpty || text.end[-1] != 0x0A
        if !isPiece {
            text.end -= 1
            if !text.isEmpty, text.end[-1] == 0x0D { text.end -= 1 }
        }
        content(text, isPiece: isPiece, of: stream, at: start, time: found.time, stays: false)
        return true
    }

    /// What Docker tells of the container with each line (its tag, labels, variables): attributes of the records from here on.
    @inline(never)
    private func take(_ labels: Text, of stream: LogStream) {
        while stream.isHeld { finishHeld(stream) }
        stream.set(labels, encoded: labels.isEmpty ? [] : workspace.encodedMembers(of: labels))
    }

    @inline(__always)
    private func content(_ text: Text, isPiece: Bool, of stream: LogStream, at start: UInt64, time: UInt64, stays: Bool)
    {
        if _fastPath(!isPiece && !stream.isPartial) {
            return record(text, of: stream, at: start, time: time, stays: stays)
        }
        if !stream.isPartial {
            stream.isPartial = true
            stream.partialStart = start
            stream.partialTime = time
        }
        stream.appendPartial(text, max: settings.recordBytesMax)
        if isPiece {
            workspace.counts.partials &+= 1
        } else {
            finishPartial(stream)
        }
    }
}

extension ScratchMemory {
    /// What the JSON string says whose text begins at `start`, and the place behind its quote; nil where it is malformed. Room is there.
    @inline(__always)
    mutating func takeString(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> (Text, UnsafePointer<UInt8>)? {
        var at = start
        var out = base
        while true {
            let stop = sl_scan_json_string(at, end)
            sl_scan_copy(out, at, stop - at)
            out += stop - at
            guard stop < end else { return nil }
            at = stop
            if at.pointee == UInt8(ascii: "\"") { break }
            guard at.pointee == UInt8(ascii: "\\"), JSONScan.escapeEnd(at, end) != nil else { return nil }
            JSONScan.escape(&at, end, &out)
        }
        count = out - base
        return (Text(UnsafePointer(base), count: count), at + 1)
    }
}
