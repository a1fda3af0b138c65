import CScan

extension LineFields {
    /// Bytes of a plain line in which a time and a level are looked for.
    private static let lookedAtBytes = 128

    /// Looks for a time, a level and a trace's ids in a plain line, which itself stays as it is.
    mutating func plain(_ text: Text, observed: UInt64, _ names: borrowing AttributeNames) {
        var at = text.start
        let end = text.count > Self.lookedAtBytes ? text.start + Self.lookedAtBytes : text.end
        var isFirst = true
        if text.count >= 13, let after = leadingTime(text, observed) {
            at = after
            // A syslog daemon's: RFC 3164's time, or one with a zone in digits.
            if text.start.pointee.isLetter || Self.isDaemonTime(text, after), after < text.end {
                syslog(text, from: after, names)
            }
        }
        let hasTime = time != 0
        while at < end {
            let byte = at.pointee
            if byte.isLetter {
                let start = at
                at += 1
                while at < end, at.pointee.isLetter { at += 1 }
                if at - start >= 3, at - start <= 11,
                    takeLevel(Text(start, at), of: text, isFirst: isFirst, hasTime: hasTime)
                {
                    break
                }
                isFirst = false
                // The rest of a longer word.
                while at < end, at.pointee.isDigit || at.pointee == UInt8(ascii: "_") { at += 1 }
            } else if byte.isDigit {
                if time == 0, end - at >= 16, at[4] == UInt8(ascii: "-") || at[4] == UInt8(ascii: "/"),
                    let found = times.iso(Text(at, text.end))
                {
                    time = found.time
                    at = found.end
                } else {
                    while at < end, at.pointee.isDigit { at += 1 }
                }
            } else if byte == 0x1B {
                while at < end, at.pointee != UInt8(ascii: "m") { at += 1 }
                at += 1
            } else {
                at += 1
            }
        }
        if let equals = text.first(UInt8(ascii: "=")) { takeIDs(text, from: equals) }
    }

    /// Whether the plain line that has been looked at is a logger's, of a warning or worse: it has a time, or begins as `ERROR:root:failed`, Python's layout unasked.
    func isReport(_ text: Text) -> Bool {
        guard severity >= 13 else { return false }
        return time != 0
            || severityText.start == text.start && text.end - severityText.end >= 3
                && severityText.end[0] == UInt8(ascii: ":") && !severityText.end[1].isSpace
    }

    /// `2026-11-26T10:00:00.123456+00:00`.
    private static func isDaemonTime(_ text: Text, _ end: UnsafePointer<UInt8>) -> Bool {
        end - text.start >= 25 && text.start[10] == UInt8(ascii: "T") && end[-3] == UInt8(ascii: ":")
            && (end[-6] == UInt8(ascii: "+") || end[-6] == UInt8(ascii: "-"))
    }

    /// The place behind the time that the line begins with, if it does.
    @inline(__always)
    private mutating func leadingTime(_ text: Text, _ observed: UInt64) -> UnsafePointer<UInt8>? {
        var at = text.start
        var byte = at.pointee
        if byte == UInt8(ascii: "[") {
            at += 1
            byte = at.pointee
        }
        let rest = Text(at, text.end)
        let found: TimeReader.Found?
        if byte.isDigit {
            if at[4] == UInt8(ascii: "-") || at[4] == UInt8(ascii: "/") {
                found = times.iso(rest)
            } else if at[2] == UInt8(ascii: "/") {
                found = times.apache(rest)
            } else {
                found = TimeReader.epoch(rest)
            }
        } else if byte.isLetter {
            if at[1].isDigit {
                guard let time = times.klog(Text(at + 1, text.end), observed: observed) else { return nil }
                severity = levels.level(Text(at, count: 1))
                if severity != 0 { severityText = Text(at, count: 1) }
                found = time
            } else if at[3] == 0x20 {
                found = at[7] == 0x20 ? times.ctime(rest) : times.syslog(rest, observed: observed)
            } else {
                found = nil
            }
        } else {
            found = nil
        }
        guard let found else { return nil }
        time = found.time
        return severity != 0 ? text.end : found.end
    }

    /// Whether the word is the line's level. Capitals are, where a word stands alone; other words only in brackets, before a colon at the line's beginning, after
    /// `level=`, or as the first word behind a time.
    @inline(__always)
    private mutating func takeLevel(_ word: Text, of text: Text, isFirst: Bool, hasTime: Bool) -> Bool {
        let severity = levels.severity(word)
        guard severity != 0 else { return false }
        let before = word.start > text.start ? word.start[-1] : 0
        let after = word.end < text.end ? word.end.pointee : 0
        let isCapital = word.start[0] & 0x20 == 0 && word.start[1] & 0x20 == 0
        let fits: Bool
        switch after {
        case UInt8(ascii: "]"), UInt8(ascii: ">"), UInt8(ascii: ")"), UInt8(ascii: "|"):
            fits =
                isCapital || before == UInt8(ascii: "[") || before == UInt8(ascii: "<") || before == UInt8(ascii: ":")
        case UInt8(ascii: ":"): fits = isCapital || isFirst
        case 0, 0x20, 0x09, UInt8(ascii: ","), UInt8(ascii: "-"), 0x1B, UInt8(ascii: "\""):
            fits =
                isCapital && Self.opens(before) || isFirst && hasTime
                || before == UInt8(ascii: "=") && isLevelKey(word.start - 1, text.start)
        // Celery's `[2026-11-26 10:00:00,000: ERROR/MainProcess]`.
        case UInt8(ascii: "/"): fits = isCapital && isFirst && hasTime
        default: fits = false
        }
        guard fits else { return false }
        self.severity = severity
        severityText = word
        return true
    }

    private static func opens(_ byte: UInt8) -> Bool {
        byte == 0 || byte.isSpace || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "=")
            || byte == UInt8(ascii: "(")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "m")
            || byte == UInt8(ascii: "\"")
    }

    private func isLevelKey(_ equals: UnsafePointer<UInt8>, _ start: UnsafePointer<UInt8>) -> Bool {
        var at = equals
        while at > start, at[-1].isLetter { at -= 1 }
        return keys.role(Text(at, equals)) == .level
    }

    // MARK: ids

    /// Takes `trace_id=…` and its kin (of `WellKnownKeys`) wherever they stand.
    mutating func takeIDs(_ text: Text, from equals: UnsafePointer<UInt8>) {
        var at = equals
        while true {
            var start = at
            while start > text.start, Self.isKeyByte(start[-1]) { start -= 1 }
            if at - start >= 6 {
                let role = keys.role(Text(start, at))
                switch role {
                case .traceID, .spanID, .traceFlags, .traceParent:
                    var value = at + 1
                    if value < text.end, value.pointee == UInt8(ascii: "\"") { value += 1 }
                    var end = value
                    while end < text.end, HexDigits.nibble(end.pointee) < 16 || end.pointee == UInt8(ascii: "-") {
                        end += 1
                    }
                    _ = take(Field(key: Text(start, at), value: Text(value, end), kind: .text), as: role)
                default: break
                }
            }
            guard let next = Text(at + 1, text.end).first(UInt8(ascii: "=")) else { return }
            at = next
        }
    }

    @inline(__always)
    private static func isKeyByte(_ byte: UInt8) -> Bool {
        byte.isLetter || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte.isDigit
    }
}
