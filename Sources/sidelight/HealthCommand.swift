import ArgumentParser
import Configuration
import Glibc
import System
import Transport

struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask an agent, or a workload that is served, how it is.",
        usage: "sidelight health [--ready | --live | --startup] [OPTIONS]",
        discussion: """
            Without a flag it is about all of it. Made for exec probes and for scripts: the exit code says it. --quiet says nothing else.

            EXAMPLES
              sidelight health
              sidelight health --ready --quiet && echo ready
              sidelight health --json | jq '.checks | keys'

            EXIT CODES
              0  it is well, or has only warnings    1  it is not, or no agent answers    2  usage
            """)

    @OptionGroup var admin: AdminOptions

    @Flag(help: "Whether it is to be sent work.")
    var ready = false

    @Flag(help: "Whether starting it anew would help: it does not fail then.")
    var live = false

    @Flag(help: "Whether it has come up.")
    var startup = false

    @Flag(help: "application/health+json.")
    var json = false

    @Flag(name: .shortAndLong, help: "Say nothing.")
    var quiet = false

    @Option(help: ArgumentHelp("How long to wait for an answer (default: 5s).", valueName: "TIME"))
    var timeout = "5s"

    private static let type = "application/health+json"
    private static let answerBytesMax = 4 << 20

    func validate() throws {
        guard [ready, live, startup].count(where: { $0 }) <= 1 else {
            throw ValidationError(
                "--ready, --live and --startup are questions of their own: only one of them can be asked at a time")
        }
        guard Units.nanoseconds(timeout) != nil else {
            throw ValidationError("--timeout '\(timeout.escaped)' is not a time such as 5s")
        }
    }

    func run() throws {
        let path = ready ? "/readyz" : live ? "/livez" : startup ? "/startupz" : "/healthz"
        let response: HTTPResponse
        do throws(HTTPTransportError) {
            response = try ask(path)
        } catch {
            if !quiet {
                complain(
                    "no agent answers at \(admin.admin.escaped): \(admin.access.reason(error, at: admin.admin).escaped)"
                )
            }
            throw ExitCode(1)
        }
        guard response.status != 401, response.status != 403 else {
            if !quiet {
                complain(
                    "the agent at \(admin.admin.escaped) asks for a token that allows it: --token, SIDELIGHT_TOKEN")
            }
            throw ExitCode(1)
        }
        guard !AdminAccess.isMissingTLS(response) else {
            if !quiet { complain("the agent at \(admin.admin.escaped) speaks TLS: ask it with https://") }
            throw ExitCode(1)
        }
        guard response.header("sidelight-agent") != nil, let table = HealthTable(response.body) else {
            if !quiet { complain("what answers at \(admin.admin.escaped) is no Sidelight agent") }
            throw ExitCode(1)
        }
        if !quiet { show(response.body, table) }
        if response.status != 200 { throw ExitCode(1) }
    }

    private func ask(_ path: String) throws(HTTPTransportError) -> HTTPResponse {
        var request = HTTPRequest(
            url: (AdminAccess.url(admin.admin) ?? "") + path, headers: [("accept", Self.type)],
            responseBytesMax: Self.answerBytesMax)
        if let authorization = admin.access.authorization { request.headers.append(("authorization", authorization)) }
        request.timeoutMilliseconds = max(1, Int(min(Units.nanoseconds(timeout) ?? 0, 1 << 60) / 1_000_000))
        var options = admin.access.options
        options.proxy = ""
        admin.access.warn(of: admin.admin)
        let transport = CurlTransport()
        let answer = Monitor<Result<HTTPResponse, HTTPTransportError>?>(nil)
        transport.client(options).send(request) { result in
            answer.withLock { $0 = result }
            answer.wake()
        }
        return try answer.wait { $0.map { .done($0) } ?? .untilWoken }.get()
    }

    private func show(_ answer: [UInt8], _ table: HealthTable) {
        let output = Output()
        if json {
            output.json(String(decoding: answer, as: UTF8.self))
        } else {
            for line in table.lines { output.line(line) }
        }
        output.flush()
    }
}
