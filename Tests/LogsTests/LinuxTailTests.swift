import CZlib
import Foundation
import Linux
import Logs
import System
import Testing

/// Keeps the lines it is given, as text.
final class CollectingSink: LineSink {
    struct Line: Equatable {
        var text: String
        var offset: UInt64
    }

    private(set) var lines: [Line] = []
    private(set) var ends = 0
    private(set) var resume: ResumePoint

    init(_ resume: ResumePoint) { self.resume = resume }

    func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
        var at = offset
        for line in lines.split(separator: 10, omittingEmptySubsequences: false) {
            let isLast = line.endIndex == lines.endIndex
            if isLast && line.isEmpty { break }
            self.lines.append(Line(text: String(decoding: line, as: UTF8.self), offset: at))
            at += UInt64(line.count + 1)
        }
        resume = ResumePoint(offset + sourceBytes)
    }

    func turn(now: UInt64, observed: UInt64) -> UInt64? { nil }
    func end(observed: UInt64) { ends += 1 }
}

/// A tailer over real files in a folder of its own.
final class RealTail {
    let folder: String
    let settings: [TailSettings]
    let limits: TailLimits
    private(set) var log: PositionLog!
    private(set) var tailer: Tailer!
    private(set) var sinks: [(source: LogSource, sink: CollectingSink)] = []
    var now: UInt64 = 1_000_000_000_000
    var boot = "boot"
    private var done: [String] = []
    private var run: [String] = []

