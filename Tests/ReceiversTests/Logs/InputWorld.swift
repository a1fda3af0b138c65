import Foundation
import Glibc
import Linux
import Logs
import System
import Telemetry
import Testing
import Wire

@testable import Receivers

/// A record as the queues get it.
struct Got: Equatable, Sendable {
    var receiver: String
    var resource: [String: String] = [:]
    var attributes: [String: String] = [:]
    var body: String
    var severity: UInt8
    var time: UInt64
}

/// Runs inputs on a thread, and takes what they hand on, or not.
final class InputWorld: Sendable {
    struct State {
        var got: [Got] = []
        var attempts = 0
        var over: [String] = []
        var said: [String] = []
        /// How many more deliveries are taken.
        var takes = Int.max
        /// How `run` ended.
        var undelivered: Int?
    }

    let state = Monitor<State>(State())
    let inputs: LogInputs

    init(refuses: Bool = false, _ make: @escaping @Sendable (InputWorld) -> [any LogInput]) throws {
        let state = state
        state.withLock { $0.takes = refuses ? 0 : .max }
        inputs = try LogInputs(clock: LinuxClock()) { parts in
            { answer in
                let isTaken = state.withLock { state in
                    state.attempts += 1
                    guard state.takes > 0 else { return false }
                    state.takes -= 1
                    for (receiver, batches) in parts {
                        for batch in batches { state.got += Self.records(batch, receiver) }
                    }
                    return true
                }
                state.wake()
                answer(isTaken)
            }
        } over: { receiver in
            state.withLock { $0.over.append(receiver) }
            state.wake()
        }
        inputs.change { [unowned self] _ in make(self) }
        let inputs = inputs
        Thread.detachNewThread {
            let undelivered = try? inputs.run()
            state.withLock { $0.undelivered = undelivered }
            state.wake()
        }
    }

    func say(_ text: String) {
        state.withLock { $0.said.append(text) }
        state.wake()
    }

    private static func records(_ batch: Batch, _ receiver: String) -> [Got] {
        func texts(_ attributes: Attributes) -> [String: String] {
            Dictionary(attributes.map { ($0.key, text($0.value)) }) { $1 }
        }
        func text(_ value: AttributeValue) -> String {
            switch value {
            case .string(let text): text
            case .int(let number): "\(number)"
            default: "\(value)"
            }
        }
        let resource = try! batch.decodedResource()
        return batch.items.indices.map { index in
            let record = try! batch.logRecord(at: index)
            return Got(
                receiver: receiver, resource: texts(resource.attributes), attributes: texts(record.attributes),
                body: text(record.body), severity: record.severity, time: record.time)
        }
    }

    /// Waits until so many records have come, and returns them.
    func records(_ count: Int) -> [Got] {
        state.wait { $0.got.count >= count ? .done($0.got) : .untilWoken }
    }

    /// Ends the inputs; returns what could not be delivered.
    func stop(graceMilliseconds: Int = 60_000) -> Int {
        inputs.stop(graceMilliseconds: graceMilliseconds)
        return state.wait { $0.undelivered.map { .done($0) } ?? .untilWoken }
    }

    /// Those of a thread that has not looked yet are 0.
    func counts(_ receiver: String) -> LogInputCounts {
        inputs.counts.first { $0.receiver == receiver }?.counts ?? LogInputCounts()
    }

    /// Waits until what is counted is so.
    func wait(_ receiver: String, until isSo: (LogInputCounts) -> Bool) {
        while !inputs.counts.contains(where: { $0.receiver == receiver && isSo($0.counts) }) { usleep(1_000) }
    }
}

/// A client of plain sockets, blocking.
final class Client {
    let descriptor: Int32

    init(tcp port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        connect(port)
    }

    init(udp port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        connect(port)
    }

    deinit { close(descriptor) }

    private func connect(_ port: UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0, "connect: \(errno)")
    }

    func send(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Whether the other end closes without a word.
    func isClosed() -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) <= 0
    }
}

func temporaryFolder() -> String {
    let path = NSTemporaryDirectory() + "sidelight-inputs-" + UUID().uuidString.prefix(8)
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

/// Starts a program; nil where there is none.
func start(_ executable: String, _ arguments: [String]) -> ChildProcess? {
    guard FileManager.default.isExecutableFile(atPath: executable) else { return nil }
    return try! ChildProcess(executable: executable, arguments: arguments, descriptors: [], parentDeathSignal: 0)
}

/// Runs a program to its end; nil where there is none.
func run(_ executable: String, _ arguments: [String]) -> Int32? {
    guard let process = start(executable, arguments) else { return nil }
    guard case .exited(let code) = try! process.reap().status else { return -1 }
    return code
}
