/// Why a text is no value of a kind.
struct WrongValue: Error {
    /// Completes `"text" …`.
    var message: String

    init(_ message: String) { self.message = message }
}

/// How a single value is read, shown and explained.
struct ScalarKind<Value> {
    var parse: (String) throws(WrongValue) -> Value
    var show: (Value) -> String
    /// Not to be quoted by `config print`.
    var isBare = false
}

extension ScalarKind where Value == String {
    /// Text of which something is left without white space at its ends.
    static var text: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.trimmed.isEmpty else { throw WrongValue("is empty") }
                return text
            },
            show: { $0 })
    }

    /// The name of a file or folder.
    static var path: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.isEmpty, !text.utf8.contains(0), text.utf8.count <= 1_024 else {
                    throw WrongValue("is no name of a file or folder")
                }
                return text
            },
            show: { $0 })
    }

    /// A key of an attribute.
    static var key: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let key = try keyPattern.parse(text)
                guard !key.contains("*") else {
                    throw WrongValue("is no key of an attribute: \"*\" cannot stand for others here")
                }
                return key
            },
            show: { $0 })
    }

    /// A key of an attribute, or the beginning of one and "*".
    static var keyPattern: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.isEmpty, text.utf8.count <= 256 else {
                    throw WrongValue("is no key of an attribute: that has 1 to 256 bytes")
                }
                guard !text.dropLast().contains("*"), text != "*" else {
                    throw WrongValue("is no key of an attribute: \"*\" can only stand at the end of one")
                }
                return text
            },
            show: { $0 })
    }
}

extension ScalarKind where Value == Bool {
    static var bool: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if let value = PlainScalar.bool(text) { return value }
                switch text.lowercased() {
                case "yes", "on", "y": throw WrongValue("is not true or false; did you mean true?")
                case "no", "off", "n": throw WrongValue("is not true or false; did you mean false?")
                default: throw WrongValue("is not true or false")
                }
            },
            show: { $0 ? "true" : "false" }, isBare: true)
    }
}

extension ScalarKind where Value == Int {
    /// Bytes.
    static func size(_ bounds: ClosedRange<Int>) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let bytes = Units.bytes(text), bounds.contains(bytes) else {
                    throw WrongValue(
                        "is not a size from \(Units.size(bounds.lowerBound)) to \(Units.size(bounds.upperBound))")
                }
                return bytes
            },
            show: Units.size, isBare: true)
    }

    static func count(_ bounds: ClosedRange<Int>) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let count = Int(text), text.first != "+", bounds.contains(count) else {
                    throw WrongValue("is not a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
                }
                return count
            },
            show: { "\($0)" }, isBare: true)
    }

    /// A time, kept in milliseconds.
    static func milliseconds(_ bounds: ClosedRange<Int>) -> ScalarKind {
        let time = ScalarKind<UInt64>.time(
            UInt64(bounds.lowerBound) * 1_000_000...UInt64(bounds.upperBound) * 1_000_000)
        return ScalarKind(
            parse: { text throws(WrongValue) in
                return Int((try time.parse(text) + 500_000) / 1_000_000)
            },
            show: { time.show(UInt64($0) * 1_000_000) }, isBare: true)
    }
}

extension ScalarKind where Value == UInt64 {
    /// Nanoseconds.
    static func time(_ bounds: ClosedRange<UInt64>) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let time = Units.nanoseconds(text), bounds.contains(time) else {
                    throw WrongValue(
                        "is not a time from \(Units.time(bounds.lowerBound)) to \(Units.time(bounds.upperBound))")
                }
                return time
            },
            show: Units.time, isBare: true)
    }
}

extension ScalarKind where Value == Double {
    static func number(_ bounds: ClosedRange<Double>) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let number: Double? =
                    switch PlainScalar.number(text) {
                    case .double(let number): number
                    case .int(let number): Double(number)
                    default: nil
                    }
                guard let number, bounds.contains(number) else {
                    throw WrongValue("is not a number from \(show(bounds.lowerBound)) to \(show(bounds.upperBound))")
                }
                return number
            },
            show: show, isBare: true)
    }

    /// "10" rather than "10.0".
    static func show(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
}

extension ScalarKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static var choice: ScalarKind { choice(of: Array(Value.allCases)) }

    static func choice(of values: [Value]) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if let value = values.first(where: { $0.rawValue == text }) { return value }
                throw WrongValue(notOneOf(values.map(\.rawValue), text))
            },
            show: \.rawValue)
    }
}

/// Completes `"text" …`.
func notOneOf(_ names: [String], _ text: String) -> String {
    let nearest = Spelling.nearest(text, of: names).map { "; did you mean \($0)?" } ?? ""
    return names.count == 1
        ? "is not \(names[0])\(nearest)" : "is not one of \(names.joined(separator: ", "))\(nearest)"
}

extension ScalarKind where Value == LogLevel {
    static var logLevel: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let level = LogLevel(parsing: text) else {
                    throw WrongValue(notOneOf(LogLevel.allCases.map { "\($0)" }, text))
                }
                return level
            },
            show: { "\($0)" })
    }
}

extension ScalarKind where Value == HostPort {
    static func place(example: String) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let place = HostPort(parsing: text) else {
                    throw WrongValue("is not HOST:PORT, as in \(example)")
                }
                return place
            },
            show: \.description)
    }
}

extension ScalarKind where Value == EndpointURL {
    static func url(example: String, allowsService: Bool = false) -> ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                do throws(EndpointURL.Failure) {
                    return try EndpointURL(parsing: text, allowsService: allowsService)
                } catch {
                    throw WrongValue("is a bad URL: \(error.message) (expected something like \(example))")
                }
            },
            show: \.description)
    }
}
