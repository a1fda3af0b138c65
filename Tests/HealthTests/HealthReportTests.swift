import Testing
import Wire

@testable import Health

struct HealthReportTests {
    private static let second: UInt64 = 1_000_000_000
    private static let start = HealthTime(monotonic: 0, unix: 1_800_000_000 * second)

    private static func component(
        _ name: String, _ probes: HealthProbes, _ findings: [HealthFinding], at now: UInt64 = 0
    ) -> HealthReport.Component {
        var health = ComponentHealth(
            HealthThresholds(failures: 1, successes: 1, startNanoseconds: 10 * second, halfLifeNanoseconds: nil),
            now: start)
        for finding in findings { health.take(finding, now: start) }
        return HealthReport.Component(
            name: name, measurement: "responseTime", kind: "component", unit: "ms", probes: probes, health, now: now)
    }

    private static func report(_ components: [HealthReport.Component]) -> HealthReport {
        var report = HealthReport(service: "shop", version: "0.7", description: "serving app.js")
        report.components = components
        return report
    }

    private static let every: HealthProbes = [.startup, .liveness, .readiness]

    @Test func aComponentCountsForItsProbesOnly() {
        let report = Self.report([
            Self.component("a", .readiness, [.pass, HealthFinding(.fail, "refused")]),
            Self.component("b", [], [HealthFinding(.fail)]),
        ])
        #expect(!report.passes(.readiness) && report.passes(.liveness) && report.passes(.startup))
        #expect(report.status == .fail)
    }

    @Test func whatStartsIsNotReadyButAlive() {
        let starting = Self.component("a", Self.every, [])
        let report = Self.report([starting])
        #expect(!report.passes(.startup) && !report.passes(.readiness) && report.passes(.liveness))
        let overdue = Self.report([Self.component("a", Self.every, [], at: 10 * Self.second)])
        #expect(!overdue.passes(.liveness))
        let fallen = Self.report([Self.component("a", Self.every, [.pass, HealthFinding(.fail)])])
        #expect(fallen.passes(.startup) && !fallen.passes(.readiness) && !fallen.passes(.liveness))
    }

    @Test func warningsLeaveItReady() {
        let report = Self.report([Self.component("a", Self.every, [HealthFinding(.warn, "slow")])])
        #expect(report.passes(.readiness) && report.status == .warn)
        #expect(report.line == "ready, but a: slow")
    }

    @Test func whatEndsIsNotReadyAndAlive() {
        var report = Self.report([Self.component("a", Self.every, [.pass])])
        #expect(report.line == "ready")
        report.isEnding = true
        #expect(!report.passes(.readiness) && report.passes(.liveness) && report.line == "ending")
        #expect(
            report.text(.readiness, named: "readyz", isVerbose: false, hindrance: nil)
                == "[-]ending\nreadyz check failed\n")
    }

    @Test func textIsThatOfKubernetes() {
        let report = Self.report([
            Self.component("a", Self.every, [.pass]),
            Self.component("b", .readiness, [.pass, HealthFinding(.fail, "refused")]),
            Self.component("c", .readiness, [HealthFinding(.warn, "slow")]),
        ])
        #expect(report.text(.liveness, named: "livez", isVerbose: false, hindrance: nil) == "ok\n")
        #expect(
            report.text(.liveness, named: "livez", isVerbose: true, hindrance: nil) == "[+]a ok\nlivez check passed\n")
        #expect(
            report.text(.readiness, named: "readyz", isVerbose: false, hindrance: nil)
                == "[-]b failed: refused (since 2027-01-15T08:00:00.000Z)\nreadyz check failed\n")
        #expect(
            report.text(.readiness, named: "readyz", isVerbose: true, hindrance: nil)
                == """
                [+]a ok
                [-]b failed: refused (since 2027-01-15T08:00:00.000Z)
                [+]c warn: slow (since 2027-01-15T08:00:00.000Z)
                readyz check failed

                """)
        #expect(
            report.text(.liveness, named: "livez", isVerbose: false, hindrance: "the main loop stands still")
                == "[-]the main loop stands still\nlivez check failed\n")
    }

    @Test func jsonIsThatOfTheDraft() throws {
        let report = Self.report([
            Self.component("a", Self.every, [HealthFinding(.pass, value: 3)]),
            Self.component("exporter/otlp", [], [HealthFinding(.warn, "\"down\"\n")]),
        ])
        let json = try JSONValue(parsing: report.json(hindrance: nil))
        #expect(json["status"]?.string == "warn")
        #expect(json["serviceId"]?.string == "shop" && json["releaseId"]?.string == "0.7")
        guard case .array(let first)? = json["checks"]?["a:responseTime"],
            case .array(let second)? = json["checks"]?["exporter/otlp:responseTime"]
        else { throw Missing() }
        #expect(first[0]["status"]?.string == "pass" && first[0]["output"] == nil)
        #expect(first[0]["observedUnit"]?.string == "ms")
        #expect(first[0]["time"]?.string == "2027-01-15T08:00:00.000Z")
        #expect(second[0]["output"]?.string == "\"down\" ")
        #expect(second[0]["observedValue"] == nil)
        let ready = try JSONValue(parsing: report.json(.readiness, hindrance: nil))
        #expect(ready["status"]?.string == "pass" && ready["checks"]?["exporter/otlp:responseTime"] == nil)
        let dead = try JSONValue(parsing: report.json(.liveness, hindrance: "stuck"))
        #expect(dead["status"]?.string == "fail" && dead["output"]?.string == "stuck")
    }

    private struct Missing: Error {}
}

