// What the worker was told: its arguments, and the configuration that the agent hands over in a file descriptor.

internal import Engine
internal import Glibc
internal import Linux
internal import Policy
internal import System
internal import Telemetry
internal import Wire

struct WorkerOptions: Sendable {
    enum Command: Hashable, Sendable {
        case run(entry: String)
        case buildSnapshot(path: String)
        case checkTLS
        case version
    }

    var command: Command
    /// What follows the entry: the program's.
    var arguments: [String] = []
    var ringDescriptor: Int32?
    /// An eventfd.
    var wakeDescriptor: Int32?
    /// The entry's default export handles requests, instead of the entry being a program that runs to its end.
    var serves = false
    /// A socket that listens.
    var listenDescriptor: Int32?
    var boardDescriptor: Int32?
    /// A stream socket to the agent.
    var controlDescriptor: Int32?
    /// Where child isolates write.
    var placesDescriptor: Int32?
    /// Certificate and key of a server that speaks TLS, and the keys of its tickets.
    var identityDescriptor: Int32?
    var ticketsDescriptor: Int32?
    /// Where `--check-tls` and `--list-files` write what they find.
    var answerDescriptor: Int32?
    /// Nothing is run: what files entry and arguments consist of is wanted.
    private(set) var listsFiles = false
    var configuration = JSON.object([])
    /// What the program may do.
    private(set) var policy = Policy.standard
    /// The highest that it was given.
    private(set) var descriptorMax: Int32 = 2
    private var snapshotArgument: String?
    /// Nil: code is not checked before it runs.
    private(set) var codeGate: CodeGate?

    // MARK: From the configuration

    /// Bytes; 0: V8's default.
    var heapBytesMax: Int { configuration["heapBytesMax"]?.number.map { Int($0) } ?? 0 }
    /// Whether the language's objects are frozen before the program runs.
    var freezesPrimordials: Bool { configuration["primordials"]?.string == "frozen" }
    /// Child isolates at once.
    var workersMax: Int { configuration["workersMax"]?.number.map { Int($0) } ?? 16 }
    /// Turns that take longer are profiled.
    var slowMilliseconds: Double? { configuration["profileSlowMilliseconds"]?.number }
    /// Of a heap snapshot when the heap's limit is reached; nil: none is taken.
    var snapshotBytesMax: Int? { configuration["heapSnapshotBytesMax"]?.number.map { Int($0) } }
    var snapshotPath: String? { snapshotArgument ?? configuration["snapshot"]?.string }
    /// Whoever could write to it would have other code run than was signed.
    var cacheDirectory: String? {
        configuration["signed"] == nil && !listsFiles ? configuration["cacheDir"]?.string : nil
    }
    /// `NAME=value` each: the program's variables, with what the worker's libraries look for. Nil: those that the process has.
    var variables: [String]? {
        guard case .array(let texts) = configuration["variables"] else { return nil }
        return texts.compactMap(\.string)
    }
    /// `NAME=value` each: variables that are in no environment but the program's own.
    var secrets: [String] {
        guard case .array(let texts) = configuration["secrets"] else { return [] }
        return texts.compactMap(\.string)
    }
    /// What is never to be said; nil: there is nothing.
    var mask: SecretMask? { SecretMask(secrets.map { Array($0.utf8.drop { $0 != UInt8(ascii: "=") }.dropFirst()) }) }
    /// Nil: the program need not be signed.
    var signedFiles: SignedFiles? { SignedFiles(configuration["signed"]) }
    /// Bytes of a WebAssembly memory; nil: V8's 4 GiB.
    var wasmMemoryBytesMax: Int? { configuration["wasmMemoryBytesMax"]?.number.map { Int($0) } }
    /// What a WASI command may reach: its own name of each folder, and the path.
    var folders: [(guest: String, host: String)] {
        guard case .array(let folders) = configuration["folders"] else { return [] }
        return folders.map { ($0["guest"]?.string ?? "", $0["host"]?.string ?? "") }
    }
    /// Those that are whole numbers of bytes or pieces, by their names: docs/limits.md.
    func limit(_ name: String) -> Int? { configuration["use"]?[name]?.number.map { Int($0) } }

