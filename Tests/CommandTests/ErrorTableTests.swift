import Store
import Telemetry
import Testing

@testable import sidelight

@Suite struct ErrorTableTests {
    private func group(_ stack: String = "") -> ErrorGroup {
        ErrorGroup(
            fingerprint: "3f2a00000000beef", count: 1_234, firstTime: time(0), lastTime: time(2_000),
            services: ["shop": 1_000, "stock": 234],
            latest: ErrorOccurrence(
                source: .log, time: time(2_000), service: "shop", type: "OrderError",
                message: "order 12\nfailed\u{1B}[2J",
                stack: stack, traceID: checkout, spanID: SpanID(1)))
    }

    @Test func errorsAreATable() {
        var terminal = Terminal(width: 200, hasColor: false, isInteractive: false)
        terminal.width = 200
        var table = ErrorTable(terminal: terminal)
        table.utc = true
        #expect(
            table.lines(ErrorListing(groups: [group()], omittedGroups: 2, ungrouped: 1)) == [
                "ERROR     COUNT  LAST                     FIRST                    SERVICES    TRACE         WHAT",
                "3f2a0000   1234  2026-11-23 14:00:02.123  2026-11-23 14:00:00.123  shop,stock  4bf92f3577b3  OrderError: order 12",
                "… 2 errors more: --limit", "… 1 earlier occurrence of further errors not looked at: --since",
            ])
    }

    @Test func oneErrorIsShownWithItsCausesAndLogs() {
        var text = ErrorText(Painter(hasColor: false))
        text.utc = true
        let stack = """
            OrderError: order 12
                at pay (src/pay.ts:3:1)
                at node:internal/x:1:1
            [errors][0]: Error: a
            [cause]: TypeError: no price
                at total (src/cart.ts:12:19)
            """
        #expect(
            text.lines(ErrorDetail(group: group(stack), logs: [log("before", 1_000, span: 1)])) == [
                "OrderError: order 12", "failed\\e[2J", "    at pay (src/pay.ts:3:1)", "  with Error: a",
                "  caused by TypeError: no price", "    at total (src/cart.ts:12:19)", "",
                "error     3f2a00000000beef", "count     1,234 times", "first     2026-11-23 14:00:00.123",
                "last      2026-11-23 14:00:02.123", "services  shop (1,000 times), stock (234 times)",
                "trace     4bf92f3577b34da6a3ce929d0e0e4736", "", "the last logs of its trace until then:",
                "14:00:01.123 INFO  shop  before  trace=4bf92f3577b3",
            ])
    }
}
