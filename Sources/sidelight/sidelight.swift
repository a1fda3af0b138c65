import Agent
import ArgumentParser
import Configuration
import Glibc
import Linux

/// The command. Results go to stdout, its own messages to stderr; exit codes: docs/specs/telemetry.md section 3, and 2 for bad usage.
@main
struct Sidelight: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Release.name,
        abstract: "Runs JavaScript in V8 and shows everything it does.",
        discussion: """
            EXAMPLES
              sidelight run app.js
              sidelight serve app.js
              sidelight agent --export otlp=http://collector:4318
              sidelight run --export otlp=http://127.0.0.1:4318 app.js
            """,
        version: Release.version,
        subcommands: [
            RunCommand.self, ServeCommand.self, AgentCommand.self, TraceCommand.self, TailCommand.self,
            LogsCommand.self, ErrorsCommand.self, TopCommand.self, ProfileCommand.self,
            TapCommand.self, DropsCommand.self, LogLevelCommand.self, HealthCommand.self,
            CheckCommand.self, ConfigCommand.self, AuditCommand.self, KeygenCommand.self,
            SignCommand.self, VerifyCommand.self, SecretCommand.self,
        ])

    private static let freedBytesMax = 16 << 20

    static func main() {
        Machine.keepFreedMemory(bytesMax: freedBytesMax)
        do {
            try checkNames(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot()
            try command.run()
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
        } catch {
            // Help and version are asked for, and no errors.
            if exitCode(for: error) == .success { exit(withError: error) }
            let usage = exitCode(for: error) == .validationFailure
            Machine.writeToStandardError("\(Release.name): \(Self.text(message(for: error), CommandLine.arguments))\n")
            Glibc.exit(usage ? 2 : 70)
        }
    }

    /// A message of several lines, in which no line is one of an argument's.
    static func text(_ message: String, _ arguments: [String]) -> String {
        var bytes = Array(message.utf8)
        for argument in arguments where argument.utf8.contains(UInt8(ascii: "\n")) {
            // `--name=VALUE` is told of by its value.
            for part in [argument[...]] + argument.split(separator: "=", maxSplits: 1).dropFirst() {
                bytes.replace(Array(part.utf8), with: Array(String(part).escaped.utf8))
            }
        }
        return String(decoding: bytes, as: UTF8.self).escapedText
    }

    /// A command that there is not, with those that there are: the parser takes it for a stray argument.
    static func checkNames(_ arguments: [String]) throws {
        var commands = configuration.subcommands
        var path = Release.name
        for argument in arguments {
            guard !commands.isEmpty, !argument.hasPrefix("-") else { return }
            let names = commands.map { $0._commandName }
            guard let command = commands.first(where: { $0._commandName == argument }) else {
                if argument == "help" { return }
                let nearest = Spelling.nearest(argument, of: names).map { "; did you mean `\(path) \($0)`?" } ?? "."
                throw ValidationError(
                    "there is no command `\(path) \(argument.escaped)`\(nearest) There are: \(names.joined(separator: ", "))"
                )
            }
            path += " " + argument
            commands = command.configuration.subcommands
        }
    }
}
