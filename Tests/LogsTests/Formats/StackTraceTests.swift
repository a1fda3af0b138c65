import Logs
import Telemetry
import Testing

@Suite("Stack traces in plain lines")
struct StackTraceTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        let type: String
        let message: String
        /// What the body is; the trace itself is the whole text unless `before` lines come first.
        let body: String
        var before = 0
        var severity: UInt8 = 17
        var testDescription: String { name }
    }

    static let samples = [
        Sample(
            name: "V8",
            text:
                "TypeError: x is not a function\n    at f (/app/a.js:1:2)\n    at async g (file:///app/b.mjs:3:4)\n    at node:internal/main:5:6",
            type: "TypeError", message: "x is not a function", body: "TypeError: x is not a function"),
        Sample(
            name: "V8 with a cause and own properties",
            text: """
                Error: top
                    at f (/app/a.js:1:2)
                    ... 3 lines matching cause stack trace ...
                    at g (/app/a.js:3:4) {
                  code: 'E_TOP',
                  [cause]: RangeError: inner
                      at h (/app/a.js:5:6) {
                    detail: { a: 1 }
                  }
                }
                """, type: "Error", message: "top", body: "Error: top"),
        Sample(
            name: "AggregateError",
            text: """
                AggregateError: All promises were rejected
                    at f (/app/a.js:1:2) {
                  [errors]: [
                    Error: one
                        at g (/app/a.js:3:4),
                    Error: two
                        at h (/app/a.js:5:6)
                  ]
                }
                """, type: "AggregateError", message: "All promises were rejected",
            body: "AggregateError: All promises were rejected"),
        Sample(
            name: "a code of Node",
            text:
                "Error [ERR_HTTP_HEADERS_SENT]: Cannot set headers\n    at f (node:_http_outgoing:1:2) {\n  code: 'ERR_HTTP_HEADERS_SENT'\n}",
            type: "Error", message: "Cannot set headers", body: "Error [ERR_HTTP_HEADERS_SENT]: Cannot set headers"),
        Sample(
            name: "a module that is missing",
            text:
                "Error: Cannot find module 'x'\nRequire stack:\n- /app/index.js\n    at f (node:internal/modules/cjs/loader:1:2)",
            type: "Error", message: "Cannot find module 'x'\nRequire stack:\n- /app/index.js",
            body: "Error: Cannot find module 'x'\nRequire stack:\n- /app/index.js"),
        Sample(
            name: "a message of many lines",
            text: """
                AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

                1 !== 2

                  unindented or not
                    at f (/app/a.js:1:2) {
                  generatedMessage: true
                }
                """, type: "AssertionError",
            message: "Expected values to be strictly equal:\n\n1 !== 2\n\n  unindented or not",
            body:
                "AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n1 !== 2\n\n  unindented or not"
        ),
        Sample(
            name: "Node, uncaught",
            text: """
                /app/index.js:3
                    throw new Error('boom');
                    ^

                Error: boom
                    at Object.<anonymous> (/app/index.js:3:9)

                Node.js v18.20.4
                """, type: "Error", message: "boom",
            body: "/app/index.js:3\n    throw new Error('boom');\n    ^\n\nError: boom", before: 4,
            severity: 21),
        Sample(
            name: "an error in a logger's line",
            text: "2026-11-26T10:00:00Z ERROR request failed: Error: boom\n    at f (/app/a.js:1:2)", type: "Error",
            message: "boom", body: "2026-11-26T10:00:00Z ERROR request failed: Error: boom"),
        Sample(
            name: "Java",
            text: """
                Exception in thread "main" java.lang.IllegalStateException: no stock
                \tat com.shop.Cart.add(Cart.java:12)
                \tSuppressed: java.io.IOException: close
                \t\tat com.shop.Db.close(Db.java:3)
                Caused by: java.sql.SQLException: timeout
                \tat com.shop.Db.query(Db.java:9)
                \t... 12 more
                """, type: "java.lang.IllegalStateException", message: "no stock",
            body: "Exception in thread \"main\" java.lang.IllegalStateException: no stock", severity: 21),
        Sample(
            name: "Java behind a logger's line",
            text:
                "2026-11-26 10:00:00,000 ERROR [main] c.s.App - failed\njava.lang.NullPointerException\n\tat com.shop.App.main(App.java:1)",
            type: "java.lang.NullPointerException", message: "",
            body: "2026-11-26 10:00:00,000 ERROR [main] c.s.App - failed\njava.lang.NullPointerException", before: 1),
        Sample(
            name: "Python",
            text: """
                Traceback (most recent call last):
                  File "/app/a.py", line 1, in f
                    g()
                KeyError: 'x'

                During handling of the above exception, another exception occurred:

                Traceback (most recent call last):
                  File "/app/a.py", line 3, in <module>
                    f()
                ValueError: bad value
                """, type: "ValueError", message: "bad value", body: "ValueError: bad value"),
        Sample(
            name: "Python behind a logger's line",
            text:
                "2026-11-26 10:00:00,000 ERROR shop: failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'",
            type: "KeyError", message: "'x'", body: "2026-11-26 10:00:00,000 ERROR shop: failed", before: 1),
        Sample(
            name: "Go",
            text: """
                panic: runtime error: index out of range [5] with length 3
                [recovered]

                goroutine 1 [running]:
                main.f(...)
                \t/app/main.go:8
                main.main()
                \t/app/main.go:12 +0x1d

                goroutine 7 [chan receive]:
                created by main.start
                \t/app/main.go:20 +0x5e
                exit status 2
                """, type: "panic", message: "runtime error: index out of range [5] with length 3",
            body: "panic: runtime error: index out of range [5] with length 3", severity: 21),
        Sample(
            name: ".NET",
            text: """
                Unhandled exception. System.InvalidOperationException: bad state
                 ---> System.TimeoutException: late
                   at Shop.Db.Query() in /src/Db.cs:line 9
                   --- End of inner exception stack trace ---
                   at Shop.App.Main() in /src/App.cs:line 3
                --- End of stack trace from previous location ---
                   at Shop.App.Run()
                """, type: "System.InvalidOperationException", message: "bad state",
            body: "Unhandled exception. System.InvalidOperationException: bad state", severity: 21),
        Sample(
            name: ".NET's console",
            text:
                "fail: Shop.Cart[0]\n      could not add\n      System.InvalidOperationException: bad state\n         at Shop.Cart.Add() in /src/Cart.cs:line 9",
            type: "System.InvalidOperationException", message: "bad state",
            body: "fail: Shop.Cart[0]\n      could not add\n      System.InvalidOperationException: bad state",
            before: 2),
        Sample(
            name: "Ruby",
            text:
                "app.rb:3:in `add': no stock (Shop::StockError)\n\tfrom app.rb:9:in `block in run'\n\tfrom app.rb:12:in `<main>'",
            type: "Shop::StockError",
            message: "no stock", body: "app.rb:3:in `add': no stock (Shop::StockError)"),
        Sample(
            name: "Rust",
            text: """
                thread 'main' panicked at src/main.rs:2:5:
                index out of bounds: the len is 3 but the index is 5
                stack backtrace:
                   0: rust_begin_unwind
                             at /rustc/std/src/panicking.rs:645:5
                note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
                """, type: "panic", message: "index out of bounds: the len is 3 but the index is 5",
            body: "thread 'main' panicked at src/main.rs:2:5:", severity: 21),
        Sample(
            name: "Python's layout unasked",
            text:
                "ERROR:root:failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'",
            type: "KeyError", message: "'x'", body: "ERROR:root:failed", before: 1),
        Sample(
            name: "Celery",
            text:
                "[2026-11-26 10:00:00,000: ERROR/MainProcess] celery failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'",
            type: "KeyError", message: "'x'", body: "[2026-11-26 10:00:00,000: ERROR/MainProcess] celery failed",
            before: 1),
    ]

    @Test("One record a trace, with its exception; what is around it stays by itself", arguments: samples)
    func sample(_ sample: Sample) {
        let records = FormatProbe.records(
            "2026-11-26T10:00:00Z INFO before\n" + sample.text + "\n2026-11-26T10:00:01Z INFO after\n")
        #expect(
            records.map(\.text) == ["2026-11-26T10:00:00Z INFO before", sample.body, "2026-11-26T10:00:01Z INFO after"])
        guard records.count == 3 else { return }
        let lines = sample.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            records[1].fields["exception.stacktrace"] == .string(lines.dropFirst(sample.before).joined(separator: "\n"))
        )
        #expect(records[1].fields["exception.type"] == .string(sample.type))
        #expect((records[1].fields["exception.message"]?.string ?? "") == sample.message)
        #expect(records[1].eventName == "exception")
        #expect(records[1].severity == sample.severity)
    }

    @Test("A trace is an error, or the end of the process where its runtime says so")
    func severity() {
        func record(_ text: String) -> LogRecord { FormatProbe.records(text + "\n")[0] }
        let python = record("Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'")
        #expect(python.severity == 17 && python.severityText.isEmpty)
        let java = record("Exception in thread \"main\" a.BException: ERROR in x\n\tat a.B.c(B.java:1)")
        #expect(java.severity == 21 && java.severityText.isEmpty)
        let worker = record("Exception in thread \"pool-1\" a.BException: x\n\tat a.B.c(B.java:1)")
        #expect(worker.severity == 17 && worker.severityText.isEmpty)
        let old = record("Unhandled Exception: System.Exception: x\n   at A.B()")
        #expect(old.severity == 21)
        let deadlock = record("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [running]:")
        #expect(deadlock.severity == 21)
        let dump = record("goroutine 1 [running]:\nmain.main()\n\t/app/main.go:1")
        #expect(dump.severity == 17)
        let warned = record("2026-11-26T10:00:00Z WARN slow\n    at f (a.js:1:2)")
        #expect(warned.severity == 13 && warned.severityText == "WARN")
        // Alone, too.
        let rust = record("thread 'main' panicked at 'boom', src/main.rs:2:5")
        #expect(rust.severity == 21 && rust.fields["exception.type"] == "panic")
        #expect(record("TypeError: no trace").severity == 0)
    }

    @Test(
        "A line that is no logger's has no Traceback behind it",
        arguments: ["ERROR: failed", "INFO:root:started", "error:", "it said ERROR:x:y"])
    func noReport(_ line: String) {
        let records = FormatProbe.records(
            line + "\nTraceback (most recent call last):\n  File \"a.py\", line 1\nE: x\n")
        #expect(records.map(\.text) == [line, "E: x"])
    }

    @Test("The same traces on one of two streams of a container", arguments: samples)
    func interleaved(_ sample: Sample) {
        var text = ""
        var number = 0
        for line in (sample.text + "\nafter").split(separator: "\n", omittingEmptySubsequences: false) {
            text += "2026-11-26T10:00:00.000000000Z stderr F \(line)\n"
            text += "2026-11-26T10:00:00.000000000Z stdout F     at line \(number)\n"
            text += "2026-11-26T10:00:00.000000000Z stdout F out \(number)\n"
            number += 1
        }
        let records = FormatProbe.records(text)
        let errors = records.filter { $0.fields["log.iostream"] == "stderr" }
        #expect(errors.map(\.text) == [sample.body, "after"])
        #expect(records.count - errors.count == number + 1)
    }

    @Test("Two traces, one behind the other, are two records")
    func twice() {
        let one = "Error: a\n    at f (a.js:1:2)"
        let records = FormatProbe.records(
            one + "\n" + one + "\nTraceback (most recent call last):\n  File \"a.py\", line 1\nE: x\n" + one + "\n")
        #expect(records.map(\.text) == ["Error: a", "Error: a", "E: x", "Error: a"])
    }

    @Test("Errors that are not called so")
    func names() {
        let record = FormatProbe.records("ValidationFailed: bad id\n    at f (a.js:1:2)\n")[0]
        #expect(record.fields["exception.type"] == "ValidationFailed" && record.fields["exception.message"] == "bad id")
        let python = FormatProbe.records(
            "Traceback (most recent call last):\n  File \"a.py\", line 1\nrequests.exceptions.Timeout: late\n")[0]
        #expect(
            python.fields["exception.type"] == "requests.exceptions.Timeout"
                && python.text == "requests.exceptions.Timeout: late")
        let stop = FormatProbe.records(
            "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyboardInterrupt\n")[0]
        #expect(stop.fields["exception.type"] == "KeyboardInterrupt")
        let unknown = FormatProbe.records("it went wrong here:\n    at f (a.js:1:2)\n")[0]
        #expect(
            unknown.fields["exception.type"] == nil
                && unknown.fields["exception.stacktrace"] == "it went wrong here:\n    at f (a.js:1:2)")
    }

    @Test("Lines behind an error's head are records, if no frame follows")
    func noFrames() {
        let lines = ["Error: a", "one", "  two", "three", "Error: b", "four"]
        let probe = FormatProbe()
        probe.take("Error: a\none\n\n  two\nthree\nError: b\nfour\n")
        #expect(probe.records.map(\.text) == ["Error: a", "one", "  two", "three"])
        #expect(probe.formatter.resume == ResumePoint(26))
        probe.end()
        #expect(probe.records.map(\.text) == lines)
        #expect(probe.workspace.counts.joined == 0)
        #expect(probe.formatter.resume == ResumePoint(40))
        let many = ["Error: a"] + (0..<40).map { "line \($0)" } + ["    at f (a.js:1:2)"]
        let records = FormatProbe.records(many.joined(separator: "\n") + "\n")
        #expect(records.map(\.text) == many.dropLast())
        #expect(records.last?.fields["exception.stacktrace"] == "line 39\n    at f (a.js:1:2)")
        let long = ["Error: a", String(repeating: "x", count: 5_000), "    at f (a.js:1:2)"]
        #expect(FormatProbe.records(long.joined(separator: "\n")).map(\.text) == Array(long.dropLast()))
    }

    @Test("An indented line that is no frame is a record")
    func indented() {
        #expect(
            FormatProbe.records("one\n  two\n\tthree\n  attention\n").map(\.text) == [
                "one", "  two", "\tthree", "  attention",
            ])
    }

    @Test("Off: each line is a record")
    func off() {
        let records = FormatProbe.records("Error: a\n    at f (a.js:1:2)\n") { $0.multiline = .off }
        #expect(records.map(\.text) == ["Error: a", "    at f (a.js:1:2)"])
    }

    @Test("A trace that is too long is cut, and how much is counted; the next record is whole")
    func cut() {
        let probe = FormatProbe { $0.recordBytesMax = 1_024 }
        probe.take("Error: a\n" + String(repeating: "    at f (a.js:1:2)\n", count: 100) + "after\n")
        probe.end()
        #expect(probe.records.map(\.text) == ["Error: a", "after"])
        #expect(probe.records[0].fields["exception.stacktrace"]?.string?.utf8.count == 1_024)
        #expect(probe.workspace.counts.cutRecords == 1)
        #expect(probe.workspace.counts.cutBytes == UInt64(8 + 100 * 20 - 1_024))
        #expect(probe.workspace.counts.joined == 100)
    }

    // MARK: rules

    private func rules(_ text: String, start: String? = nil, next: String? = nil, end: String? = nil) throws -> [String]
    {
        var rules = LogFormatSettings.MultilineRules()
        rules.start = try start.map { try LinePattern($0) }
        rules.next = try next.map { try LinePattern($0) }
        rules.end = try end.map { try LinePattern($0) }
        return FormatProbe.records(text) { $0.multiline = .rules(rules) }.map(\.text)
    }

    @Test("A rule of the first line")
    func ruleStart() throws {
        #expect(try rules("BEGIN 1\na\n\nb\nBEGIN 2\nc\n", start: "^BEGIN") == ["BEGIN 1\na\n\nb", "BEGIN 2\nc"])
    }

    @Test("A rule of further lines")
    func ruleNext() throws {
        #expect(try rules("a\n| b\n| c\nd\n| e\n", next: #"^\|"#) == ["a\n| b\n| c", "d\n| e"])
    }

    @Test("A rule of the last line")
    func ruleEnd() throws {
        #expect(try rules("a\nb;\nc;\nd\ne\n", end: ";$") == ["a\nb;", "c;", "d\ne"])
    }
}
