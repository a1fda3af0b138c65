import Agent
import ArgumentParser
import Audit
import Glibc
import Linux
import Signing
import System
import Telemetry
import Wire

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read the audit log, and verify that nobody has changed it.",
        subcommands: [AuditVerifyCommand.self, AuditListCommand.self, AuditTailCommand.self])
}

struct AuditVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify the whole log: nothing was edited, cut, put elsewhere or cut off at the end.",
        usage: "sidelight audit verify [OPTIONS]",
        discussion: """
            Who can write to the log's folder can also replace the public key in it: name one that you have kept elsewhere. --holds says that an entry is known to be in the log; it \
            finds an old log in the place of the new one. What to keep stands in the output as `end`.

            EXAMPLES
              sidelight audit verify
              sidelight audit verify --key audit.pub.pem --holds 1234:5f0c…
              sidelight audit verify --json | jq '.problems[].text'

            EXIT CODES
              0  sound    1  it was tampered with    2  usage, or there is no log or key that can be read
            """)

    @OptionGroup var options: StoreOptions

    @Option(help: ArgumentHelp("The public key (default: the one beside the log).", valueName: "FILE"))
    var key: String?

    @Option(help: ArgumentHelp("An entry that has to be in it, and its hash.", valueName: "NUMBER:HASH"))
    var holds: String?

    @Flag(help: "One JSON object.")
    var json = false

    func run() throws {
        let anchor = try holds.map { text in
            guard let anchor = AuditVerifier.Anchor(text) else {
                throw ValidationError(
                    "--holds \(text.escaped): expected NUMBER:HASH, as `sidelight audit verify` says `end`")
            }
            return anchor
        }
        let folder = try AuditReading.folder(options)
        let publicKey = try AuditReading.key(key, folder)
        let verdict = try AuditReading.complaining { () throws(AuditFileError) in
            try AuditVerifier.verify(folder, key: publicKey, anchor: anchor)
        }
        let output = Output()
        if json {
            output.json(Self.json(verdict, publicKey))
        } else {
            for line in Self.text(verdict, publicKey) { output.line(line) }
        }
        output.flush()
        if !verdict.isSound { throw ExitCode(1) }
    }

    private static func text(_ verdict: AuditVerdict, _ key: PublicKey) -> [String] {
        guard verdict.entries > 0 || !verdict.isSound else { return ["the log is empty"] }
        var lines = verdict.problems.map { "\($0)".escaped }
        let more = verdict.problemsTotal - verdict.problems.count
        if more > 0 { lines.append("… and \(more) more") }
        let span =
            verdict.entries == 0
            ? "no entry"
            : "\(counted(verdict.entries, "entry", "entries")), \(verdict.first) to \(verdict.last), of \(TimeText.dateAndTime(verdict.firstTime)) to \(TimeText.dateAndTime(verdict.lastTime))"
        lines.append(
            "\(verdict.isSound ? "sound" : "NOT SOUND"): \(span); \(counted(verdict.signatures, "signature")) of \(key.id)"
        )
        if verdict.unsigned > 0 {
            lines.append(
                "\(counted(verdict.unsigned, "entry", "entries")) at the end not signed yet: who wrote them was killed, or has no key"
            )
        }
        for numbers in verdict.late {
            lines.append(
                "entries \(numbers.lowerBound) to \(numbers.upperBound) stood after the signed end: who wrote them was killed, or had no key"
            )
        }
        if verdict.torn > 0 {
            lines.append("\(counted(verdict.torn, "line")) not written whole: who wrote them was killed")
        }
        if verdict.entries > 0 { lines.append("end: \(verdict.last):\(verdict.lastHash.hex)") }
        return lines
    }

    private static func json(_ verdict: AuditVerdict, _ key: PublicKey) -> String {
        var json = JSONWriter()
        json.object { json in
            json.name("sound")
            json.bool(verdict.isSound)
            for (name, value) in [
                ("entries", verdict.entries), ("segments", verdict.segments), ("first", Int(clamping: verdict.first)),
                ("last", Int(clamping: verdict.last)), ("signatures", verdict.signatures),
                ("unsigned", verdict.unsigned), ("torn", verdict.torn), ("problemsTotal", verdict.problemsTotal),
            ] {
                json.name(name)
                json.integer(value)
            }
            if !verdict.late.isEmpty {
                json.name("late")
                json.array { json in
                    for numbers in verdict.late {
                        json.object { json in
                            json.name("first")
                            json.integer(numbers.lowerBound)
                            json.name("last")
                            json.integer(numbers.upperBound)
                        }
                    }
                }
            }
            json.field("key", key.id)
            if verdict.entries > 0 { json.field("end", "\(verdict.last):\(verdict.lastHash.hex)") }
            json.name("kinds")
            json.object { json in
                for kind in AuditEvent.Kind.allCases {
                    guard let count = verdict.kinds[kind] else { continue }
                    json.name(kind.rawValue)
                    json.integer(count)
                }
            }
            json.name("problems")
            json.array { json in
                for problem in verdict.problems {
                    json.object { json in
                        json.field("kind", problem.kind.rawValue)
                        if !problem.segment.isEmpty { json.field("file", problem.segment) }
                        for (name, value) in [("line", UInt64(problem.line)), ("entry", problem.number)] where value > 0
                        {
                            json.name(name)
                            json.integer(value)
                        }
                        json.field("text", problem.text)
                    }
                }
            }
        }
        return json.text
    }
}

/// What the commands on the log have in common.
enum AuditReading {
    static func folder(_ options: StoreOptions) throws -> AuditFolder {
        let path = AuditFolder.path(store: options.directory)
        guard let folder = AuditFolder(reading: path) else {
            complain("there is no audit log: \(path.escaped) is not there; --store names another store")
            throw ExitCode(2)
        }
        return folder
    }

    static func key(_ path: String?, _ folder: AuditFolder) throws -> PublicKey {
        if let path { return try KeyFile.publicKey(path) }
        do {
            if let key = try AuditVerifier.ownKey(folder) { return key }
            complain("there is no public key beside the log; --key names one")
        } catch {
            complain("the public key beside the log: \(error)")
        }
        throw ExitCode(2)
    }

    static func complaining<Result>(_ body: () throws(AuditFileError) -> Result) throws -> Result {
        do throws(AuditFileError) {
            return try body()
        } catch {
            complain("the audit log cannot be read: \(error.description.escaped)")
            throw ExitCode(2)
        }
    }

    /// Whether the log was found sound, said where not: who reads it should know.
    static func warn(_ verdict: AuditVerdict) {
        guard !verdict.isSound else { return }
        complain(
            "the log is not sound: \(verdict.problems.first.map { "\($0)" }?.escaped ?? ""); see `sidelight audit verify`"
        )
    }
}
