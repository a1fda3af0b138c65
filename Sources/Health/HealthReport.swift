/// How a process and its components are at one moment.
public struct HealthReport: Sendable {
    public struct Component: Sendable, Hashable {
        /// "database", "exporter/otlp".
        public var name: String
        /// What is measured of it: the second half of its key in health+json.
        public var measurement: String
        /// "component", "datastore", "system".
        public var kind: String
        /// Of `value`; empty: it has none.
        public var unit: String
        /// What it counts for.
        public var probes: HealthProbes
        public var status: HealthStatus
        public var reason: String
        /// Unix nanoseconds.
        public var since: UInt64
        public var changes: Int
        /// Was never well so far.
        public var isStarting: Bool
        /// Its time for that is over.
        public var isOverdue: Bool
        public var isFlapping: Bool
        public var value: Double?
        /// When it was looked at last. Unix nanoseconds; 0: never.
        public var time: UInt64

        public init(
            name: String, measurement: String, kind: String, unit: String, probes: HealthProbes,
            _ health: ComponentHealth, now: UInt64
        ) {
            self.name = name
            self.measurement = measurement
            self.kind = kind
            self.unit = unit
            self.probes = probes
            status = health.status
            reason = health.reason
            since = health.since
            changes = health.changes
            isStarting = health.isStarting
            isOverdue = health.isStarting && !health.mayStillStart(now: now)
            isFlapping = health.isFlapping
            value = health.last.value
            time = health.lastTime
        }
    }

    /// `service.name`.
    public var service: String
    public var version: String
    /// What it does, in a line.
    public var description: String
    /// Nobody has looked yet.
    public var isStarting = false
    /// It ends, and is sent no more work.
    public var isEnding = false
    public var components: [Component] = []

    public init(service: String, version: String, description: String) {
        self.service = service
        self.version = version
        self.description = description
    }

    /// Those for which a probe fails.
    public func failing(_ probe: HealthProbes) -> [Component] {
        components.filter { component in
            guard component.probes.contains(probe), component.status == .fail else { return false }
            if probe == .startup { return component.isStarting }
            if probe == .liveness { return !component.isStarting || component.isOverdue }
            return true
        }
    }

    public func passes(_ probe: HealthProbes) -> Bool {
        if isStarting, probe != .liveness { return false }
        if isEnding, probe == .readiness { return false }
        return failing(probe).isEmpty
    }

    /// Of all of it: fails when it is not alive or not ready, warns when anything at all is not as it should be.
    public var status: HealthStatus {
        guard passes(.liveness), passes(.readiness) else { return .fail }
        return components.contains { $0.status != .pass } ? .warn : .pass
    }

    /// Why it is not ready whatever its components are.
    var state: String? { isEnding ? "ending" : isStarting ? "starting" : nil }

    public func component(_ name: String) -> Component? { components.first { $0.name == name } }

    /// What a service manager shows: a line.
    public var line: String {
        if let state { return state }
        let failing = failing(.readiness)
        let wrong = failing.isEmpty ? components.filter { $0.status != .pass } : failing
        guard !wrong.isEmpty else { return "ready" }
        let words = wrong.prefix(Self.namedMax).map { $0.reason.isEmpty ? $0.name : "\($0.name): \($0.reason)" }
        let more = wrong.count > Self.namedMax ? "; and \(wrong.count - Self.namedMax) more" : ""
        return (failing.isEmpty ? "ready, but " : "not ready: ") + words.joined(separator: "; ") + more
    }

    private static let namedMax = 4
}
