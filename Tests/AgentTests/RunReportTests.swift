import Foundation
import Linux
import Telemetry
import Testing

@testable import Agent

@Suite struct RunReportTests {
    private func report(
        _ status: ChildProcess.Status = .exited(0), deathNote: (code: DeathCode, message: String)? = nil
    ) -> RunReport {
        let outcome = WorkerOutcome(status: status, deathNote: deathNote, ringBroken: nil, requestedBy: nil)
        var report = RunReport(outcome: outcome, workerStatus: status)
        report.received = [.traces: 3]
        return report
    }

    private func account(
        _ name: String, received: Int, sent: Int, dropped: [String: Int] = [:], error: String? = nil
    ) -> Account {
        Account(
            name: name, signals: [.traces: .init(received: received, sent: sent, dropped: dropped, queued: 0)],
            lastError: error)
    }

    @Test func nothingWrongIsNothingSaid() {
        var report = report()
        report.exporters = [account("otlp http://x", received: 3, sent: 3)]
        report.store = account(".sidelight", received: 3, sent: 3)
        #expect(report.warnings == [])
    }

    @Test func whatWasNotDeliveredSaysWhyAndWhereItIsKept() {
        var report = report()
        report.exporters = [
            account("otlp http://x", received: 3, sent: 0, dropped: ["undelivered": 3], error: "connection refused")
        ]
        report.store = account(".sidelight", received: 3, sent: 3)
        #expect(report.warnings == ["otlp http://x: 3 spans not delivered (kept in .sidelight): connection refused"])
        report.store = account(".sidelight", received: 3, sent: 2, dropped: ["disk_full": 1], error: "disk full")
        #expect(
            report.warnings == [
                "otlp http://x: 3 spans not delivered: connection refused",
                "store .sidelight: 1 span not kept: disk full",
            ])
    }

    @Test func dropsOfTheRingAreSaidByKind() {
        var report = report()
        report.ringDropped = [.span: 17, .log: 4, .error: 0]
        #expect(report.warnings == ["dropped for want of room in the ring: 17 spans, 4 log records"])
        #expect(report.counters.sum(.ringDropped) == 21)
    }

    @Test func aDeathIsSaidUnlessItWasAskedFor() {
        #expect(report(.signaled(9, coreDumped: false)).warnings == ["worker killed by SIGKILL (9)"])
        let asked = WorkerOutcome(
            status: .signaled(15, coreDumped: false), deathNote: nil, ringBroken: nil, requestedBy: 15)
        #expect(RunReport(outcome: asked, workerStatus: .signaled(15, coreDumped: false)).warnings == [])
    }

    @Test func accountsThatDoNotBalanceAreAnInternalError() {
        var report = report()
        report.exporters = [account("otlp http://x", received: 3, sent: 2)]
        #expect(report.warnings == ["internal error: the accounts of otlp http://x do not balance"])
        report.exporters = [account("otlp http://x", received: 2, sent: 2)]
        #expect(report.warnings == ["internal error: the accounts of otlp http://x do not balance"])
    }

    @Test func theSummaryIsOneLineOfJSON() throws {
        var report = report(.signaled(9, coreDumped: false))
        report.exporters = [account("otlp \"quoted\"\n", received: 3, sent: 1, dropped: ["refused": 2], error: "no")]
        report.openSpansClosed = 2
        #expect(!report.summary.contains("\n"))
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(report.summary.utf8)) as? [String: Any])
        #expect(json["exitCode"] as? Int == 1)
        #expect((json["received"] as? [String: Int]) == ["traces": 3, "logs": 0, "metrics": 0])
        #expect(json["store"] is NSNull)
        let exporter = try #require((json["exporters"] as? [[String: Any]])?.first)
        #expect(exporter["name"] as? String == "otlp \"quoted\"\n")
        let counters = try #require(json["counters"] as? [String: Int])
        #expect(counters["sidelight_open_spans_closed_total"] == 2)
        #expect(counters[#"sidelight_worker_ends_total{reason="SIGKILL"}"#] == 1)
    }

    @Test func whatHasNotHappenedYetCountsAs0WhileTheWorkloadGoesOn() {
        var report = report()
        report.exporters = [account("otlp http://x", received: 3, sent: 3)]
        let counters = report.countersSoFar
        for (name, label) in [
            (CounterName.workerEnds, "SIGKILL"), (.workerEnds, "exit"), (.workerRestarts, "heap_limit"),
            (.exportDropped, "refused"), (.recordsRejected, "utf8"),
        ] {
            #expect(
                counters.values.contains { $0.key.name == name && $0.key.labels.last?.value == label && $0.value == 0 })
        }
        report.workerEnds["SIGKILL"] = 2
        #expect(report.countersSoFar.sum(.workerEnds) == 2)
    }
}
