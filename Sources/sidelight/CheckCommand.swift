import Agent
import ArgumentParser
import Configuration
import Wire

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check files before they are used.", subcommands: [CheckConfigCommand.self])
}

struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check the agent's configuration file: all errors at once, each with its line.",
        usage: "sidelight check config [OPTIONS] [FILE]",
        discussion: """
            Checked together with the environment and the options, as `sidelight agent` would use it. docs/configuration.md says what may stand in the file. Scripts of processors are
            loaded, in the sandbox that they run in.

            EXAMPLES
              sidelight check config
              sidelight check config /etc/sidelight/sidelight.yaml
              sidelight check config --json sidelight.yaml | jq '.errors[].key'

            EXIT CODES
              0  valid, perhaps with warnings          2  not valid, or no file
            """)

    @OptionGroup var options: AgentOptions

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
        let answer = options.loader(file: file)()
        let output = Output()
        var errors: [ConfigurationProblem] = []
        let warnings: [ConfigurationProblem]
        let scripts: [ScriptSetting]
        let patterns: [PatternSetting]
        switch answer {
        case .success(let configured):
            (warnings, scripts, patterns) = (configured.warnings, configured.value.scripts, configured.value.patterns)
        case .failure(let failure):
            (errors, warnings, scripts, patterns) = (failure.problems, failure.warnings, failure.scripts, failure.patterns)
        }
        errors = (errors + ScriptCheck.problems(of: scripts) + PatternCheck.problems(of: patterns)).inOrder
        if json {
            output.line(ConfigurationJSON.text(file: name, errors: errors, warnings: warnings))
        } else {
            for problem in errors { output.line(problem.description.escaped) }
            for problem in warnings { output.line("\(problem.description.escaped) (warning)") }
            if errors.isEmpty, case .success(let configured) = answer {
                output.line("\(name.escaped) is valid: \(Self.sentence(configured.value.configuration).escaped)")
            }
        }
        output.flush()
        if !errors.isEmpty { throw ExitCode(2) }
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
