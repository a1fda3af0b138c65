internal import Configuration
internal import Glibc
internal import Linux
internal import Telemetry

/// Why a script cannot be used; for people, with its file, line and column.
struct ScriptLoadError: Error, CustomStringConvertible {
    let description: String
    /// Whose script it is.
    var processor: String?
}

/// One `sidelight-worker --script`, with the memory it shares. It is killed when this is let go of.
final class ScriptProcess {
    let memory: ScriptMemory
    private let process: ChildProcess
    private let control: LocalConnection
    private let ready: ReadySet
    private var isOver = false

    /// - Parameter ready: becomes readable when the worker has something to tell, or has ended.
    init(_ configuration: ScriptConfiguration, ready: ReadySet) throws {
        let executable = try Worker.executable()
        memory = try ScriptMemory()
        let (own, others) = try LocalConnection.packetPair()
        let arguments = [
            "--script", "--memory-fd", "3", "--control-fd", "4", "--cpu", "\(configuration.cpuNanoseconds)", "--heap",
            "\(configuration.heapBytes)", "--", configuration.file,
        ]
        // What the agent is told by its environment is none of a script's business; the time zone is.
        let environment = Machine.variable("TZ").map { ["TZ=\($0)"] } ?? []
        process = try ChildProcess(
            executable: executable, arguments: arguments, descriptors: [memory.fileDescriptor, others.fileDescriptor],
            parentDeathSignal: SIGKILL, hasOwnGroup: true, environment: environment)
        control = own
        self.ready = ready
        do {
            try ready.add(control.fileDescriptor)
        } catch {
            _ = end()
            throw error
        }
        withExtendedLifetime(others) {}
    }

    deinit { if !isOver { _ = end() } }

    enum Event {
        /// The signals it takes, as bits.
        case loaded(UInt8)
        case notLoaded(String)
        case result(slot: Int, ScriptMemory.End)
        case line(severity: UInt8, String)
        case exception(String)
        /// It does not keep to the rules.
        case broken
        case over
    }

    /// What it has told; nil: nothing more for now.
    func next() -> Event? {
        guard case .bytes(let bytes) = received() else { return lastReceived == .nothing ? nil : .over }
        func text(from start: Int) -> String { String(decoding: bytes[start...], as: UTF8.self) }
        switch (ScriptMemory.Packet(rawValue: bytes[0]), bytes.count) {
        case (.loaded, 2): return .loaded(bytes[1])
        case (.notLoaded, _): return .notLoaded(text(from: 1))
        case (.line, 2...): return .line(severity: bytes[1], text(from: 2))
        case (.exception, _): return .exception(text(from: 1))
        case (.result, 3):
            guard let end = ScriptMemory.End(rawValue: bytes[2]), bytes[1] < ScriptMemory.slots else { return .broken }
            return .result(slot: Int(bytes[1]), end)
        default: return .broken
        }
    }

    private var lastReceived = LocalConnection.Received.nothing

    private func received() -> LocalConnection.Received {
        lastReceived = control.receiveNow(max: ScriptMemory.packetBytesMax)
        return lastReceived
    }

    /// Waits until there may be something to tell, at most so long.
    func wait(nanoseconds: UInt64) {
        var poller = Poller([control.fileDescriptor])
        try? poller.wait(nanoseconds: nanoseconds)
    }

    /// Gives it the batch in a slot. False: it takes nothing any more.
    func send(_ slot: Int) -> Bool { control.sendNow([UInt8(slot)]) }

    /// Kills it, and says how it ended.
    func end() -> ChildProcess.Status? {
        guard !isOver else { return nil }
        isOver = true
        ready.remove(control.fileDescriptor)
        process.send(SIGKILL)
        return try? process.reap().status
    }

    /// Says how a worker that has closed its connection ended.
    func reapEnded() -> ChildProcess.Status? {
        // Its descriptors are closed a moment before it is over; one that lives on without its connection is of no use.
        var poller = Poller([process.fileDescriptor])
        try? poller.wait(nanoseconds: 100_000_000)
        return end()
    }
}
