internal import Configuration
internal import Linux
internal import Logs
internal import Receivers
internal import Server
internal import Synchronization
internal import System
internal import Telemetry
internal import Transport

/// Reads logs that come in otherwise than in files, on a thread of its own (`LogInputs`). Main thread, but for `counts`.
final class LogInputReading {
    /// How long the last delivery may take when the agent ends.
    private static let graceMilliseconds = 3_000

    /// What it works with.
    struct Surroundings: Sendable {
        let intake: PipelineIntake
        let server: Server
        let clock: LinuxClock
        let messages: Messages
    }

    /// What became of what was made of one receiver.
    struct Deliveries: Sendable {
        var items: UInt64 = 0
        var taken: UInt64 = 0
        var full: UInt64 = 0
        var failed: UInt64 = 0
    }

    /// What the threads share.
    final class Shared: Sendable {
        fileprivate let deliveries = Mutex<[String: Deliveries]>([:])
        fileprivate let notices = Mutex(FailureNotices())
        fileprivate let inputs = Mutex<LogInputs?>(nil)

        /// As of the last turns.
        var counts: [(receiver: String, read: LogInputCounts, delivered: Deliveries)] {
            let read = inputs.withLock { $0?.counts ?? [] }
            let deliveries = deliveries.withLock { $0 }
            return read.map { ($0.receiver, $0.counts, deliveries[$0.receiver] ?? Deliveries()) }
        }
    }

    let shared = Shared()
    /// Readable when standard input is at its end, and all of it in the queues.
    let isOver: EventDescriptor
    private let surroundings: Surroundings
    private let inputs: LogInputs
    private let thread: ServiceThread
    private var configurations: [LogInputConfiguration] = []
    private var sockets: [LogInputOpening.Place: SyslogInput.Sockets] = [:]

    /// Opens what is to be read, and starts to read.
    init(_ opening: LogInputOpening, _ surroundings: Surroundings) throws {
        self.surroundings = surroundings
        let isOver = try EventDescriptor()
        self.isOver = isOver
        inputs = try LogInputs(clock: surroundings.clock) { [shared] parts in
            Self.attempt(parts, surroundings, shared)
        } over: { receiver in
            if receiver.prefix(while: { $0 != "/" }) == LogInputConfiguration.Kind.stdin.rawValue { isOver.signal() }
        }
        let inputs = inputs
        shared.inputs.withLock { $0 = inputs }
        let messages = surroundings.messages
        thread = ServiceThread(name: "sidelight-logs") {
            do {
                let lost = try inputs.run()
                guard lost > 0 else { return }
                messages.warn("\(countText(lost, "log record")) were read, and no queue took them before the end")
            } catch { fatalError("logs cannot be read: \(error)") }
        }
        adopt(opening)
    }

    /// What it takes to read what this says; nothing has changed yet.
    func opening(_ next: PipelineConfiguration) throws(LogInputOpening.Failure) -> LogInputOpening {
        try LogInputOpening(
            next.logInputs, next.queue.directory, keeping: configurations, sockets, surroundings.messages)
    }

    /// Ends what does not stay as it was, and waits until what is left of it has gone the way that it has now, three seconds at most.
    func prepare(_ opening: LogInputOpening) {
        let kept = Set(opening.kept)
        inputs.change { inputs in inputs.filter { kept.contains($0.receiver) } }
        inputs.settle(graceMilliseconds: Self.graceMilliseconds)
    }

    /// Reads these from now on; what stayed as it was goes on.
    func adopt(_ opening: LogInputOpening) {
        let made = opening.made
        made.isHandedOver = true
        inputs.change { inputs in inputs + made.inputs }
        configurations = opening.configurations
        for (place, open) in sockets where opening.sockets[place] == nil { open.removePaths() }
        // Their descriptors are watched until the inputs' thread has let go of them; then the last of them closes them.
        sockets = opening.sockets
    }

    /// Where it is listened, as it was opened: of port 0 the one that the system chose. Nil: nowhere.
    func place(of configuration: LogInputConfiguration) -> ListeningSocket.Place? {
        guard case .syslog(let syslog) = configuration.source else { return nil }
        let open = sockets[
            LogInputOpening.Place(name: configuration.name, listen: syslog.listen, transports: syslog.transports)]
        return open?.listeners.first?.place ?? open?.datagrams.first?.place
    }

    /// Hands over what was read, and ends.
    func end() {
        inputs.stop(graceMilliseconds: Self.graceMilliseconds)
        thread.join()
        for open in sockets.values { open.removePaths() }
    }

    // MARK: Handing over

    private static func attempt(
        _ parts: [LogInputs.Part], _ surroundings: Surroundings, _ shared: Shared
    ) -> LogInputs.Attempt {
        let delivery = LogDelivery(parts, nil)
        return { answer in
            surroundings.server.perform {
                let receipt = surroundings.intake.take(delivery, nil)
                note(receipt, of: delivery, surroundings, shared)
                answer(receipt == .taken)
            }
        }
    }

    private static func note(
        _ receipt: LogReceipt, of delivery: LogDelivery, _ surroundings: Surroundings, _ shared: Shared
    ) {
        shared.deliveries.withLock { deliveries in
            for (receiver, batches) in delivery.parts {
                switch receipt {
                case .taken:
                    deliveries[receiver, default: Deliveries()].taken += 1
                    deliveries[receiver]!.items += batches.reduce(0) { $0 + UInt64($1.items.count) }
                case .refused(.full): deliveries[receiver, default: Deliveries()].full += 1
                case .refused(.storeBehind): break
                case .refused(.failed): deliveries[receiver, default: Deliveries()].failed += 1
                }
            }
        }
        let now = surroundings.clock.monotonicNanoseconds()
        switch receipt {
        case .taken:
            if shared.notices.withLock({ $0.tellsSuccess() }) { surroundings.messages.inform("logs are read on") }
        case .refused(.storeBehind): break
        case .refused(let reason):
            guard shared.notices.withLock({ $0.tellsFailure(now: now) }) else { return }
            let why = if case .failed(let words) = reason { words } else { "no queue has room" }
            surroundings.messages.warn(
                "logs are not read on for now (\(why)): who sends them has to wait, and datagrams are lost")
        }
    }
}
