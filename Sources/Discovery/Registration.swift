// One instance in one registry: what is to be said to it next, and when. A machine without clock, chance and I/O.
//
//                      ┌── forgotten, or an id that was taken: at once ──┐
//     absent ──register──► present ──beat, every interval──► present ────┘
//        ▲                    │
//        └───── deregister ───┘   no longer wanted: the end, or critical in a registry that has no word for it
//
// One operation is out at a time. What failed is tried again after a quarter of a second, doubled with each failure up to half the interval; with requests that
// take no longer than the other half, what the registry holds is right within one interval after it works again, whatever it was that it did not. A registration whose answer was lost may stand: until the registry has said
// otherwise it is there, and is taken out at the end. The end has a time of its own; what is left then, the registry itself lets run out.

public struct Registration: Sendable {
    public struct Settings: Hashable, Sendable {
        /// Nanoseconds between two beats.
        public var interval: UInt64
        /// Whether the registry has words for how an instance is. Else one that is critical is taken out.
        public var carriesHealth: Bool
        /// What another id is made with where the own one is taken.
        public var suffix: String
        /// Nanoseconds that the end may take.
        public var endNanoseconds: UInt64

        public init(interval: UInt64, carriesHealth: Bool, suffix: String, endNanoseconds: UInt64 = 3_000_000_000) {
            self.interval = interval
            self.carriesHealth = carriesHealth
            self.suffix = suffix
            self.endNanoseconds = endNanoseconds
        }
    }

    public enum Action: Hashable, Sendable {
        /// `finished` is to follow.
        case perform(RegistryOperation)
        case tell(Notice)
    }

    public enum Notice: Hashable, Sendable {
        case registered(id: String)
        /// The registry did not know it any more; it is entered again.
        case forgotten
        /// Its id was of another, who is at `place`; it goes on with `id`.
        case renamed(id: String, place: String)
        case failing(RegistryFailure)
        /// After `failing`.
        case recovered
        /// Critical, and so taken out.
        case withdrawn
        case deregistered
        /// The end's time was up.
        case abandoned
    }

    /// For people and metrics.
    public enum State: String, Sendable, CaseIterable {
        /// Not in the registry, and not to be.
        case withdrawn
        case registering, registered
        /// The registry does not take what we say.
        case failing
        case ended
    }

    /// How often what came about.
    public struct Counts: Hashable, Sendable {
        public var registered: UInt64 = 0
        public var beaten: UInt64 = 0
        public var deregistered: UInt64 = 0
        public var forgotten: UInt64 = 0
        public var taken: UInt64 = 0
        public var failed: [RegistryFailure.Code: UInt64] = [:]

        public init() {}

        public mutating func add(_ other: Counts) {
            registered += other.registered
            beaten += other.beaten
            deregistered += other.deregistered
            forgotten += other.forgotten
            taken += other.taken
            failed.merge(other.failed, uniquingKeysWith: +)
        }
    }

    static let failureDelayMin: UInt64 = 250_000_000
    /// A change of health is told no sooner after what was told before. Nanoseconds.
    static let changeDelay: UInt64 = 1_000_000_000

    private enum Presence: Hashable, Sendable {
        case absent
        /// It may be.
        case unknown
        case present
    }

    private let settings: Settings
    /// With the id that it goes by here.
    public private(set) var instance: ServiceInstance
    /// As the registry knows it.
    private var registered: ServiceInstance?
    private var health: InstanceHealth
    private var presence = Presence.absent
    private var operation: RegistryOperation?
    private var dueAt: UInt64 = 0
    private var lastAt: UInt64?
    private var failures = 0
    private var isRenamed = false
    private var endsAt: UInt64?
    private var isOver = false

    /// Why the last operation failed; nil: it did not.
    public private(set) var failure: RegistryFailure?
    public private(set) var counts = Counts()
    public private(set) var state = State.registering
    /// Since when it is so.
    public private(set) var stateSince: UInt64

    public init(_ instance: ServiceInstance, _ health: InstanceHealth, _ settings: Settings, now: UInt64) {
        self.instance = instance
        self.health = health
        self.settings = settings
        stateSince = now
        dueAt = now
        updateState(now)
    }

    /// When `tick` has something to do; nil: never, as things are.
    public var timer: UInt64? {
        guard !isOver else { return nil }
        if operation != nil { return endsAt }
        guard next != nil else { return nil }
        return min(dueAt, endsAt ?? .max)
    }

    /// Nothing more comes of it.
    public var hasEnded: Bool { isOver }

    /// It was asked to leave the registry for good.
    public var isLeaving: Bool { endsAt != nil }

    // MARK: Inputs

    /// How the instance is now.
    public mutating func take(_ health: InstanceHealth, now: UInt64) {
        let old = self.health
        self.health = health
        guard operation == nil, failures == 0, old.status != health.status else { return }
        let wasWanted = settings.carriesHealth || old.status != .critical
        if wasWanted != isWanted || settings.carriesHealth { hurry(now) }
        updateState(now)
    }

    /// Another address, port, or what else there is; name and id stay.
    public mutating func change(to instance: ServiceInstance, now: UInt64) {
        var instance = instance
        (instance.name, instance.id) = (self.instance.name, self.instance.id)
        guard instance != self.instance else { return }
        self.instance = instance
        if operation == nil, failures == 0 { hurry(now) }
    }

    /// - Parameter random: 64 random bits.
    public mutating func tick(now: UInt64, random: UInt64) -> [Action] {
        guard !isOver else { return [] }
        if let endsAt, now >= endsAt { return finish([.tell(.abandoned)], now) }
        guard operation == nil, now >= dueAt, let next else { return [] }
        operation = next
        lastAt = now
        updateState(now)
        return [.perform(next)]
    }

