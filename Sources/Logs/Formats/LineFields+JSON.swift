extension LineFields {
    /// Takes the members of the object that the line is. False, and nothing is worth anything, when it is not one.
    mutating func json(_ line: Text) -> Bool {
        begin()
        let end = line.end
        var at = line.start + 1
        var field = Field(key: line, value: line, kind: .null)
        JSONScan.skipSpace(&at, end)
        if at < end, at.pointee == UInt8(ascii: "}") {
            at += 1
        } else {
            while true {
                guard JSONScan.key(&at, end, &field), JSONScan.value(&at, end, &field) else { return false }
                guard add(field) else { return false }
                if _slowPath(at < end && at.pointee <= 0x20) { JSONScan.skipSpace(&at, end) }
                guard at < end else { return false }
                let byte = at.pointee
                at += 1
                if byte == UInt8(ascii: ",") {
                    if _slowPath(at < end && at.pointee != UInt8(ascii: "\"")) { JSONScan.skipSpace(&at, end) }
                } else if byte == UInt8(ascii: "}") {
                    break
                } else {
                    return false
                }
            }
        }
        JSONScan.skipSpace(&at, end)
        return at == end
    }

    @inline(__always)
    private mutating func add(_ field: Field) -> Bool {
        if _slowPath(field.keyHasEscapes) { return append(field) }
        let first = WellKnownKeys.first(field.key)
        let hash = WellKnownKeys.hash(first, field.key.count)
        let role = keys.role(field.key, first: first, hash: hash)
        if role != .none {
            if take(field, as: role) { return true }
            if field.kind == .json, field.value.start.pointee == UInt8(ascii: "{") {
                var object = field
                switch role {
                case .attributes, .fields: object.kind = .members
                case .error where hasException: object.kind = .error
                default: break
                }
                return appendOrReplace(object, hash: hash)
            }
        }
        return appendOrReplace(field, hash: hash)
    }

    /// Cuts the body and each text of the object that the line is to `max` bytes, as they stand in it. Returns how many are missing.
    mutating func cut(_ line: Text, to max: Int) -> Int {
        if !hasBody {
            body = Field(key: line, value: line, kind: .text)
            hasBody = true
        }
        var missing = Self.cut(&body, max)
        for index in 0..<count { missing += Self.cut(&fields[index], max) }
        if hasException {
            missing += Self.cut(&exceptionType, max) + Self.cut(&exceptionMessage, max) + Self.cut(&exceptionStack, max)
        }
        return missing
    }

    private static func cut(_ field: inout Field, _ max: Int) -> Int {
        let whole = field.value
        guard whole.count > max else { return 0 }
        switch field.kind {
        case .text: field.value = whole.prefix(max)
        case .escapedText: field.value = JSONScan.prefix(ofEscaped: whole, max)
        case .int, .double, .bool, .null, .json, .members, .error: break
        }
        return whole.count - field.value.count
    }

    /// Whether the record says the value somewhere else already.
    func isSaid(_ value: Text) -> Bool {
        hasBody && value.start == body.value.start
            || hasException
                && (value.start == exceptionStack.value.start || value.start == exceptionType.value.start
                    || value.start == exceptionMessage.value.start)
    }
}