struct HealthProtocolTests {
    private static func service(_ bytes: [UInt8]) -> String? {
        bytes.withUnsafeBytes { HealthProtocol.service(inRequest: $0) }
    }

    @Test func readsRequests() {
        #expect(Self.service([]) == "")
        #expect(Self.service([0x0A, 0x02, 0x64, 0x62]) == "db")
        // Fields that it does not know, and the last of several.
        #expect(Self.service([0x10, 0x05, 0x0A, 0x01, 0x61, 0x0A, 0x01, 0x62]) == "b")
    }

    @Test(
        arguments: [
            [0x0A], [0x0A, 0x05, 0x61], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x00],
            [0x0F],
            [0x0A, 0xC9, 0x01] + [UInt8](repeating: 0x61, count: 201),
        ] as [[UInt8]])
    func refusesWhatIsNone(_ bytes: [UInt8]) { #expect(Self.service(bytes) == nil) }

    @Test func writesAnswers() {
        #expect(HealthProtocol.response(.serving) == [0x08, 0x01])
        #expect(HealthProtocol.response(.serviceUnknown) == [0x08, 0x03])
        #expect(HealthProtocol.response(.unknown) == [])
        #expect(
            HealthProtocol.list([("a", .notServing)]) == [0x0A, 0x07, 0x0A, 0x01, 0x61, 0x12, 0x02, 0x08, 0x02])
        let long = HealthProtocol.list([(String(repeating: "x", count: 150), .serving)])
        #expect(long.prefix(6) == [0x0A, 0x9D, 0x01, 0x0A, 0x96, 0x01])
    }

    @Test func namesComponentsAndProbes() {
        var report = HealthReport(service: "s", version: "1", description: "")
        let thresholds = HealthThresholds(
            failures: 1, successes: 1, startNanoseconds: 1, halfLifeNanoseconds: nil)
        let now = HealthTime(monotonic: 0, unix: 1)
        var health = ComponentHealth(thresholds, now: now)
        health.take(.pass, now: now)
        health.take(HealthFinding(.fail, "gone"), now: now)
        report.components = [
            HealthReport.Component(
                name: "db", measurement: "m", kind: "datastore", unit: "", probes: .readiness, health, now: 0)
        ]
        #expect(report.servingStatus(of: "") == .notServing)
        #expect(report.servingStatus(of: "liveness") == .serving)
        #expect(report.servingStatus(of: "db") == .notServing)
        #expect(report.servingStatus(of: "other") == nil)
        #expect(report.servingStatuses.map(\.service) == ["", "startup", "liveness", "readiness", "db"])
    }
}
