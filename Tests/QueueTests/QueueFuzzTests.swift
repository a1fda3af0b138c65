import Foundation
import Queue
import Telemetry
import Testing

private let fuzzSeconds = ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_SECONDS"].flatMap(Double.init)

/// Files of a queue that something wrote over: opening and reading neither trap nor invent, and the queue goes on.
@Suite struct QueueFuzzTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func fuzzedFilesAreReadAsFarAsTheyAreWhole(seed: UInt64) { fuzz(seed: seed) }

    /// As long as `SIDELIGHT_FUZZ_SECONDS` says, with seeds from the clock.
    @Test(.enabled(if: fuzzSeconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"))
    func fuzzedFilesAreReadAsFarAsTheyAreWholeForLong() {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(fuzzSeconds ?? 0)
        var rounds = 0
        while clock.now < end {
            fuzz(seed: UInt64.random(in: .min ... .max))
            rounds += 1
        }
        print("QueueFuzzTests: \(rounds) folders")
    }

    private func fuzz(seed: UInt64) {
        var generator = Generator(seed: seed)
        let disk = SimulatedDisk()
        var limits = QueueLimits()
        limits.segmentBytes = [4 << 10, 64 << 10][generator.below(2)]
        let written = fill(disk, limits, &generator)
        for _ in 0..<(1 + generator.below(4)) { mutate(disk, &generator) }
        let files = SimulatedFiles(disk, seed: seed)
        let queue: DurableQueue
        do { queue = try DurableQueue(files, limits: limits, now: 1) } catch {
            Issue.record("seed \(seed): \(error)")
            return
        }
        var last: QueueEntryID?
        var found: Set<[UInt8]> = []
        while let (id, head) = queue.next(after: last) {
            last = id
            guard let payload = try? queue.read(id) else { continue }
            #expect(written[payload] == head, "seed \(seed): entry \(id) was invented")
            #expect(found.insert(payload).inserted || payload.count < 8, "seed \(seed): entry \(id) came twice")
            queue.acknowledge(id)
        }
        #expect(queue.counts.entries == 0, "seed \(seed)")
        if case .queued = queue.append(QueueEntryHead(signal: .logs, items: 1, time: 1), [7]) {
        } else {
            Issue.record("seed \(seed): takes nothing")
        }
        guard case .committed(1) = queue.commit(now: 1) else {
            Issue.record("seed \(seed): commits nothing")
            return
        }
        #expect(queue.counts.segments <= 1 && queue.counts.bytesOnDisk <= 128 << 10, "seed \(seed): \(queue.counts)")
    }

    /// Some segments, some of them with acknowledgements. What was written, by payload.
    private func fill(
        _ disk: SimulatedDisk, _ limits: QueueLimits, _ generator: inout Generator
    ) -> [[UInt8]: QueueEntryHead] {
        var written: [[UInt8]: QueueEntryHead] = [:]
        guard let queue = try? DurableQueue(SimulatedFiles(disk, seed: generator.next()), limits: limits, now: 1) else {
            return [:]
        }
        for number in 0..<(1 + generator.below(60)) {
            let payload =
                withUnsafeBytes(of: (UInt64(number), generator.next())) { Array($0) }
                + [UInt8](repeating: UInt8(number), count: generator.below(600))
            let head = QueueEntryHead(signal: Signal.allCases[number % 3], items: UInt32(number), time: UInt64(number))
            written[payload] = head
            guard case .queued(let id) = queue.append(head, payload) else { continue }
            if generator.chance(30) { _ = queue.commit(now: 1) }
            if generator.chance(20) { queue.acknowledge(id) }
        }
        _ = queue.commit(now: 1)
        return written
    }

    private func mutate(_ disk: SimulatedDisk, _ generator: inout Generator) {
        let names = disk.names.keys.sorted()
        guard !names.isEmpty else { return }
        let name = names[generator.below(names.count)]
        let other = disk.names[names[generator.below(names.count)]]!
        let inode = disk.names[name]!
        let count = inode.cached.count
        guard count > 0 else { return }
        let place = generator.below(generator.chance(30) ? min(count, 80) : count)
        let length = min(count - place, 1 + generator.below([1, 8, 100, 5000][generator.below(4)]))
        switch generator.below(9) {
        case 0, 1: inode.cached[place] ^= 1 << UInt8(generator.below(8))
        case 2: for index in place..<place + length { inode.cached[index] = 0 }
        case 3:
            for index in place..<place + length { inode.cached[index] = UInt8(truncatingIfNeeded: generator.next()) }
        case 4: inode.cached.removeLast(count - place)
        case 5: inode.cached.removeSubrange(place..<place + length)
        case 6: inode.cached.append(contentsOf: repeatElement(generator.chance(50) ? 0 : 0xAA, count: length))
        case 7:
            let from = generator.below(max(other.cached.count, 1))
            let piece = Array(other.cached[min(from, other.cached.count)...].prefix(length))
            inode.cached.replaceSubrange(place..<place + min(piece.count, length), with: piece)
        default:
            // A file under another's name.
            let copy = SimulatedDisk.Inode()
            copy.cached = other.cached
            disk.names[name] = copy
        }
    }
}
