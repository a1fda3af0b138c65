import Configuration
import Health
import Testing

@testable import Agent
@testable import Discovery
@testable import Exporters
@testable import Store
@testable import Telemetry

@Suite struct WorkloadHealthTests {
    /// A workload, and looks at it.
    private final class World {
        var facts: WorkloadHealth.Facts
        var settings = HealthConfiguration()
        var seconds: UInt64 = 100
        lazy var subject = WorkloadHealth(settings) { [unowned self] in facts }

        init(places: Int = 2) {
            facts = WorkloadHealth.Facts(
                places: places, workers: [], restarts: [:], exporters: [], store: StoreCounts(), isEnding: false)
            for place in 0..<places { facts.workers.append(Self.worker(place)) }
        }

        static func worker(
            _ place: Int, _ state: BoardState = .serving, pid: Int32? = nil
        ) -> WorkloadHealth.Facts.Worker {
            var board = BoardSnapshot()
            board.counters[BoardCounter.heapLimit.rawValue] = 1_000
            return WorkloadHealth.Facts.Worker(
                pid: pid ?? Int32(100 + place), place: place, state: state, handlers: .fetch, health: nil,
                board: board)
        }

        func look(after: UInt64 = 1, turning: Bool = true) -> [String: HealthFinding] {
            seconds += after
            if turning { for index in facts.workers.indices { facts.workers[index].board.delay.buckets[3] += 1 } }
            let looks = subject.look(settings, now: seconds * 1_000_000_000)
            return looks.reduce(into: [:]) { $0[$1.name] = $1.finding }
        }
    }

    @Test func failsWhenNoIsolateServesAndWarnsWhenSomeDo() {
        let world = World()
        #expect(world.look()["workload"] == HealthFinding(.pass, value: 2))
        world.facts.workers[0].state = .starting
        #expect(world.look()["workload"] == HealthFinding(.warn, "1 of 2 isolates serve", value: 1))
        world.facts.workers = []
        let looks = world.look()
        #expect(looks["workload"] == HealthFinding(.fail, "no isolate serves", value: 0))
        #expect(looks["eventloop"] == .pass && looks["heap"] == .pass)
    }

    @Test func twoInOnePlaceAreOneIsolate() {
        let world = World()
        world.facts.workers[1] = World.worker(0, pid: 900)
        #expect(world.look()["workload"]?.status == .warn)
    }

    @Test func whatIsRunHasItsProcessAlone() {
        let world = World(places: 0)
        world.facts.workers = [World.worker(0)]
        world.facts.workers[0].state = nil
        #expect(Set(world.look().keys) == ["workload", "store"])
    }

    @Test func loopsThatStandStillWarnAndThenFail() {
        let world = World()
        _ = world.look()
        #expect(world.look(turning: false)["eventloop"]?.status == .pass)
        #expect(world.look(after: 2, turning: false)["eventloop"]?.status == .warn)
        // One of two that turns: it is served on.
        world.facts.workers[1].board.delay.buckets[3] += 1
        #expect(world.look(after: 3, turning: false)["eventloop"]?.status == .warn)
        #expect(world.look(after: 3, turning: false)["eventloop"]?.status == .warn)
        #expect(world.look(after: 3, turning: false)["eventloop"]?.status == .fail)
        #expect(world.look()["eventloop"]?.status == .pass)
        // Another process in its place has its own time.
        _ = world.look(after: 3, turning: false)
        world.facts.workers = [World.worker(0, pid: 500), World.worker(1, pid: 501)]
        #expect(world.look(after: 3, turning: false)["eventloop"]?.status == .pass)
    }

    @Test func fullHeapsWarnAndThenFail() {
        let world = World(places: 1)
        func used(_ bytes: UInt64) -> HealthStatus? {
            world.facts.workers[0].board.counters[BoardCounter.heapUsed.rawValue] = bytes
            return world.look()["heap"]?.status
        }
        #expect(used(899) == .pass)
        #expect(used(900) == .warn)
        #expect(used(950) == .fail)
        #expect(used(5_000) == .fail)
        world.facts.workers[0].board.counters[BoardCounter.heapLimit.rawValue] = 0
        #expect(world.look()["heap"] == .pass)
    }

