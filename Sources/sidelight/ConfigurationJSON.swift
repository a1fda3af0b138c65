import Configuration
import Wire

/// What `--json` of `check config` and `config print` says.
enum ConfigurationJSON {
    /// - Parameter lists: Further members, in this order.
    static func text(
        file: String, errors: [ConfigurationProblem], warnings: [ConfigurationProblem],
        lists: KeyValuePairs<String, [String]> = [:]
    ) -> String {
        var json = JSONWriter()
        json.object { json in
            json.field("file", file)
            json.name("valid")
            json.bool(errors.isEmpty)
            for (name, problems) in [("errors", errors), ("warnings", warnings)] {
                json.name(name)
                json.array { json in for problem in problems { put(problem, into: &json) } }
            }
            for (name, texts) in lists {
                json.name(name)
                json.array { json in for text in texts { json.string(text) } }
            }
        }
        return json.text
    }

    private static func put(_ problem: ConfigurationProblem, into json: inout JSONWriter) {
        json.object { json in
            if let position = problem.position {
                json.field("file", position.file)
                json.name("line")
                json.integer(position.line)
                json.name("column")
                json.integer(position.column)
            } else {
                // A flag, a variable, a file that could not be read.
                json.field("source", problem.source)
            }
            if !problem.key.isEmpty { json.field("key", problem.key.joined(separator: ".")) }
            json.field("message", problem.message)
        }
    }

    static func text(_ value: EffectiveValue) -> String {
        var json = JSONWriter()
        put(value, into: &json)
        return json.text
    }

    private static func put(_ value: EffectiveValue, into json: inout JSONWriter) {
        switch value {
        case .scalar(let scalar):
            json.object { json in
                json.name("value")
                switch (scalar.isBare, scalar.text) {
                case (true, "true"), (true, "false"): json.bool(scalar.text == "true")
                case (true, let text):
                    if let number = Int64(text) {
                        json.integer(number)
                    } else if let number = Double(text), number.isFinite {
                        json.double(number)
                    } else {
                        json.string(text)
                    }
                case (false, let text): json.string(text)
                }
                json.field("from", "\(scalar.origin)")
            }
        case .list(let elements): json.array { json in for element in elements { put(element, into: &json) } }
        case .mapping(let entries):
            json.object { json in
                for entry in entries {
                    json.name(entry.key)
                    put(entry.value, into: &json)
                }
            }
        }
    }
}
