// What this process tells registries: an instance for each thing that it serves, in each registry that is configured.
//
// A duty of the main thread. What to say when decides `Registration`; the registries do it on other threads and put what came of it into the inbox here. So
// neither a registry that hangs nor one that is gone keeps the main thread, and with it the workload's rings, from anything.

internal import Configuration
internal import Discovery
internal import Linux
internal import Registries
internal import Synchronization
internal import System
internal import Transport

/// Main thread.
final class Registrar: Duty {
    /// How often it is looked how the instances are, nanoseconds.
    private static let healthNanoseconds: UInt64 = 1_000_000_000

    /// An instance that is to be known.
    struct Offer: Hashable, Sendable {
        var instance: ServiceInstance
        /// Of DNS-SD, where nothing else is configured.
        var dnsType: String
        /// Of those that one process has, this one is what Prometheus scrapes.
        var isScraped: Bool
    }

    private struct Entry {
        let registry: RegistryKind
        let driver: any Registry
        var registration: Registration
        /// Of the offer, by which it is found again; the registration may have another id.
        let key: String
    }

    private struct Answer: Sendable {
        var number: Int
        var outcome: RegistryOutcome
    }

    private final class Inbox: Sendable {
        let answers = Mutex<[Answer]>([])
    }

    private let registries: RegistryDrivers
    private let clock: any SystemClock
    private let messages: Messages
    private let wake: EventDescriptor
    private let board: RegistrationBoard
    private let health: () -> InstanceHealth
    private let inbox = Inbox()
    private var entries: [Int: Entry] = [:]
    private var nextNumber = 0
    private var healthAt: UInt64 = 0
    private var isEnding = false

    /// - Parameters:
    ///   - wake: The main thread's.
    ///   - health: Of all instances.
    init(
        _ registries: RegistryDrivers, wake: EventDescriptor, clock: any SystemClock, messages: Messages,
        board: RegistrationBoard, health: @escaping () -> InstanceHealth
    ) {
        self.registries = registries
        self.wake = wake
        self.clock = clock
        self.messages = messages
        self.board = board
        self.health = health
    }

    /// Registers what is offered, where there is a registry.
    static func begin(
        _ offered: [Offer], _ configuration: RegisterConfiguration, _ offers: Offers,
        _ transport: () -> CurlTransport, _ duties: Duties, _ clock: any SystemClock, _ messages: Messages,
        _ board: RegistrationBoard, health: @escaping () -> InstanceHealth
    ) -> Registrar? {
        guard configuration.isNeeded else { return nil }
        let messages = messages.about(.discovery)
        if configuration.fileSD != nil, offers.metricsPlace == nil {
            messages.warn(
                "file-sd: there is no admin port, and so nothing that Prometheus could scrape: no file is written")
        }
        let registrar = Registrar(
            RegistryDrivers(configuration, transport()), wake: duties.wake, clock: clock, messages: messages,
            board: board, health: health)
        registrar.offer(offered)
        duties.add(registrar)
        return registrar
    }

    // MARK: What is registered

    /// These, and no others from now on.
    func offer(_ offers: [Offer]) {
        guard !isEnding else { return }
        let now = clock.monotonicNanoseconds()
        let health = health()
        for (number, entry) in entries where !offers.contains(where: { $0.instance.id == entry.key }) {
            perform(entries[number]!.registration.end(now: now), number)
        }
        for offer in offers {
            let known = entries.filter { $0.value.key == offer.instance.id && !$0.value.registration.isLeaving }
            for number in known.keys { entries[number]!.registration.change(to: offer.instance, now: now) }
            guard known.isEmpty else { continue }
            for (kind, driver) in registries.make(for: offer) {
                nextNumber += 1
                let settings = Registration.Settings(
                    interval: registries.intervalNanoseconds, carriesHealth: kind == .consul || kind == .fileSD,
                    suffix: String((offer.instance.process ?? "").prefix(8)))
                entries[nextNumber] = Entry(
                    registry: kind, driver: driver,
                    registration: Registration(offer.instance, health, settings, now: now), key: offer.instance.id)
            }
        }
        turn(now)
    }

    /// All of it is to be taken out.
    func end() {
        guard !isEnding else { return }
        isEnding = true
        let now = clock.monotonicNanoseconds()
        for number in entries.keys { perform(entries[number]!.registration.end(now: now), number) }
        turn(now)
    }

    /// Waits until all is taken out, or the time for that is over.
    func settle() {
        end()
        var poller = Poller([wake.fileDescriptor])
        while entries.values.contains(where: { !$0.registration.hasEnded }) {
            let now = clock.monotonicNanoseconds()
            do { try poller.wait(nanoseconds: timer > now ? timer - now : 0) } catch { return }
            if poller.isReady(0) { wake.clear() }
            tick(now: clock.monotonicNanoseconds())
        }
    }

    // MARK: Time

    var timer: UInt64 {
        guard !entries.isEmpty else { return .max }
        return entries.values.reduce(isEnding ? .max : healthAt) { min($0, $1.registration.timer ?? .max) }
    }

    func tick(now: UInt64) {
        let answers = inbox.answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
        for answer in answers {
            guard entries[answer.number] != nil else { continue }
            perform(
                entries[answer.number]!.registration.finished(
                    answer.outcome, now: now, random: .random(in: .min ... .max)), answer.number)
        }
        if now >= healthAt, !isEnding {
            healthAt = now &+ Self.healthNanoseconds
            let health = health()
            for number in entries.keys { entries[number]!.registration.take(health, now: now) }
        }
        turn(now)
    }

