import Telemetry
import Testing

@testable import Store

@Suite struct ErrorFingerprintTests {
    @Test func numbersIdsAndQuotedTextsDoNotCount() {
        let cases = [
            ("no price for item 3", "no price for item #"),
            ("connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED #"),
            ("user 4bf92f35-77b3-4da6-a3ce-929d0e0e4736 is gone", "user # is gone"),
            (
                "Cannot read properties of undefined (reading 'price')",
                "Cannot read properties of undefined (reading …)"
            ),
            ("can't open \"a b\" and `c`", "can't open … and …"), ("an 'open quote", "an 'open quote"),
            ("took 1.5s, then 2.5s", "took #, then #"), ("first line 1\nsecond", "first line #"), ("", ""),
            ("价格 3 错误", "价格 # 错误"),
        ]
        for (message, normal) in cases { #expect(ErrorFingerprint.normal(message) == normal, "\(message)") }
        #expect(ErrorFingerprint.normal(String(repeating: "a", count: 1 << 20)).utf8.count == 512)
    }

    @Test func linesAndColumnsDoNotCount() {
        #expect(ErrorFingerprint.place("at f (src/app.ts:3:14)") == "at f (src/app.ts)")
        #expect(ErrorFingerprint.place("at file:///srv/a.js:3:14") == "at file:///srv/a.js")
        #expect(ErrorFingerprint.place("at com.x.Shop.pay(Shop.java:42)") == "at com.x.Shop.pay(Shop.java)")
        #expect(ErrorFingerprint.place("File \"app.py\", line 42, in pay") == "File \"app.py, in pay")
    }

    @Test func framesOfTheProgramDecide() {
        func fingerprint(_ frames: String...) -> String {
            let lines = frames.map { "\n    at \($0)" }.joined()
            return ErrorFingerprint.text(type: "E", message: "m", stack: ErrorStack("E: m" + lines))
        }
        #expect(fingerprint("f (a.js:1:1)") == fingerprint("f (a.js:2:9)"))
        #expect(fingerprint("f (a.js:1:1)") != fingerprint("g (a.js:1:1)"))
        #expect(fingerprint("node:internal/x:1:1", "f (a.js:1:1)") == fingerprint("f (a.js:1:1)"))
        #expect(
            fingerprint("q (/srv/node_modules/pg/q.js:1:1)", "f (a.js:1:1)")
                == fingerprint("r (/srv/node_modules/pg/r.js:1:1)", "f (a.js:1:1)"))
        #expect(fingerprint().count == 16)
    }

    @Test func ofALongStackTheBeginningCounts() {
        let long = String(repeating: "x", count: 1 << 20)
        let stack = ErrorStack("E\n    at f (a.js:1:1)\n\(long)\n    at g (a.js:1:1)")
        #expect(stack.frames == ["at f (a.js:1:1)"])
        #expect(ErrorStack.told(by: "first\n\(long)").message == "first")
    }

    @Test func aStackIsTakenApart() {
        let stack = ErrorStack(
            """
            Error: many
                at f (a.js:1:1)
                at node:internal/x:1:1
            [errors][0]: Error: one
                at g (b.js:1:1)
            [errors][2]: TypeError: two
            [errors]: 992 more
            [cause]: Error: deep
                at h (c.js:1:1)
            Caused by: java.io.IOException: no
                at com.x.Y.z(Y.java:3)
            """)
        #expect(stack.frames == ["at f (a.js:1:1)", "at node:internal/x:1:1"])
        #expect(
            stack.others == [
                .init(relation: .member, headline: "Error: one", frames: ["at g (b.js:1:1)"]),
                .init(relation: .member, headline: "TypeError: two", frames: []),
                .init(relation: .cause, headline: "Error: deep", frames: ["at h (c.js:1:1)"]),
                .init(relation: .cause, headline: "java.io.IOException: no", frames: ["at com.x.Y.z(Y.java:3)"]),
            ])
        #expect(ErrorStack(String(repeating: "at f (a.js:1:1)\n", count: 100_000)).frames.count == ErrorStack.linesMax)
    }
}

@Suite struct ErrorListingTests {
    private let directory = TemporaryDirectory()

    private func store(_ batches: [Batch]) {
        let writer = StoreWriter(directory: directory.path)
        for batch in batches { writer.append(batch) }
        writer.close()
    }

    private func attributes(_ type: String, _ message: String, _ frame: String = "f (a.js:1:1)") -> Attributes {
        [
            Attribute("exception.type", .string(type)), Attribute("exception.message", .string(message)),
            Attribute("exception.stacktrace", .string("\(type): \(message)\n    at \(frame)")),
        ]
    }