    /// Of the whole run; of a server they hold for each request, or each turn of the event loop.
    var limits: WatchdogLimits {
        var limits = WatchdogLimits()
        let cpu = configuration["cpuMilliseconds"]?.number
        let wall = configuration["wallMilliseconds"]?.number
        if serves {
            limits.requestCPUMilliseconds = cpu
            limits.requestWallMilliseconds = wall
            limits.loopBlockMilliseconds = configuration["loopBlockMilliseconds"]?.number
        } else {
            limits.cpuMilliseconds = cpu
            limits.wallMilliseconds = wall
        }
        if let percent = configuration["cpuWindowPercent"]?.number,
            let milliseconds = configuration["cpuWindowMilliseconds"]?.number
        {
            limits.window = CPUWindowWatch.Limit(percent: percent, milliseconds: milliseconds)
        }
        limits.memoryBytes = limit("memory")
        limits.residentBytes = limit("resident")
        return limits
    }
    /// Whether anybody reads the ring.
    var isTraced: Bool { ringDescriptor != nil }

    // MARK: Arguments

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        var configurationDescriptor: Int32?
        command = .version
        while let argument = rest.popFirst() {
            switch argument {
            case "--ring-fd": ringDescriptor = try descriptor(argument, rest.popFirst())
            case "--wake-fd": wakeDescriptor = try descriptor(argument, rest.popFirst())
            case "--serve": serves = true
            case "--listen-fd": listenDescriptor = try descriptor(argument, rest.popFirst())
            case "--board-fd": boardDescriptor = try descriptor(argument, rest.popFirst())
            case "--control-fd": controlDescriptor = try descriptor(argument, rest.popFirst())
            case "--places-fd": placesDescriptor = try descriptor(argument, rest.popFirst())
            case "--tls-fd": identityDescriptor = try descriptor(argument, rest.popFirst())
            case "--tickets-fd": ticketsDescriptor = try descriptor(argument, rest.popFirst())
            case "--answer-fd": answerDescriptor = try descriptor(argument, rest.popFirst())
            case "--check-tls":
                guard rest.isEmpty else { throw UsageError("--check-tls comes last") }
                command = .checkTLS
                return
            case "--config-fd": configurationDescriptor = try descriptor(argument, rest.popFirst())
            case "--list-files": listsFiles = true
            case "--snapshot": snapshotArgument = try Self.path(argument, rest.popFirst())
            case "--build-snapshot":
                command = .buildSnapshot(path: try Self.path(argument, rest.popFirst()))
                return
            case "--version": return
            case "--": break
            case _ where argument.hasPrefix("-"):
                throw UsageError("unknown option \(argument)")
            default:
                rest = [argument] + rest
            }
            if argument == "--" || !argument.hasPrefix("-") { break }
        }
        guard let entry = rest.popFirst() else {
            throw UsageError("no entry; usage: sidelight-worker [OPTIONS] ENTRY [ARGS…]")
        }
        command = .run(entry: FilePath.resolve(entry, in: Self.workingDirectory()))
        self.arguments = listsFiles ? rest.map { FilePath.resolve($0, in: Self.workingDirectory()) } : Array(rest)
        if let configurationDescriptor { configuration = try Self.readConfiguration(configurationDescriptor) }
        codeGate = CodeGate(configuration["check"])
        if let json = configuration["policy"] {
            guard let policy = Policy(json: Array(json.text.utf8)) else {
                throw UsageError("the policy in the configuration is none; agent and worker must be of one release")
            }
            self.policy = policy
        }
    }

    private mutating func descriptor(_ option: String, _ value: String?) throws(UsageError) -> Int32 {
        guard let number = value.flatMap({ Int32($0) }), number >= 0 else {
            throw UsageError("\(option) needs a file descriptor")
        }
        descriptorMax = max(descriptorMax, number)
        return number
    }

    private static func path(_ option: String, _ value: String?) throws(UsageError) -> String {
        guard let value else { throw UsageError("\(option) needs a path") }
        return value
    }

    private static func readConfiguration(_ descriptor: Int32) throws(UsageError) -> JSON {
        defer { close(descriptor) }
        do {
            return try JSON(parsing: try readToEnd(descriptor))
        } catch {
            throw UsageError("the configuration in descriptor \(descriptor) cannot be read: \(error)")
        }
    }

    private static func workingDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    // MARK: For JavaScript

    /// The argument of `internal.start`; see 90_start.js.
    func startConfiguration(entry: String, _ gate: PolicyGate) -> JSON {
        let (shown, watched) = gate.environment(environmentTexts)
        let executable = Machine.executablePath ?? "sidelight-worker"
        let argv = [executable, entry] + arguments
        return .object([
            JSON.Member(key: "argv", value: .array(argv.map(JSON.string))),
            JSON.Member(key: "env", value: Self.environment(shown + secrets)),
            JSON.Member(key: "policy", value: gate.startConfiguration(watched: watched, isFrozen: freezesPrimordials)),
            JSON.Member(key: "metricInterval", value: .string(Self.variable("OTEL_METRIC_EXPORT_INTERVAL") ?? "")),
            JSON.Member(key: "pid", value: .number(Double(getpid()))),
            JSON.Member(key: "ppid", value: .number(Double(getppid()))),
            JSON.Member(key: "cwd", value: .string(Self.workingDirectory())),
            JSON.Member(key: "platform", value: .string("linux")),
            JSON.Member(key: "arch", value: .string(Self.architecture)),
            JSON.Member(
                key: "versions",
                value: .object([
                    JSON.Member(key: "sidelight", value: .string(WorkerMain.version)),
                    JSON.Member(key: "v8", value: .string(Engine.version)),
                ])),
            JSON.Member(key: "entry", value: .string(entry)),
            JSON.Member(key: "trace", value: trace),
            JSON.Member(key: "limits", value: configuration["use"] ?? .object([])),
            JSON.Member(key: "terminals", value: streams { isatty($0) == 1 }),
            JSON.Member(key: "colors", value: streams(Self.showsColors)),
        ])
    }

    /// The agent's configuration holds what tracing needs. Without an agent the ring is there, but only for its clock.
    private var trace: JSON {
        guard case .object(let members) = configuration, isTraced else {
            return .object([JSON.Member(key: "enabled", value: .bool(false))])
        }
        return .object(members.filter { Self.ofTracing.contains($0.key) })
    }

    /// All else in the configuration (secrets, tokens of registries, the fence, the policy) is none of JavaScript's business.
    private static let ofTracing: Set = ["sdkDisabled", "propagators", "sampler", "limits"]

    /// `NAME=value` each. What seals secrets and opens the agent's doors is none of the program's business; a secret is seen in place of a variable of its name.
    var environmentTexts: [String] {
        let hidden = Set(["SIDELIGHT_PASSPHRASE", "SIDELIGHT_TOKEN"] + secrets.map { String($0.prefix { $0 != "=" }) })
        return Machine.environmentTexts.filter { !hidden.contains(String($0.prefix { $0 != "=" })) }
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The last of a name counts.
    private static func environment(_ texts: [String]) -> JSON {
        var members: [JSON.Member] = []
        for variable in texts {
            if let equals = variable.firstIndex(of: "="), equals != variable.startIndex {
                let value = String(variable[variable.index(after: equals)...])
                members.append(JSON.Member(key: String(variable[..<equals]), value: .string(value)))
            }
        }
        return .object(members)
    }

    private func streams(_ test: (Int32) -> Bool) -> JSON {
        .object([
            JSON.Member(key: "stdout", value: .bool(test(1))), JSON.Member(key: "stderr", value: .bool(test(2))),
        ])
    }

    /// https://no-color.org
    private static func showsColors(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1 else { return false }
        let refuses = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        return !refuses && getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? true
    }

    /// Node's name of it.
    private static var architecture: String {
        #if arch(x86_64)
        "x64"
        #else
        "arm64"
        #endif
    }
}

/// A command line that makes no sense.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
