import System
import Testing

@testable import Discovery
@testable import Registries

private let second: UInt64 = 1_000_000_000
private let interval = 5 * second

/// A few agents, a registry, and a network that loses and delays what it likes; by seed.
private final class World {
    final class Agent {
        var registration: Registration
        var session: any RegistrySession
        /// When the answer to what was sent arrives, and what it is.
        var pending: (at: UInt64, answer: Result<HTTPResponse, HTTPTransportError>)?
        var health = InstanceHealth.Status.passing
        /// Killed ones say nothing.
        var isAlive = true

        init(_ registration: Registration, _ session: any RegistrySession) {
            self.registration = registration
            self.session = session
        }
    }

    static let timeout: UInt64 = 2 * second
    let registry: any FakeRegistry
    let makeSession: () -> any RegistrySession
    let carriesHealth: Bool
    var agents: [Agent] = []
    var now: UInt64 = 1_000 * second
    /// Of 100 requests, so many are lost, on the way there or back.
    var lossPercent: UInt64 = 0
    var isCutOff = false
    private var seed: UInt64

    init(
        _ registry: any FakeRegistry, carriesHealth: Bool, seed: UInt64,
        _ makeSession: @escaping () -> any RegistrySession
    ) {
        (self.registry, self.carriesHealth, self.seed, self.makeSession) = (registry, carriesHealth, seed, makeSession)
    }

    func random(_ bound: UInt64 = .max) -> UInt64 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (seed ^ seed >> 31) % bound
    }

    func start(place: Int) {
        let instance = ServiceInstance(
            name: "shop", id: "shop-\(place)", address: "10.0.0.\(place)", port: 80,
            meta: [ServiceInstance.processKey: "p\(random())"])
        let settings = Registration.Settings(
            interval: interval, carriesHealth: carriesHealth, suffix: "s\(random(1 << 30))")
        agents.append(Agent(Registration(instance, InstanceHealth(.passing), settings, now: now), makeSession()))
    }

    private func send(_ request: HTTPRequest, _ agent: Agent) {
        let isLost = isCutOff || random(100) < lossPercent
        let isLostThere = isLost && (isCutOff || random(2) == 0)
        let answer = isLostThere ? nil : registry.answer(request, now: now)
        if let answer, !isLost {
            agent.pending = (now + 1_000_000 + random(50_000_000), .success(answer))
        } else {
            agent.pending = (now + Self.timeout, .failure(HTTPTransportError(.timeout, "no answer")))
        }
    }

    private func take(_ actions: [Registration.Action], _ agent: Agent) {
        for case .perform(let operation) in actions { follow(agent.session.begin(operation), agent) }
    }

    private func follow(_ step: RegistryStep, _ agent: Agent) {
        switch step {
        case .send(let request): send(request, agent)
        case .end(let outcome): take(agent.registration.finished(outcome, now: now, random: random()), agent)
        }
    }

    func run(_ nanoseconds: UInt64) {
        let end = now + nanoseconds
        while true {
            let alive = agents.filter(\.isAlive)
            let times = alive.flatMap { [$0.registration.timer, $0.pending?.at].compactMap(\.self) }
            guard let next = times.min(), next <= end else { break }
            now = max(now, next)
            for agent in alive {
                if let pending = agent.pending, pending.at <= now {
                    agent.pending = nil
                    follow(agent.session.take(pending.answer), agent)
                }
                take(agent.registration.tick(now: now, random: random()), agent)
            }
        }
        now = end
    }

    func setHealth(_ status: InstanceHealth.Status, _ agent: Agent) {
        agent.health = status
        agent.registration.take(InstanceHealth(status), now: now)
    }

    func end(_ agent: Agent) { take(agent.registration.end(now: now), agent) }

    /// Places of those that live and are not critical.
    var wanted: [String] {
        agents.filter { $0.isAlive && !$0.registration.hasEnded && $0.health != .critical }.map(
            \.registration.instance.address
        ).sorted()
    }

    var found: [String] { registry.found(now: now).map(\.address).sorted() }
}

@Suite struct RegistrationWorldTests {
    private static func world(_ kind: String, _ seed: UInt64) -> World {
        if kind == "consul" {
            World(FakeConsul(), carriesHealth: true, seed: seed) {
                ConsulSession(
                    ConsulSession.Settings(
                        url: "http://consul", ttlSeconds: 15, deregisterSeconds: 60, timeoutMilliseconds: 2_000))
            }
        } else {
            World(FakeEtcd(), carriesHealth: false, seed: seed) {
                EtcdSession(EtcdSession.Settings(urls: ["http://etcd"], ttlSeconds: 15, timeoutMilliseconds: 2_000))
            }
        }
    }

    /// Whatever happens, when it has ceased to happen for an interval (and what was on its way has run out), those that live are found and nobody else.
    @Test(arguments: ["consul", "etcd"], 1...60)
    func whatIsFoundIsWhatLives(kind: String, seed: UInt64) {
        let world = Self.world(kind, seed)
        var nextPlace = 0
        for _ in 0..<4 {
            nextPlace += 1
            world.start(place: nextPlace)
        }
        for _ in 0..<12 {
            for _ in 0..<(1 + world.random(3)) {
                let alive = world.agents.filter { $0.isAlive && !$0.registration.hasEnded }
                let one = alive.isEmpty ? nil : alive[Int(world.random(UInt64(alive.count)))]
                switch world.random(9) {
                case 0: world.registry.forget()
                case 1: world.isCutOff = true
                case 2: world.isCutOff = false
                case 3: world.lossPercent = world.random(60)
                case 4:
                    nextPlace += 1
                    world.start(place: nextPlace)
                case 5: if let one, alive.count > 1 { one.isAlive = false }
                case 6:
                    // Killed, and started again where it was.
                    guard let one else { break }
                    one.isAlive = false
                    world.start(place: Int(one.registration.instance.address.split(separator: ".").last!)!)
                case 7: if let one { world.setHealth(InstanceHealth.Status.allCases[Int(world.random(3))], one) }
                default: if let one { world.end(one) }
                }
                world.run(world.random(4 * second))
            }
            (world.isCutOff, world.lossPercent) = (false, 0)
            // One interval, and the few requests that follow one another at its end.
            world.run(interval + second / 2)
            // Of the dead, what they left runs out.
            let dead = world.agents.filter { !$0.isAlive || $0.registration.hasEnded }
            if !dead.isEmpty { world.run(15 * second) }
            world.agents.removeAll { !$0.isAlive || $0.registration.hasEnded }
            #expect(world.found == world.wanted, "seed \(seed)")
            guard world.found == world.wanted else { return }
        }
    }

    @Test(arguments: ["consul", "etcd"])
    func twoWithOneIDAreBothFound(kind: String) {
        let world = Self.world(kind, 1)
        world.start(place: 1)
        world.run(second)
        world.start(place: 1)
        // The same id, and elsewhere.
        world.agents[1].registration.change(
            to: ServiceInstance(
                name: "", id: "", address: "10.0.0.7", port: 80, meta: [ServiceInstance.processKey: "other"]),
            now: world.now)
        world.run(20 * second)
        #expect(world.found == ["10.0.0.1", "10.0.0.7"])
        #expect(world.agents[1].registration.instance.id.hasPrefix("shop-1-s"))
    }
}