    private func failure(
        _ message: String, at time: UInt64, severity: UInt8 = 17, trace: TraceID = .invalid, span: UInt64 = 0
    ) -> LogRecord {
        var record = log("E: \(message)", at: time, severity: severity, trace: trace, span: span)
        record.attributes = attributes("E", message)
        return record
    }

    private func listing(_ change: (inout ErrorQuery) -> Void = { _ in }) throws -> ErrorListing {
        var query = ErrorQuery()
        change(&query)
        return try StoreReader(directory: directory.path).errors(query)
    }

    @Test func errorsAreGroupedAcrossServicesLogsAndSpans() throws {
        var failed = span(traceID(1), 5, "a", error: true)
        failed.events = [
            SpanData.Event(time: noon + 5_000_000, name: "exception", attributes: attributes("E", "item 3"))
        ]
        var other = span(traceID(2), 6, "b")
        other.events = [
            SpanData.Event(time: noon + 9_000_000, name: "exception", attributes: attributes("E", "item 9")),
            SpanData.Event(time: noon, name: "something", attributes: []),
        ]
        store([
            Batch([failed, other, span(traceID(3), 7, "c", error: true)], resource: shop),
            Batch(
                [
                    failure("item 3", at: 5, trace: traceID(1), span: 5), log("fine"),
                    failure("item 1", at: 1, severity: 13), log("disk 7 is full", at: 3, severity: 21),
                ], resource: shop),
            Batch([failure("item 4", at: 7), log("disk 8 is full", at: 2, severity: 17)], resource: stock),
        ])
        let found = try listing().groups
        #expect(found.map(\.count) == [4, 2], "what a log has said of span 5 is not counted again")
        #expect(found[0].firstTime == noon + 1_000_000)
        #expect(found[0].lastTime == noon + 9_000_000)
        #expect(found[0].services == ["shop": 3, "stock": 1])
        #expect(found[0].latest.traceID == traceID(2))
        #expect(found[0].latest.source == .span)
        #expect(found[0].latest.headline == "E: item 9")
        #expect(found[1].latest.headline == "disk 7 is full")
        #expect(try listing { $0.service = "stock" }.groups.map(\.count) == [1, 1])
        #expect(try listing { $0.since = noon + 6_000_000 }.groups.map(\.count) == [2])
        #expect(try listing { $0.until = noon + 3_000_000 }.groups.map(\.count) == [1, 1])
        #expect(try listing { $0.order = .first }.groups.map(\.count) == [2, 4])
        #expect(try listing { $0.order = .count }.groups.map(\.count) == [4, 2])
        let short = try listing { $0.limit = 1 }
        #expect(short.groups.count == 1)
        #expect(short.omittedGroups == 1)
    }

    /// Thrown in a span, logged in one above it.
    @Test func anErrorThatRoseToWhereItIsLoggedCountsOnce() throws {
        func thrown(_ spans: [UInt64], _ trace: TraceID) -> [SpanData] {
            spans.map { number in
                var failed = span(trace, number, "evaluate", error: true)
                failed.events = [SpanData.Event(time: noon, name: "exception", attributes: attributes("E", "once"))]
                return failed
            }
        }
        store([
            Batch(thrown([4, 5, 4], traceID(1)), resource: shop),
            Batch([failure("once", at: 1, trace: traceID(1), span: 4)], resource: shop),
        ])
        #expect(try listing().groups.map(\.count) == [1])
        // Each log stands for one.
        store([
            Batch(thrown([6, 7, 8], traceID(2)), resource: shop),
            Batch([failure("once", at: 1, trace: traceID(2), span: 4)], resource: shop),
        ])
        #expect(try listing().groups.map(\.count) == [4])
        // Of another trace.
        store([Batch(thrown([9], traceID(3)), resource: shop)])
        #expect(try listing().groups.map(\.count) == [5])
    }

    @Test func oneIsShownWithTheLogsBeforeIt() throws {
        store([
            Batch(
                (0..<20).map { log("step \($0)", at: $0, trace: traceID(1)) }
                    + [failure("item 3", at: 10, trace: traceID(1), span: 5), log("elsewhere", at: 9)],
                resource: shop)
        ])
        let fingerprint = try listing().groups[0].fingerprint
        let reader = try StoreReader(directory: directory.path)
        let found = try reader.error(String(fingerprint.prefix(6)).uppercased(), ErrorQuery(), logsMax: 3)
        let detail = try #require(found.detail)
        #expect(detail.group.latest.stack == "E: item 3\n    at f (a.js:1:1)")
        #expect(detail.logs.map { $0.record.body.string ?? "" } == ["step 9", "step 10", "E: item 3"])
        #expect(try reader.error("ffff0000", ErrorQuery(), logsMax: 3).fingerprints == [])
    }

