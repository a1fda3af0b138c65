import Configuration
import Health
import Linux
import Store
import System
import Telemetry
import Testing

@testable import Agent

@Suite struct HealthKeeperTests {
    private static func settings(_ checks: [HealthCheckConfiguration]) -> HealthConfiguration {
        var settings = HealthConfiguration()
        settings.checks = checks
        return settings
    }

    private static let good = Result<HTTPResponse, HTTPTransportError>.success(HTTPResponse(status: 200))
    private static let refused = Result<HTTPResponse, HTTPTransportError>.failure(
        HTTPTransportError(.connect, "db.example: Couldn't connect to server"))

    private static func workload(_ finding: HealthFinding) -> HealthLook {
        HealthLook(name: "workload", measurement: "isolates", need: .workload, probes: .startup, finding: finding)
    }

    @Test func isNotReadyBeforeTheFirstLook() throws {
        let world = try HealthWorld()
        #expect(!world.report.passes(.readiness) && !world.report.passes(.startup) && world.report.passes(.liveness))
        world.subject.looks = [Self.workload(.pass)]
        world.run()
        #expect(world.report.passes(.readiness) && world.report.passes(.startup))
    }

    @Test func aCheckIsMadeAtOnceAndThenEveryInterval() throws {
        let world = try HealthWorld(Self.settings([try HealthWorld.check("db")]))
        world.run()
        #expect(world.network.requests.count == 1)
        #expect(world.network.requests[0].url == "http://db.example/healthz")
        #expect(world.network.requests[0].timeoutMilliseconds == 1_000)
        world.run(seconds: 2)
        #expect(world.network.requests.count == 1)
        world.network.answer { _ in Self.good }
        world.wakeUp()
        #expect(world.status("db") == .pass)
        world.run(seconds: 2)
        #expect(world.network.requests.isEmpty)
        world.run(seconds: 1)
        #expect(world.network.requests.count == 1)
    }

    @Test func anAnswerThatTakesLongerThanTheIntervalIsWaitedFor() throws {
        let world = try HealthWorld(Self.settings([try HealthWorld.check("db")]))
        world.run()
        for _ in 0..<20 { world.run(seconds: 1) }
        #expect(world.network.requests.count == 1)
        world.network.answer { _ in Self.good }
        world.wakeUp()
        #expect(world.network.requests.count == 1)
    }

    @Test func aFailingCheckMakesItNotReadyAndAGoodOneReadyAgain() throws {
        let world = try HealthWorld(Self.settings([try HealthWorld.check("db", failures: 2)]))
        world.subject.looks = [Self.workload(.pass)]
        func round(_ result: Result<HTTPResponse, HTTPTransportError>) {
            world.run(seconds: 5)
            world.network.answer { _ in result }
            world.wakeUp()
        }
        round(Self.good)
        #expect(world.report.passes(.readiness))
        round(Self.refused)
        #expect(world.report.passes(.readiness))
        round(Self.refused)
        #expect(!world.report.passes(.readiness) && world.report.passes(.liveness))
        #expect(world.report.line == "not ready: db: db.example: Couldn't connect to server")
        round(Self.good)
        #expect(world.report.passes(.readiness))
        var counters = Counters()
        world.keeper.desk.add(to: &counters)
        #expect(counters.sum(.healthChecks, ["check": "db", "outcome": "pass"]) == 2)
        #expect(counters.sum(.healthChecks, ["check": "db", "outcome": "connect"]) == 2)
        #expect(counters.sum(.healthStatus, ["component": "db", "status": "pass"]) == 1)
        #expect(counters.sum(.healthStatus, ["component": "db", "status": "fail"]) == 0)
    }

    @Test func whatACheckAffectsIsWhatFails() throws {
        var (live, none) = (try HealthWorld.check("live"), try HealthWorld.check("none"))
        live.affects = .liveness
        none.affects = .none
        let world = try HealthWorld(Self.settings([live, none]))
        world.subject.looks = [Self.workload(.pass)]
        world.run()
        world.network.answer { _ in Self.good }
        world.wakeUp()
        world.run(seconds: 5)
        world.network.answer { $0.url.contains("none") ? Self.refused : Self.good }
        world.wakeUp()
        #expect(world.report.passes(.readiness) && world.report.status == .warn)
        world.run(seconds: 5)
        world.network.answer { _ in Self.refused }
        world.wakeUp()
        #expect(!world.report.passes(.liveness) && !world.report.passes(.readiness))
    }

    @Test func withoutANeedNobodyIsNotReadyForIt() throws {
        var settings = Self.settings([try HealthWorld.check("db")])
        settings.needs = [.exporters]
        let world = try HealthWorld(settings)
        world.subject.looks = [
            Self.workload(HealthFinding(.fail, "no isolate serves")),
            HealthLook(name: "exporter/x", measurement: "outage", need: .exporters, finding: .pass),
        ]
        world.run()
        world.network.answer { _ in Self.refused }
        world.wakeUp()
        #expect(world.report.passes(.readiness))
        world.subject.looks[1].finding = HealthFinding(.fail, "connection refused")
        world.run(seconds: 1)
        #expect(!world.report.passes(.readiness))
    }