    private func turn(_ now: UInt64) {
        for number in entries.keys {
            perform(entries[number]!.registration.tick(now: now, random: .random(in: .min ... .max)), number)
        }
        entries = entries.filter { _, entry in
            guard !isEnding, entry.registration.hasEnded else { return true }
            board.keep(entry.registration.counts, of: entry.registry)
            return false
        }
        show(now)
    }

    private func perform(_ actions: [Registration.Action], _ number: Int) {
        guard let entry = entries[number] else { return }
        for action in actions {
            switch action {
            case .perform(let operation):
                entry.driver.perform(operation) { [inbox, wake] outcome in
                    inbox.answers.withLock { $0.append(Answer(number: number, outcome: outcome)) }
                    wake.signal()
                }
            case .tell(let notice): tell(notice, entry)
            }
        }
    }

    // MARK: Words

    private func show(_ now: UInt64) {
        let unix = clock.unixNanoseconds()
        board.show(
            entries.sorted { $0.key < $1.key }.map { _, entry in
                let registration = entry.registration
                return RegistrationStatus(
                    registry: entry.registry, instance: registration.instance, state: registration.state,
                    stateSince: unix &- (now &- min(registration.stateSince, now)), failure: registration.failure,
                    counts: registration.counts)
            })
    }

    private func tell(_ notice: Registration.Notice, _ entry: Entry) {
        let (who, instance) = (entry.registry.rawValue, entry.registration.instance)
        switch notice {
        case .registered(let id):
            messages.inform("\(who): \(instance.name) is registered as \(id), at \(instance.place)")
        case .forgotten: messages.warn("\(who) does not know \(instance.id) any more; it is registered again")
        case .renamed(let id, let place):
            messages.warn("\(who): the id \(entry.key) is another's, at \(place); this one is registered as \(id)")
        case .failing(let failure):
            messages.warn(
                "\(who): \(instance.id) cannot be kept registered: \(failure.message); it is tried again and again")
        case .recovered: messages.warn("\(who): \(instance.id) can be kept registered again")
        case .withdrawn: messages.warn("\(who): \(instance.id) is taken out, for it is critical")
        case .deregistered: messages.inform("\(who): \(instance.id) is taken out")
        case .abandoned:
            messages.warn("\(who): \(instance.id) could not be taken out in time\(Self.whatNow[entry.registry]!)")
        }
    }

    private static let whatNow: [RegistryKind: String] = [
        .consul: "; it is critical when its TTL is over", .etcd: "; it is gone when its lease is over",
        .dnsSD: "", .fileSD: "",
    ]
}

/// The registries that are configured.
struct RegistryDrivers {
    private let configuration: RegisterConfiguration
    private let consul: CurlTransport.Client?
    private let etcd: CurlTransport.Client?
    private let avahi: AvahiPublisher?

    init(_ configuration: RegisterConfiguration, _ transport: CurlTransport) {
        self.configuration = configuration
        func client(_ authority: String?) -> CurlTransport.Client {
            var options = CurlTransport.Options()
            options.authorityFile = authority
            return transport.client(options)
        }
        consul = configuration.consul.map { client($0.authority) }
        etcd = configuration.etcd.map { client($0.authority) }
        avahi = configuration.dnsSD == nil ? nil : AvahiPublisher { Self.inBackground("sidelight-avahi", $0) }
    }

    /// Three beats are in the time that a registry waits for one.
    var intervalNanoseconds: UInt64 { configuration.ttlNanoseconds / 3 }

    private var ttlSeconds: Int { Int((configuration.ttlNanoseconds + 999_999_999) / 1_000_000_000) }

    /// Half an interval, so that what hangs is over, and tried again, within one.
    private var timeoutMilliseconds: Int { min(max(Int(intervalNanoseconds / 2_000_000), 300), 5_000) }

    func make(for offer: Registrar.Offer) -> [(RegistryKind, any Registry)] {
        var made: [(RegistryKind, any Registry)] = []
        if let consul, let own = configuration.consul {
            var settings = ConsulSession.Settings(
                url: own.url.base, ttlSeconds: ttlSeconds,
                deregisterSeconds: Int(own.deregisterNanoseconds / 1_000_000_000),
                timeoutMilliseconds: timeoutMilliseconds)
            (settings.token, settings.namespace, settings.partition) = (own.token, own.namespace, own.partition)
            made.append((.consul, HTTPRegistry(ConsulSession(settings), consul)))
        }
        if let etcd, let own = configuration.etcd {
            var settings = EtcdSession.Settings(
                urls: own.urls.map(\.base), ttlSeconds: ttlSeconds, timeoutMilliseconds: timeoutMilliseconds)
            (settings.user, settings.password) = (own.user, own.password)
            made.append((.etcd, HTTPRegistry(EtcdSession(settings), etcd)))
        }
        if let avahi, let own = configuration.dnsSD {
            made.append((.dnsSD, avahi.registry(type: own.type ?? offer.dnsType)))
        }
        if let path = configuration.fileSD, offer.isScraped, offer.instance.metricsPlace != nil {
            let labels = configuration.labels
            made.append(
                (
                    .fileSD,
                    FileRegistry(
                        path: path,
                        target: { PrometheusTarget($0, metricsPlace: $0.metricsPlace ?? "", labels: labels) },
                        inBackground: { Self.inBackground("sidelight-file", $0) })
                ))
        }
        return made
    }

    private static func inBackground(_ name: StaticString, _ body: @escaping @Sendable () -> Void) {
        ServiceThread(name: name, body).detach()
    }
}

extension ServiceInstance {
    /// Where Prometheus finds the metrics of its process; nil: nowhere.
    var metricsPlace: String? {
        get { meta["metrics"] }
        set { meta["metrics"] = newValue }
    }
}

extension EndpointURL {
    /// Without a "/" at the end.
    fileprivate var base: String {
        let text = description
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}
