extension EffectiveValue {
    /// YAML that reads as the same configuration, with each value's origin as a comment beside it. Ends with a newline.
    public func yaml() -> String {
        var writer = YAMLWriter()
        writer.write(self, indent: 0)
        return writer.text
    }

    /// The origin of a value whose parts all have the same; nil otherwise.
    fileprivate var commonOrigin: SettingOrigin? {
        switch self {
        case .scalar(let scalar): return scalar.origin
        case .list(let elements):
            guard let first = elements.first?.commonOrigin else { return nil }
            return elements.allSatisfy { $0.commonOrigin?.description == first.description } ? first : nil
        case .mapping: return nil
        }
    }
}

private struct YAMLWriter {
    /// Comments begin here, where there is room.
    private static let commentColumn = 44

    var text = ""

    mutating func write(_ value: EffectiveValue, indent: Int) {
        switch value {
        case .scalar(let scalar): line(String(repeating: " ", count: indent) + Self.text(scalar), scalar.origin)
        case .list(let elements):
            for element in elements {
                write(element, after: String(repeating: " ", count: indent) + "-", indent: indent + 2)
            }
        case .mapping(let entries):
            for entry in entries {
                write(
                    entry.value, after: String(repeating: " ", count: indent) + Self.quoted(entry.key) + ":",
                    indent: indent + 2)
            }
        }
    }

    private mutating func write(_ value: EffectiveValue, after head: String, indent: Int) {
        switch value {
        case .scalar(let scalar): line("\(head) \(Self.text(scalar))", scalar.origin)
        case .list([]): line("\(head) []", nil)
        case .mapping([]): line("\(head) {}", nil)
        case .list(let elements):
            if let flow = Self.flow(elements) {
                line("\(head) [\(flow)]", value.commonOrigin)
            } else {
                line(head, nil)
                write(value, indent: indent)
            }
        case .mapping(let entries):
            // The first entry of a mapping in a list stands beside the dash.
            if head.hasSuffix("-") {
                write(entries[0].value, after: "\(head) \(Self.quoted(entries[0].key)):", indent: indent + 2)
                write(.mapping(Array(entries.dropFirst())), indent: indent)
            } else {
                line(head, nil)
                write(value, indent: indent)
            }
        }
    }

    private mutating func line(_ content: String, _ origin: SettingOrigin?) {
        text += content
        if let origin {
            text += String(repeating: " ", count: max(2, Self.commentColumn - content.count))
            // A file's name may hold anything, a line's end too.
            text +=
                "# "
                + String(
                    origin.description.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
        }
        text += "\n"
    }

    /// Single values of one origin, on one line; nil when they do not fit.
    private static func flow(_ elements: [EffectiveValue]) -> String? {
        guard EffectiveValue.list(elements).commonOrigin != nil else { return nil }
        var texts: [String] = []
        for element in elements {
            guard case .scalar(let scalar) = element else { return nil }
            texts.append(text(scalar))
        }
        let joined = texts.joined(separator: ", ")
        return joined.count <= 80 ? joined : nil
    }

    private static func text(_ scalar: EffectiveValue.Scalar) -> String {
        scalar.isBare ? scalar.text : quoted(scalar.text.replacing("$", with: "$$"))
    }

    /// Quoted unless it is text to every reader of YAML.
    private static func quoted(_ text: String) -> String {
        if isPlainSafe(text) { return text }
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case _
            where scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value) || scalar.value == 0xFEFF
                || (0x2028...0x2029).contains(scalar.value) || (0x200B...0x200F).contains(scalar.value)
                || (0x202A...0x202E).contains(scalar.value) || (0xFFF0...0xFFFF).contains(scalar.value):
                let digits = String(scalar.value, radix: 16, uppercase: true)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func isPlainSafe(_ text: String) -> Bool {
        var letters = 0
        var dots = 0
        for byte in text.utf8 {
            switch byte {
            case 0x41...0x5A, 0x61...0x7A: letters += 1
            case 0x2E: dots += 1
            case 0x30...0x39, 0x5F, 0x2F, 0x2D, 0x3A, 0x40: break  // digits _ / - : @
            default: return false
            }
        }
        guard let first = text.utf8.first, first != 0x2D, first != 0x3A, first != 0x40, text.utf8.last != 0x3A else {
            return false
        }
        // Digits alone, and with ":", "-" or one ".", are numbers, times or dates to somebody; an address is not.
        return (letters > 0 || dots > 1 || first == 0x2F) && !PlainScalar.isSpecial(text)
    }
}
