import Audit
import Linux
import Telemetry
import Testing

@testable import Agent

@Suite struct AuditTrailTests {
    private let folder = TemporaryFolder()

    private func trail(isHeld: Bool) -> AuditTrail {
        AuditTrail(
            store: folder.path, isHeld: isHeld, clock: LinuxClock(), messages: Messages(isQuiet: true, level: .error))
    }

    /// The kinds of what is in the log, which is sound.
    private func kinds() throws -> [AuditEvent.Kind] {
        let log = try #require(AuditFolder(reading: AuditFolder.path(store: folder.path)))
        let key = try #require(try AuditVerifier.ownKey(log))
        var kinds: [AuditEvent.Kind] = []
        let verdict = try AuditVerifier.verify(log, key: key) { entry, _ in kinds.append(entry.event.kind) }
        #expect(verdict.isSound && verdict.unsigned == 0, "\(verdict.problems)")
        return kinds
    }

    @Test func startAndStopAloneAreNotWorthALog() {
        let trail = trail(isHeld: true)
        trail.begin("run", target: "a.js")
        trail.end("run", target: "a.js", outcome: "exit")
        #expect(AuditFolder(reading: AuditFolder.path(store: folder.path)) == nil)
    }

    @Test func theStartComesBeforeWhatIsWorthIt() throws {
        let trail = trail(isHeld: true)
        trail.begin("run", target: "a.js")
        trail.note(AuditEvent(.violation, action: "connect", target: "10.0.0.1:80", outcome: "refused"))
        trail.end("run", target: "a.js", outcome: "exit")
        #expect(try kinds() == [.start, .violation, .stop, .integrity])
        #expect(trail.counts.entries[.violation] == 1 && trail.counts.lost == 0)
    }

    @Test func manyEventsAreKeptInOrder() throws {
        let trail = trail(isHeld: false)
        trail.begin("serve", target: "a.js")
        for index in 0..<2_000 { trail.note(AuditEvent(.limit, action: "cpu", target: "\(index)")) }
        trail.end("serve", target: "a.js", outcome: "drained")
        #expect(try kinds().filter { $0 == .limit }.count == 2_000)
    }

    /// A folder that cannot be: who notes something does not wait, and what is lost is counted.
    @Test func whatCannotBeWrittenIsCounted() throws {
        let trail = AuditTrail(
            store: "/proc/nowhere", clock: LinuxClock(), messages: Messages(isQuiet: true, level: .error))
        let count = AuditTrail.queueEventsMax + 1_000
        for _ in 0..<count { trail.note(AuditEvent(.admin, action: "reload")) }
        trail.end("serve", target: "a.js", outcome: "drained")
        // And the end itself.
        #expect(trail.counts.lost == UInt64(count + 1) && trail.counts.failures > 0 && trail.counts.entries.isEmpty)
    }
}
