import Signing
import Telemetry
import Testing

@testable import Audit

@Suite struct AuditLogTests {
    private func event(_ index: Int) -> AuditEvent {
        AuditEvent(
            .violation, time: UInt64(1_000 + index), actor: "isolate 0", action: "connect",
            target: "10.0.0.\(index):80",
            outcome: "refused", reason: "no rule allows it \"\n\u{1B}[31m",
            attributes: [Attribute("sidelight.policy.permission", "network"), Attribute("n", .int(Int64(index)))],
            traceID: TraceID(high: 1, low: 2), spanID: SpanID(3))
    }

    private func verify(_ files: SimulatedAuditFiles, _ log: AuditLog) throws -> AuditVerdict {
        try AuditVerifier.verify(files, key: log.publicKey)
    }

    @Test func whatIsPutOnRecordIsReadBack() throws {
        let files = SimulatedAuditFiles()
        let log = try AuditLog(files)
        #expect(log.isKeyNew)
        try log.append((0..<3).map(event), now: 5_000)
        var read: [AuditEvent] = []
        let verdict = try AuditVerifier.verify(files, key: log.publicKey) { entry, _ in read.append(entry.event) }
        #expect(verdict.isSound, "\(verdict.problems)")
        #expect(verdict.entries == 3 && verdict.first == 1 && verdict.last == 3 && verdict.unsigned == 0)
        #expect(read.count == 3)
        for (index, entry) in read.enumerated() {
            var expected = event(index)
            expected.attributes.sort { $0.key < $1.key }
            #expect(entry == expected)
        }
        #expect(try AuditVerifier.ownKey(files) == log.publicKey)
    }

    @Test func whoFollowsSeesWhatIsAppended() throws {
        let files = SimulatedAuditFiles()
        var limits = AuditLimits()
        limits.segmentBytesMax = 2_000
        let log = try AuditLog(files, limits)
        try log.append([event(0)], now: 1)
        var follower = try AuditFollower(files)
        var seen: [UInt64] = []
        for index in 1..<12 {
            try log.append([event(index)], now: 1)
            try follower.next { entry, _ in seen.append(entry.number) }
        }
        #expect(seen == Array(2...seen.last!) && files.segments.count > 2)
    }

    @Test func severalProcessesHaveOneChain() throws {
        let files = SimulatedAuditFiles()
        let (one, two) = (try AuditLog(files), try AuditLog(files))
        #expect(one.publicKey == two.publicKey && !two.isKeyNew)
        for index in 0..<20 { try (index.isMultiple(of: 3) ? one : two).append([event(index)], now: 1) }
        let verdict = try verify(files, one)
        #expect(verdict.isSound && verdict.entries == 20, "\(verdict.problems)")
    }

    @Test func theChainGoesOnInTheNextProcess() throws {
        let files = SimulatedAuditFiles()
        try AuditLog(files).append([event(0)], isLast: true, now: 1)
        let log = try AuditLog(files)
        try log.append([event(1)], isLast: true, now: 2)
        let verdict = try verify(files, log)
        #expect(verdict.isSound && verdict.entries == 4 && verdict.signatures == 3, "\(verdict)")
    }

    @Test func segmentsFollowEachOtherAndOldOnesGo() throws {
        let files = SimulatedAuditFiles()
        var limits = AuditLimits()
        limits.segmentBytesMax = 4_000
        limits.segmentsMax = 3
        let log = try AuditLog(files, limits)
        for index in 0..<100 {
            try log.append([event(index)], now: 1)
            let verdict = try verify(files, log)
            #expect(verdict.isSound, "after \(index): \(verdict.problems)")
            #expect(files.segments.count <= 3)
        }
        let verdict = try verify(files, log)
        #expect(verdict.first > 1 && verdict.segments == 3)
        // The first of those that are left is removed by somebody else.
        files.files[files.segments[0]] = nil
        #expect(try verify(files, log).problems.first?.kind == .cut)
    }

    @Test func aLineThatWasTornIsNoTampering() throws {
        let files = SimulatedAuditFiles()
        let log = try AuditLog(files)
        try log.append([event(0), event(1)], now: 1)
        files.kills = true
        files.room = 100
        #expect(throws: AuditFileError.self) { try log.append([event(2)], now: 2) }
        files.kills = false
        files.room = .max
        var verdict = try verify(files, log)
        #expect(verdict.isSound && verdict.torn == 1 && verdict.entries == 2, "\(verdict)")
        let next = try AuditLog(files)
        try next.append([event(3)], now: 3)
        verdict = try verify(files, log)
        #expect(verdict.isSound && verdict.torn == 1 && verdict.entries == 4, "\(verdict)")
        #expect(verdict.kinds[.integrity] == 1)
    }

    @Test func aFullDiskLeavesNothingBehind() throws {
        let files = SimulatedAuditFiles()
        let log = try AuditLog(files)
        try log.append([event(0)], now: 1)
        let before = files.files
        // In the entry, and in the end that is signed after it.
        for room in stride(from: 0, through: 750, by: 50) {
            files.room = room
            let error = #expect(throws: AuditFileError.self) { try log.append([event(1)], now: 2) }
            #expect(error?.isNoSpace == true)
            #expect(files.files == before)
        }
        files.room = .max
        try log.append([event(1)], now: 2)
        let verdict = try verify(files, log)
        #expect(verdict.isSound && verdict.entries == 2 && verdict.torn == 0, "\(verdict)")
    }

    /// Wherever a writer is killed, whatever is left is sound, and who comes next goes on.
    @Test func noKillLooksLikeTampering() throws {
        for room in stride(from: 0, through: 1_800, by: 7) {
            let files = SimulatedAuditFiles()
            let first = try AuditLog(files)
            try first.append([event(0)], now: 1)
            files.kills = true
            files.room = room
            _ = try? first.append([event(1), event(2)], now: 2)
            var verdict = try verify(files, first)
            #expect(verdict.isSound, "killed after \(room): \(verdict.problems)")
            // And so is the next one, at another place.
            files.room = room / 3
            _ = try? AuditLog(files).append([event(3)], now: 3)
            files.kills = false
            files.room = .max
            try AuditLog(files).append([event(4)], isLast: true, now: 4)
            verdict = try verify(files, first)
            #expect(verdict.isSound, "killed after \(room) and \(room / 3): \(verdict.problems)")
        }
    }

    @Test func textsAndAttributesHaveBounds() throws {
        let files = SimulatedAuditFiles()
        let log = try AuditLog(files)
        let long = String(repeating: "\u{1}", count: 100_000)
        let many = (0..<1_000).map { Attribute("k\($0)", .string(long)) }
        try log.append([AuditEvent(.admin, action: long, target: long, reason: long, attributes: many)], now: 1)
        let verdict = try verify(files, log)
        #expect(verdict.entries == 1, "\(verdict)")
    }
}
