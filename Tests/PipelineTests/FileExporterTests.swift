import Configuration
import Glibc
import Telemetry
import Testing
import Wire

@testable import Exporters
@testable import Pipeline

/// A folder of its own, gone with the test.
private final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/sidelight-file-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!) + "/"
    }

    deinit {
        for name in names { unlink(path + name) }
        rmdir(path)
    }

    var names: [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    func text(_ name: String) -> String {
        let file = open(path + name, O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = max(0, read(file, &bytes, bytes.count))
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    func write(_ text: String, _ name: String) {
        let file = open(path + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = Glibc.write(file, text, text.utf8.count)
        close(file)
    }
}

private func line(_ text: String) -> [UInt8] { Array("{\"resourceSpans\":\"\(text)\"}\n".utf8) }

private let moment: UInt64 = 1_764_172_800_123 * 1_000_000  // 2025-11-26T16:00:00.123Z

@Suite struct RotatedFileTests {
    private let folder = Folder()
    private var path: String { folder.path + "t.jsonl" }

    private func file(_ change: (inout ExporterConfiguration.File) -> Void = { _ in }) -> RotatedFile {
        var settings = ExporterConfiguration.File()
        settings.sync = .never
        change(&settings)
        return RotatedFile(path, settings)
    }

    @Test func linesAreAdded() throws {
        var first: RotatedFile? = file()
        try first!.append(line("a"), now: moment)
        try first!.append(line("b"), now: moment)
        first = nil
        try file { $0.sync = .batch }.append(line("c"), now: moment)
        #expect(folder.text("t.jsonl") == ["a", "b", "c"].map { "{\"resourceSpans\":\"\($0)\"}\n" }.joined())
        #expect(folder.names == ["t.jsonl"])
    }

    @Test(arguments: [
        "{\"resourceSpans\":\"half", "{", "{\"resou", "{\"resourceSpans\":\"" + String(repeating: "x", count: 200_000),
    ])
    func aHalfLineOfOursIsCutOff(rest: String) throws {
        folder.write("whole\n" + rest, "t.jsonl")
        try file().append(line("a"), now: moment)
        #expect(folder.text("t.jsonl") == "whole\n{\"resourceSpans\":\"a\"}\n")
    }

    @Test func aHalfLineAloneIsCutOff() throws {
        folder.write("{\"resourceSpans", "t.jsonl")
        try file().append(line("a"), now: moment)
        #expect(folder.text("t.jsonl") == "{\"resourceSpans\":\"a\"}\n")
    }

    @Test func whatIsNotOursStays() throws {
        folder.write("notes", "t.jsonl")
        try file().append(line("a"), now: moment)
        #expect(folder.text("t.jsonl") == "notes\n{\"resourceSpans\":\"a\"}\n")
    }

    @Test func aFileIsRotatedBeforeItIsTooLarge() throws {
        let one = file {
            $0.rotateBytesMax = 2 * line("a").count
            $0.keep = 2
        }
        for (index, text) in ["a", "b", "c", "d", "e", "f", "g"].enumerated() {
            try one.append(line(text), now: moment + UInt64(index) * 1_000_000_000)
        }
        #expect(
            folder.names == ["t-20251126T160004.123Z.jsonl", "t-20251126T160006.123Z.jsonl", "t.jsonl"])
        #expect(folder.text("t-20251126T160004.123Z.jsonl") == String(decoding: line("c") + line("d"), as: UTF8.self))
        #expect(folder.text("t.jsonl") == String(decoding: line("g"), as: UTF8.self))
    }

    @Test func namesOfOneMomentDoNotCollide() throws {
        let one = file { $0.rotateBytesMax = 1 }
        for text in ["a", "b", "c"] { try one.append(line(text), now: moment) }
        #expect(
            folder.names == ["t-20251126T160000.123Z.jsonl", "t-20251126T160000.124Z.jsonl", "t.jsonl"])
        #expect(folder.text("t-20251126T160000.123Z.jsonl") == String(decoding: line("a"), as: UTF8.self))
    }

    @Test func aFileIsRotatedWhenItIsOld() throws {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let start = UInt64(now.tv_sec) * 1_000_000_000
        func one() -> RotatedFile { file { $0.rotateAgeNanoseconds = 3_600_000_000_000 } }
        try one().append(line("a"), now: start)
        // Its age counts from when it was made, whoever made it.
        try one().append(line("b"), now: start + 3_590_000_000_000)
        #expect(folder.names.count == 1)
        try one().append(line("c"), now: start + 3_700_000_000_000)
        #expect(folder.names.count == 2)
        #expect(folder.text("t.jsonl") == String(decoding: line("c"), as: UTF8.self))
    }

    @Test func rotatedFilesAreCompressed() throws {
        folder.write("left by an earlier one\n", "t-20200101T000000.000Z.jsonl")
        folder.write("half", "t-20200101T000001.000Z.jsonl.gz.part")
        folder.write("not ours", "t-notes.jsonl")
        let one = file {
            $0.rotateBytesMax = 1
            $0.compression = .gzip
        }
        chmod(path, 0o644)
        for text in ["a", "b"] { try one.append(line(text), now: moment) }
        #expect(
            folder.names == [
                "t-20200101T000000.000Z.jsonl.gz", "t-20251126T160000.123Z.jsonl.gz", "t-notes.jsonl", "t.jsonl",
            ])
        #expect(folder.text("t-20251126T160000.123Z.jsonl.gz").utf8.first == 0x1F)
    }

    @Test func aFileThatWasMovedOrRemovedIsMadeAnew() throws {
        let one = file()
        try one.append(line("a"), now: moment)
        rename(path, folder.path + "moved")
        try one.append(line("b"), now: moment)
        unlink(path)
        try one.append(line("c"), now: moment)
        #expect(folder.names == ["moved", "t.jsonl"])
        #expect(folder.text("t.jsonl") == String(decoding: line("c"), as: UTF8.self))
    }

    @Test func theModeIsKept() throws {
        let one = file { $0.rotateBytesMax = 1 }
        try one.append(line("a"), now: moment)
        chmod(path, 0o640)
        let two = file { $0.rotateBytesMax = 1 }
        #expect(throws: FileFailure.self) { try two.append(line("b"), now: moment) }  // the first has it
        rename(path, folder.path + "moved")
        folder.write("x\n", "t.jsonl")
        chmod(path, 0o640)
        try two.append(line("b"), now: moment)
        var status = stat()
        stat(path, &status)
        #expect(status.st_mode & 0o777 == 0o640)
    }

    /// A write that is refused half-way leaves nothing behind, and the next one goes on.
    @Test func aFullDiskLeavesNoHalfLine() throws {
        var room = line("a").count + 10
        let one = RotatedFile(path, ExporterConfiguration.File()) { file, bytes, count in
            guard room > 0 else {
                errno = ENOSPC
                return -1
            }
            let written = Glibc.write(file, bytes, min(count, room))
            room -= written
            return written
        }
        try one.append(line("a"), now: moment)
        let failure = #expect(throws: FileFailure.self) { try one.append(line("b"), now: moment) }
        #expect(failure?.message == "\(path): write: No space left on device")
        #expect(throws: FileFailure.self) { try one.append(line("b"), now: moment) }
        #expect(folder.text("t.jsonl") == String(decoding: line("a"), as: UTF8.self))
        room = 1 << 20
        try one.append(line("c"), now: moment)
        #expect(folder.text("t.jsonl") == String(decoding: line("a") + line("c"), as: UTF8.self))
    }

    @Test func whatIsNoFileIsRefused() {
        mkfifo(path, 0o600)
        #expect(throws: FileFailure.self) { try file().append(line("a"), now: moment) }
        unlink(path)
        mkdir(path, 0o700)
        #expect(throws: FileFailure.self) { try file().append(line("a"), now: moment) }
        rmdir(path)
    }
}

