import Telemetry

/// What a value without quotes is. YAML 1.2, section 10.3.2, the core schema: "yes" and "on" are text.
enum PlainScalar {
    static func isNull(_ text: String) -> Bool { ["", "~", "null", "Null", "NULL"].contains(text) }

    static func bool(_ text: String) -> Bool? {
        switch text {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    /// Something else than text to this or another reader; YAML 1.1 has more such words.
    static func isSpecial(_ text: String) -> Bool {
        isNull(text) || ["true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
            || Double(text) != nil
    }

    /// Text, a whole number, a number or a truth value.
    static func attributeValue(_ text: String) -> AttributeValue {
        if let bool = bool(text) { return .bool(bool) }
        return number(text) ?? .string(text)
    }

    /// A whole number or a number; nil: neither.
    static func number(_ text: String) -> AttributeValue? {
        let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        guard let first = digits.utf8.first, (0x30...0x39).contains(first) || first == 0x2E else { return nil }
        if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text) { return .int(number) }
        let isDecimal = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
        guard isDecimal, let number = Double(text), number.isFinite else { return nil }
        return .double(number)
    }
}