    @Test func otherSettingsKeepChecksThatStay() throws {
        let world = try HealthWorld(Self.settings([try HealthWorld.check("a"), try HealthWorld.check("b")]))
        world.run()
        let late = world.network
        #expect(late.requests.count == 2)
        var changed = try HealthWorld.check("b")
        changed.timeoutNanoseconds = 7_000_000_000
        world.keeper.adopt(Self.settings([try HealthWorld.check("a"), changed, try HealthWorld.check("c")]))
        // Answers to those from before: of one that stays, and of one that is another now.
        late.answer { _ in Self.good }
        world.wakeUp()
        #expect(world.status("a") == .pass)
        #expect(world.report.component("b")?.isStarting == true)
        #expect(late.requests.map(\.timeoutMilliseconds) == [7_000, 1_000])
        world.keeper.adopt(Self.settings([]))
        world.run(seconds: 1)
        #expect(world.report.components.isEmpty)
    }

    @Test func otherNeedsAndThresholdsHoldForWhatIsThere() throws {
        let world = try HealthWorld()
        world.subject.looks = [
            Self.workload(.pass),
            HealthLook(
                name: "exporter/x", measurement: "outage", need: .exporters, isFickle: true, finding: .pass),
        ]
        world.run()
        world.subject.looks[1].finding = HealthFinding(.fail, "refused")
        world.run(seconds: 1)
        #expect(world.status("exporter/x") == .pass)
        var settings = HealthConfiguration()
        settings.needs = [.exporters]
        settings.failures = 1
        world.keeper.adopt(settings)
        world.run(seconds: 1)
        #expect(world.status("exporter/x") == .fail && !world.report.passes(.readiness))
        settings.needs = []
        world.keeper.adopt(settings)
        world.run(seconds: 1)
        #expect(world.status("exporter/x") == .fail && world.report.passes(.readiness))
    }

    @Test func componentsThatAreNoMoreAreForgotten() throws {
        let world = try HealthWorld()
        world.subject.looks = [
            Self.workload(.pass), HealthLook(name: "exporter/x", measurement: "outage", finding: HealthFinding(.fail)),
        ]
        world.run()
        #expect(world.report.components.count == 2)
        world.subject.looks.removeLast()
        world.run(seconds: 1)
        #expect(world.report.components.map(\.name) == ["workload"])
    }

    @Test func whatIsNewIsLookedAtOnceForOneThatSaysNothing() throws {
        let world = try HealthWorld()
        world.subject.looks = [HealthLook(name: "program", measurement: "health", need: .workload, isFickle: true)]
        world.run()
        #expect(world.report.component("program")?.isStarting == true)
        world.subject.looks[0].finding = .pass
        world.run(seconds: 1)
        #expect(world.status("program") == .pass)
        // Three failures in a row, as configured.
        for round in 1...3 {
            world.subject.looks[0].finding = HealthFinding(.fail, "x")
            world.run(seconds: 1)
            #expect(world.status("program") == (round < 3 ? .pass : .fail))
        }
    }

    @Test func theEndIsNotReadyAndAlive() throws {
        let world = try HealthWorld()
        world.subject.looks = [Self.workload(.pass)]
        world.run()
        world.keeper.end()
        #expect(!world.report.passes(.readiness) && world.report.passes(.liveness))
        #expect(world.keeper.timer == .max)
        // However long that takes.
        world.clock.advance(600 * HealthWorld.second)
        #expect(world.keeper.desk.hindrance == nil)
    }

    @Test func aMainLoopThatDoesNotTurnIsNotAlive() throws {
        let world = try HealthWorld()
        world.run()
        world.clock.advance(HealthDesk.stillNanosecondsMax)
        #expect(world.keeper.desk.hindrance == nil)
        world.clock.advance(HealthWorld.second)
        #expect(world.keeper.desk.hindrance == "the agent's main loop has not turned for 16 s")
        #expect(world.keeper.desk.servingStatus(of: "liveness") == .notServing)
        world.run()
        #expect(world.keeper.desk.hindrance == nil)
    }

    @Test func noServiceServesWhileTheMainLoopHangs() throws {
        let world = try HealthWorld()
        world.subject.looks = [Self.workload(.pass)]
        world.run()
        #expect(world.keeper.desk.servingStatuses.allSatisfy { $0.status == .serving })
        world.clock.advance(HealthDesk.stillNanosecondsMax + 1)
        #expect(world.keeper.desk.servingStatuses.allSatisfy { $0.status == .notServing })
    }

    @Test func hostileAnswersAreALineEach() throws {
        let world = try HealthWorld(Self.settings([try HealthWorld.check("db")]))
        world.run()
        let body = #"{"status":"fail","output":"a\nREADY=1\n\u001b[2J"# + String(repeating: "x", count: 5_000) + "\"}"
        world.network.answer { _ in
            .success(
                HTTPResponse(
                    status: 200, headers: [("content-type", "application/health+json")], body: Array(body.utf8)))
        }
        world.wakeUp()
        let reason = try #require(world.report.component("db")?.reason)
        #expect(reason.utf8.count <= 256 && !reason.contains("\n") && !reason.contains("\u{1B}"))
    }
}
