import Agent
import ArgumentParser
import CodeCheck
import Configuration
import Glibc
import Linux
import Synchronization
import System
import Wire

struct CheckCodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "code",
        abstract: "Check JavaScript and WebAssembly before it runs.",
        usage: "sidelight check code [OPTIONS] FILE|DIR…",
        discussion: """
            Looks for code made of text, changed prototypes, secrets, code that hides what it does, loops without an end, and names and modules that programs have no business with. Nothing \
            of it is run: it is parsed in a process that can open nothing. In folders .js, .mjs, .cjs and .wasm files are looked at, but none in node_modules. \
            docs/check-code.md has the rules, how a comment in the source suppresses a finding, and how to write rules of one's own.

            EXAMPLES
              sidelight check code src
              sidelight check code --rules house.yaml --level warning app.js
              sidelight check code --sarif src > findings.sarif
              sidelight check code --json src | jq -r '.findings[].rule' | sort | uniq -c

            EXIT CODES
              0  no findings of the level          1  findings          2  a file that is not there, or a rule that is wrong
            """)

    @Option(help: ArgumentHelp("Own rules (repeatable).", valueName: "FILE"))
    var rules: [String] = []

    @Option(help: ArgumentHelp("What makes it fail: error, warning or note (default: error).", valueName: "LEVEL"))
    var level: Level = .error

    @Flag(help: "One JSON object: files, counts, findings.")
    var json = false

    @Flag(help: "SARIF 2.1.0, which code hosts and editors read.")
    var sarif = false

    @Flag(help: "Comments in the source suppress nothing.")
    var noSuppressions = false

    @Argument(help: ArgumentHelp("What to look at.", valueName: "FILE|DIR"))
    var paths: [String]

    enum Level: String, ExpressibleByArgument, CaseIterable { case error, warning, note }

    private static let rulesBytesMax = 1 << 20

    func run() throws {
        if json, sarif { throw ValidationError("--json and --sarif exclude each other") }
        var options = CodeCheckOptions(try configuration())
        options.allowsSuppressions = !noSuppressions
        let least = CodeLevel(rawValue: level.rawValue)!
        let files: [String]
        do throws(SourceFiles.Failure) {
            files = try SourceFiles.find(paths)
        } catch {
            throw refused(error.description)
        }
        guard !files.isEmpty else { throw refused("there is nothing to look at: no .js, .mjs, .cjs or .wasm file") }
        let form: FindingPrinter.Form = json ? .json : sarif ? .sarif : .text
        let printer = Mutex(FindingPrinter(form, options, level: least))
        do throws(CodeCheckRun.Failure) {
            try CodeCheckRun.check(files, options, jobs: Machine.processorCount) { file in
                printer.withLock { $0.put(file) }
            }
        } catch {
            throw refused(error.description)
        }
        let isClean = printer.withLock { $0.finish() }
        if !isClean { throw ExitCode(1) }
    }

    private func configuration() throws -> CodeCheckConfiguration {
        var configuration = CodeCheckConfiguration()
        var problems: [ConfigurationProblem] = []
        for name in rules {
            do throws(FileError) {
                let bytes = try readFile(name, bytesMax: Self.rulesBytesMax)
                problems += CodeRulesFile.read(
                    PipelineConfiguration.File(name: name, bytes: bytes), environment: Machine.environment,
                    into: &configuration)
            } catch {
                throw refused("\(name): it cannot be read: \(error.reason)")
            }
        }
        problems += configuration.unknownRules.map { ConfigurationProblem(rules.joined(separator: ", "), $0) }
        guard problems.isEmpty else {
            throw refused(problems.map { $0.description.escaped }.joined(separator: "\nsidelight: "))
        }
        return configuration
    }

    private func refused(_ message: String) -> ExitCode {
        Machine.writeToStandardError("\(Release.name): \(message)\n")
        return ExitCode(2)
    }
}
