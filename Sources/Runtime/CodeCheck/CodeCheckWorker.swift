// `sidelight-worker --check`: looks at files that it gets over a socket, one after the other, and answers with what it has found. It opens nothing and runs none of it. The agent's
// side is Sources/Agent/CodeCheck.

internal import CodeCheck
internal import Engine
internal import Glibc
internal import Linux
internal import Wire

enum CodeCheckWorker {
    /// For concurrent compilation and garbage collection.
    private static let workerThreads = 1

    /// Until the agent closes the connection, which is descriptor 3. The first frame is the options, each other one a byte for the kind and the file.
    static func run(_ arguments: [String]) throws -> Never {
        guard arguments.isEmpty else { throw UsageError("--check takes no arguments: the agent starts it") }
        SignalDescriptor.ignoreBrokenPipes()
        let connection = LocalConnection(owning: 3)
        Engine.onFatalError { _, _, outOfMemory in if outOfMemory { _exit(CodeFrame.memoryExitCode) } }
        Engine.start(workerThreads: workerThreads)
        guard let frame = CodeFrame.receive(connection), let json = try? JSONValue(parsing: frame),
            let options = CodeCheckOptions(json)
        else {
            throw UsageError("--check got no options")
        }
        let thread = CodeCheckThread(options)
        // Warm, and so that nothing is left to be opened or started behind the fence.
        let first = thread.check(Array("0;".utf8), .either)
        Machine.confine()
        guard CodeFrame.send(first.json, to: connection) else { _exit(1) }
        while let frame = CodeFrame.receive(connection), let kind = frame.first.flatMap({ CodeFrame.kind($0) }) {
            let report = thread.check(Array(frame.dropFirst()), kind)
            guard CodeFrame.send(report.json, to: connection) else { break }
        }
        _exit(0)
    }
}
