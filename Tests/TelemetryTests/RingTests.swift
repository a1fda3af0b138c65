import CLinux
import Glibc
import Synchronization
import Testing

@testable import Telemetry

/// A record of `count` payload words, each `value`.
private func record(_ kind: RecordKind, words count: Int, value: UInt64) -> [UInt64] {
    let length = UInt64(8 + 8 * count)
    return [length | UInt64(kind.rawValue) << 32] + Array(repeating: value, count: count)
}

/// Both ends of a ring, for one thread. A class since `#expect` copies what it looks at.
private final class Ends {
    private var writer: RingWriter
    private var reader: RingReader

    init(_ mapping: RingMapping) {
        writer = RingWriter(mapping)
        reader = RingReader(mapping)
    }

    init(writing: RingMapping, reading: RingMapping) {
        writer = RingWriter(writing)
        reader = RingReader(reading)
    }

    func write(_ words: [UInt64]) -> Bool { words.withUnsafeBytes { writer.write($0) } }
    func read(_ body: (UnsafeRawBufferPointer) -> Void = { _ in }) -> RingReader.Step { reader.read(body) }
    func dropped(_ kind: RecordKind) -> UInt32 { reader.dropped(kind) }
    func requestWake(after bytes: Int) -> Bool { reader.requestWake(after: bytes) }
    var wakeIsDue: Bool { writer.wakeIsDue }
}

/// What the producing thread tells the other.
private final class Progress: Sendable {
    let done = Atomic<Bool>(false)
    let accepted = Atomic<Int>(0)
}

