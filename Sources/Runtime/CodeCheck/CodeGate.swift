internal import CodeCheck
internal import Synchronization
internal import Wire

/// Keeps code from running that the validator has something against. One a process, for all its isolates; it looks at the very bytes that V8 then gets.
final class CodeGate: Sendable {
    private let options: CodeCheckOptions
    /// What is as bad as this does not run.
    private let level: CodeLevel
    /// It runs all the same, and is told of.
    let isAudited: Bool
    /// Made when the first code comes: the signals of this process have their thread by then.
    private let thread = Mutex<CodeCheckThread?>(nil)

    /// Nil: code is run as it is.
    init?(_ configuration: JSON?) {
        guard let configuration, let text = configuration["options"]?.text,
            let options = (try? JSONValue(parsing: Array(text.utf8))).flatMap({ CodeCheckOptions($0) }),
            let level = configuration["level"]?.string.flatMap({ CodeLevel(rawValue: $0) })
        else { return nil }
        self.options = options
        self.level = level
        isAudited = configuration["isAudited"] == .bool(true)
    }

    struct Refusal {
        let rule: String
        /// A sentence for people.
        let reason: String
    }

    /// Nil: it may run. Waits for the validator, which the isolates of a process share.
    func refusal(of source: [UInt8], _ kind: CodeKind, name: String) -> Refusal? {
        let thread = thread.withLock { thread in
            if let thread { return thread }
            let made = CodeCheckThread(options)
            thread = made
            return made
        }
        guard let finding = thread.check(source, kind).first(atLeast: level) else { return nil }
        return Refusal(
            rule: "check (\(finding.rule))",
            reason:
                "the policy has code checked before it runs, and \(name):\(finding.from.line):\(finding.from.column) did not pass: \(finding.message) (\(finding.rule))"
        )
    }
}
