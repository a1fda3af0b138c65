import Foundation
import Linux
import Logs
import System
import Testing

private let isAsked = ProcessInfo.processInfo.environment["SIDELIGHT_BENCH"] != nil

/// What reading alone costs, and what idle files cost. `SIDELIGHT_BENCH=1` in a release build.
@Suite("What the tailer costs", .enabled(if: isAsked, "SIDELIGHT_BENCH is not set"))
struct TailBenchmark {
    private final class NullSink: LineSink {
        var resume: ResumePoint

        init(_ resume: ResumePoint) { self.resume = resume }

        func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
            resume = ResumePoint(offset + sourceBytes)
        }

        func turn(now: UInt64, observed: UInt64) -> UInt64? { nil }
        func end(observed: UInt64) {}
    }

    private func tailer(_ tail: RealTail) throws -> Tailer {
        let log = try PositionLog(LinuxPositionFiles(folder: tail.folder + "/other"), boot: "boot") { _ in nil }
        return Tailer(LinuxTailFiles(), tail.settings, positions: log) { NullSink($1) }
    }

    @Test func readingAndIdling() throws {
        let clock = ContinuousClock()
        let tail = try RealTail(["*.log"])
        let line = "2026-11-27T00:00:00Z info request done path=/v1/items/42 status=200 duration=12ms ünïcode\n"
        let chunk = Array(String(repeating: line, count: 12_000).utf8)
        for _ in 0..<200 { tail.append("big.log", chunk) }
        let tailer = try tailer(tail)
        let read = clock.measure {
            while tailer.turn(bytesMax: 4 << 20, now: 1_000_000_000, observed: 1).canGoOn {}
        }
        let seconds = Double(read.components.attoseconds) / 1e18 + Double(read.components.seconds)
        print(
            "read \(Double(tailer.counts.bytes) / 1e6 / seconds) MB/s, \(Double(tailer.counts.lines) / seconds) lines/s"
        )
        for file in 0..<5000 { tail.append("\(file).log", "one\n") }
        var now: UInt64 = 100_000_000_000
        print(
            "5000 new files", clock.measure { while tailer.turn(bytesMax: 4 << 20, now: now, observed: 1).canGoOn {} })
        now += 1_100_000_000
        print("a poll of 5001 idle files", clock.measure { _ = tailer.turn(bytesMax: 4 << 20, now: now, observed: 1) })
        now += 10_000_000
        print("a turn between", clock.measure { _ = tailer.turn(bytesMax: 4 << 20, now: now, observed: 1) })
        now += 20_000_000_000
        print("a walk", clock.measure { _ = tailer.turn(bytesMax: 4 << 20, now: now, observed: 1) })
    }
}