    @Test func aStackInTheTextOfALogIsOne() throws {
        func python(_ number: Int) -> String {
            """
            Traceback (most recent call last):
              File "/srv/shop/pay.py", line 1\(number), in pay
                total(cart)
            ValueError: no price for item \(number)
            """
        }
        func java(_ number: Int, _ method: String) -> String {
            "order \(number) failed\n\tat com.x.Shop.\(method)(Shop.java:4\(number))\n\tat com.x.Main.main(Main.java:3)"
        }
        store([
            Batch(
                [
                    log(python(1), at: 4, severity: 17), log(python(2), at: 5, severity: 17),
                    log(java(1, "pay"), at: 1, severity: 17), log(java(2, "pay"), at: 2, severity: 17),
                    log(java(3, "refund"), at: 3, severity: 17),
                ], resource: shop)
        ])
        let groups = try listing().groups
        #expect(groups.map(\.count) == [2, 1, 2])
        #expect(
            groups.map(\.latest.headline) == ["ValueError: no price for item 2", "order 3 failed", "order 2 failed"])
        let reader = try StoreReader(directory: directory.path)
        let detail = try #require(try reader.error(groups[2].fingerprint, ErrorQuery(), logsMax: 0).detail)
        #expect(
            ErrorStack(detail.group.latest.stack).frames == [
                "at com.x.Shop.pay(Shop.java:42)", "at com.x.Main.main(Main.java:3)",
            ])
    }

    @Test func groupsAreBoundedAndTheOldestAreBeyond() throws {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        func word(_ number: Int) -> String {
            String([letters[number / 676 % 26], letters[number / 26 % 26], letters[number % 26]])
        }
        let old = (0..<StoreReader.errorGroupsMax).map { log("old \(word($0))", severity: 17) }
        store([Batch(old, resource: shop)])
        store([Batch((0..<5).map { log("new \(word($0))", at: 9, severity: 17) }, resource: shop)])
        let found = try listing { $0.limit = 5 }
        #expect(found.groups.allSatisfy { $0.latest.message.hasPrefix("new") })
        #expect(found.ungrouped == 5)
        #expect(found.omittedGroups == StoreReader.errorGroupsMax - 5)
    }

    @Test func hostileTextsAreCutInListsAndWholeAlone() throws {
        let long = String(repeating: "é", count: 300_000)
        store([Batch([failure(long, at: 1)], resource: shop)])
        let group = try listing().groups[0]
        #expect(group.latest.message.utf8.count <= 1_026)
        #expect(group.latest.stack == "")
        let reader = try StoreReader(directory: directory.path)
        #expect(try reader.error(group.fingerprint, ErrorQuery(), logsMax: 1).detail?.group.latest.message == long)
    }

    @Test func typesServicesAndLogsAreBounded() throws {
        let long = String(repeating: "T", count: 30_000)
        var record = log("x", at: 1, severity: 17, trace: traceID(1))
        record.attributes = attributes(long, "m")
        store(
            (0..<100).map { number in
                Batch([record], resource: Resource(attributes: [Attribute("service.name", .string("s\(number)"))]))
            })
        let group = try #require(try listing().groups.first)
        #expect(group.count == 100)
        #expect(group.latest.type.utf8.count == 256)
        #expect(group.services.count == 32)
        let reader = try StoreReader(directory: directory.path)
        let found = try reader.error(group.fingerprint, ErrorQuery(), logsMax: 100, bytesMax: 200_000)
        #expect(found.detail?.logs.count == 3, "of 60 kB each")
        #expect(try reader.error(group.fingerprint, ErrorQuery(), logsMax: 0).detail?.logs.isEmpty == true)
    }

    @Test func recordsWithoutTextAreErrorsByTheirShape() throws {
        var event = LogRecord(time: noon + 2, severity: 17, body: .empty)
        event.eventName = "payment.failed"
        let map = LogRecord(time: noon + 1, severity: 17, body: .map([Attribute("code", 1), Attribute("at", "x")]))
        store([Batch([event, map], resource: shop)])
        #expect(try listing().groups.map(\.latest.headline) == ["payment.failed", "{at, code}"])
    }
}
