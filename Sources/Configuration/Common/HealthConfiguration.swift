/// When something is called well. docs/health.md.
public struct HealthConfiguration: Hashable, Sendable {
    public static let checksMax = 64
    /// Of what an answer has to have in it.
    public static let textBytesMax = 1_024

    /// How often the workload's `health` is called, and a check made. Nanoseconds.
    public var intervalNanoseconds: UInt64 = 5_000_000_000
    /// How long either may take. Nanoseconds.
    public var timeoutNanoseconds: UInt64 = 1_000_000_000
    /// How many failures, and successes, in a row it takes.
    public var failures = 3
    public var successes = 1
    /// How long everything may take to come up. Nanoseconds.
    public var startNanoseconds: UInt64 = 60_000_000_000
    /// In which the penalty of what flaps halves. Nil: nothing is damped. Nanoseconds.
    public var halfLifeNanoseconds: UInt64? = 60_000_000_000
    /// How long an event loop may stand still. Nanoseconds.
    public var stallNanoseconds: UInt64 = 5_000_000_000
    /// How full V8's heap may be.
    public var heapPercent = 90
    /// So many restarts of workers within the window are a loop.
    public var restarts = 5
    public var restartWindowNanoseconds: UInt64 = 60_000_000_000
    /// How long a backend may be out of reach. Nanoseconds.
    public var outageNanoseconds: UInt64 = 60_000_000_000
    /// How full a queue may be.
    public var queuePercent = 80
    /// What has to be well for the process to be ready.
    public var needs: [Need] = [.workload, .checks, .queues]
    public var checks: [HealthCheckConfiguration] = []

    public enum Need: String, Sendable, CaseIterable { case workload, checks, queues, exporters, store, memory }

    /// Names that are not free for checks: of what is looked at anyway, and of what gRPC is asked.
    static let takenNames = [
        "workload", "eventloop", "heap", "restarts", "program", "receivers", "store", "memory", "configuration",
        "startup", "liveness", "readiness",
    ]

    public init() {}
}

/// Something that is asked again and again.
public struct HealthCheckConfiguration: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        /// An answer with one of these statuses, and with this text in its body.
        case http(EndpointURL, statuses: ClosedRange<Int>, text: String?)
        /// A connection.
        case tcp(HostPort)
    }

    public enum Probe: String, Sendable, CaseIterable { case readiness, liveness, none }

    public var name: String
    public var target: Target
    public var intervalNanoseconds: UInt64
    public var timeoutNanoseconds: UInt64
    public var failures: Int
    public var successes: Int
    public var startNanoseconds: UInt64
    /// What fails with it.
    public var affects: Probe = .readiness

    public init(_ name: String, _ target: Target, _ health: HealthConfiguration) {
        self.name = name
        self.target = target
        intervalNanoseconds = health.intervalNanoseconds
        timeoutNanoseconds = health.timeoutNanoseconds
        failures = health.failures
        successes = health.successes
        startNanoseconds = health.startNanoseconds
    }
}
