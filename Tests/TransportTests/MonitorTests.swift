import Glibc
import System
import Testing

@Suite struct MonitorTests {
    private var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    @Test func whoWaitsForItToOpenGoesOn() {
        let latch = Monitor<Bool>()
        #expect(!latch.wait(until: now + 1_000_000))
        #expect(startThread { latch.open() })
        #expect(latch.wait(until: now + 60_000_000_000))
        #expect(latch.wait(until: 0))
    }

    @Test func aDeadlineBeyondWhatTheClockKnowsIsNoneAtAll() {
        let latch = Monitor<Bool>()
        #expect(startThread { latch.open() })
        #expect(latch.wait(until: .max))
    }

    @Test func whoWaitsForAStateSeesIt() {
        let monitor = Monitor([Int]())
        #expect(
            startThread {
                for number in 0..<100 {
                    monitor.withLock { $0.append(number) }
                    monitor.wake()
                }
            })
        let sum: Int = monitor.wait { numbers in
            numbers.count < 100 ? .until(.max) : .done(numbers.reduce(0, +))
        }
        #expect(sum == 4950)
    }
}
