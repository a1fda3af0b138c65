import CScan

extension LineFields {
    /// Bytes in which a line's first `=` stands if it is taken for logfmt unasked.
    private static let firstKeyBytesMax = 48

    /// Whether the line begins as logfmt does: a name and `=`.
    @inline(__always)
    static func isLogfmt(_ line: Text) -> Bool {
        guard line.start.pointee.isLetter || line.start.pointee == UInt8(ascii: "@") else { return false }
        let start = line.prefix(firstKeyBytesMax)
        let stop = sl_scan_either(start.start, start.end, UInt8(ascii: "="), 0x20)
        return stop < start.end && stop.pointee == UInt8(ascii: "=") && stop > start.start
    }

    /// Takes `name=value` pairs; a value is a word or in quotes. False, and nothing is worth anything, when the line is not of them.
    /// - Parameter unasked: there must be two pairs at least, one of them a time, a level or a message, and nothing else.
    mutating func logfmt(_ line: Text, unasked: Bool) -> Bool {
        begin()
        let end = line.end
        var at = line.start
        var pairs = 0
        while true {
            while at < end, at.pointee <= 0x20 { at += 1 }
            guard at < end else { break }
            let start = at
            while at < end, at.pointee > 0x20, at.pointee != UInt8(ascii: "="), at.pointee != UInt8(ascii: "\"") {
                at += 1
            }
            var field = Field(key: Text(start, at), value: Text(at, at), kind: .null)
            if at < end, at.pointee == UInt8(ascii: "=") {
                guard !field.key.isEmpty else { return false }
                at += 1
                if at < end, at.pointee == UInt8(ascii: "\"") {
                    guard Self.quoted(&at, end, &field) else { return false }
                } else {
                    let start = at
                    while at < end, at.pointee > 0x20 { at += 1 }
                    field.kind = .text
                    field.value = Text(start, at)
                }
                pairs += 1
            } else {
                // A name alone.
                guard !unasked, !field.key.isEmpty else { return false }
            }
            guard addWord(&field) else { return false }
        }
        return pairs > 0 && (!unasked || pairs > 1 && (time != 0 || severity != 0 || hasBody))
    }

    /// The value in quotes at `at`, with the escapes of JSON; others stay as they are.
    private static func quoted(
        _ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ field: inout Field
    ) -> Bool {
        let start = at + 1
        var hasEscapes = false
        if let close = JSONScan.stringEnd(start, end, &hasEscapes) {
            field.kind = hasEscapes ? .escapedText : .text
            field.value = Text(start, close)
        } else {
            var close = start
            while close < end, close.pointee != UInt8(ascii: "\"") {
                close += close.pointee == UInt8(ascii: "\\") ? 2 : 1
            }
            guard close < end else { return false }
            field.kind = .text
            field.value = Text(start, close)
        }
        at = field.value.end + 1
        field.bits = 1
        return at >= end || at.pointee <= 0x20
    }

    private mutating func addWord(_ field: inout Field) -> Bool {
        let isQuoted = field.bits == 1
        field.bits = 0
        let first = WellKnownKeys.first(field.key)
        let hash = WellKnownKeys.hash(first, field.key.count)
        let role = keys.role(field.key, first: first, hash: hash)
        if role != .none, take(field, as: role) { return true }
        if field.kind == .text, !isQuoted { Self.takeType(&field) }
        return appendOrReplace(field, hash: hash)
    }

    /// A word that is a number or a truth value is one.
    static func takeType(_ field: inout Field) {
        let word = field.value
        guard let byte = word.isEmpty ? nil : word.start.pointee else { return }
        if byte.isDigit || byte == UInt8(ascii: "-") {
            var at = word.start
            var number = field
            if JSONScan.number(&at, word.end, &number), at == word.end { field = number }
            field.value = word
        } else if word.equals("true") || word.equals("false") {
            field.kind = .bool
            field.bits = byte == UInt8(ascii: "t") ? 1 : 0
        }
    }
}