@Suite struct RingTests {
    @Test func recordsComeOutAsTheyWentIn() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        #expect(ring.write(record(.span, words: 3, value: 7)))
        #expect(ring.write(record(.log, words: 1, value: 9)))
        var seen: [[UInt64]] = []
        let step = ring.read { seen.append(Array($0.bindMemory(to: UInt64.self))) }
        #expect(step == .read(bytes: 48))
        #expect(seen == [record(.span, words: 3, value: 7), record(.log, words: 1, value: 9)])
        #expect(ring.read { _ in } == .empty)
    }

    @Test func aRecordThatCrossesTheEndIsWhole() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        for round in 0..<100 as Range<UInt64> {
            let sent = record(.span, words: 1500, value: round)
            #expect(ring.write(sent))
            var got: [UInt64] = []
            _ = ring.read { got = Array($0.bindMemory(to: UInt64.self)) }
            #expect(got == sent)
        }
    }

    @Test func fullRingDropsNewestAndCountsItByKind() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        var accepted = 0
        for _ in 0..<100 where ring.write(record(.span, words: 127, value: 1)) { accepted += 1 }
        #expect(accepted == 64)
        #expect(!ring.write(record(.log, words: 0, value: 0)))
        #expect(ring.dropped(.span) == 36)
        #expect(ring.dropped(.log) == 1)
        var seen = 0
        while case .read = ring.read({ _ in seen += 1 }) {}
        #expect(seen == 64)
        #expect(ring.write(record(.span, words: 127, value: 1)))
    }

    @Test func aRecordOverTheLargestSizeIsDropped() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        #expect(!ring.write(record(.span, words: 2048, value: 1)))
        #expect(ring.write(record(.span, words: 2047, value: 1)))
    }

    @Test(arguments: [0, 4, 12, 7, 0xFFFF_FFF8, 1 << 20] as [UInt32])
    func aBadLengthBreaksTheRingForGood(_ length: UInt32) throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        #expect(ring.write(record(.span, words: 1, value: 1)))
        #expect(ring.write(record(.span, words: 1, value: 2)))
        mapping.data.storeBytes(of: length, toByteOffset: 16, as: UInt32.self)
        var seen = 0
        #expect(ring.read { _ in seen += 1 } == .broken(.length))
        #expect(seen == 1)
        #expect(ring.read { _ in seen += 1 } == .broken(.length))
    }

    @Test(arguments: [4, 65_544, 0x8000_0000, 0xFFFF_FFF8] as [UInt32])
    func anImpossibleHeadBreaksTheRing(_ head: UInt32) throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        mapping.store(head, at: RingMapping.Cell.head)
        #expect(ring.read { _ in } == .broken(.head))
    }

    @Test func aRecordThatEndsBeyondHeadBreaksTheRing() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        mapping.data.storeBytes(of: 64, as: UInt32.self)
        mapping.store(32, at: RingMapping.Cell.head)
        #expect(ring.read { _ in Issue.record("handed out an unfinished record") } == .broken(.length))
    }

    @Test func changingTheTailCellDoesNotMisleadTheReader() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        #expect(ring.write(record(.span, words: 1, value: 5)))
        mapping.store(48, at: RingMapping.Cell.tail)
        var seen = 0
        #expect(ring.read { _ in seen += 1 } == .read(bytes: 16))
        #expect(seen == 1)
    }

    @Test func positionsPassTheEndOf32Bits() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        let sent = record(.span, words: 2047, value: 3)
        // 4 GiB in records of 16 KiB, and a little more.
        for _ in 0..<262_200 {
            guard ring.write(sent), ring.read({ _ in }) == .read(bytes: sent.count * 8) else {
                Issue.record("stopped at head \(mapping.load(RingMapping.Cell.head))")
                return
            }
        }
        #expect(mapping.load(RingMapping.Cell.head) < 1 << 30)
    }

    @Test func theConsumerIsToldWhenThereIsSomethingBeforeItSleeps() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let ring = Ends(mapping)
        #expect(ring.requestWake(after: 1))
        #expect(!ring.wakeIsDue)
        #expect(ring.write(record(.span, words: 1, value: 1)))
        #expect(ring.wakeIsDue)
        #expect(!ring.requestWake(after: 1))
        #expect(ring.requestWake(after: 4096))
        #expect(!ring.wakeIsDue)
    }

    @Test func theWorkerMapsWhatTheAgentMadeAndCannotResizeIt() throws {
        let agent = try RingMapping(capacity: 64 << 10)
        let worker = try RingMapping(fileDescriptor: dup(agent.fileDescriptor))
        #expect(worker.capacity == agent.capacity)
        #expect(worker.monotonicBase == agent.monotonicBase)
        let ring = Ends(writing: worker, reading: agent)
        #expect(ring.write(record(.span, words: 1, value: 77)))
        #expect(ring.read { _ in } == .read(bytes: 16))
        #expect(ftruncate(worker.fileDescriptor, 0) == -1)
        #expect(ftruncate(worker.fileDescriptor, 1 << 30) == -1)
    }

    @Test func aFileThatIsNoRingIsRefused() throws {
        let descriptor = sl_memfd("none")
        defer { close(descriptor) }
        #expect(throws: RingError.self) { try RingMapping(fileDescriptor: descriptor) }
        ftruncate(descriptor, 4096 + 65536)
        #expect(throws: RingError.self) { try RingMapping(fileDescriptor: dup(descriptor)) }
    }

    @Test func aDeathNoteIsReadBackCutAndMadeText() throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        #expect(mapping.deathNote == nil)
        let message = [UInt8](repeating: 0xFF, count: 2000)
        message.withUnsafeBytes { mapping.writeDeathNote(.heapLimit, $0) }
        "second".utf8.withContiguousStorageIfAvailable { mapping.writeDeathNote(.fatal, UnsafeRawBufferPointer($0)) }
        let note = try #require(mapping.deathNote)
        #expect(note.code == .heapLimit)
        #expect(note.message == String(repeating: "\u{FFFD}", count: 1024))
        mapping.store(.max, at: RingMapping.Cell.deathLength)
        #expect(mapping.deathNote?.message.count == 1024)
    }

    /// Two threads, a small ring, random sizes: everything accepted arrives in order and whole, everything else is counted.
    /// Under ThreadSanitizer this is the test of the memory order.
    @Test func acceptedRecordsArriveInOrderAcrossThreads() async throws {
        let mapping = try RingMapping(capacity: 64 << 10)
        let total = 200_000
        let shared = Progress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var writer = RingWriter(mapping)
                var random = SystemRandomNumberGenerator()
                var accepted = 0
                for value in 1...UInt64(total) {
                    let words = record(.span, words: Int.random(in: 1...40, using: &random), value: value)
                    if words.withUnsafeBytes({ writer.write($0) }) { accepted += 1 }
                }
                shared.accepted.store(accepted, ordering: .relaxed)
                shared.done.store(true, ordering: .releasing)
            }
            group.addTask {
                var reader = RingReader(mapping)
                var last: UInt64 = 0
                var received = 0
                var wrong = 0
                while true {
                    let finished = shared.done.load(ordering: .acquiring)
                    let step = reader.read { bytes in
                        let words = bytes.bindMemory(to: UInt64.self)
                        let value = words[1]
                        if value <= last || !words.dropFirst().allSatisfy({ $0 == value }) { wrong += 1 }
                        last = value
                        received += 1
                    }
                    if case .broken(let reason) = step {
                        Issue.record("broken: \(reason)")
                        return
                    }
                    if step == .empty && finished { break }
                }
                #expect(wrong == 0)
                #expect(received == shared.accepted.load(ordering: .relaxed))
                #expect(received + Int(reader.dropped(.span)) == total)
            }
            try await group.waitForAll()
        }
    }
}
