import Foundation
import Linux
import System
import Testing

@testable import Logs

/// The system's files; counts what is read of them.
private final class CountingFiles: TailFiles {
    private let files = LinuxTailFiles()
    private(set) var bytesRead = 0
    /// Done once, when a folder has been listed.
    var afterList: (() -> Void)?

    func list(_ folder: String, _ body: (_ name: String, _ kind: TailEntryKind) -> Bool) -> Bool {
        defer {
            afterList?()
            afterList = nil
        }
        return files.list(folder, body)
    }
    func status(_ path: String) -> TailFileStatus? { files.status(path) }
    func status(_ file: TailFile) -> TailFileStatus? { files.status(file) }
    func resolved(_ path: String) -> String? { files.resolved(path) }
    func open(_ path: String) -> TailFile? { files.open(path) }
    func close(_ file: TailFile) { files.close(file) }
    func read(_ file: TailFile, into bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int? {
        let count = files.read(file, into: bytes, at: offset)
        bytesRead += count ?? 0
        return count
    }
    func watch(_ folder: String) -> Bool { files.watch(folder) }
    func forget(_ folder: String) { files.forget(folder) }
    func takeChanges(_ body: (TailChange) -> Void) { files.takeChanges(body) }
}

/// Holds what it is given, and gives it out when its time has come.
private final class HoldingSink: LineSink {
    private(set) var isGivenOut = false
    private var taken: ResumePoint
    private var hasLines = false

    init(_ resume: ResumePoint) { taken = resume }

    func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
        hasLines = true
        taken = ResumePoint(offset + sourceBytes)
    }
    func turn(now: UInt64, observed: UInt64) -> UInt64? {
        guard hasLines, !isGivenOut else { return nil }
        if now < 500_000_000_000 { return 500_000_000_000 }
        isGivenOut = true
        return nil
    }
    func end(observed: UInt64) {}
    var resume: ResumePoint { taken }
}

