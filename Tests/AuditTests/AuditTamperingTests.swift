import Signing
import Telemetry
import Testing

@testable import Audit

/// What somebody does to the files who has not the key.
@Suite struct AuditTamperingTests {
    private let files = SimulatedAuditFiles()
    private let log: AuditLog

    init() throws {
        log = try AuditLog(files)
        for index in 1...9 {
            try log.append(
                [
                    AuditEvent(
                        .admin, time: UInt64(index), actor: "mallory", action: "reload", reason: "number \(index)")
                ],
                now: UInt64(index))
        }
    }

    private func problems() throws -> [AuditProblem.Kind] {
        try AuditVerifier.verify(files, key: log.publicKey).problems.map(\.kind)
    }

    @Test func itIsSoundBefore() throws { #expect(try problems() == []) }

    @Test(arguments: 0..<9) func anEditIsFound(_ index: Int) throws {
        files.lines[index] = files.lines[index].replacing("mallory", with: "alice")
        #expect(try problems() == [.edited])
    }

    /// With a hash that is right again.
    @Test(arguments: 0..<9) func aReplacementIsFound(_ index: Int) throws {
        let entry = try AuditEntry(line: Array(files.lines[index].utf8)[...])
        let event = AuditEvent(.admin, time: 1, actor: "alice", action: "reload")
        let line = AuditEntry.line(event, number: entry.number, previous: entry.previous).bytes
        files.lines[index] = String(decoding: line.dropLast(), as: UTF8.self)
        #expect(try problems() == [.replaced])
    }

    /// With all that follows, so that the chain is right again.
    @Test func aChainWrittenAnewIsFoundByTheSignedEnd() throws {
        var previous = Digest.zero
        files.lines = (1...UInt64(9)).map { number in
            let (line, hash) = AuditEntry.line(
                AuditEvent(.admin, time: 1, actor: "alice", action: "reload"), number: number, previous: previous)
            previous = hash
            return String(decoding: line.dropLast(), as: UTF8.self)
        }
        #expect(try problems() == [.replaced])
        // Its end signed by somebody else.
        let other = try SigningKey.generate()
        files.files["head.json"] = try AuditHead(9, previous, time: 1, other).bytes
        #expect(try problems() == [.signature])
    }

    @Test(arguments: 0..<8) func aCutIsFound(_ index: Int) throws {
        files.lines.remove(at: index)
        #expect(try problems() == [.cut])
    }

    /// Whoever can append a line says that the beginning was removed as it has to be.
    @Test func aRemovalThatSomebodyElseSaysIsFound() throws {
        let entries = try files.lines.map { try AuditEntry(line: Array($0.utf8)[...]) }
        let end = entries.last!
        for key in [try SigningKey.generate(), nil] {
            var event = try AuditRemoval.event(
                end.number + 1, previous: end.hash, before: entries[4], time: 1, key ?? SigningKey.generate())
            if key == nil { event.attributes = event.attributes.filter { $0.key != AuditSeal.signatureName } }
            let line = AuditEntry.line(event, number: end.number + 1, previous: end.hash).bytes
            let before = files.lines
            files.lines = before[4...] + [String(decoding: line.dropLast(), as: UTF8.self)]
            #expect(try problems() == [.signature, .cut])
            files.lines = before
        }
    }

    @Test func aReorderIsFound() throws {
        files.lines.swapAt(3, 5)
        #expect(try problems().contains(.reordered))
    }

    @Test func anEntryThatIsThereTwiceIsFound() throws {
        files.lines.insert(files.lines[4], at: 5)
        #expect(try problems().first == .reordered)
    }

    @Test(arguments: 1...9) func aCutAtTheEndIsFound(_ count: Int) throws {
        files.lines.removeLast(count)
        #expect(try problems() == [.truncated])
    }

    @Test func theLogThatIsGoneIsFound() throws {
        files.files[files.segments[0]] = nil
        #expect(try problems() == [.truncated])
        try AuditLog(files).append([AuditEvent(.start, action: "run")], now: 1)
        #expect(try problems() == [.damaged])
    }

    @Test func aSignedEndThatIsGoneIsFound() throws {
        files.files["head.json"] = nil
        #expect(try problems() == [.unsigned])
        // Going on does not hide it.
        try AuditLog(files).append([AuditEvent(.start, action: "run")], now: 1)
        #expect(try problems() == [.damaged])
    }

    /// Half of a signed entry is cut off, so that it looks torn.
    @Test func aTearOfWhatWasSignedIsFound() throws {
        files.files[files.segments[0]]!.removeLast(40)
        #expect(try problems() == [.truncated])
        try AuditLog(files).append([AuditEvent(.start, action: "run")], now: 1)
        #expect(try problems() == [.damaged])
    }

    /// Nobody who is killed leaves such lines.
    @Test(arguments: ["hello\n", "\n", "hello", "world {\"seq\":1}\n", "\n\n", "\0\0x\n"])
    func whatIsNoBeginningOfAnEntryIsNoTear(text: String) throws {
        files.files[files.segments[0]]! += Array(text.utf8)
        try AuditLog(files).append([AuditEvent(.start, action: "run")], now: 1)
        let problems = try problems()
        #expect(problems.contains(.damaged) && problems.contains(.unreadable), "\(problems)")
    }

    /// As file systems show what was being written when the power was lost.
    @Test(arguments: ["{\"se", "{\"seq\":9,", "\0\0\0"])
    func aBeginningIsATear(text: String) throws {
        files.files[files.segments[0]]! += Array(text.utf8)
        try AuditLog(files).append([AuditEvent(.start, action: "run")], now: 1)
        #expect(try problems() == [])
    }

    @Test func theOldLogWithItsOldEndIsFoundByWhoKnowsALaterEntry() throws {
        let old = files.files
        try log.append([AuditEvent(.violation, action: "connect")], now: 10)
        let verdict = try AuditVerifier.verify(files, key: log.publicKey)
        let anchor = try #require(AuditVerifier.Anchor("\(verdict.last):\(verdict.lastHash.hex)"))
        files.files = old
        #expect(try problems() == [])
        let found = try AuditVerifier.verify(files, key: log.publicKey, anchor: anchor)
        #expect(found.problems.map(\.kind) == [.truncated])
    }

    /// Whoever can append lines has them signed by who goes on: which they are is on record.
    @Test func whatStoodAfterTheSignedEndIsToldOf() throws {
        var previous = try AuditEntry(line: Array(files.lines.last!.utf8)[...]).hash
        for number in UInt64(10)...12 {
            let event = AuditEvent(.admin, time: 1, actor: "alice", action: "reload")
            let (line, hash) = AuditEntry.line(event, number: number, previous: previous)
            previous = hash
            files.lines.append(String(decoding: line.dropLast(), as: UTF8.self))
        }
        var verdict = try AuditVerifier.verify(files, key: log.publicKey)
        #expect(verdict.isSound && verdict.unsigned == 3 && verdict.late == [])
        for _ in 1...2 {
            try AuditLog(files).append([AuditEvent(.start, action: "run")], now: 2)
            verdict = try AuditVerifier.verify(files, key: log.publicKey)
            #expect(verdict.isSound && verdict.unsigned == 0 && verdict.late == [10...12])
        }
    }

    /// Who goes on cannot count further, and does.
    @Test func aNumberThatNothingFollowsIsFound() throws {
        let event = AuditEvent(.admin, time: 1, action: "x")
        let line = AuditEntry.line(event, number: .max, previous: .zero).bytes
        files.lines.append(String(decoding: line.dropLast(), as: UTF8.self))
        #expect(try problems() == [.unreadable])
        let next = try AuditLog(files)
        try next.append([event], now: 2)
        #expect(try AuditEntry(line: Array(files.lines.last!.utf8)[...]).number == 11)
    }

    @Test func foreignLinesAreFound() throws {
        for line in ["", "{}", "null", "{\"seq\":1}", String(repeating: "x", count: 100_000)] {
            let before = files.files
            files.lines.insert(line.isEmpty ? " " : line, at: 4)
            #expect(try problems() == [.unreadable])
            files.files = before
        }
    }

    /// Any byte that is changed is found.
    @Test func everyByteCounts() throws {
        let name = files.segments[0]
        let sound = files.files[name]!
        for index in stride(from: 0, to: sound.count, by: 3) {
            files.files[name]![index] ^= 0x04
            #expect(try !problems().isEmpty, "byte \(index)")
            files.files[name] = sound
        }
    }

    @Test func randomBytesBreakNothing() throws {
        var generator = SystemRandomNumberGenerator()
        let name = files.segments[0]
        let sound = files.files
        for _ in 0..<300 {
            var bytes = sound[name]!
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0:
                    bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                case 1: bytes.removeLast(Int.random(in: 1...bytes.count / 2, using: &generator))
                case 2: bytes.removeFirst(Int.random(in: 1...bytes.count / 2, using: &generator))
                default: bytes.insert(0x0A, at: Int.random(in: 0..<bytes.count - 1, using: &generator))
                }
            }
            files.files[name] = bytes
            if bytes != sound[name]! { #expect(try !problems().isEmpty) }
            // Who goes on with it neither fails nor hides it.
            try AuditLog(files).append([AuditEvent(.start, action: "run")], now: 1)
            if bytes.count != sound[name]!.count {
                #expect(try !problems().isEmpty, "\(String(decoding: bytes, as: UTF8.self))")
            }
            files.files = sound
        }
    }
}