    @Test func restartsInALoopFail() {
        let world = World()
        _ = world.look()
        world.facts.restarts = ["signal": 4]
        #expect(world.look()["restarts"]?.status == .pass)
        world.facts.restarts = ["signal": 4, "out_of_memory": 1]
        let finding = world.look()["restarts"]
        #expect(finding?.status == .fail && finding?.reason.contains("last for out_of_memory") == true)
        #expect(world.look(after: 60)["restarts"]?.status == .pass)
    }

    @Test func whatTheProgramSaysCountsOnceAnInterval() {
        let world = World()
        #expect(world.look()["program"] == nil)
        for index in 0..<2 { world.facts.workers[index].handlers = [.fetch, .health] }
        // No answer yet.
        #expect(world.look()["program"] == nil)
        world.facts.workers[0].health = BoardHealth(status: .pass, reason: "", answers: 1)
        #expect(world.look()["program"] == nil)
        world.facts.workers[1].health = BoardHealth(status: .warn, reason: "cache is cold", answers: 1)
        #expect(world.look()["program"] == HealthFinding(.warn, "isolate 1: cache is cold"))
        #expect(world.look()["program"] == nil)
        for worker in 0..<2 { world.facts.workers[worker].health?.answers = 2 }
        world.facts.workers[0].health?.status = .fail
        #expect(world.look(after: 5)["program"] == HealthFinding(.fail, "isolate 0: health() says so"))
    }