    init(
        _ patterns: [String], limits: TailLimits = TailLimits(), _ change: (inout TailSettings) -> Void = { _ in }
    ) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tail-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder + "/logs", withIntermediateDirectories: true)
        self.folder = folder
        var settings = TailSettings(receiver: "files", include: patterns.map { "\(folder)/logs/\($0)" })
        change(&settings)
        self.settings = [settings]
        self.limits = limits
        try start()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The process ends, whatever it was doing, and another one begins.
    func start() throws {
        tailer = nil
        log = nil
        sinks = []
        done += run
        run = []
        log = try PositionLog(LinuxPositionFiles(folder: folder + "/positions"), boot: boot) { _ in nil }
        tailer = Tailer(LinuxTailFiles(), settings, positions: log, limits: limits) { [unowned self] source, resume in
            let sink = CollectingSink(resume)
            sinks.append((source, sink))
            return sink
        }
    }

    func path(_ name: String) -> String { "\(folder)/logs/\(name)" }

    func append(_ name: String, _ text: String) { append(name, Array(text.utf8)) }

    func append(_ name: String, _ bytes: [UInt8]) {
        let descriptor = open(path(name), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    func move(_ name: String, _ other: String) { #expect(rename(path(name), path(other)) == 0) }
    func remove(_ name: String) { #expect(unlink(path(name)) == 0) }
    func empty(_ name: String) { #expect(truncate(path(name), 0) == 0) }
    func bytes(_ name: String) -> [UInt8] { Array(FileManager.default.contents(atPath: path(name)) ?? Data()) }

    /// Turns until nothing more is to be read, with a walk.
    func settle(seconds: UInt64 = 20) {
        now += seconds * 1_000_000_000
        while tailer.turn(bytesMax: 1 << 20, now: now, observed: 1).canGoOn {}
    }

    func commit() {
        guard let mark = tailer.mark() else { return }
        log.intend(mark, entries: [])
        log.commit(mark)
        run = lines
    }

    /// What was committed, by all processes.
    var committed: [String] { done + run }

    var lines: [String] { sinks.flatMap { $0.sink.lines.map(\.text) } }
}

func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    #expect(sl_zlib_gzip_init(&stream, 6) == Z_OK)
    defer { deflateEnd(&stream) }
    var input = bytes
    return [UInt8](unsafeUninitializedCapacity: bytes.count + 1000) { output, count in
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            #expect(deflate(&stream, Z_FINISH) == Z_STREAM_END)
            count = output.count - Int(stream.avail_out)
        }
    }
}

@Suite("The tailer over real files")
struct LinuxTailTests {
    @Test func linesComeAsTheyAreWrittenAndAPartialOneWaits() throws {
        let tail = try RealTail(["*.log"])
        tail.append("a.log", "one\ntwo\nthr")
        tail.append("b.txt", "not ours\n")
        tail.settle()
        #expect(tail.lines == ["one", "two"])
        tail.append("a.log", "ee\n")
        tail.settle(seconds: 0)
        #expect(tail.lines == ["one", "two", "three"])
        #expect(tail.tailer.counts.lines == 3)
        #expect(tail.tailer.counts.lagBytes == 0)
    }

    @Test func aRenamedFileIsReadToItsEndAndTheNewOneFollows() throws {
        let tail = try RealTail(["a.log"])
        tail.append("a.log", "1\n2\n")
        tail.settle()
        tail.append("a.log", "3\n")
        tail.move("a.log", "a.log.1")
        tail.append("a.log", "4\n")
        tail.append("a.log.1", "late")
        tail.settle()
        #expect(tail.lines == ["1", "2", "3", "4"])
        tail.settle(seconds: 40)
        #expect(tail.lines.contains("late"))
        #expect(tail.tailer.counts.rotations == 1)
        #expect(tail.tailer.counts.filesOpen == 1)
    }

    @Test func aRestartNeitherLosesNorRepeats() throws {
        let tail = try RealTail(["a.log*"])
        tail.append("a.log", "1\n2\n")
        tail.settle()
        tail.commit()
        tail.append("a.log", "3\n")
        try tail.start()
        tail.settle()
        #expect(tail.lines == ["3"])
        // Not committed.
        try tail.start()
        tail.append("a.log", "4\n")
        tail.move("a.log", "a.log.1")
        tail.append("a.log", "5\n")
        tail.settle()
        #expect(tail.lines == ["3", "4", "5"])
        tail.commit()
        try tail.start()
        tail.settle()
        #expect(tail.lines == [])
    }

    @Test func aRenameWhileNobodyLookedIsFoundByTheNumber() throws {
        let tail = try RealTail(["a.log"])
        tail.append("a.log", "1\n2\n")
        tail.settle()
        tail.commit()
        tail.append("a.log", "3\n")
        tail.move("a.log", "a.log.1")
        tail.append("a.log", "4\n")
        try tail.start()
        tail.settle()
        #expect(tail.lines == ["3", "4"])
    }

    @Test(arguments: ["a.log", "a.log*"])
    func afterCopytruncateTheGapIsReadFromTheCopy(pattern: String) throws {
        let tail = try RealTail([pattern])
        tail.append("a.log", "1\n2\n")
        tail.settle()
        tail.commit()
        for restarts in [false, true] {
            tail.append("a.log", "3\n")
            tail.append("a.log.\(restarts)", tail.bytes("a.log"))
            tail.empty("a.log")
            tail.append("a.log", "\(restarts) and longer than before\n")
            if restarts { try tail.start() }
            tail.settle()
            #expect(tail.lines.suffix(2) == ["3", "\(restarts) and longer than before"])
            tail.settle(seconds: 60)
            tail.commit()
        }
        #expect(tail.lines.count == 2)
        #expect(tail.tailer.counts.missedTruncated == 0)
    }

    @Test func aFileThatIsRemovedIsReadToItsEnd() throws {
        let tail = try RealTail(["*"])
        tail.append("a.log", "1\n")
        tail.settle()
        tail.append("a.log", "2\nend")
        tail.remove("a.log")
        tail.append("a.log", "new\n")
        tail.settle()
        tail.settle(seconds: 40)
        #expect(tail.lines == ["1", "2", "end", "new"])
    }

    @Test func compressedFilesAreReadOnce() throws {
        let tail = try RealTail(["a.log*"])
        tail.append("a.log.2.gz", gzip(Array("1\n2\n".utf8)))
        tail.append("a.log.1", "3\n")
        tail.settle()
        #expect(tail.lines.sorted() == ["1", "2", "3"])
        tail.settle(seconds: 60)
        // It is compressed, and the other one shifted.
        tail.move("a.log.2.gz", "a.log.3.gz")
        tail.append("a.log.2.gz", gzip(tail.bytes("a.log.1")))
        tail.remove("a.log.1")
        tail.settle()
        tail.settle(seconds: 60)
        #expect(tail.lines.sorted() == ["1", "2", "3"])
        tail.commit()
        try tail.start()
        tail.settle()
        #expect(tail.lines == [])
    }

    @Test func whatWasNotReadComesFromTheCompressedFile() throws {
        let tail = try RealTail(["a.log*"])
        tail.append("a.log", "1\n2\n")
        tail.settle()
        tail.commit()
        tail.append("a.log", "3\n")
        tail.append("a.log.1.gz", gzip(tail.bytes("a.log")))
        tail.remove("a.log")
        tail.append("a.log", "4\n")
        try tail.start()
        tail.settle()
        #expect(tail.lines == ["3", "4"])
    }

    @Test func startAtTheEndIsForWhatIsThereAtFirst() throws {
        let tail = try RealTail(["*.log"]) { $0.start = .end }
        tail.append("a.log", "old\nhalf")
        tail.settle()
        tail.commit()
        tail.append("a.log", " done\n")
        tail.append("b.log", "new\n")
        tail.settle()
        #expect(tail.lines.sorted() == ["half done", "new"])
        try tail.start()
        tail.append("c.log", "c\n")
        tail.settle()
        #expect(tail.lines.sorted() == ["c", "half done", "new"])
    }

    @Test func inotifyTellsOfWritesAndOfNewFiles() throws {
        let tail = try RealTail(["**/*.log"])
        tail.append("a.log", "1\n")
        tail.settle()
        tail.append("a.log", "2\n")
        tail.settle(seconds: 0)
        #expect(tail.lines == ["1", "2"])
        tail.append("b.log", "3\n")
        tail.now += 300_000_000
        tail.settle(seconds: 0)
        #expect(tail.lines == ["1", "2", "3"])
    }

    @Test func filesBeyondTheOpenOnesAreClosedAndOpenedAgain() throws {
        var limits = TailLimits()
        limits.openFilesMax = 4
        let tail = try RealTail(["*.log"], limits: limits)
        for round in 0..<3 {
            for file in 0..<20 { tail.append("\(file).log", "\(file) \(round)\n") }
            tail.settle()
            #expect(tail.tailer.counts.filesOpen <= 4)
            #expect(tail.lines.count == 20 * (round + 1))
        }
        #expect(Set(tail.lines).count == 60)
    }
}

extension LinuxTailTests {
    /// As the logs of containers lie: a link of another name to a file that is rotated where it is.
    @Test func whatALinkLedToIsFoundAfterARotation() throws {
        let tail = try RealTail(["containers/*.log"])
        for folder in ["containers", "pods"] { #expect(mkdir(tail.path(folder), 0o700) == 0) }
        tail.append("pods/0.log", "1\n")
        #expect(symlink("../pods/0.log", tail.path("containers/app.log")) == 0)
        tail.settle()
        tail.commit()
        tail.append("pods/0.log", "2\n")
        tail.move("pods/0.log", "pods/0.log.20261127-010203")
        tail.append("pods/0.log", "3\n")
        try tail.start()
        tail.settle()
        #expect(tail.lines == ["2", "3"])
    }

    @Test func aBombIsReadWithinItsLimit() throws {
        var limits = TailLimits()
        limits.decompressedBytesMax = 1 << 20
        let tail = try RealTail(["*"], limits: limits)
        tail.append("a.log.gz", gzip([UInt8](repeating: 120, count: 8 << 20)))
        tail.append("b.log.gz", Array(gzip(Array("1\n2\n".utf8)).dropLast(12)))
        tail.append("c.log.gz", [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8])
        tail.append("d.log.zst", [0x28, 0xB5, 0x2F, 0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
        for _ in 0..<10 { tail.settle(seconds: 10) }
        #expect(tail.tailer.counts.bytes <= 3 << 20)
        #expect(tail.tailer.counts.failures >= 3)
        #expect(tail.tailer.counts.filesOpen == 0)
    }
}

extension LinuxTailTests {
    /// Everything at random, with numbers of files that the system gives again.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func everyLineOnceWhateverIsDoneToTheFiles(seed: UInt64) throws {
        var limits = TailLimits()
        limits.openFilesMax = seed % 2 == 0 ? 2 : 100
        let tail = try RealTail([seed % 3 == 0 ? "a.log" : "a.log*"], limits: limits)
        var generator = Generator(seed: seed)
        var written = 0
        var rotations = 0
        var plain: [String] = []
        func write() {
            for _ in 0..<1 + generator.below(4) {
                tail.append("a.log", "\(written) \(String(repeating: "x", count: generator.below(300)))\n")
                written += 1
            }
        }
        func safe() {
            tail.settle()
            tail.settle()
            tail.commit()
        }
        for _ in 0..<250 {
            switch generator.below(12) {
            case 0..<5: write()
            case 5..<7: tail.settle(seconds: UInt64(generator.below(12)))
            case 7: tail.commit()
            case 8..<10:
                // What is never seen under the only name that is looked for cannot be read.
                if seed % 3 == 0 {
                    write()
                    safe()
                }
                write()
                rotations += 1
                let name = "a.log.\(rotations)"
                if generator.chance(50) {
                    tail.move("a.log", name)
                } else {
                    tail.append(name, tail.bytes("a.log"))
                    tail.empty("a.log")
                }
                plain.append(name)
            case 10:
                guard let name = plain.popLast() else { break }
                tail.append("\(name).gz", gzip(tail.bytes(name)))
                tail.remove(name)
            default: try tail.start()
            }
        }
        safe()
        tail.settle(seconds: 100)
        safe()
        let numbers = tail.committed.map { Int($0.prefix { $0.isNumber }) ?? -1 }
        #expect(numbers.sorted() == Array(0..<written))
    }
}
