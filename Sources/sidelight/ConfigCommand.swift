import ArgumentParser
import Configuration

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at the agent's configuration.", subcommands: [ConfigPrintCommand.self])
}

struct ConfigPrintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "print",
        abstract: "Print the agent's whole configuration, defaults filled in, with where each value comes from.",
        usage: "sidelight config print [OPTIONS] [FILE]",
        discussion: """
            The output is a configuration file itself; secrets are shown as ***. Options beat the environment, the environment beats the file.

            EXAMPLES
              sidelight config print
              sidelight config print --export otlp=http://127.0.0.1:4318 sidelight.yaml
              sidelight config print --json | jq .receivers

            EXIT CODES
              0  printed          2  the configuration is not valid
            """)

    @OptionGroup var options: AgentOptions

    @Flag(help: "One JSON object; each value is an object with value and from.")
    var json = false

    @Argument(help: ArgumentHelp("The configuration file (default: sidelight.yaml, if it is here).", valueName: "FILE"))
    var file: String?

    func run() throws {
        try options.checkArgument(file)
        let configured = try options.configure(file: file)
        for warning in configured.warnings { complain(warning.description.escaped) }
        let effective = configured.value.effective
        let output = Output()
        if json {
            output.json(ConfigurationJSON.text(effective))
        } else {
            for line in effective.yaml().split(separator: "\n") { output.line(String(line)) }
        }
        output.flush()
    }
}
