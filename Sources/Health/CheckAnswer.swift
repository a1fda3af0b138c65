public import System
internal import Wire

/// What a check takes for an answer of one that is well. Pure.
public struct CheckExpectation: Hashable, Sendable {
    /// Statuses of HTTP.
    public var statuses: ClosedRange<Int>
    /// Has to be in the body; nil: anything will do.
    public var text: String?

    /// As the kubelet has it.
    public static let standardStatuses = 200...399
    /// Of an answer's body; more is a failure.
    public static let bodyBytesMax = 64 << 10

    public init(statuses: ClosedRange<Int> = CheckExpectation.standardStatuses, text: String? = nil) {
        self.statuses = statuses
        self.text = text
    }

    /// What an answer means. One of type `application/health+json` is taken at its word, too.
    public func finding(_ response: HTTPResponse) -> HealthFinding {
        let told = Self.isHealth(response) ? Self.told(response.body) : nil
        guard statuses.contains(response.status) else {
            let words = told?.reason ?? ""
            return HealthFinding(.fail, "status \(response.status)" + (words.isEmpty ? "" : ": \(words)"))
        }
        if let text, !Self.contains(response.body, Array(text.utf8)) {
            return HealthFinding(.fail, "the answer does not have \"\(text)\" in it")
        }
        return told ?? .pass
    }

    private static func isHealth(_ response: HTTPResponse) -> Bool {
        response.header("content-type")?.lowercased().hasPrefix("application/health+json") ?? false
    }

    /// The status, and the words of what is worst.
    private static func told(_ body: [UInt8]) -> HealthFinding {
        guard let json = try? JSONValue(parsing: body), let word = json["status"]?.string else {
            return HealthFinding(.fail, "application/health+json without a status")
        }
        guard let status = HealthStatus(word: word) else {
            return HealthFinding(.fail, "application/health+json of status \"\(word)\"")
        }
        guard status != .pass else { return .pass }
        var reason = json["output"]?.string ?? ""
        if reason.isEmpty, case .object(let checks)? = json["checks"] { reason = words(checks, status) }
        return HealthFinding(status, reason.isEmpty ? "it says \(word)" : reason)
    }

    private static func words(_ checks: [String: JSONValue], _ status: HealthStatus) -> String {
        for (name, check) in checks.sorted(by: { $0.key < $1.key }) {
            guard case .array(let entries) = check else { continue }
            for entry in entries
            where entry["status"]?.string.flatMap({ HealthStatus(word: $0) }) == status {
                let output = entry["output"]?.string ?? ""
                return output.isEmpty ? name : "\(name): \(output)"
            }
        }
        return ""
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, bytes.count >= part.count else { return part.isEmpty }
        for start in 0...(bytes.count - part.count) where bytes[start] == first {
            if bytes[start..<(start + part.count)].elementsEqual(part) { return true }
        }
        return false
    }
}
