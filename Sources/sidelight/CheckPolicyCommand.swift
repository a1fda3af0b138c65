import Agent
import ArgumentParser
import Configuration
import Linux
import Wire

struct CheckPolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Check a policy file, and say in words what it allows.",
        usage: "sidelight check policy [--json] FILE",
        discussion: """
            FILE is as for --policy of `run` and `serve`; strict, standard and trusted are explained, too. What somebody may not have meant is told as a hole: every host, \
            private networks, eval beside network, no fence. Files of secrets and keys, and the fence's user, have to be there, as for `run`. docs/policy.md says what may stand in the file.

            EXAMPLES
              sidelight check policy plugin.yaml
              sidelight check policy strict
              sidelight check policy --json plugin.yaml | jq '.holes[]'

            EXIT CODES
              0  valid, perhaps with holes          2  not valid, or no file
            """)

    @Flag(help: "One JSON object: file, valid, errors, warnings, allows, holes.")
    var json = false

    @Argument(help: ArgumentHelp("The policy.", valueName: "FILE"))
    var file: String

    func run() throws {
        let (policy, wrong, warnings) = PolicyConfiguration.load(
            file, folder: Machine.workingFolder, environment: Machine.environment, readFile: AgentOptions.readSecret)
        let errors = wrong + PolicyCheck.problems(of: policy).map { ConfigurationProblem(file, $0) }
        let output = Output()
        if json {
            output.line(
                ConfigurationJSON.text(
                    file: file, errors: errors, warnings: warnings,
                    lists: errors.isEmpty ? ["allows": policy.words, "holes": policy.holes] : [:]))
        } else {
            for problem in errors { output.line(problem.description.escaped) }
            for problem in warnings { output.line("\(problem.description.escaped) (warning)") }
            if errors.isEmpty {
                output.line("\(file.escaped) is valid.")
                for sentence in policy.words { output.line("  \(sentence.escaped)") }
                for hole in policy.holes { output.line("hole: \(hole.escaped)") }
            }
        }
        output.flush()
        if !errors.isEmpty { throw ExitCode(2) }
    }
}
