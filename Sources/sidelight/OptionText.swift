import ArgumentParser
import Store
import Telemetry

/// Values of options, with a message that says what a right one looks like.
enum OptionText {
    static func time(_ text: String, example: String) throws -> TimeSpan {
        guard let time = TimeSpan(argument: text) else { throw ValidationError("write a time such as \(example)") }
        return time
    }

    static func number(_ text: String, in bounds: ClosedRange<Int>, example: Int) throws -> Int {
        guard let number = Int(text), bounds.contains(number) else {
            throw ValidationError(
                "write a whole number from \(bounds.lowerBound) to \(bounds.upperBound), such as \(example)")
        }
        return number
    }

    static func search(_ text: String) throws -> SearchQuery {
        do throws(SearchQuery.Problem) {
            return try SearchQuery(parsing: text)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    static func level(_ text: String) throws -> SeverityLevel {
        guard let level = SeverityLevel(parsing: text) else {
            throw ValidationError("write \(SeverityLevel.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return level
    }
}