@Suite struct FileExporterTests {
    @Test func whoComesAfterMayWriteOnceTheFirstIsClosed() throws {
        let folder = Folder()
        let settings = ExporterConfiguration.File(folder: folder.path)
        let logs = Batch([LogRecord(time: 1, body: "a")], resource: Resource())
        let export = Export(id: 1, signal: .logs, batches: [logs], firstSequence: 1)
        let first = FileDestination(settings, timers: HandTimers(), clock: HandClock())
        let second = FileDestination(settings, timers: HandTimers(), clock: HandClock())
        #expect(first.write(export) == .delivered())
        #expect(second.write(export) == .failed(message: "\(folder.path)logs.jsonl: another process writes it"))
        first.close()
        #expect(second.write(export) == .delivered())
    }

    @Test func eachSignalHasItsFile() throws {
        let folder = Folder()
        var flags = FlagValues()
        flags.exports = ["file=\(folder.path)"]
        let configuration = try AgentConfiguration.parse(flags, environment: [:]).get().value.exporters[0]
        #expect(configuration.signals == Set(Signal.allCases))
        let destination = FileDestination(configuration.file, timers: HandTimers(), clock: HandClock())
        let resource = Resource(attributes: [Attribute("service.name", "shop")])
        let logs = Batch([LogRecord(time: 1, body: "two\nlines")], resource: resource)
        var export = Export(id: 1, signal: .logs, batches: [logs], firstSequence: 1)
        #expect(destination.write(export) == .delivered())
        #expect(destination.write(export) == .delivered())
        let expected = OTLP.exportRequestJSON(batches: [logs]).bytes + [0x0A]
        #expect(folder.text("logs.jsonl") == String(decoding: expected + expected, as: UTF8.self))
        #expect(folder.names == ["logs.jsonl"])
        var broken = logs
        broken.bytes = [UInt8](repeating: 0xFF, count: broken.bytes.count)
        export.batches = [broken]
        guard case .refused(.notEncodable, _) = destination.write(export) else { Issue.record("it was taken"); return }
        unlink(folder.path + "logs.jsonl")
        mkdir(folder.path + "logs.jsonl", 0o700)
        export.batches = [logs]
        guard case .failed(nil, let message) = destination.write(export) else { Issue.record("it was taken"); return }
        #expect(message == "\(folder.path)logs.jsonl: open: Is a directory")
        rmdir(folder.path + "logs.jsonl")
    }
}
