import Foundation
import Telemetry
import Testing
import Wire

@testable import Store

@Suite struct StoreRecoveryTests {
    private let one = Batch([span(traceID(1), 1, "one")], resource: shop)

    private func message(_ body: () throws -> Void) -> StoreError? {
        do { try body() } catch { return error as? StoreError }
        return nil
    }

    @Test func aFileThatIsNoDatabaseIsMovedAsideWhole() throws {
        let directory = TemporaryDirectory()
        let garbage = Data("this is not a database, but somebody may want it back".utf8)
        try garbage.write(to: URL(fileURLWithPath: directory.databasePath))
        let reports = Reports()
        var options = StoreWriter.Options()
        options.unixSeconds = { Int(noon / second) }
        let writer = StoreWriter(directory: directory.path, options: options, report: reports.sink)
        try writer.open()
        writer.append(one)
        #expect(writer.close().traces.stored == 1)

        let aside = directory.databasePath + ".corrupt-20261123T140000Z"
        #expect(try Data(contentsOf: URL(fileURLWithPath: aside)) == garbage)
        #expect(reports.all.count == 1)
        #expect(reports.all[0].contains(directory.databasePath) && reports.all[0].contains(aside))
        #expect(try StoreReader(directory: directory.path).trace(traceID(1))?.spans.count == 1)
    }

    @Test func twoFilesMovedAsideInOneSecondKeepTheirOwnNames() throws {
        let directory = TemporaryDirectory()
        var options = StoreWriter.Options()
        options.unixSeconds = { Int(noon / second) }
        for _ in 1...2 {
            try Data("garbage".utf8).write(to: URL(fileURLWithPath: directory.databasePath))
            let writer = StoreWriter(directory: directory.path, options: options)
            try writer.open()
            writer.close()
        }
        #expect(directory.files().filter { $0.contains("corrupt") }.count == 2)
    }

    @Test func damageThatShowsWhileWritingIsMovedAsideAndNothingIsLost() throws {
        let directory = TemporaryDirectory()
        let reports = Reports()
        let writer = StoreWriter(directory: directory.path, report: reports.sink)
        writer.append(one)
        writer.flush()
        // All pages but the first become noise; the WAL goes, so that they are what SQLite sees.
        let other = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
        try other.queue.inDatabase { db in _ = try db.checkpoint(.truncate) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: directory.databasePath))
        try file.seek(toOffset: 16_384)
        try file.write(contentsOf: Data(repeating: 0x5A, count: 16_384 * 6))
        try file.close()

        writer.append(Batch([span(traceID(2), 1, "two")], resource: shop))
        let counts = writer.close()
        #expect(counts.traces == StoreCounts.Items(received: 2, stored: 2))
        #expect(reports.all.contains { $0.contains("damaged") && $0.contains("moved aside") })
        #expect(directory.files().contains { $0.hasPrefix("sidelight.db.corrupt-") })
        #expect(try StoreReader(directory: directory.path).trace(traceID(2))?.spans.count == 1)
    }

    @Test func aReaderLeavesADamagedStoreAlone() throws {
        let directory = TemporaryDirectory()
        try Data(
            "garbage, more than a header is long ...................................................................."
                .utf8
        )
        .write(to: URL(fileURLWithPath: directory.databasePath))
        let error = message { _ = try StoreReader(directory: directory.path) }
        #expect(error?.code == .corrupt)
        #expect(directory.files() == ["sidelight.db"])
    }

    @Test func aStoreRemovedWhileInUseIsMadeAnew() throws {
        let directory = TemporaryDirectory()
        let reports = Reports()
        let writer = StoreWriter(directory: directory.path + "/s", report: reports.sink)
        writer.append(one)
        writer.flush()
        try FileManager.default.removeItem(atPath: directory.path + "/s")
        writer.append(Batch([span(traceID(2), 1, "two")], resource: shop))
        #expect(writer.flush().traces.stored == 2)
        #expect(try StoreReader(directory: directory.path + "/s").trace(traceID(2))?.spans.count == 1)
        #expect(reports.all.contains { $0.contains("was removed") })
    }

    @Test func aNewerFormatIsRefusedAndLeftAlone() throws {
        let directory = TemporaryDirectory()
        let writer = StoreWriter(directory: directory.path)
        writer.append(one)
        writer.close()
        let database = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
        try database.queue.inDatabase { try $0.execute(sql: "PRAGMA user_version = 3") }
        let error = message { try StoreWriter(directory: directory.path).open() }
        #expect(error?.code == .newerVersion)
        #expect(error?.message.contains("format 3") == true)
        #expect(message { _ = try StoreReader(directory: directory.path) }?.code == .newerVersion)
        #expect(!directory.files().contains { $0.contains("corrupt") })
    }

    @Test func aDatabaseOfAnotherProgramIsRefused() throws {
        let directory = TemporaryDirectory()
        let database = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
        try database.queue.inDatabase { try $0.execute(sql: "PRAGMA user_version = 0; PRAGMA application_id = 0") }
        #expect(message { try StoreWriter(directory: directory.path).open() }?.code == .foreign)
    }

    @Test func aDirectoryThatCannotBeMadeIsNamedWithTheReason() {
        let directory = TemporaryDirectory()
        _ = FileManager.default.createFile(atPath: directory.path + "/file", contents: Data())
        let path = directory.path + "/file/store"
        let writer = StoreWriter(directory: path)
        let error = message { try writer.open() }
        #expect(error?.code == .unwritable)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains("Not a directory") == true)
        writer.append(one)
        #expect(writer.close().traces.droppedByReason == [.unavailable: 1])
    }

    @Test func aMissingStoreIsSaidToBeMissing() {
        let directory = TemporaryDirectory()
        let error = message { _ = try StoreReader(directory: directory.path) }
        #expect(error?.code == .missing)
        #expect(error?.message.contains(directory.path) == true)
        #expect(directory.files() == [])
    }
}
