import Receivers
import Server
import Synchronization
import System
import Telemetry
import Wire

/// An intake that keeps what it is given and answers what it is told to.
final class RecordingIntake: Intake {
    struct Entry: Sendable {
        var received: OTLP.Received
        var signal: Signal
        var receiver: ReceiverName
    }

    private let state = Mutex(
        (entries: [Entry](), answer: IntakeAnswer.accepted, waiting: [@Sendable (IntakeAnswer) -> Void]()))
    /// Answers at the end of the turn, not at once.
    let waits: Bool

    init(waits: Bool = false) { self.waits = waits }

    var entries: [Entry] { state.withLock { $0.entries } }

    func answers(_ answer: IntakeAnswer) { state.withLock { $0.answer = answer } }

    func accept(
        _ received: OTLP.Received, of signal: Signal, from receiver: ReceiverName,
        answer: @escaping @Sendable (IntakeAnswer) -> Void
    ) {
        let now: IntakeAnswer? = state.withLock {
            $0.entries.append(Entry(received: received, signal: signal, receiver: receiver))
            if waits { $0.waiting.append(answer) }
            return waits ? nil : $0.answer
        }
        if let now { answer(now) }
    }

    func turnEnded() {
        let (waiting, answer) = state.withLock { state in
            defer { state.waiting = [] }
            return (state.waiting, state.answer)
        }
        for call in waiting { call(answer) }
    }
}

/// Requests by hand.
enum Sample {
    static func span(_ id: UInt8, name: String = "span") -> [UInt8] {
        var writer = ProtobufWriter()
        writer.putBytes(1, [UInt8](repeating: 7, count: 16))
        writer.putBytes(2, [UInt8](repeating: id, count: 8))
        writer.putString(5, name)
        writer.putFixed64(7, 1_000)
        writer.putFixed64(8, 2_000)
        return writer.takeBytes()
    }

    /// One resource, one scope, these items.
    static func request(_ items: [[UInt8]]) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1, lengthBytes: 3) {
            $0.message(2, lengthBytes: 3) { for item in items { $0.putBytes(2, item) } }
        }
        return writer.takeBytes()
    }
}
