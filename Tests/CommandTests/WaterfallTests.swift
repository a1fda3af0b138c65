import Store
import Telemetry
import Testing

@testable import sidelight

@Suite struct WaterfallTests {
    private let shop = [
        span(1, "POST /checkout", 0, 42.3, kind: .server, error: "500"),
        span(2, parent: 1, "auth", 0.4, 3.1, attributes: [Attribute("user.id", "u-17")]),
        span(
            3, parent: 1, "checkout", 3.2, 40.2,
            events: [SpanData.Event(time: time(3.5), name: "cache miss", attributes: [Attribute("key", "cart:17")])]),
        span(4, parent: 3, "SELECT cart", 4, 21.5, kind: .client),
        span(5, parent: 3, "価格 🛒 total", 22, 39, error: "no price", events: [exception(38)]),
        span(6, parent: 4, "query", 5, 20, kind: .server, service: "postgres"),
        span(9, parent: 77, "lost child", 12, 13),
    ]
    private let shopLogs = [
        log("request in", 0.2, span: 1, attributes: [Attribute("path", "/checkout"), Attribute("note", "two words")]),
        log("slow\u{1B}[31m query\u{7}", 5, severity: 13, span: 4),
        log("checkout failed\nsecond line", 38.5, severity: 17, span: 3, attributes: exceptionAttributes),
        log("not of a span here", 50, span: 99),
    ]