@Suite("Files that are meant badly")
struct HostileFilesTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/hostile-\(UInt64.random(in: 0 ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    private func positions() throws -> PositionLog {
        try PositionLog(LinuxPositionFiles(folder: folder + "/@positions"), boot: "boot") { _ in nil }
    }

    @Test(arguments: ["short.log", "short.log.gz"])
    func shortLinesAreTakenNoFurtherThanWanted(name: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let count = 100_000
        let text = (0..<count).map { "\($0 % 10)\n" }.joined()
        try write(name, name.hasSuffix(".gz") ? gzip(Array(text.utf8)) : Array(text.utf8))
        var sink: CollectingSink!
        var before = 0
        let tailer = Tailer(
            LinuxTailFiles(), [TailSettings(receiver: "files", include: [folder + "/short*"])],
            positions: try positions(),
            isFull: { sink.map { $0.lines.count - before >= 8_192 } ?? false }
        ) { _, resume in
            sink = CollectingSink(resume)
            return sink
        }
        var turns = 0
        while turns < 1_000, sink?.lines.count ?? 0 < count {
            before = sink?.lines.count ?? 0
            _ = tailer.turn(bytesMax: 256 << 10, now: 1_000_000_000_000, observed: 1)
            #expect(sink.lines.count - before <= 8_192 + 4_096, "turn \(turns)")
            turns += 1
        }
        #expect(sink.lines.map(\.text) == (0..<count).map { "\($0 % 10)" })
        #expect(tailer.counts.lines == UInt64(count))
    }

    @Test func whatWaitedIsGivenOutNoFurtherThanWanted() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for index in 0..<20 { try write("held-\(index).log", Array("\(index)\n".utf8)) }
        var sinks: [HoldingSink] = []
        var before = 0
        func given() -> Int { sinks.count { $0.isGivenOut } }
        let tailer = Tailer(
            LinuxTailFiles(), [TailSettings(receiver: "files", include: [folder + "/held*"])],
            positions: try positions(),
            isFull: { given() - before >= 3 }
        ) { _, resume in
            sinks.append(HoldingSink(resume))
            return sinks.last!
        }
        _ = tailer.turn(bytesMax: 1 << 20, now: 1_000_000_000, observed: 1)
        #expect(sinks.count == 20 && given() == 0)
        for turn in 1...7 {
            before = given()
            _ = tailer.turn(bytesMax: 1 << 20, now: 500_000_000_000, observed: 1)
            #expect(given() == min(3 * turn, 20))
        }
    }

    @Test func membersThatAreEmptyAreNotReadToTheirEndAtOnce() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let member = gzip([])
        try write("empty.log.gz", [UInt8]((0..<250_000).map { _ in member }.joined()))
        let files = CountingFiles()
        let tailer = Tailer(
            files, [TailSettings(receiver: "files", include: [folder + "/*.gz"])], positions: try positions()
        ) { _, resume in CollectingSink(resume) }
        _ = tailer.turn(bytesMax: 0, now: 1_000_000_000, observed: 1)
        #expect(files.bytesRead < 2 << 20)
        #expect(tailer.counts.filesFollowed == 1)
    }

    @Test func namesThatCannotBeTheirsAreCounted() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name: [UInt8] in [[0x63, 0x61, 0x66, 0xE9], Array("z\u{E9}".utf8), Array("ze\u{301}".utf8)] {
            let path = Array("\(folder)/".utf8) + name + Array(".log".utf8) + [0]
            let file = path.withUnsafeBytes {
                open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o600)
            }
            #expect(file >= 0)
            close(file)
        }
        let tailer = Tailer(
            LinuxTailFiles(), [TailSettings(receiver: "files", include: [folder + "/*.log"])],
            positions: try positions()
        ) { _, resume in CollectingSink(resume) }
        _ = tailer.turn(bytesMax: 0, now: 1_000_000_000, observed: 1)
        #expect(tailer.counts.filesKnown == 1)
        #expect(tailer.counts.leftOut == 2)
    }

    /// The receiver has another name after the restart, and the file was rotated by copying meanwhile.
    @Test func anotherReceiverReadsOnInTheCopy() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let head = (0..<50).map { "line \($0) of a file that is known by its head\n" }.joined()
        try write("app.log", Array(head.utf8))
        func run(_ receiver: String, _ include: String) throws -> [String] {
            var sinks: [CollectingSink] = []
            let log = try positions()
            let tailer = Tailer(
                LinuxTailFiles(), [TailSettings(receiver: receiver, include: [folder + "/" + include])], positions: log
            ) { _, resume in
                sinks.append(CollectingSink(resume))
                return sinks.last!
            }
            for second in 1...60 as ClosedRange<UInt64> {
                while tailer.turn(bytesMax: 1 << 20, now: second * 1_000_000_000, observed: 1).canGoOn {}
            }
            if let mark = tailer.mark() { log.commit(mark) }
            return sinks.flatMap { $0.lines.map(\.text) }
        }
        #expect(try run("files/a", "app.log*").count == 50)
        try write("app.log.1", Array((head + "written meanwhile\n").utf8))
        try write("app.log", Array("new\n".utf8))
        #expect(Set(try run("files/b", "app.log*")) == ["written meanwhile", "new"])
        try write("app.log.2", Array((head + "written meanwhile\n" + "and again\n").utf8))
        try FileManager.default.removeItem(atPath: folder + "/app.log.1")
        #expect(Set(try run("files/c", "app.log.2")).contains("and again"))
    }

    /// While one file's copy is looked for another is rotated: its copy is not in the listing that the turn has.
    @Test func copiesThatComeWithinATurnAreFound() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["a", "b"] {
            try write("\(name).log", Array("\(name) is how it begins, and what it is known by\n".utf8))
        }
        let files = CountingFiles()
        var sinks: [CollectingSink] = []
        let tailer = Tailer(
            files, [TailSettings(receiver: "files", include: [folder + "/*.log"])], positions: try positions()
        ) { _, resume in
            sinks.append(CollectingSink(resume))
            return sinks.last!
        }
        func turn(_ second: UInt64) {
            while tailer.turn(bytesMax: 1 << 20, now: second * 1_000_000_000, observed: 1).canGoOn {}
        }
        func rotate(_ name: String) throws {
            let path = "\(folder)/\(name).log"
            let old = FileManager.default.contents(atPath: path)!
            try write("\(name).log.1", Array(old) + Array("\(name) last\n".utf8))
            #expect(truncate(path, 0) == 0)
        }
        turn(100)
        #expect(sinks.count == 2)
        try rotate("a")
        files.afterList = { try! rotate("b") }
        for second in 101...130 as ClosedRange<UInt64> { turn(second) }
        #expect(files.afterList == nil)
        let lines = sinks.flatMap { $0.lines.map(\.text) }
        #expect(lines.count { $0 == "a last" } == 1 && lines.count { $0 == "b last" } == 1)
        #expect(lines.count == 4)
    }

    // MARK: names

    @Test func rotationsAreFoundByTheirNames() {
        var generator = Generator(seed: 7)
        let parts = ["app", "a", "log", "gz", "zst", "1", "20261126", ".", "-", "_", "~", "T10Z", "é"]
        func name() -> String { (0...generator.below(6)).map { _ in parts[generator.below(parts.count)] }.joined() }
        let names = Array(Set((0..<600).map { _ in name() }))
        let files = names.enumerated().map { index, name in
            TailedFile(
                id: UInt64(index), source: LogSource(path: "logs/\(name)", receiver: "files"), receiver: 0,
                state: .reading,
                identity: TailFileIdentity(device: 1, inode: UInt64(index)), head: HeadPrint.empty,
                path: "logs/\(name)",
                resume: ResumePoint(0))
        }
        var index = NameIndex()
        for file in files { index.add(file) }
        let listing = FolderListing(
            files.map {
                FolderEntry(
                    path: $0.path, status: TailFileStatus(identity: $0.identity, kind: .file, bytes: 0, modified: 0))
            })
        var pairs = 0
        for name in names {
            let originals = Set(index.originals(of: "logs/\(name)").map(\.path))
            for original in names
            where Tailer.isRotation(name, of: original)
                || CompressedStream.Format.isExpected(name) && Tailer.areRotations(name, original)
            {
                pairs += 1
                #expect(originals.contains("logs/\(original)"), "\(name) of \(original)")
                #expect(
                    listing.copies(of: "logs/\(original)").contains { $0.path == "logs/\(name)" },
                    "\(original) as \(name)")
            }
        }
        #expect(pairs > 100)
        for file in files { index.remove(file) }
        #expect(names.allSatisfy { index.originals(of: "logs/\($0)").isEmpty })
    }

    @Test func filesThatBeginAlikeAreNotComparedWithEachOther() {
        var index = NameIndex()
        let paths = (0..<1_000).map { "logs/job-\($0).log" }
        for (number, path) in paths.enumerated() {
            index.add(
                TailedFile(
                    id: UInt64(number), source: LogSource(path: path, receiver: "files"), receiver: 0, state: .reading,
                    identity: TailFileIdentity(device: 1, inode: UInt64(number)), head: HeadPrint.empty, path: path,
                    resume: ResumePoint(0)))
        }
        #expect(paths.allSatisfy { path in index.originals(of: path).allSatisfy { $0.path == path } })
        #expect(index.originals(of: "logs/job-17.log.1").map(\.path) == ["logs/job-17.log"])
    }
}
