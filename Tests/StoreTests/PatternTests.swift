import Telemetry
import Testing

@testable import Store

@Suite struct PatternMaskTests {
    private func mask(_ text: String) -> String {
        var out: [UInt8] = []
        var text = text
        text.withUTF8 { PatternMask.mask(UnsafeRawBufferPointer($0), into: &out) }
        return String(decoding: out, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("order 12 paid in 3.5ms by user=42", "order <num> paid in <num> by user=<num>"),
            ("GET /api/orders/12?x=1 200", "GET <path> <num>"),
            ("from 10.0.3.4:51234 to [2001:db8:85a3:1::7]", "from <ip> to [<ip>::<num>]"),
            ("peer 192.168.1.7 gone", "peer <ip> gone"),
            ("request 4bf92f35-77b3-4da6-a3ce-929d0e0e4736 done", "request <id> done"),
            ("commit 4bf92f3577b3 at 0xdeadbeef1", "commit <id> at <id>"),
            ("worker-12 of pool_3", "worker-<num> of pool_<num>"),
            ("at 2026-11-23 15:04:05.123 it's \"so 'x'\" and 'that'", "at <num> <num> it's <str> and <str>"),
            ("  many \t blanks  ", "many blanks"), ("one\ntwo", "one"), ("", ""),
            ("5% / done", "<num>% / done"), ("an \"open quote", "an \"open quote"),
            ("größe 12 价格", "größe <num> 价格"), ("https://a.example/x", "https:<path>"),
        ])
    func whatDiffersBecomesASign(_ text: String, _ masked: String) {
        #expect(mask(text) == masked)
    }

    @Test func hostileLinesAreCut() {
        #expect(mask(String(repeating: "a", count: 1 << 20)).utf8.count == PatternMask.bytesMax)
        #expect(mask(String(repeating: "\"", count: 1 << 20)).utf8.count <= 5 * PatternMask.bytesMax)
        var random = SeededGenerator(seed: 8)
        var out: [UInt8] = []
        for length in 0..<500 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes.withUnsafeBytes { PatternMask.mask($0, into: &out) }
            #expect(out.count <= 6 * length)
        }
    }
}

@Suite struct PatternMinerTests {
    @Test func similarLinesAreOnePatternAndOthersAreNot() {
        var miner = PatternMiner()
        func pattern(_ text: String) -> Int? { miner.pattern(of: Array(text.utf8)) }
        #expect(pattern("connection to redis was lost") == 0)
        #expect(pattern("connection to postgres was lost") == 0)
        #expect(pattern("connection to redis was lost") == 0)
        #expect(pattern("user logged in") == 1)
        #expect(pattern("user logged out") == 2)
        #expect(pattern("") == 3)
        #expect(pattern("") == 3)
        #expect(miner.patterns.map(\.text) == ["connection to <*> was lost", "user logged in", "user logged out", ""])
    }

    @Test func manyThatBeginAlikeAreOnePattern() {
        var miner = PatternMiner()
        for number in 0..<5_000 {
            let name = String(number, radix: 26).map { String(UnicodeScalar(97 + Int(String($0), radix: 26)!)!) }
                .joined()
            #expect(miner.pattern(of: Array("hello \(name)".utf8)) != nil)
        }
        #expect(miner.patterns.count == PatternMiner.manyMin)
        #expect(miner.patterns.contains { $0.text == "hello <*>" })
    }

    @Test func everythingIsBounded() {
        var miner = PatternMiner()
        var random = SeededGenerator(seed: 2)
        var isLeft = false
        for _ in 0..<20_000 {
            let words = (0..<Int.random(in: 1...100, using: &random)).map { _ in
                String(UInt64.random(in: 0...(.max), using: &random), radix: 36)
            }
            if miner.pattern(of: Array(words.joined(separator: " ").utf8)) == nil { isLeft = true }
        }
        #expect(isLeft)
        #expect(miner.patterns.count <= PatternMiner.patternsMax)
        #expect(miner.patterns.allSatisfy { $0.tokens.count <= PatternMiner.tokensMax + 1 })
        let long = Array((0..<100_000).map { _ in "w" }.joined(separator: " ").utf8)
        if let index = miner.pattern(of: long) { #expect(miner.patterns[index].tokens.last == "…") }
    }
}

@Suite struct LogPatternTests {
    private let directory = TemporaryDirectory()