    @Test func aTraceIsDrawnWithLogsAndErrorsInPlace() {
        #expect(
            waterfall(shop, logs: shopLogs).joined(separator: "\n") == #"""
                Trace 4bf92f3577b34da6a3ce929d0e0e4736
                postgres, shop  2026-11-23 14:00:00.123  42.3 ms  7 spans  2 errors  4 logs
                                                            0                            42.3 ms
                POST /checkout         shop        42.3 ms  ████████████████████████████████████
                │  ✗ 500
                │  14:00:00.123 INFO  request in  path=/checkout note="two words"
                ├─ auth                shop         2.7 ms  ██▋
                └─ checkout            shop          37 ms    ▐███████████████████████████████▎
                   │  ◆ cache miss  +300 µs
                   ├─ SELECT cart      shop        17.5 ms     ███████████████▎
                   │  │  14:00:00.128 WARN  slow\e[31m query\x07
                   │  └─ query         postgres      15 ms      █████████████
                   └─ 価格 🛒 total    shop          17 ms                    ▐██████████████▎
                         ✗ TypeError: no price
                             at total (src/cart.ts:12:19)
                             at checkout (src/checkout.ts:40:7)
                             at handle (src/server.ts:9:3)
                      14:00:00.161 ERROR checkout failed
                                         second line

                lost child             shop           1 ms            █▏
                   ? its parent, span 000000000000004d, is not here

                Logs outside these spans:
                  14:00:00.173 INFO  not of a span here
                """#)
    }

    @Test func whatIsNamedForItsMethodIsShownWithWhatWasAsked() {
        func title(_ name: String, _ kind: SpanKind, _ attributes: Attributes) -> String {
            let method: Attributes = name == "work" ? [] : [Attribute("http.request.method", "GET")]
            return span(1, name, 0, 1, kind: kind, attributes: method + attributes).span.title
        }
        let path = Attribute("url.path", "/users/7")
        #expect(title("GET", .server, [path]) == "GET /users/7")
        #expect(title("GET", .server, [path, Attribute("http.route", "/users/:id")]) == "GET /users/:id")
        #expect(title("GET /users/:id", .server, [path, Attribute("http.route", "/users/:id")]) == "GET /users/:id")
        let host = Attribute("server.address", "a.example")
        #expect(title("GET", .client, [host]) == "GET a.example")
        #expect(
            title("GET", .client, [host, Attribute("url.full", "https://a.example:81/b?c#d")]) == "GET a.example:81/b")
        #expect(title("GET", .client, []) == "GET")
        #expect(title("GET", .server, [Attribute("url.path", "")]) == "GET")
        #expect(title("work", .internal, [path]) == "work")
        let drawn = waterfall([
            span(1, "GET", 0, 5, kind: .server, attributes: [Attribute("http.request.method", "GET"), path])
        ])
        #expect(drawn.contains { $0.hasPrefix("GET /users/7 ") })
    }

    @Test func aPipeAndAttributesHaveWholeLines() {
        let text = "resources: " + String(repeating: "busy and ", count: 30) + "end"
        let burst = log(text, 1, span: 1, attributes: [Attribute("a", .array((0..<9).map { .int($0) }))])
        let spans = [span(1, "GET /", 0, 5)]
        #expect(waterfall(spans, logs: [burst]).allSatisfy { $0.columns <= 80 })
        #expect(
            waterfall(spans, logs: [burst], isInteractive: false).contains {
                $0.hasSuffix(text + "  a=[0, 1, 2, … 9 in all]")
            })
        #expect(
            waterfall(spans, logs: [burst], attributes: true).contains {
                $0.hasSuffix(text + "  a=[0, 1, 2, 3, 4, 5, 6, 7, 8]")
            })
    }

    @Test func eventsSayHowLongTheyTook() {
        func event(_ name: String, _ key: String, _ seconds: AttributeValue) -> SpanData.Event {
            SpanData.Event(time: time(1), name: name, attributes: [Attribute(key, seconds)])
        }
        let lines = waterfall([
            span(
                1, "GET /", 0, 5,
                events: [
                    event("event loop stall", "sidelight.eventloop.stall", 0.21),
                    event("gc", "sidelight.gc.pause", .double(0.0035)),
                    event("timer late", "sidelight.timer.late", .double(.nan)),
                ])
        ])
        #expect(
            lines.suffix(3) == [
                "   ◆ event loop stall 210 ms  +1 ms", "   ◆ gc 3.5 ms  +1 ms", "   ◆ timer late  +1 ms",
            ])
    }

    @Test func attributesAreShownWhenAskedFor() {
        let lines = waterfall(shop, logs: shopLogs, attributes: true)
        #expect(lines.contains("│     user.id: u-17"))
        #expect(lines.contains("   │    key: cart:17"))
        #expect(!waterfall(shop, logs: shopLogs).contains { $0.contains("user.id") })
    }

    @Test func noLineIsWiderThanTheTerminal() {
        for width in [40, 57, 80, 200] {
            for line in waterfall(shop, logs: shopLogs, width: width).dropFirst(2) {
                #expect(line.columns <= width, "\(width): \(line)")
            }
        }
    }

    @Test func colorsAreOnlyUsedWhenThereAreColors() {
        #expect(!waterfall(shop, logs: shopLogs).joined().contains("\u{1B}"))
        let colored = waterfall(shop, logs: shopLogs, color: true).joined(separator: "\n")
        #expect(colored.contains("\u{1B}[1;31m✗ TypeError: no price\u{1B}[0m"))
        #expect(!colored.contains("slow\u{1B}"), "a log cannot bring its own")
    }

    @Test func barsHaveEighthsOfACellAndAreNeverEmpty() {
        let lines = waterfall(
            [span(1, "root", 0, 80), span(2, parent: 1, "point", 40, 40), span(3, parent: 1, "tail", 79.9, 80)],
            width: 80)
        let bars = lines.dropFirst(3).map { String($0.dropFirst(33)) }
        #expect(bars[0] == String(repeating: "█", count: 47))
        #expect(bars[1].filter { $0 != " " } == "▐")
        #expect(bars[2].columns == 47)
    }

    @Test func clocksThatDisagreeWidenTheWindow() {
        let lines = waterfall([
            span(1, "root", 0, 10), span(2, parent: 1, "early", -5, 2), span(3, parent: 1, "backwards", 8, 6),
        ])
        #expect(lines[1].contains("15 ms"))
        #expect(lines.contains { $0.contains("backwards") && $0.contains("0 ns") })
    }

    @Test func spansOpenAtACrashAreMarked() {
        let lines = waterfall([
            span(
                1, "run", 0, 10, error: "killed by SIGKILL",
                attributes: [Attribute(StoredSpan.unfinishedAttribute, true)])
        ])
        #expect(lines.count { $0.contains("✗") } == 1)
        #expect(lines.contains { $0.hasSuffix("✗ still open when its process ended: killed by SIGKILL") })
    }

    @Test func whyAProcessEndedIsSaidOnce() {
        let why = "worker killed by SIGKILL (9)"
        let open = span(
            1, "GET", 0, 10, error: why, attributes: [Attribute(StoredSpan.unfinishedAttribute, true)])
        let death = log(
            why, 9, severity: 21, span: 1,
            attributes: [
                Attribute("exception.type", "SIGKILL"), Attribute("exception.message", .string(why)),
            ], eventName: "exception")
        let lines = waterfall([open], logs: [death])
        #expect(lines.count { $0.contains("SIGKILL") } == 1)
        #expect(lines[1].hasSuffix("1 span  1 error"))
    }

    @Test func causesAreShownWithTheirFrames() {
        let attributes: Attributes = [
            Attribute("exception.type", "TypeError"), Attribute("exception.message", "fetch failed"),
            Attribute(
                "exception.stacktrace",
                .string(
                    "TypeError: fetch failed\n    at handle (/app.js:3:9)\n    at sidelight:30_timers.js:1:1\n"
                        + "[cause]: Error: connect ECONNREFUSED\n    at dial (/app.js:7:1)\n[cause]: why")),
        ]
        let event = SpanData.Event(time: time(5), name: "exception", attributes: attributes)
        let lines = waterfall([span(1, "GET", 0, 10, error: "connect ECONNREFUSED", events: [event])])
        let notes = lines.map { $0.trimmingPrefix { " │".contains($0) } }.suffix(5)
        #expect(
            notes == [
                "✗ TypeError: fetch failed", "at handle (/app.js:3:9)", "caused by Error: connect ECONNREFUSED",
                "at dial (/app.js:7:1)", "caused by why",
            ])
        #expect(lines.count { $0.contains("✗") } == 1)
    }

    @Test func anErrorThatIsOnNoFailedSpanIsCountedAsOne() {
        let failure = log(
            "TypeError: no price", 9, severity: 17, span: 1, attributes: exceptionAttributes, eventName: "exception")
        #expect(
            waterfall([span(1, "f", 0, 10)], logs: [failure, log("x", 1, span: 1)])[1].hasSuffix(
                "1 span  1 error  1 log"))
        #expect(waterfall([span(1, "f", 0, 10, error: "no price")], logs: [failure])[1].hasSuffix("1 span  1 error"))
    }

    @Test func aParentElsewhereIsSaidToBeElsewhere() {
        var entry = span(1, parent: 7, "entry", 0, 10)
        entry.span.parentIsRemote = true
        #expect(waterfall([entry]).contains { $0.contains("called by span 0000000000000007") })
        #expect(
            waterfall([span(1, parent: 7, "entry", 0, 10)]).contains {
                $0.contains("? its parent, span 0000000000000007")
            })
    }

    @Test func spansInACircleAreStillDrawnOnce() {
        let lines = waterfall([
            span(1, parent: 2, "a", 0, 1), span(2, parent: 1, "b", 0.5, 1), span(3, parent: 3, "self", 0, 1),
        ])
        for name in ["a ", "b ", "self "] {
            #expect(lines.count { $0.contains(" " + name) || $0.hasPrefix(name) } == 1, "\(name)")
        }
    }

    @Test func anErrorLogThatRepeatsTheSpansExceptionIsLeftOut() {
        let failing = span(1, "f", 0, 10, error: "no price", events: [exception(9)])
        let same = log(
            "TypeError: no price", 9, severity: 17, span: 1, attributes: exceptionAttributes, eventName: "exception")
        #expect(waterfall([failing], logs: [same]).count { $0.contains("no price") } == 1)
        #expect(waterfall([span(1, "f", 0, 10)], logs: [same]).contains { $0.contains("✗ TypeError: no price") })
    }

    @Test func tenThousandSpansCollapseButErrorsStay() {
        var spans = [span(1, "root", 0, 10_000)]
        for number in 2...10_000 {
            spans.append(
                span(
                    UInt64(number), parent: UInt64(max(1, number / 10)), "s\(number)",
                    Double(number), Double(number) + 0.5, error: number == 9_999 ? "boom" : nil))
        }
        let lines = waterfall(spans, spansMax: 100)
        #expect(lines.count < 400)
        #expect(lines.contains { $0.contains("s9999") })
        let hidden = lines.compactMap { line in
            line.firstMatch(of: /… ([0-9,]+) more span/).flatMap { Int($0.1.filter(\.isNumber)) }
        }
        #expect(hidden.reduce(0, +) == 9_900)
        #expect(waterfall(spans, spansMax: 10_000).count == 10_000 + 4)
    }

    @Test func aVeryDeepTraceIsDrawnInBoundedWidth() {
        let spans = (1...10_000).map { span(UInt64($0), parent: UInt64($0 - 1), "level \($0)", Double($0), 20_000) }
        let lines = waterfall(spans, spansMax: 20_000)
        #expect(lines.count == 10_003)
        #expect(lines.allSatisfy { $0.columns <= 90 })
        #expect(lines[10_000].contains("level 9998"))
    }

    @Test func aTraceOfLogsOnlyHasThem() {
        #expect(
            waterfall([], logs: [log("hello", 0, span: 5)]) == [
                "Trace 4bf92f3577b34da6a3ce929d0e0e4736", "shop  2026-11-23 14:00:00.123  0 spans  1 log", "", "Logs:",
                "  14:00:00.123 INFO  hello",
            ])
    }
}
