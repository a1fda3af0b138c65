internal import CodeCheck
internal import Glibc
internal import Linux
internal import Wire

/// One `sidelight-worker --check`. It is killed when this is let go of. One thread's, which lives as long.
final class CodeCheckProcess {
    /// The worker gives up a file after 20 seconds by itself.
    private static let patienceMilliseconds: Int32 = 40_000

    private let process: ChildProcess
    private let connection: LocalConnection

    /// - Throws: `WorkerStartError`, and what the worker finds wrong with the options.
    init(_ options: CodeCheckOptions) throws(WorkerStartError) {
        let executable = try Worker.executable()
        do {
            let (own, others) = try LocalConnection.pair()
            process = try ChildProcess(
                executable: executable, arguments: ["--check"], descriptors: [others.fileDescriptor],
                parentDeathSignal: SIGKILL, hasOwnGroup: true, environment: [])
            withExtendedLifetime(others) {}
            own.setTimeouts(milliseconds: Self.patienceMilliseconds)
            connection = own
        } catch {
            throw WorkerStartError(description: "\(error)")
        }
        guard let report = exchange(options.json) else {
            throw WorkerStartError(description: "the validator does not start: it \(ending)")
        }
        // It has looked at a file in which there is nothing to find.
        if let failure = report.findings.first(where: { $0.rule == "check-failed" }) {
            throw WorkerStartError(description: failure.message)
        }
    }

    deinit { kill() }

    /// Nil: the worker is of no more use; `ending` says why.
    func check(_ bytes: [UInt8], _ kind: CodeKind) -> CodeReport? { exchange([CodeFrame.byte(kind)] + bytes) }

    private func exchange(_ frame: [UInt8]) -> CodeReport? {
        guard connection.send(CodeFrame.header(frame.count) + frame), let header = connection.receive(exactly: 4),
            let length = CodeFrame.length(header), let bytes = connection.receive(exactly: length),
            let json = try? JSONValue(parsing: bytes)
        else { return nil }
        return CodeReport(json)
    }

    private var isOver = false
    private var status: ChildProcess.Status?

    private func kill() {
        guard !isOver else { return }
        isOver = true
        // One that has ended a moment ago says itself how.
        var poller = Poller([process.fileDescriptor])
        try? poller.wait(nanoseconds: 50_000_000)
        process.send(SIGKILL)
        status = try? process.reap().status
    }

    /// Ends it, and says how it ended.
    var ending: String {
        kill()
        switch status {
        case .exited(CodeFrame.memoryExitCode): return "took more memory than a check may"
        case .exited(let code): return "ended with exit code \(code)"
        case .signaled(SIGKILL, _): return "took longer than a check may, or was killed"
        case .signaled(let signal, _): return "was killed by signal \(signal)"
        case nil: return "ended"
        }
    }
}
