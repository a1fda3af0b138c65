internal import Configuration
internal import Linux
internal import Logs
internal import Server
internal import Synchronization
internal import System
internal import Telemetry
internal import Transport

/// Reads the files of all receivers of the kind `files`, on a thread of its own (`LogTailLoop`). Main thread, but for `counts`.
final class LogTail: Sendable {
    /// How long the last delivery may take when the agent ends.
    private static let graceNanoseconds: UInt64 = 3_000_000_000

    /// What it works with.
    struct Surroundings: Sendable {
        let intake: PipelineIntake
        let server: Server
        let positions: PositionLog
        let clock: LinuxClock
        let messages: Messages
    }

    /// What it was told, and what it tells.
    final class Shared: Sendable {
        struct Orders: Sendable {
            /// Others to read from now on.
            var sources: [LogSourceSettings]?
            var limits = TailLimits()
            /// Of the smallest queue.
            var queueBytes = Int.max
            var isPaused = false
            /// Monotonic nanoseconds.
            var endsAt: UInt64?
        }

        let orders = Mutex(Orders())
        /// Of the delivery that the server's thread has.
        let receipt = Mutex<LogReceipt?>(nil)
        /// Of orders and receipts.
        let wake: EventDescriptor
        /// It is paused, and the server's thread has nothing of it.
        let isIdle = Monitor(false)
        let counts = Mutex(LogTailCounts())

        init() throws { wake = try EventDescriptor() }

        func order(_ change: (inout Orders) -> Void) {
            orders.withLock { change(&$0) }
            wake.signal()
        }
    }

    let positions: PositionLog
    private let shared: Shared
    private let thread: ServiceThread

    /// Starts to read.
    /// - Parameter queueBytes: of the smallest queue: a delivery must fit into it.
    init(
        _ sources: [LogSourceSettings], _ limits: LogFilesLimits, queueBytes: Int, _ surroundings: Surroundings
    ) throws {
        positions = surroundings.positions
        let shared = try Shared()
        self.shared = shared
        shared.orders.withLock { orders in
            orders.sources = sources
            orders.limits = TailLimits(limits)
            orders.queueBytes = queueBytes
        }
        thread = ServiceThread(name: "sidelight-tail") { LogTailLoop(shared, surroundings).run() }
    }

    /// Reads nothing more until `resume`. Blocks until the server's thread has nothing of it; what was refused waits.
    func pause() {
        shared.isIdle.withLock { $0 = false }
        shared.order { $0.isPaused = true }
        shared.isIdle.wait { $0 ? .done(()) : .untilWoken }
    }

    func resume(_ sources: [LogSourceSettings], _ limits: LogFilesLimits) {
        shared.order { orders in
            orders.isPaused = false
            orders.sources = sources
            orders.limits = TailLimits(limits)
        }
    }

    /// Deliveries fit into queues of so many bytes from now on.
    func fit(queueBytes: Int) { shared.order { $0.queueBytes = queueBytes } }

    /// Hands over what was read, and ends. What is not taken by then is read again by the next run.
    func end(_ clock: LinuxClock) {
        shared.order { $0.endsAt = clock.monotonicNanoseconds() + Self.graceNanoseconds }
        thread.join()
    }

    /// As of the last turns.
    var counts: LogTailCounts { shared.counts.withLock { $0 } }
}

/// What was read, and what became of it.
struct LogTailCounts: Sendable {
    struct Receiver: Sendable {
        var items: UInt64 = 0
        var taken: UInt64 = 0
        var full: UInt64 = 0
        var failed: UInt64 = 0
        var lines = LogCounts()
    }

    var tail = TailCounts()
    var receivers: [String: Receiver] = [:]
    /// The files that are furthest behind.
    var lags: [TailLag] = []
}

extension TailLimits {
    init(_ limits: LogFilesLimits) {
        self.init()
        openFilesMax = limits.openFilesMax
        pollNanoseconds = limits.pollNanoseconds
        rotateWaitNanoseconds = limits.rotateWaitNanoseconds
    }
}