    @Test func aProgramThatAnswersNoMoreFails() {
        let world = World(places: 1)
        world.facts.workers[0].handlers = [.fetch, .health]
        world.facts.workers[0].health = BoardHealth(status: .pass, reason: "", answers: 1)
        #expect(world.look()["program"] == .pass)
        #expect(world.look(after: 10)["program"] == .pass)
        #expect(
            world.look(after: 10)["program"] == HealthFinding(.fail, "isolate 0: health() has not answered for 20 s"))
    }

    @Test func anAnswerThatIsJustBeingWrittenIsTheLastOne() {
        let world = World(places: 1)
        world.facts.workers[0].handlers = [.fetch, .health]
        world.facts.workers[0].health = BoardHealth(status: .fail, reason: "no disk", answers: 1)
        #expect(world.look()["program"] == HealthFinding(.fail, "isolate 0: no disk"))
        world.facts.workers[0].health = nil
        #expect(world.look(after: 5)["program"] == HealthFinding(.fail, "isolate 0: no disk"))
    }

    @Test func aProgramThatIsStartedAgainIsTheSame() {
        let world = World(places: 1)
        world.facts.workers[0].handlers = [.fetch, .health]
        func isThere() -> Bool {
            world.seconds += 1
            let looks = world.subject.look(world.settings, now: world.seconds * 1_000_000_000)
            return looks.contains { $0.name == "program" }
        }
        #expect(isThere())
        // A component that goes is forgotten, and would be starting when it comes again.
        let worker = world.facts.workers[0]
        world.facts.workers = []
        #expect(isThere())
        world.facts.workers = [worker]
        #expect(isThere())
        // Code without one.
        world.facts.workers[0].handlers = .fetch
        #expect(!isThere())
        world.facts.workers = []
        #expect(!isThere())
    }

    private static func condition(
        _ outage: String? = nil, fullness: Double = 0, isFull: Bool = false, evicts: Bool = false,
        failure: String? = nil
    ) -> ExporterCondition {
        ExporterCondition(
            outage: outage, fullness: fullness, isFull: isFull, evicts: evicts, failure: failure)
    }

    @Test func exportersWarnAndFailWithTime() {
        let world = World()
        world.facts.exporters = [("otlp", Self.condition("connection refused"))]
        #expect(world.look()["exporter/otlp"] == HealthFinding(.warn, "connection refused", value: 0))
        #expect(world.look(after: 59)["exporter/otlp"]?.status == .warn)
        #expect(world.look()["exporter/otlp"] == HealthFinding(.fail, "connection refused", value: 60))
        world.facts.exporters[0].condition.outage = nil
        #expect(world.look()["exporter/otlp"] == HealthFinding(.pass, value: 0))
        world.facts.exporters[0].condition.outage = "again"
        #expect(world.look()["exporter/otlp"]?.status == .warn)
    }

    @Test func registrationsThatFailWarnAndKeepNobodyFromBeingReady() {
        let world = World()
        #expect(world.look()["registry/etcd"] == nil)
        func status(_ id: String, _ failure: RegistryFailure? = nil) -> RegistrationStatus {
            RegistrationStatus(
                registry: .etcd, instance: ServiceInstance(name: "shop", id: id, address: "10.0.0.5", port: 80),
                state: failure == nil ? .registered : .failing, stateSince: 1, failure: failure,
                counts: Registration.Counts())
        }
        world.facts.registrations = [status("shop-1"), status("shop-2")]
        #expect(world.look()["registry/etcd"] == .pass)
        let failure = RegistryFailure(.unavailable, "127.0.0.1:2379: Couldn't connect to server")
        world.facts.registrations = [status("shop-1"), status("shop-2", failure)]
        let reason = "shop-2 cannot be kept registered: 127.0.0.1:2379: Couldn't connect to server"
        #expect(world.look()["registry/etcd"] == HealthFinding(.warn, reason))
        let look = world.subject.look(world.settings, now: world.seconds * 1_000_000_000).last
        #expect(look?.name == "registry/etcd" && look?.probes == [] && look?.need == nil)
        world.facts.registrations = [status("shop-1", failure), status("shop-2", failure)]
        #expect(world.look()["registry/etcd"]?.reason.hasPrefix("shop-1 and 1 more cannot be kept registered") == true)
        #expect(world.look()["registry/consul"] == nil)
    }

    @Test func aRegistryIsToldOfWhatCountsForRequests() {
        var report = HealthReport(service: "shop", version: "1", description: "")
        let time = HealthTime(monotonic: 1, unix: 1)
        for (name, probes) in [
            ("registry/etcd", []), ("exporter/otlp", []), ("database", .readiness), ("heap", .liveness),
        ] as [(String, HealthProbes)] {
            var health = ComponentHealth(
                HealthThresholds(failures: 1, successes: 1, startNanoseconds: 1, halfLifeNanoseconds: nil), now: time)
            health.take(HealthFinding(.warn, "gone"), now: time)
            report.components = [
                HealthReport.Component(
                    name: name, measurement: "x", kind: "component", unit: "", probes: probes, health, now: 1)
            ]
            #expect(report.status == .warn)
            #expect(InstanceHealth(report).status == (probes.isEmpty ? .passing : .warning))
        }
    }

    @Test func queuesFailWhenTheyTakeNothing() {
        var watch = ExporterWatch()
        func queue(_ condition: ExporterCondition, isDurable: Bool = true) -> HealthFinding? {
            watch.look([("x", condition)], isDurable: isDurable, HealthConfiguration(), now: 1)[1].finding
        }
        #expect(queue(Self.condition(fullness: 0.79)) == HealthFinding(.pass, value: 79))
        #expect(queue(Self.condition(fullness: 0.8)) == HealthFinding(.warn, "80 % full", value: 80))
        #expect(queue(Self.condition(fullness: 1.3, isFull: true))?.status == .fail)
        #expect(queue(Self.condition(fullness: 1, isFull: true, evicts: true))?.status == .warn)
        #expect(queue(Self.condition(fullness: 1, isFull: true), isDurable: false)?.status == .warn)
        #expect(
            queue(Self.condition(failure: "No space left on device"))
                == HealthFinding(.fail, "No space left on device", value: 0))
    }

    @Test func theStoreIsAsItsLastWriteWas() {
        var watch = StoreWatch()
        var counts = StoreCounts()
        #expect(watch.look(counts).finding == .pass)
        counts.logs.droppedByReason[.diskFull] = 3
        #expect(watch.look(counts).finding == HealthFinding(.fail, "items are dropped: disk_full"))
        #expect(watch.look(counts).finding?.status == .fail)
        counts.traces.stored = 1
        #expect(watch.look(counts).finding == .pass)
        counts.traces.droppedByReason[.closed] = 9
        #expect(watch.look(counts).finding == .pass)
    }
}
