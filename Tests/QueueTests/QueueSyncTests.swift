import Queue
import Telemetry
import Testing

/// `interval`: syncs beside the owner, on a disk that ends them when the test says.
@Suite struct QueueSyncTests {
    private let disk = SimulatedDisk()
    private let files: SimulatedFiles
    private let queue: DurableQueue

    init() throws {
        files = SimulatedFiles(disk, seed: 1)
        files.pace = .held
        var limits = QueueLimits()
        limits.segmentBytes = 4 << 10
        limits.sync = .interval(nanoseconds: 100)
        queue = try DurableQueue(files, limits: limits, now: 0)
    }

    @discardableResult private func append(_ bytes: Int = 100) -> QueueEntryID {
        let append = queue.append(
            QueueEntryHead(signal: .logs, items: 1, time: 1), [UInt8](repeating: 7, count: bytes))
        guard case .queued(let id) = append else { preconditionFailure("\(append)") }
        return id
    }

    private func commit(now: UInt64) { #expect(throws: Never.self) { try queue.commit(now: now).get() } }

    @Test func aSyncUnderWayHoldsNobodyUpAndCoversWhatWasWrittenBefore() {
        append()
        commit(now: 100)
        #expect(files.isSyncUnderWay && !disk.isDurable)
        append()
        commit(now: 200)
        #expect(queue.counts.entries == 2)
        files.endSyncBeside()
        #expect(disk.isDurable, "the sync came after the second commit")
        append()
        commit(now: 201)
        #expect(files.isSyncUnderWay, "what was written during the first is the next one's")
        files.endSyncBeside()
        queue.tick(now: 202)
        #expect(disk.isDurable && !files.isSyncUnderWay)
    }

    @Test func withNothingWrittenNoneIsBegun() {
        append()
        commit(now: 100)
        files.endSyncBeside()
        queue.tick(now: 300)
        queue.tick(now: 500)
        #expect(!files.isSyncUnderWay)
    }

    @Test func anIntervalIsWaitedFor() {
        append()
        commit(now: 99)
        #expect(!files.isSyncUnderWay)
        queue.tick(now: 100)
        #expect(files.isSyncUnderWay)
    }

    @Test func itIsToldFromWhenOnAllIsDurable() {
        append()
        #expect(throws: Never.self) { try queue.commit(now: 100, monotonic: 7).get() }
        #expect(queue.syncedAt == nil, "it is under way")
        files.endSyncBeside()
        queue.tick(now: 150, monotonic: 9)
        #expect(queue.syncedAt == 7, "when it began, not when its end was seen")
        queue.tick(now: 300, monotonic: 12)
        #expect(queue.syncedAt == 12, "there is nothing that is not")
        append()
        #expect(throws: Never.self) { try queue.commit(now: 400, monotonic: 20).get() }
        files.fault = { _ in .input }
        files.endSyncBeside()
        queue.tick(now: 401, monotonic: 21)
        #expect(queue.syncedAt == 12, "it failed")
    }

    @Test func openingTellsTheLastEntryAcknowledgedOrNot() throws {
        #expect(queue.recovery.lastSequence == nil)
        append()
        let last = append()
        commit(now: 1)
        queue.acknowledge(last)
        queue.flushAcknowledgements()
        let again = try DurableQueue(SimulatedFiles(disk, seed: 2), now: 2)
        #expect(again.recovery.lastSequence == last.sequence && again.recovery.entries == 1)
    }

    @Test func syncWaitsForTheOneUnderWayAndCoversEverything() {
        append()
        commit(now: 100)
        append()
        commit(now: 101)
        #expect(queue.sync() && disk.isDurable && !files.isSyncUnderWay)
    }

    @Test func syncTellsThatTheOneUnderWayFailed() {
        append()
        commit(now: 100)
        files.fault = { _ in .input }
        files.endSyncBeside()
        files.fault = { _ in nil }
        #expect(!queue.sync())
        #expect(queue.failure?.kind == .damaged)
    }

    @Test func afterAFailedOneNewEntriesGoElsewhere() throws {
        let first = append()
        commit(now: 100)
        files.fault = { _ in .input }
        files.endSyncBeside()
        files.fault = { _ in nil }
        queue.tick(now: 101)
        #expect(queue.failure?.kind == .damaged)
        append()
        commit(now: 102)
        #expect(queue.failure == nil && queue.counts.segments == 2)
        #expect(try queue.read(first).count == 100)
    }

    @Test func aGroupThatWaitsStillGoesToTheSegmentAndIsItsLast() throws {
        append()
        commit(now: 100)
        let waiting = append()
        files.fault = { _ in .input }
        files.endSyncBeside()
        files.fault = { _ in nil }
        queue.tick(now: 101)
        #expect(queue.failure?.kind == .damaged)
        commit(now: 102)
        #expect(queue.counts.segments == 1)
        #expect(try queue.read(waiting).count == 100)
        append()
        commit(now: 103)
        #expect(queue.counts.segments == 2)
    }

    @Test func aSegmentThatIsRemovedMeanwhileIsNoFailure() {
        let ids = (0..<4).map { _ in
            let id = append(1500)
            commit(now: 0)
            return id
        }
        queue.tick(now: 100)
        #expect(files.isSyncUnderWay && queue.counts.segments == 2)
        for id in ids { queue.acknowledge(id) }
        queue.flushAcknowledgements()
        #expect(queue.counts.segments < 2)
        files.endSyncBeside()
        queue.tick(now: 101)
        #expect(queue.failure == nil && queue.sync())
    }

    /// A loss of power may bring a segment back as long as the folder was not synced after its removal.
    @Test func sidecarsOfRemovedSegmentsGoAfterASyncThatBeganAfterTheRemovalAndEndedWell() {
        let sidecars = { disk.names.keys.filter { $0.hasSuffix(".acked") }.count }
        let first = append(2000)
        let second = append(2000)
        commit(now: 0)
        queue.acknowledge(first)
        queue.flushAcknowledgements()
        queue.tick(now: 100)
        append(2000)
        queue.acknowledge(second)
        commit(now: 101)
        #expect(queue.counts.segments == 1 && sidecars() == 1)
        files.endSyncBeside()
        queue.tick(now: 102)
        #expect(sidecars() == 1, "its folder was synced before the removal, as far as anybody knows")
        queue.tick(now: 201)
        #expect(files.isSyncUnderWay)
        files.fault = { _ in .input }
        files.endSyncBeside()
        files.fault = { _ in nil }
        queue.tick(now: 202)
        #expect(sidecars() == 1, "the folder's sync failed")
        queue.tick(now: 301)
        files.endSyncBeside()
        queue.tick(now: 302)
        #expect(sidecars() == 0)
        #expect(queue.counts.bytesOnDisk == disk.bytes)
    }
}

extension DurableQueue.Commit {
    fileprivate func get() throws {
        if case .failed(let error) = self { throw error }
    }
}
