import Telemetry
import Testing

@testable import Agent

@Suite struct ExportNoticesTests {
    private let second: UInt64 = 1_000_000_000

    @Test func anOutageIsToldAtItsBeginningAndAtItsEnd() {
        var notices = ExportNotices(kept: " (kept in .sidelight)")
        #expect(notices.failed("refused", lost: [:], now: 10 * second) == "refused; trying again")
        #expect(notices.failed("refused", lost: [:], now: 11 * second) == nil)
        #expect(notices.recovered(lost: [:], now: 22 * second) == "works again after 12 s; nothing was lost")
        #expect(notices.recovered(lost: [:], now: 23 * second) == nil)
    }

    @Test func whatWasLostIsSaid() {
        var notices = ExportNotices(kept: " (kept in .sidelight)")
        _ = notices.failed("refused", lost: [.traces: 5], now: 0)
        #expect(
            notices.recovered(lost: [.traces: 12, .logs: 1], now: second)
                == "works again after 1 s; lost there: 7 spans, 1 log record (kept in .sidelight)")
    }

    @Test func oneThatComesAndGoesIsNotToldOfEachTime() {
        var notices = ExportNotices(kept: "")
        _ = notices.failed("refused", lost: [:], now: 0)
        _ = notices.recovered(lost: [:], now: second)
        #expect(notices.failed("refused", lost: [:], now: 2 * second) == nil)
        #expect(notices.recovered(lost: [:], now: 3 * second) == nil, "nobody heard of it")
        #expect(notices.failed("refused", lost: [:], now: 301 * second) != nil)
        #expect(notices.recovered(lost: [:], now: 302 * second) != nil)
    }

    @Test func oneThatFailsForLongIsToldOfEvenWhenItsBeginningWasNot() {
        var notices = ExportNotices(kept: "")
        _ = notices.failed("refused", lost: [:], now: 0)
        _ = notices.recovered(lost: [:], now: second)
        #expect(notices.failed("refused", lost: [.logs: 1], now: 2 * second) == nil)
        #expect(notices.failed("refused", lost: [.logs: 2], now: 299 * second) == nil)
        #expect(notices.failed("refused", lost: [.logs: 3], now: 302 * second) == "refused; trying again for 300 s")
        #expect(notices.failed("refused", lost: [.logs: 4], now: 900 * second) == nil)
        #expect(
            notices.recovered(lost: [.logs: 5], now: 902 * second)
                == "works again after 900 s; lost there: 4 log records")
        _ = notices.refused(.traces, "404", lost: [:], now: 0)
        _ = notices.taken(.traces, lost: [:], now: second)
        #expect(notices.refused(.traces, "404", lost: [:], now: 2 * second) == nil)
        #expect(
            notices.refused(.traces, "404", lost: [:], now: 302 * second)
                == "spans are refused for 300 s, and lost there: 404")
    }

    @Test func whatWasLostBeforeIsNotSaidAgain() {
        var notices = ExportNotices(kept: "")
        _ = notices.refused(.traces, "404", lost: [.traces: 3], now: 0)
        #expect(
            notices.taken(.traces, lost: [.traces: 4], now: second)
                == "takes spans again after 1 s; lost there: 4 spans")
        _ = notices.refused(.traces, "404", lost: [.traces: 5], now: 400 * second)
        #expect(
            notices.taken(.traces, lost: [.traces: 6], now: 401 * second)
                == "takes spans again after 1 s; lost there: 2 spans")
    }

    @Test func refusalsAreToldBySignal() {
        var notices = ExportNotices(kept: " (kept in s)")
        #expect(
            notices.refused(.traces, "404", lost: [.traces: 3], now: 0)
                == "spans are refused, and lost there (kept in s): 404")
        #expect(notices.refused(.traces, "401", lost: [:], now: 1) == nil)
        #expect(notices.refused(.logs, "404", lost: [:], now: 2) != nil)
        #expect(notices.taken(.metrics, lost: [:], now: 3) == nil)
        #expect(
            notices.taken(.traces, lost: [.traces: 4, .logs: 9], now: second)
                == "takes spans again after 1 s; lost there: 4 spans (kept in s)")
        #expect(notices.refused(.traces, "404", lost: [:], now: 2 * second) == nil)
    }

    @Test func aQueueIsToldOfWhenItIsFullAndWhenItHasRoomAgain() {
        var notices = ExportNotices(kept: "")
        #expect(notices.queueHasRoom(lost: [:], now: 0) == nil)
        #expect(notices.queueFull("the queue is full", lost: [.traces: 2], now: 10 * second) == "the queue is full")
        #expect(notices.queueFull("the queue is full", lost: [.traces: 5], now: 11 * second) == nil)
        #expect(notices.failed("refused", lost: [.traces: 5], now: 12 * second) != nil, "its own trouble")
        #expect(
            notices.queueHasRoom(lost: [.traces: 9], now: 40 * second)
                == "the queue has room again after 30 s; lost there: 9 spans")
        // One that comes and goes is told of again after a while, also when it lasts.
        #expect(notices.queueFull("the queue is full", lost: [.traces: 9], now: 41 * second) == nil)
        #expect(notices.queueHasRoom(lost: [.traces: 9], now: 43 * second) == nil)
        #expect(notices.queueFull("the queue is full", lost: [.traces: 9], now: 44 * second) == nil)
        #expect(
            notices.queueFull("the queue is full", lost: [.traces: 9], now: 344 * second)
                == "the queue is full for 300 s")
        notices.isEnding = true
        #expect(notices.queueHasRoom(lost: [.traces: 9], now: 345 * second) == nil)
    }

    @Test func theFinalAccountTellsOfWhatFailsAtTheEnd() {
        var notices = ExportNotices(kept: "")
        notices.isEnding = true
        #expect(notices.failed("refused", lost: [:], now: 0) == nil)
        #expect(notices.refused(.traces, "404", lost: [:], now: 0) == nil)
    }

    @Test func aMessageIsALineOfJSONWhereThatWasAskedFor() {
        #expect(
            Messages.json("a \u{1B}\nb", level: "warning", .exporters)
                == #"{"event":"message","level":"warning","category":"exporters","message":"a \u001b\nb"}"#)
    }

    @Test func whatAWorkerWaitedForIsSaidRightly() {
        func awaited(
            _ promises: UInt32, _ runs: UInt32, _ state: BoardState? = .draining, hasRequests: Bool = false
        ) -> String? {
            Serve.awaited(BoardPending(promises: promises, runs: runs), state, hasRequests: hasRequests)
        }
        #expect(awaited(1, 0) == "it waited for 1 promise given to waitUntil")
        #expect(
            awaited(2, 1, hasRequests: true) == "it waited for 2 promises given to waitUntil and 1 run of a schedule")
        #expect(awaited(0, 0, hasRequests: true) == nil)
        #expect(awaited(0, 0) == "it had nothing left to do, but connections to close")
        #expect(
            awaited(0, 0, .serving) == "its JavaScript did not come back to the event loop to hear that it is to end")
        #expect(awaited(0, 0, .starting) == "it did not serve yet")
    }
}
