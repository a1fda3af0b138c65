import Telemetry
import Testing

@testable import Wire

/// Kind 9. Record-format.md section 2.
struct FindingRecordTests {
    private static let trace = TraceID(high: 1, low: 2)

    private func record(
        _ kind: String, severity: UInt8 = 9, body: String = "evil.test port 80 is not allowed"
    ) -> LogRecord {
        LogRecord(
            time: UInt64(RecordMaker.unixAtRingZero) + 1_000, severity: severity, body: .string(body),
            attributes: [
                Attribute("sidelight.finding.kind", .string(kind)), Attribute("sidelight.policy.permission", "network"),
                Attribute("sidelight.policy.rule", "network.private"),
                Attribute("sidelight.policy.target", "evil.test:80"),
            ], traceID: Self.trace, spanID: SpanID(3), traceFlags: 1)
    }

    private func transcode(
        _ make: (inout RecordMaker) -> Void
    ) -> (findings: [Finding], logs: [LogRecord], rejected: UInt64) {
        var maker = RecordMaker(seed: 7)
        make(&maker)
        var transcoder = RecordTranscoder(
            resource: Resource(), scopeVersion: "1", clock: RingClock(unixAtRingZero: RecordMaker.unixAtRingZero))
        for record in maker.records { record.withUnsafeBytes { transcoder.transcode($0) } }
        let findings = transcoder.takeFindings()
        let logs = transcoder.take().flatMap { batch in
            batch.items.indices.compactMap { try? batch.logRecord(at: $0) }
        }
        #expect(transcoder.takeFindings().isEmpty)
        return (findings, logs, transcoder.counters.rejected(.finding))
    }

    @Test(arguments: Finding.Kind.allCases)
    func aFindingIsALogRecordWithItsName(_ kind: Finding.Kind) throws {
        let (findings, logs, rejected) = transcode { $0.finding(record(kind.rawValue, severity: 1)) }
        let finding = try #require(findings.first)
        #expect(findings.count == 1 && rejected == 0 && logs == [finding.record])
        #expect(finding.kind == kind && finding.record.eventName == "sidelight.\(kind.rawValue)")
        // Whatever the record says.
        #expect(finding.record.severity == (kind == .audit ? 9 : 13))
        #expect(finding.record.traceID == Self.trace && finding.record.spanID == SpanID(3))
        #expect(
            finding.permission == "network" && finding.rule == "network.private" && finding.target == "evil.test:80")
        #expect(finding.sentence == "evil.test port 80 is not allowed")
    }

    @Test func whatIsNoFindingIsRejectedAndTheNextIsRead() {
        let (findings, logs, rejected) = transcode {
            $0.finding(record("else"))
            var without = record("limit")
            without.attributes.removeFirst()
            $0.finding(without)
            $0.scope(1, InstrumentationScope(name: "a program's"))
            $0.finding(record("limit"), scope: 1)
            $0.finding(record("limit"))
            $0.log(record("violation"))
        }
        #expect(findings.map(\.kind) == [.limit] && rejected == 3)
        // A program's log record that looks like one is none.
        #expect(logs.map(\.eventName) == ["sidelight.limit", ""])
    }

    @Test func cutOffRecordsAreRejected() {
        var maker = RecordMaker(seed: 1)
        maker.finding(record("violation"))
        for whole in maker.records where whole[4] == RecordKind.finding.rawValue {
            for length in stride(from: 8, to: whole.count - 8, by: 8) {
                var transcoder = RecordTranscoder(
                    resource: Resource(), scopeVersion: "1", clock: RingClock(unixAtRingZero: 0))
                for record in maker.records where record[4] != RecordKind.finding.rawValue {
                    record.withUnsafeBytes { transcoder.transcode($0) }
                }
                Array(whole[..<length]).withUnsafeBytes { transcoder.transcode($0) }
                #expect(transcoder.takeFindings().isEmpty && transcoder.take().isEmpty)
                #expect(transcoder.counters.rejected(.finding) == 1)
            }
        }
    }

    @Test func thereIsAnEndToWhatWaitsAndNoneToWhatIsLogged() {
        let count = RecordTranscoder.findingsMax + 10
        let (findings, logs, _) = transcode { maker in for _ in 0..<count { maker.finding(record("violation")) } }
        #expect(findings.count == RecordTranscoder.findingsMax && logs.count == count)
    }
}