    /// What came of the operation that is out.
    /// - Parameter random: 64 random bits.
    public mutating func finished(_ outcome: RegistryOutcome, now: UInt64, random: UInt64) -> [Action] {
        guard !isOver else { return [] }
        guard let operation else { preconditionFailure("nothing is out, and yet it is finished: \(state)") }
        self.operation = nil
        var actions: [Action] = []
        if let why = failure(of: operation, outcome) {
            actions += fail(why, operation, now, random)
        } else {
            if failures > 0 { actions.append(.tell(.recovered)) }
            (failures, failure) = (0, nil)
            actions += succeed(outcome, operation, now, random)
        }
        if endsAt != nil {
            if presence == .absent { return finish(actions, now) }
            // The first try goes out as soon as it can.
            if operation.kind != .deregister { dueAt = now }
        }
        updateState(now)
        return actions
    }

    /// It is to leave the registry for good. `tick` is to follow.
    public mutating func end(now: UInt64) -> [Action] {
        guard !isOver, endsAt == nil else { return [] }
        endsAt = now &+ settings.endNanoseconds
        dueAt = now
        guard operation == nil, presence == .absent else { return [] }
        return finish([], now)
    }

    // MARK: What is next

    private var isWanted: Bool {
        endsAt == nil && (settings.carriesHealth || health.status != .critical)
    }

    private var next: RegistryOperation? {
        guard isWanted else { return presence == .absent ? nil : .deregister(registered ?? instance) }
        guard presence == .present, registered == instance else { return .register(instance, health) }
        return .beat(instance, health)
    }

    private mutating func succeed(
        _ outcome: RegistryOutcome, _ operation: RegistryOperation, _ now: UInt64, _ random: UInt64
    ) -> [Action] {
        switch (outcome, operation) {
        case (.done, .register(let instance, let health)):
            counts.registered += 1
            let isNews = presence != .present
            (presence, registered) = (.present, instance)
            beatLater(health, now, random)
            return isNews ? [.tell(.registered(id: instance.id))] : []
        case (.done, .beat(_, let health)):
            counts.beaten += 1
            beatLater(health, now, random)
            return []
        case (.done, .deregister), (.forgotten, .deregister):
            counts.deregistered += 1
            (presence, registered) = (.absent, nil)
            dueAt = .max
            if isWanted { hurry(now) }
            return [.tell(endsAt == nil ? .withdrawn : .deregistered)]
        case (.forgotten, _):
            counts.forgotten += 1
            (presence, registered) = (.absent, nil)
            dueAt = now
            return [.tell(.forgotten)]
        case (.taken(let place), _):
            counts.taken += 1
            (presence, registered) = (.absent, nil)
            isRenamed = true
            instance.id = renamedID
            dueAt = now
            return [.tell(.renamed(id: instance.id, place: place))]
        case (.failed, _): preconditionFailure("a failure is no success")
        }
    }

    /// Nil: it is none. What would be done at once and again without end is one as well.
    private func failure(of operation: RegistryOperation, _ outcome: RegistryOutcome) -> RegistryFailure? {
        switch (outcome, operation) {
        case (.failed(let why), _): why
        case (.forgotten, .register): RegistryFailure(.refused, "the registry does not know what it is to enter")
        case (.taken(let place), _) where isRenamed:
            RegistryFailure(.refused, "the id \(instance.id) is another's as well, at \(place)", isUncertain: false)
        default: nil
        }
    }

    private var renamedID: String {
        let end = "-" + settings.suffix
        return ServiceInstance.fitting(instance.id.prefix(ServiceInstance.nameBytesMax - end.utf8.count) + end)
    }

    private mutating func fail(
        _ why: RegistryFailure, _ operation: RegistryOperation, _ now: UInt64, _ random: UInt64
    ) -> [Action] {
        counts.failed[why.code, default: 0] += 1
        let isNews = failure?.code != why.code
        failure = why
        failures += 1
        if case .register = operation, presence == .absent, why.isUncertain { presence = .unknown }
        let whole = min(Self.failureDelayMin << UInt64(min(failures - 1, 16)), settings.interval / 2)
        // The upper half is left to chance, so that many agents do not come at once.
        dueAt = now &+ whole / 2 &+ random.multipliedFullWidth(by: whole / 2 &+ 1).high
        return isNews ? [.tell(.failing(why))] : []
    }

    /// What was told may be old by now.
    private mutating func beatLater(_ told: InstanceHealth, _ now: UInt64, _ random: UInt64) {
        // A tenth sooner at most, so that many agents that began together do not beat together.
        dueAt = now &+ settings.interval &- random.multipliedFullWidth(by: settings.interval / 10 &+ 1).high
        if told.status != health.status || registered != instance { hurry(now) }
    }

    private mutating func hurry(_ now: UInt64) {
        dueAt = min(dueAt, max(now, (lastAt ?? 0) &+ min(Self.changeDelay, settings.interval)))
    }

    private mutating func finish(_ actions: [Action], _ now: UInt64) -> [Action] {
        isOver = true
        updateState(now)
        return actions
    }

    private mutating func updateState(_ now: UInt64) {
        let new: State =
            if isOver { .ended } else if failures > 0 { .failing } else if !isWanted && presence == .absent {
                .withdrawn
            } else if presence == .present { .registered } else { .registering }
        guard new != state else { return }
        (state, stateSince) = (new, now)
    }
}
