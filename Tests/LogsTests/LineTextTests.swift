import Foundation
import System
import Testing

@testable import Logs

@Suite("Text of lines")
struct LineTextTests {
    private func lines(
        _ bytes: [UInt8], limits: TailLimits = TailLimits(), _ change: (inout TailSettings) -> Void = { _ in }
    )
        throws -> (lines: [CollectingSink.Line], counts: TailCounts)
    {
        let tail = try RealTail(["*"], limits: limits, change)
        tail.append("a.log", bytes)
        tail.settle()
        return (tail.sinks.flatMap(\.sink.lines), tail.tailer.counts)
    }

    private func utf16(_ text: String, isBigEndian: Bool) -> [UInt8] {
        text.utf16.flatMap { isBigEndian ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)] }
    }

    @Test func whatIsNoTextIsReplacedAndCounted() throws {
        let bytes = Array("good\n".utf8) + [0x61, 0xFF, 0xE2, 0x82, 0x62, 0xF0, 0x9F, 10] + Array("après\n".utf8)
        let (lines, counts) = try lines(bytes)
        #expect(lines.map(\.text) == ["good", "a\u{FFFD}\u{FFFD}b\u{FFFD}", "après"])
        #expect(lines.map(\.offset) == [0, 5, 13])
        #expect(counts.invalidBytes == 5)
    }

    @Test func aMarkIsNoText() throws {
        let (lines, _) = try lines([0xEF, 0xBB, 0xBF] + Array("one\ntwo\n".utf8))
        #expect(lines == [.init(text: "one", offset: 3), .init(text: "two", offset: 7)])
    }

    @Test(arguments: [false, true])
    func utf16WithAMarkIsTranscoded(isBigEndian: Bool) throws {
        // U+0A0A and U+0A00 have bytes of 10 that end no line; the last one is half a pair.
        let text = "one 😀\u{0A0A}\nऊ\u{0A00}\n"
        let bytes =
            utf16("\u{FEFF}" + text, isBigEndian: isBigEndian) + (isBigEndian ? [0xD8, 0, 0, 10] : [0, 0xD8, 10, 0])
        let (lines, counts) = try lines(bytes)
        #expect(lines.map(\.text) == ["one 😀\u{0A0A}", "ऊ\u{0A00}", "\u{FFFD}"])
        #expect(lines.map(\.offset) == [2, 18, 24])
        #expect(counts.invalidBytes == 2)
    }

    @Test func latin1IsTranscodedWhereItIsSaid() throws {
        let (lines, counts) = try lines(Array("one\n".utf8) + [0xE9, 0x74, 0xE9, 10]) { $0.encoding = .latin1 }
        #expect(lines.map(\.text) == ["one", "été"])
        #expect(counts.invalidBytes == 0)
    }

    @Test func bytesOfZeroBeforeALineAreSkippedAndCounted() throws {
        for gap in [1, 100, 5000, 70_000, 600_000] {
            let (lines, counts) = try lines(
                Array("a\n".utf8) + [UInt8](repeating: 0, count: gap) + Array("b\n".utf8))
            #expect(lines.map(\.text) == ["a", "b"])
            #expect(lines.last?.offset == UInt64(2 + gap))
            #expect(counts.nulBytes == UInt64(gap))
        }
    }

    @Test func roomMadeBeforehandIsNoGap() throws {
        let tail = try RealTail(["*"])
        tail.append("a.log", Array("a\n".utf8) + [UInt8](repeating: 0, count: 1000))
        tail.settle()
        let descriptor = open(tail.path("a.log"), O_WRONLY)
        #expect(pwrite(descriptor, "b\nc", 3, 2) == 3)
        close(descriptor)
        tail.settle()
        #expect(tail.lines == ["a", "b"])
        #expect(tail.tailer.counts.nulBytes == 0)
    }

    @Test(arguments: [10, 1023, 1024, 1025, 4096, 300_000, 700_000])
    func aLongLineIsCutAndTheNextOneIsWhole(length: Int) throws {
        let long = String(repeating: "é", count: length)
        let (lines, counts) = try lines(Array("first\n\(long)\nlast\n".utf8)) { $0.lineBytesMax = 1024 }
        #expect(lines.count == 3)
        #expect(lines.first?.text == "first")
        #expect(lines.last == .init(text: "last", offset: UInt64(7 + 2 * length)))
        let isCut = 2 * length + 1 > 1024
        #expect(lines[1].text == (isCut ? String(repeating: "é", count: 512) : long))
        #expect(counts.linesCut == (isCut ? 1 : 0))
        #expect(counts.bytesCut == (isCut ? UInt64(2 * length + 1 - 1024) : 0))
    }

    @Test func aRateIsKept() throws {
        let tail = try RealTail(["*"]) { $0.bytesPerSecondMax = 100 }
        for _ in 0..<3 {
            tail.append("a.log", String(repeating: "x", count: 199) + "\n")
            tail.settle(seconds: 0)
        }
        #expect(tail.lines.count == 1)
        tail.settle(seconds: 2)
        #expect(tail.lines.count == 3)
    }

    @Test func filesTakeTurns() throws {
        var limits = TailLimits()
        limits.quantumBytes = 4096
        let tail = try RealTail(["*"], limits: limits)
        for file in 0..<3 { tail.append("\(file).log", String(repeating: "\(file)234567\n", count: 10_000)) }
        tail.now += 20_000_000_000
        _ = tail.tailer.turn(bytesMax: 30_000, now: tail.now, observed: 1)
        let counts = tail.sinks.map(\.sink.lines.count)
        #expect(counts.count == 3 && counts.max()! - counts.min()! <= 4096 / 8)
    }
}
