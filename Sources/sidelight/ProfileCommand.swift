import Agent
import ArgumentParser
import Configuration
import Glibc
import Linux
import Transport
import Wire

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Profile the CPU of a workload that runs, or take a snapshot of its heap.",
        usage: "sidelight profile [OPTIONS] [PID|SERVICE]",
        discussion: """
            Finds what `sidelight serve` or `run` runs with the same --store. With several, name one: the process id of the agent or of a worker, or the service. \
            Of one with several isolates the first is profiled, or the one of --isolate. The samples carry the ids of the request's trace and span.

            EXAMPLES
              sidelight profile
              sidelight profile --duration 30s --format pprof --output cpu.pb.gz shop
              sidelight profile --format collapsed shop | flamegraph.pl > cpu.svg
              sidelight profile --heap 4711

            FORMATS
              cpuprofile  Chrome DevTools, VS Code      pprof      go tool pprof, Pyroscope (gzip)
              collapsed   a line a stack

            EXIT CODES
              0  success    1  nothing to profile, or it failed    2  usage
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case cpuprofile, pprof, collapsed
    }

    @Option(help: ArgumentHelp("How long, at most 10m.", valueName: "TIME"))
    var duration = "10s"

    @Option(help: ArgumentHelp("Between two samples, from 50us.", valueName: "TIME"))
    var interval = "1ms"

    @Option(help: ArgumentHelp("How to write it. See FORMATS.", valueName: "FORMAT"))
    var format = Format.cpuprofile

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where to write it (default: stdout for collapsed, else a file in the store).", valueName: "FILE"))
    var output: String?

    @Flag(help: "A heap snapshot (.heapsnapshot) instead. The workload stands still meanwhile.")
    var heap = false

    @Option(help: ArgumentHelp("Which isolate of the workload, from 0.", valueName: "N"))
    var isolate: Int?

    @OptionGroup var store: StoreOptions

    @Argument(help: ArgumentHelp("Which workload.", valueName: "PID|SERVICE"))
    var target: String?

    private struct Workload {
        let path: String
        let service: String
        let pid: Int64
        let workers: [Int64]

        var description: String { "\(service.escaped) (\(pid))" }
    }

    func run() throws {
        guard let duration = Units.nanoseconds(duration), duration > 0 else {
            throw ValidationError("--duration '\(duration)' is not a time such as 10s")
        }
        guard let interval = Units.nanoseconds(interval), (50_000...1_000_000_000).contains(interval) else {
            throw ValidationError("--interval '\(interval)' is not a time such as 1ms, from 50us to 1s")
        }
        let (workload, worker) = try choose(Self.workloads(store.directory))
        var request = JSONWriter()
        request.object { request in
            request.name("command")
            request.string(heap ? "heap" : "profile")
            request.name("milliseconds")
            request.integer(duration / 1_000_000)
            request.name("intervalMicroseconds")
            request.integer(interval / 1_000)
            if let worker {
                request.name("pid")
                request.integer(worker)
            } else {
                request.name("place")
                request.integer(isolate ?? 0)
            }
        }
        let patience = Self.resultNanoseconds &+ (heap ? 0 : duration)
        let reply = Self.connect(workload.path, request.bytes).flatMap { Self.reply($0, within: patience) }
        guard let path = reply?["file"]?.string else {
            complain(reply?["error"]?.string ?? "\(workload.description) did not answer")
            throw ExitCode(1)
        }
        try deliver(path)
    }

    /// The workload that is meant, and the worker if a worker was named.
    private func choose(_ workloads: [Workload]) throws -> (Workload, Int64?) {
        let number = target.flatMap { Int64($0) }
        let fitting = workloads.filter { workload in
            guard let target else { return true }
            return workload.service == target || workload.pid == number || workload.workers.contains { $0 == number }
        }
        guard let workload = fitting.first else {
            let others = workloads.map(\.description).joined(separator: ", ")
            complain(
                (target.map { "nothing that runs here is '\($0.escaped)'" } ?? "nothing runs")
                    + " with the store \(store.directory)" + (others.isEmpty ? "" : "; there is \(others)"))
            throw ExitCode(1)
        }
        guard fitting.count == 1 else {
            complain(
                "several run with this store: \(fitting.map(\.description).joined(separator: ", ")); name one by its process id"
            )
            throw ExitCode(1)
        }
        return (workload, workload.workers.first { $0 == number })
    }

    /// How long all workloads together may take to say who they are.
    private static let whoNanoseconds: UInt64 = 2_000_000_000
    /// How long one may take to give its result, on top of the time that was asked for.
    private static let resultNanoseconds: UInt64 = 430_000_000_000
    private static let connectMilliseconds: Int32 = 1_000
    private static let replyBytesMax = 1 << 20

    /// What runs with this store. A socket that nobody answers at is left over from one that was killed, or of one that is stopped.
    private static func workloads(_ store: String) -> [Workload] {
        let folder = store + "/control"
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        // All are asked before the first is waited for.
        var asked: [(path: String, connection: LocalConnection)] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            let path = "\(folder)/\(name)"
            guard name.hasSuffix(".sock"), let connection = connect(path, Array(#"{"command":"who"}"#.utf8)) else {
                continue
            }
            asked.append((path, connection))
        }
        var found: [Workload] = []
        let end = LinuxClock().monotonicNanoseconds() + whoNanoseconds
        for (path, connection) in asked {
            guard let reply = Self.reply(connection, until: end), let service = reply["service"]?.string,
                let pid = reply["pid"]?.integer, case .array(let workers)? = reply["workers"]
            else { continue }
            found.append(
                Workload(
                    path: path, service: service, pid: pid, workers: workers.compactMap { $0["pid"]?.integer }))
        }
        return found.sorted { $0.pid < $1.pid }
    }

    private static func connect(_ path: String, _ line: [UInt8]) -> LocalConnection? {
        guard let connection = try? LocalConnection.connect(path: path, milliseconds: connectMilliseconds),
            connection.sendNow(line + [UInt8(ascii: "\n")])
        else { return nil }
        return connection
    }

    private static func reply(_ connection: LocalConnection, within nanoseconds: UInt64) -> JSONValue? {
        reply(connection, until: LinuxClock().monotonicNanoseconds() &+ nanoseconds)
    }

    private static func reply(_ connection: LocalConnection, until deadline: UInt64) -> JSONValue? {
        connection.receiveLine(max: replyBytesMax, until: deadline).flatMap { try? JSONValue(parsing: $0) }
    }

    // MARK: the result

    private func deliver(_ path: String) throws {
        if heap || format == .cpuprofile, output == nil {
            print(path.escaped)
            return
        }
        let bytes = try read(path)
        guard !heap, format != .cpuprofile else { return try write(bytes) }
        let profile: CPUProfile
        do {
            profile = try CPUProfile(parsing: bytes)
        } catch {
            complain("\(path): \(error)")
            throw ExitCode(1)
        }
        switch format {
        case .collapsed:
            if output == nil {
                print(profile.collapsed.escapedText, terminator: "")
            } else {
                try write(Array(profile.collapsed.utf8))
            }
        case .pprof:
            let compressed = Gzip.compress(profile.pprof)
            if output != nil {
                try write(compressed)
            } else {
                let other = path.replacingSuffix(".cpuprofile", with: ".pb.gz")
                try write(compressed, to: other)
                print(other.escaped)
            }
        case .cpuprofile: break
        }
    }

    private func read(_ path: String) throws -> [UInt8] {
        do {
            return try readFile(path)
        } catch {
            complain("\(path): \(error.reason)")
            throw ExitCode(1)
        }
    }

    private func write(_ bytes: [UInt8], to path: String? = nil) throws {
        let path = path ?? output ?? ""
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        var rest = bytes[...]
        while descriptor >= 0, !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        let code = errno
        if descriptor >= 0 { close(descriptor) }
        guard descriptor >= 0, rest.isEmpty else {
            complain("\(path): \(String(cString: strerror(code)))")
            throw ExitCode(1)
        }
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? dropLast(suffix.count) + other : self + other
    }
}
