/// A cron expression of five fields: minute, hour, day of month, month, day of week. Checked here, so that a bad one is known before
/// anything starts; the worker reads it again. POSIX crontab, with steps and names as usual.
/// <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/crontab.html>
public struct CronExpression: Hashable, Sendable {
    /// With one space between fields.
    public var text: String

    /// Why a text is no cron expression.
    struct Failure: Error { let message: String }

    private struct Field {
        var name: String
        var range: ClosedRange<Int>
        var names: [String] = []
    }

    private static let fields = [
        Field(name: "minute", range: 0...59), Field(name: "hour", range: 0...23),
        Field(name: "day of month", range: 1...31),
        Field(
            name: "month", range: 1...12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        Field(name: "day of week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]

    init(parsing text: String) throws(Failure) {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        guard parts.count == Self.fields.count else {
            throw Failure(message: "it has \(parts.count) fields and not 5, as in \"*/5 * * * *\"")
        }
        for (part, field) in zip(parts, Self.fields) {
            for element in part.split(separator: ",", omittingEmptySubsequences: false) {
                try Self.check(element, field)
            }
        }
        self.text = parts.joined(separator: " ")
    }

    /// "*", "5", "1-5", each with "/step".
    private static func check(_ element: Substring, _ field: Field) throws(Failure) {
        func failure(_ why: String) -> Failure { Failure(message: "\(field.name) \"\(element)\" \(why)") }
        let halves = element.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { throw failure("has two steps") }
        if halves.count == 2 {
            guard let step = number(halves[1]), step > 0 else { throw failure("has no whole number as its step") }
        }
        if halves[0] == "*" { return }
        var bounds: [Int] = []
        for bound in halves[0].split(separator: "-", omittingEmptySubsequences: false) {
            let value =
                number(bound) ?? field.names.firstIndex(of: bound.lowercased()).map { $0 + field.range.lowerBound }
            guard let value, field.range.contains(value) else {
                throw failure("is not from \(field.range.lowerBound) to \(field.range.upperBound)")
            }
            bounds.append(value)
        }
        guard bounds.count <= 2, bounds.count == 1 || bounds[0] <= bounds[1] else { throw failure("is no range") }
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
