import Logs
import System
import Testing

@Suite("Many files")
struct TailScaleTests {
    /// What is looked at for each new file does not grow with their number, however alike they are. Counted, not timed.
    @Test func manyFilesThatBeginAlike() throws {
        let files = SimulatedTailFiles(seed: 1)
        for file in 0..<3000 { files.append("pod-\(file).log", Array("ready\n".utf8)) }
        let log = try PositionLog(SimulatedPositionFiles(.init(), seed: 1), boot: "boot") { _ in nil }
        var lines = 0
        let tailer = Tailer(files, [TailSettings(receiver: "files", include: ["logs/*.log"])], positions: log) {
            CountingSink($1) { lines += 1 }
        }
        var now: UInt64 = 1_000_000_000
        for _ in 0..<3 {
            while tailer.turn(bytesMax: 1 << 20, now: now, observed: 1).canGoOn {}
            now += 20_000_000_000
        }
        #expect(lines == 3000)
        #expect(tailer.counts.filesOpen <= 512)
        // Each was opened to see how it begins, and to be read.
        #expect(files.opened <= 2 * 3000)
        let before = files.opened
        _ = tailer.turn(bytesMax: 1 << 20, now: now, observed: 1)
        #expect(files.opened == before)
    }

    private final class CountingSink: LineSink {
        private(set) var resume: ResumePoint
        private let count: () -> Void

        init(_ resume: ResumePoint, _ count: @escaping () -> Void) {
            self.resume = resume
            self.count = count
        }

        func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
            for byte in lines where byte == 10 { count() }
            resume = ResumePoint(offset + sourceBytes)
        }

        func turn(now: UInt64, observed: UInt64) -> UInt64? { nil }
        func end(observed: UInt64) {}
    }
}
