/// `${NAME}`, `${env:NAME}` and `${NAME:-default}` in the values of a file; `$$` stands for "$". What a variable holds is not looked into again, and cannot
/// become more than a single value.
/// <https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution>
enum VariableSubstitution {
    struct Result {
        var text: String
        /// Names of the variables that were looked up.
        var variables: [String] = []
        /// Those that are not set and have no default; they count as empty.
        var unset: [String] = []
    }

    struct Failure: Error, Equatable {
        var message: String
    }

    /// A value is cut off nowhere, so a file of small size could become large: `${A}${A}…`. Bytes.
    static let textBytesMax = 64 << 10

    static func substitute(_ text: String, _ environment: [String: String]) throws(Failure) -> Result {
        guard text.utf8.contains(0x24) else { return Result(text: text) }
        var result = Result(text: "")
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result.text += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            switch rest.first {
            case "$":
                result.text += "$"
                rest = rest.dropFirst()
            case "{":
                guard let close = rest.firstIndex(of: "}") else {
                    throw Failure(message: "\"${\" is not closed; write \"$$\" for a \"$\"")
                }
                try substitute(rest[..<close].dropFirst(), environment, &result)
                rest = rest[close...].dropFirst()
            default: result.text += "$"
            }
            guard result.text.utf8.count <= textBytesMax else {
                throw Failure(message: "with its variables, the value has more than \(textBytesMax) bytes")
            }
        }
        result.text += rest
        return result
    }

    /// What stands between "${" and "}".
    private static func substitute(
        _ inside: Substring, _ environment: [String: String], _ result: inout Result
    ) throws(Failure) {
        var name = inside
        var standard: Substring?
        if let mark = inside.firstRange(of: ":-") {
            name = inside[..<mark.lowerBound]
            standard = inside[mark.upperBound...]
        }
        if name.hasPrefix("env:") { name = name.dropFirst(4) }
        guard isName(name) else {
            throw Failure(
                message:
                    "\"${\(inside)}\" is no reference to a variable; write ${NAME} or ${NAME:-default}, and \"$$\" for a \"$\""
            )
        }
        result.variables.append(String(name))
        // An empty variable is an unset one, as everywhere in OpenTelemetry.
        if let value = environment[String(name)], !value.isEmpty {
            result.text += value
        } else if let standard {
            result.text += standard
        } else {
            result.unset.append(String(name))
        }
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
            default: false
            }
        }
    }
}