    private func store(_ batches: [Batch]) {
        let writer = StoreWriter(directory: directory.path)
        for batch in batches { writer.append(batch) }
        writer.close()
    }

    private func patterns(_ limit: Int = 50, _ change: (inout LogQuery) -> Void = { _ in }) throws -> LogPatterns {
        var query = LogQuery()
        change(&query)
        return try StoreReader(directory: directory.path).logPatterns(query, limit: limit)
    }

    @Test func kindsAreCountedAndWhatIsNewOrGrowsIsMarked() throws {
        store([
            Batch(
                (0..<100).map { log("tick \($0)", at: $0) }
                    + (0..<40).map {
                        log("retry after \($0) s", at: $0 < 15 ? $0 : 80, severity: 13, trace: traceID($0))
                    },
                resource: shop),
            Batch([log("disk \(9) is full", at: 99, severity: 17)], resource: stock),
        ])
        let found = try patterns()
        #expect(found.patterns.map(\.template) == ["tick <num>", "retry after <num> s", "disk <num> is full"])
        #expect(found.patterns.map(\.count) == [100, 40, 1])
        #expect(found.patterns.map(\.isNew) == [false, false, true])
        #expect(found.patterns.map(\.isGrowing) == [false, true, false])
        #expect(found.patterns.map(\.level) == [.info, .warn, .error])
        #expect(found.patterns[2].services == ["stock": 1])
        #expect(found.patterns[1].recent == 25)
        #expect(found.patterns[1].firstTime == noon)
        #expect(found.patterns[1].lastTime == noon + 80_000_000)
        #expect(found.patterns[2].example == "disk 9 is full")
        #expect(found.total == 141)
        #expect(found.start == noon)
        #expect(found.end == noon + 99_000_001)
        #expect(try patterns { $0.severityMin = 13 }.total == 41)
        #expect(try patterns { $0.service = "stock" }.patterns.map(\.isNew) == [false], "there is nothing before")
        #expect(try patterns { $0.since = noon + 50_000_000 }.patterns.map(\.count) == [50, 25, 1])
        #expect(try patterns(1).omittedPatterns == 2)
    }

    @Test func recordsWithoutTextAreKnownByTheirShape() throws {
        var event = LogRecord(time: noon, severity: 9, body: .empty)
        event.eventName = "session.start"
        let map = LogRecord(time: noon, severity: 9, body: .map([Attribute("b", 1), Attribute("a", "x")]))
        store([Batch([event, map, map, LogRecord(time: noon, severity: 0, body: .empty)], resource: shop)])
        let found = try patterns().patterns
        #expect(Set(found.map(\.template)) == ["{a, b}", "session.start", ""])
        #expect(found[0].count == 2)
    }

    @Test func namesOfEventsAreCut() throws {
        var event = LogRecord(time: noon, severity: 9, body: .empty)
        event.eventName = String(repeating: "x", count: 300_000)
        store([Batch([event], resource: shop)])
        #expect(try patterns().patterns.map(\.template.utf8.count) == [PatternMask.bytesMax])
    }

    @Test func hostileLinesAreTaken() throws {
        store([
            Batch(
                [
                    log(String(repeating: "x", count: 1 << 20), at: 1),
                    log((0..<100_000).map { "t\($0)" }.joined(separator: " "), at: 2), log("\u{1B}[2J\0", at: 3),
                ], resource: shop)
        ])
        let found = try patterns()
        #expect(found.patterns.count == 3)
        #expect(found.patterns.allSatisfy { $0.template.utf8.count <= 6 * PatternMask.bytesMax })
    }
}
