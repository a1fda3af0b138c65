import Logs
import Telemetry
import Testing

@Suite("A source that is read again from where its records are finished")
struct ResumeTests {
    @Test("Cut behind any line, no record is lost or comes twice", arguments: [false, true])
    func cutAnywhere(isDocker: Bool) {
        for seed: UInt64 in 1...3 {
            var random = RandomLines(seed: seed)
            let lines = random.lines(120, isDocker: isDocker)
            let whole = FormatProbe()
            whole.take(lines.joined())
            whole.end()
            for cut in 0...lines.count {
                let before = FormatProbe()
                if cut > 0 { before.take(lines[..<cut].joined()) }
                let resume = before.formatter.resume
                let after = FormatProbe(resume: resume)
                after.take(Array(lines.joined().utf8.dropFirst(Int(resume.start))))
                after.end()
                for stream in ["stdout", "stderr"] {
                    #expect(
                        texts(before.records, of: stream) + texts(after.records, of: stream)
                            == texts(whole.records, of: stream),
                        "seed \(seed), cut \(cut), \(resume)")
                }
            }
        }
    }

    @Test("Begun again and again, each time after a few lines more")
    func again() {
        for seed: UInt64 in 1...20 {
            var random = RandomLines(seed: seed)
            let text = Array(random.lines(200).joined().utf8)
            let whole = FormatProbe()
            whole.take(text)
            whole.end()
            var resume = ResumePoint(0)
            var end = 0
            var records: [LogRecord] = []
            while end < text.count {
                end = min(end + Int.random(in: 1...2_000, using: &random.numbers), text.count)
                while end < text.count, text[end - 1] != 0x0A { end += 1 }
                let probe = FormatProbe(resume: resume)
                probe.take(Array(text[Int(resume.start)..<end]))
                #expect(probe.formatter.resume.first >= resume.first && probe.formatter.resume.second >= resume.second)
                resume = probe.formatter.resume
                records += probe.records
            }
            let last = FormatProbe(resume: resume)
            last.take(Array(text[Int(resume.start)...]))
            last.end()
            records += last.records
            for stream in ["stdout", "stderr"] {
                #expect(texts(records, of: stream) == texts(whole.records, of: stream), "seed \(seed)")
            }
        }
    }

    @Test("A source of one stream has one place: the end of what was given out")
    func oneStream() {
        let probe = FormatProbe()
        #expect(probe.formatter.resume == ResumePoint(0))
        probe.take("one\ntwo\n")
        #expect(probe.formatter.resume == ResumePoint(4))
        probe.take("{\"msg\":\"three\"}\n")
        #expect(probe.formatter.resume == ResumePoint(24))
        probe.take("Error: x\n")
        probe.take("    at f (a.js:1:2)\n")
        #expect(probe.formatter.resume == ResumePoint(24))
        probe.end()
        #expect(probe.formatter.resume == ResumePoint(53))
        #expect(probe.records.map(\.text) == ["one", "two", "three", "Error: x"])
    }

    @Test("What waits is given out when its time has come, and the place moves")
    func timeOut() {
        let probe = FormatProbe()
        #expect(probe.turn(now: 5) == nil)
        probe.take("one\n")
        #expect(probe.turn(now: 10) == 1_000_000_010)
        #expect(probe.turn(now: 20) == 1_000_000_010)
        probe.take("two\n")
        #expect(probe.records.map(\.text) == ["one"])
        #expect(probe.turn(now: 1_000_000_010) == 2_000_000_010)
        #expect(probe.turn(now: 2_000_000_010) == nil)
        #expect(probe.records.map(\.text) == ["one", "two"])
        #expect(probe.formatter.resume == ResumePoint(8))
        #expect(probe.workspace.counts.timedOut == 1)
    }

    @Test("Pieces whose last one does not come are given out, too")
    func pieces() {
        let probe = FormatProbe()
        probe.take("2026-11-26T10:00:00.000000000Z stdout P a\n2026-11-26T10:00:00.000000000Z stdout P b\n")
        #expect(probe.formatter.resume == ResumePoint(0))
        #expect(probe.turn(now: 0) == 1_000_000_000)
        #expect(probe.turn(now: 1_000_000_000) == nil)
        #expect(probe.records.map(\.text) == ["ab"])
        #expect(probe.formatter.resume == ResumePoint(84))
    }

    @Test("A source that begins anew begins at 0")
    func anew() {
        let probe = FormatProbe(resume: ResumePoint(first: 100, second: 200))
        #expect(probe.formatter.resume == ResumePoint(first: 100, second: 200))
        probe.formatter.end(observed: 0)
        let text = Array("2026-11-26T10:00:00.000000000Z stderr F a\n".utf8)
        text.withUnsafeBytes { probe.formatter.take($0, at: 0, sourceBytes: UInt64(text.count), observed: 1) }
        #expect(probe.formatter.resume.second == 0)
        probe.end()
        #expect(probe.records.map(\.text) == ["a"])
        #expect(probe.formatter.resume == ResumePoint(42))
    }

    @Test("A line that was transcoded counts as long as it is in the source")
    func transcoded() {
        let probe = FormatProbe()
        let text = Array("ü\n".utf8)
        text.withUnsafeBytes { probe.formatter.take($0, at: 10, sourceBytes: 2, observed: 1) }
        #expect(probe.formatter.resume == ResumePoint(10))
        probe.end()
        #expect(probe.formatter.resume == ResumePoint(12))
    }

    @Test("However the lines are handed over, the records are the same")
    func anySplit() {
        for seed: UInt64 in 1...30 {
            var random = RandomLines(seed: seed)
            let lines = random.lines(150, isDocker: seed % 2 == 0)
            let whole = FormatProbe()
            whole.take(lines.joined())
            whole.end()
            let pieces = FormatProbe()
            var next = 0
            while next < lines.count {
                let count = min(Int.random(in: 1...7, using: &random.numbers), lines.count - next)
                pieces.take(lines[next..<next + count].joined())
                next += count
            }
            pieces.end()
            #expect(pieces.records == whole.records, "seed \(seed)")
        }
    }
}
