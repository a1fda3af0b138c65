import ArgumentParser
import Configuration
import Glibc
import Wire

struct LogLevelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loglevel",
        abstract: "Show how much an agent says about itself, or change it while it runs.",
        usage: "sidelight loglevel [OPTIONS] [CATEGORY=LEVEL …]",
        discussion: """
            Categories are agent, configuration, exporters, logs, pipeline, scripts and store; "all" means every one, and so does a level alone. Levels are trace, \
            debug, info, notice, warning, error, critical. A change holds until the agent ends; it is taken from the agent's own machine only.

            EXAMPLES
              sidelight loglevel
              sidelight loglevel exporters=info store=error
              sidelight loglevel info
              sidelight loglevel --json | jq .levels

            EXIT CODES
              0  success    1  no agent answers, or it refuses    2  usage
            """)

    @OptionGroup var admin: AdminOptions

    @Flag(help: "One JSON object.")
    var json = false

    @Argument(help: ArgumentHelp("What is to change.", valueName: "CATEGORY=LEVEL"))
    var changes: [String] = []

    func run() throws {
        let path = "/api/v1/loglevel"
        let bytes = try changes.isEmpty ? admin.get(path) : admin.put(path, json: Array(body().utf8))
        guard let answer = try? JSONValue(parsing: bytes), case .object(let levels)? = answer["levels"] else {
            complain("the agent at \(admin.admin.escaped) answers something else")
            throw ExitCode(1)
        }
        let output = Output()
        if json {
            output.json(String(decoding: bytes, as: UTF8.self))
        } else {
            let width = levels.keys.map(\.columns).max() ?? 0
            for (name, level) in levels.sorted(by: { $0.key < $1.key }) {
                output.line(name.escaped.padded(to: width) + "  " + (level.string ?? "").escaped)
            }
        }
        output.flush()
    }

    private func body() throws -> String {
        var seen: Set<String> = []
        var writer = JSONWriter()
        writer.beginObject()
        for change in changes {
            let parts = change.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let (category, level) = parts.count == 2 ? (parts[0], parts[1]) : ("all", parts[0])
            guard LogLevel(parsing: level) != nil else {
                let known = LogLevel.allCases.map { "\($0)" }.joined(separator: ", ")
                throw ValidationError("'\(change.escaped)': there is no level '\(level.escaped)'; there are \(known)")
            }
            guard seen.insert(category).inserted else {
                throw ValidationError("'\(change.escaped)': \(category.escaped) is there twice")
            }
            writer.field(category, level)
        }
        writer.endObject()
        return writer.text
    }
}
