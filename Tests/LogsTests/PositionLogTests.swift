import Logs
import System
import Testing

@Suite("The log of places")
struct PositionLogTests {
    private func place(_ id: UInt64, _ offset: UInt64, path: String = "logs/a.log") -> TailPlace {
        TailPlace(
            id: id, identity: TailFileIdentity(device: 1, inode: id), head: HeadPrint(bytes: 3, hash: 7),
            resume: ResumePoint(first: offset, second: offset + 1), isEnded: id == 9, path: path, target: "pods/0.log",
            source: LogSource(path: "logs/first.log", receiver: "files"))
    }

    private func mark(_ number: UInt64, _ places: [TailPlace], forgotten: [UInt64] = []) -> TailMark {
        TailMark(number: number, places: places, forgotten: forgotten)
    }

    private func open(
        _ disk: SimulatedPositionFiles.Disk, boot: String = "boot", last: [String: UInt64] = [:]
    ) throws -> PositionLog {
        try PositionLog(SimulatedPositionFiles(disk, seed: 1), boot: boot) { last[$0] }
    }

    @Test func committedPlacesComeBackAsTheyWere() throws {
        let disk = SimulatedPositionFiles.Disk()
        let log = try open(disk)
        let places = [place(1, 10), place(9, 20, path: "logs/first.log")]
        for number in 1...3 as ClosedRange<UInt64> {
            let mark = mark(number, places + [place(3, number)], forgotten: number == 3 ? [3] : [])
            log.intend(mark, entries: [("queue", number)])
            log.commit(mark)
        }
        let again = try open(disk)
        #expect(again.places == places)
        #expect(again.receivers == ["files"])
        #expect(again.counts.damagedBytes == 0)
        // And after the file was written anew.
        #expect(try open(disk).places == places)
    }

    @Test(
        arguments: [
            (["a": 5, "b": 8], true), (["a": 6, "b": 9], true), (["a": 4, "b": 7], false), (["a": 5, "b": 7], false),
            (["a": 5], false), ([:], false),
        ] as [([String: UInt64], Bool)])
    func anIntentIsSettledByAllItsQueues(last: [String: UInt64], isCommitted: Bool) throws {
        let disk = SimulatedPositionFiles.Disk()
        let log = try open(disk)
        log.intend(mark(1, [place(1, 10)]), entries: [("a", 5), ("b", 8)])
        #expect(try open(disk, last: last).places == (isCommitted ? [place(1, 10)] : []))
    }

    @Test func anAbandonedIntentIsNeverTakenForCommitted() throws {
        let disk = SimulatedPositionFiles.Disk()
        let files = SimulatedPositionFiles(disk, seed: 1)
        let log = try PositionLog(files, boot: "boot") { _ in nil }
        log.intend(mark(1, [place(1, 10)]), entries: [("a", 5)])
        // Not on a full disk either.
        files.isFull = true
        log.abandon(mark(1, [place(1, 10)]))
        log.intend(mark(1, [place(1, 10)]), entries: [("a", 6)])
        files.isFull = false
        #expect(log.counts.writesFailed == 1)
        #expect(try open(disk, last: ["a": 100]).places == [])
    }

    @Test func aLossOfPowerGoesBackToWhatTheQueuesHadSynced() throws {
        let disk = SimulatedPositionFiles.Disk()
        let log = try open(disk)
        func commit(_ number: UInt64) {
            log.intend(mark(number, [place(1, number)]), entries: [("a", number)])
            log.commit(mark(number, [place(1, number)]))
        }
        commit(1)
        log.tick(now: 100, queuesSyncedAt: nil)
        commit(2)
        // The sync began before the second one was committed, as far as is known.
        log.tick(now: 200, queuesSyncedAt: 150)
        commit(3)
        #expect(log.counts.checkpoints == 1)
        #expect(try open(copy(disk), boot: "other").places == [place(1, 1)])
        log.tick(now: 300, queuesSyncedAt: 300)
        #expect(try open(copy(disk), boot: "other").places == [place(1, 3)])
        #expect(try open(copy(disk)).places == [place(1, 3)])
    }

    private func copy(_ disk: SimulatedPositionFiles.Disk) -> SimulatedPositionFiles.Disk {
        let copy = SimulatedPositionFiles.Disk()
        copy.bytes = disk.bytes
        copy.synced = disk.bytes.count
        return copy
    }

    @Test func theFileStaysSmall() throws {
        let disk = SimulatedPositionFiles.Disk()
        let log = try open(disk)
        for number in 1...30_000 as ClosedRange<UInt64> {
            let mark = mark(number, [place(number % 5, number)])
            log.intend(mark, entries: [("a", number)])
            log.commit(mark)
            if number % 100 == 0 { log.tick(now: number, queuesSyncedAt: number) }
        }
        #expect(disk.bytes.count < 2 << 20)
        #expect(try open(disk).places.map(\.resume.first).sorted() == [29_996, 29_997, 29_998, 29_999, 30_000])
    }

    @Test func aLaterVersionIsLeftAlone() throws {
        let disk = SimulatedPositionFiles.Disk()
        _ = try open(disk)
        #expect(disk.bytes[16] == 1)
        disk.bytes[16] = 2
        // Damaged, as long as its checksum is of another one.
        #expect(try open(copy(disk)).counts.damagedBytes == UInt64(disk.bytes.count))
        let checksum = crc32c(disk.bytes[16...])
        disk.bytes.replaceSubrange(12..<16, with: (0..<4).map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) })
        let bytes = disk.bytes
        #expect(throws: PositionFileError("read positions", reason: "its version, 2, is not known")) { try open(disk) }
        #expect(disk.bytes == bytes)
    }

    private func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
    }

    @Test func damageCutsTheEndAndEndsNothing() throws {
        let disk = SimulatedPositionFiles.Disk()
        let log = try open(disk)
        for number in 1...20 as ClosedRange<UInt64> {
            let mark = mark(number, [place(number, number)])
            log.intend(mark, entries: [("a", number)])
            log.commit(mark)
        }
        let whole = disk.bytes
        var generator = Generator(seed: 5)
        for _ in 0..<400 {
            let copy = SimulatedPositionFiles.Disk()
            copy.bytes = whole
            switch generator.below(3) {
            case 0: copy.bytes.removeLast(1 + generator.below(whole.count))
            case 1: for _ in 0..<3 { copy.bytes[generator.below(whole.count)] = UInt8(generator.below(256)) }
            default: copy.bytes = (0..<generator.below(300)).map { _ in UInt8(generator.below(256)) }
            }
            let count = try open(copy).places.count
            #expect(count <= 20)
            #expect(try open(copy).places.count == count)
        }
    }
}
