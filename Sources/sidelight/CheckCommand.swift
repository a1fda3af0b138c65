import Agent
import ArgumentParser
import Configuration
import Wire

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check files before they are used.",
        subcommands: [CheckConfigCommand.self, CheckCodeCommand.self, CheckPolicyCommand.self])
}

struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check the agent's configuration file: all errors at once, each with its line.",
        usage: "sidelight check config [OPTIONS] [FILE]",
        discussion: """
            Checked together with the environment and the options, as `sidelight agent` would use it. docs/configuration.md says what may stand in the file. Scripts of processors are
            loaded, in the sandbox that they run in. With --for serve or run it is checked as `sidelight serve -c FILE` would read it.

            EXAMPLES
              sidelight check config
              sidelight check config --for serve shop.yaml
              sidelight check config /etc/sidelight/sidelight.yaml
              sidelight check config --json sidelight.yaml | jq '.errors[].key'

            EXIT CODES
              0  valid, perhaps with warnings          2  not valid, or no file
            """)

    /// A command that reads such a file.
    enum Reader: String, ExpressibleByArgument, CaseIterable { case agent, serve, run }

    @OptionGroup var options: AgentOptions

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Who is to read it: agent, serve or run (default: agent).", valueName: "COMMAND"))
    var reader: Reader?

    @Flag(help: "One JSON object: file, valid, errors, warnings.")
    var json = false

    @Argument(help: ArgumentHelp("The configuration file (default: sidelight.yaml).", valueName: "FILE"))
    var file: String?

    func run() throws {
        try options.checkArgument(file)
        guard let name = options.file(file) else {
            throw ValidationError(
                "there is no \(AgentOptions.standardFile) here: name the file, as in `sidelight check config FILE`")
        }
        let reader = reader ?? .agent
        guard reader == .agent || (options.receives.isEmpty && options.logs.isEmpty) else {
            throw ValidationError("--receive and --logs are the agent's alone")
        }
        let checked = reader == .agent ? agent() : workload(name, reader)
        let output = Output()
        if json {
            output.json(ConfigurationJSON.text(file: name, errors: checked.errors, warnings: checked.warnings))
        } else {
            for problem in checked.errors { output.line(problem.description.escaped) }
            for problem in checked.warnings { output.line("\(problem.description.escaped) (warning)") }
            if checked.errors.isEmpty { output.line("\(name.escaped) is valid: \(checked.sentence.escaped)") }
        }
        output.flush()
        if !checked.errors.isEmpty { throw ExitCode(2) }
    }

    private struct Checked {
        var errors: [ConfigurationProblem] = []
        var warnings: [ConfigurationProblem] = []
        /// What it makes of who reads it, where there are no errors.
        var sentence = ""
    }

    private func agent() -> Checked {
        var checked = Checked()
        let scripts: [ScriptSetting]
        let patterns: [PatternSetting]
        let tls: TLSSetting?
        switch options.loader(file: file)() {
        case .success(let configured):
            checked.warnings = configured.warnings
            checked.sentence = Self.sentence(configured.value.configuration)
            (scripts, patterns) = (configured.value.scripts, configured.value.patterns)
            tls = configured.value.tls
        case .failure(let failure):
            (checked.errors, checked.warnings) = (failure.problems, failure.warnings)
            (scripts, patterns) = (failure.scripts, failure.patterns)
            tls = failure.tls
        }
        checked.errors =
            (checked.errors + ScriptCheck.problems(of: scripts) + PatternCheck.problems(of: patterns)
            + Self.problems(of: tls)).inOrder
        return checked
    }

    private func workload(_ name: String, _ reader: Reader) -> Checked {
        switch options.workload(file: name, isRun: reader == .run) {
        case .success(let configured):
            Checked(
                errors: PolicyCheck.problems(of: configured.value.policy).map { ConfigurationProblem(name, $0) }
                    + Self.problems(of: configured.value.adminTLS),
                warnings: configured.warnings, sentence: "`sidelight \(reader.rawValue) -c` takes it")
        case .failure(let failure):
            Checked(
                errors: (failure.problems + Self.problems(of: failure.tls)).inOrder, warnings: failure.warnings)
        }
    }

    private static func problems(of tls: TLSSetting?) -> [ConfigurationProblem] {
        tls.map(DoorCheck.problems) ?? []
    }

    /// Ways that are told one by one; more are counted.
    private static let routesMax = 6

    /// What the configuration makes the agent do.
    static func sentence(_ configuration: PipelineConfiguration) -> String {
        let routes = configuration.pipelines.prefix(routesMax).map { route in
            let through = route.processors.isEmpty ? "" : " through \(route.processors.joined(separator: ", "))"
            var ends = route.exporters
            if configuration.store.isEnabled { ends.append("the store") }
            let sources = route.receivers + route.derivedFrom
            let from = sources.isEmpty ? "nowhere" : sources.joined(separator: ", ")
            return "\(route.name) from \(from)\(through) to \(ends.isEmpty ? "nowhere" : ends.joined(separator: ", "))"
        }
        guard !routes.isEmpty else { return "it does nothing" }
        let more = configuration.pipelines.count - routes.count
        return routes.joined(separator: "; ") + (more > 0 ? "; and \(more) more pipelines" : "")
    }
}
