import Foundation
import Linux
import Queue
import Telemetry
import Testing

/// The driver, and what it and the queue make of a real folder.
@Suite final class LinuxQueueFilesTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/queue-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func open() throws -> DurableQueue { try DurableQueue(LinuxQueueFiles(folder: folder), now: 0) }

    private func put(_ text: String, into queue: DurableQueue) {
        _ = queue.append(QueueEntryHead(signal: .logs, items: 1, time: 5), Array(text.utf8))
        _ = queue.commit(now: 0)
    }

    private func texts(_ queue: DurableQueue) throws -> [String] {
        var found: [String] = []
        var last: QueueEntryID?
        while let (id, _) = queue.next(after: last) {
            found.append(String(decoding: try queue.read(id), as: UTF8.self))
            last = id
        }
        return found
    }

    private func segment() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".queue") }
        return folder + "/" + (try #require(names.sorted().first))
    }

    @Test func aFolderInUseIsRefusedWithItsNameAndTheProcess() throws {
        let files = try LinuxQueueFiles(folder: folder)
        let refused = #expect(throws: QueueError.self) { _ = try LinuxQueueFiles(folder: self.folder) }
        #expect(refused == .locked(folder: folder, pid: getpid()))
        #expect(refused!.description.contains(folder) && refused!.description.contains("process \(getpid())"))
        withExtendedLifetime(files) {}
    }

    @Test func theLockEndsWithItsOwner() throws {
        _ = try LinuxQueueFiles(folder: folder)
        _ = try LinuxQueueFiles(folder: folder)
    }

    @Test func aFolderThatIsAFileIsRefused() throws {
        _ = FileManager.default.createFile(atPath: folder, contents: nil)
        #expect(throws: QueueError.self) { _ = try LinuxQueueFiles(folder: self.folder) }
    }

    @Test func aLaterVersionIsRefusedAndLeftAlone() throws {
        try { put("kept", into: try open()) }()
        let path = try segment()
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[8] = 9
        let sum = checksumOfEntry(0, Array(bytes[..<28]))
        withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(28..<32, with: $0) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let before = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let refused = #expect(throws: QueueError.self) { _ = try self.open() }
        #expect(refused == .newer(file: path, version: 9))
        #expect(refused!.description.contains("version 9"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before)
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
    }

    @Test func aFolderOrALinkUnderASegmentsNameDoesNotStopTheStart() throws {
        try { put("kept", into: try open()) }()
        try FileManager.default.createDirectory(
            atPath: folder + "/00000000000000000001-0000000000000001.queue", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/00000000000000000002-0000000000000001.queue", withDestinationPath: "/etc/passwd")
        _ = FileManager.default.createFile(
            atPath: folder + "/00000000000000000003-0000000000000001.queue",
            contents: Data("no segment at all, but long enough".utf8))
        _ = FileManager.default.createFile(atPath: folder + "/notes.txt", contents: Data("mine".utf8))
        let queue = try open()
        #expect(try texts(queue) == ["kept"])
        #expect(queue.recovery.filesSetAside == 3)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.contains("00000000000000000003-0000000000000001.queue.damaged"))
        #expect(names.contains("notes.txt"))
        #expect(try String(contentsOfFile: "/etc/passwd", encoding: .utf8).contains("root"))
    }

    @Test func aTornEndIsCutAndCounted() throws {
        try {
            let queue = try open()
            put("first", into: queue)
            put("second", into: queue)
        }()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: try segment()))
        let end = try file.seekToEnd()
        try file.truncate(atOffset: end - 3)
        try file.close()
        let queue = try open()
        #expect(try texts(queue) == ["first"])
        #expect(queue.recovery.tornBytes == 45 && queue.recovery.damagedBytes == 0)
        put("third", into: queue)
        #expect(try texts(queue) == ["first", "third"])
    }

    @Test func damageInTheMiddleCostsOneEntry() throws {
        try {
            let queue = try open()
            for text in ["first", "second", "third"] { put(text, into: queue) }
        }()
        let path = try segment()
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[32 + 48 + 41] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let queue = try open()
        #expect(try texts(queue) == ["first", "third"])
        #expect(
            queue.recovery.damagedBytes == 48 && queue.recovery.damagedRegions == 1 && queue.counts.damaged.logs == 1)
    }

    @Test func aSyncGoesOnBesideTheOwnerAndEndsOnce() throws {
        let files = try LinuxQueueFiles(folder: folder)
        #expect(files.endOfSync(waiting: true) == nil)
        let open = try files.create("open")
        files.close(try files.create("closed"))
        for _ in 0..<20 {
            try [UInt8](repeating: 7, count: 100_000).withUnsafeBytes { try files.write(open, $0, at: 0) }
            var request = QueueSyncRequest()
            request.files = [
                QueueSyncRequest.File(name: "open", open: open), QueueSyncRequest.File(name: "closed", open: nil),
            ]
            request.folder = true
            files.beginSync(request)
            let end = try #require(files.endOfSync(waiting: true))
            #expect(end.files == [nil, nil] && end.folder == nil)
            #expect(files.endOfSync(waiting: false) == nil)
        }
        files.close(open)
    }

    @Test func theOwnerMayCloseAndRemoveWhatIsSynced() throws {
        let files = try LinuxQueueFiles(folder: folder)
        let open = try files.create("open")
        var request = QueueSyncRequest()
        request.files = [QueueSyncRequest.File(name: "open", open: open)]
        files.beginSync(request)
        files.close(open)
        try files.remove("open")
        #expect(files.endOfSync(waiting: true)?.files == [nil])
    }

    @Test func whatCannotBeSyncedIsSaidOfEachFile() throws {
        let files = try LinuxQueueFiles(folder: folder)
        files.close(try files.create("good"))
        #expect(mkfifo(folder + "/pipe", 0o600) == 0)
        var request = QueueSyncRequest()
        request.files = ["missing", "pipe", "good"].map { QueueSyncRequest.File(name: $0, open: nil) }
        files.beginSync(request)
        let end = try #require(files.endOfSync(waiting: true))
        #expect(end.files.map { $0?.call } == ["open missing", "fdatasync pipe", nil])
    }

    @Test func aFolderIsFreeWhenItsOwnerLetGoOfItInTheMiddleOfASync() throws {
        for _ in 0..<20 {
            let files = try LinuxQueueFiles(folder: folder)
            let file = try files.create("file")
            try [UInt8](repeating: 7, count: 1 << 20).withUnsafeBytes { try files.write(file, $0, at: 0) }
            var request = QueueSyncRequest()
            request.files = [QueueSyncRequest.File(name: "file", open: file)]
            request.folder = true
            files.beginSync(request)
            files.close(file)
            try files.remove("file")
        }
    }

    /// A small file system of its own, where the user may make one.
    @Test func aFullDiskIsAStateAndEnds() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard mount("tmpfs", folder, "tmpfs", 0, "size=256k") == 0 else { return }
        defer { umount2(folder, 2) }
        let queue = try open()
        var kept: [QueueEntryID] = []
        let payload = [UInt8](repeating: 7, count: 20_000)
        var failure: QueueFileError?
        for _ in 0..<20 {
            guard case .queued(let id) = queue.append(QueueEntryHead(signal: .traces, items: 1, time: 1), payload)
            else { continue }
            switch queue.commit(now: 0) {
            case .committed: kept.append(id)
            case .failed(let error): failure = error
            }
        }
        #expect(failure?.kind == .noSpace && queue.failure == failure)
        #expect(kept.count >= 10 && kept.count < 13 && queue.counts.entries == kept.count)
        for id in kept { #expect(try queue.read(id) == payload) }
        for id in kept { queue.acknowledge(id) }
        queue.flushAcknowledgements()
        _ = queue.append(QueueEntryHead(signal: .traces, items: 1, time: 1), Array(payload[..<1000]))
        if case .failed(let error) = queue.commit(now: 0) {
            Issue.record("\(error) although all was acknowledged; \(queue.counts.bytesOnDisk) bytes on disk")
        }
        #expect(queue.failure == nil)
    }
}
