import CLinux
import Foundation
import Synchronization
import Testing

@testable import Telemetry

@Suite("ring places")
struct RingPlacesTests {
    private static func record(_ number: UInt32, bytes: Int = 64) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: bytes)
        record.withUnsafeMutableBytes {
            $0.storeBytes(of: UInt32(bytes), as: UInt32.self)
            $0.storeBytes(of: UInt32(RecordKind.log.rawValue), toByteOffset: 4, as: UInt32.self)
            $0.storeBytes(of: number, toByteOffset: 8, as: UInt32.self)
        }
        return record
    }

    private static func numbers(_ reader: inout RingReader) -> [UInt32] {
        var numbers: [UInt32] = []
        while case .read = reader.read({ numbers.append($0.load(fromByteOffset: 8, as: UInt32.self)) }) {}
        return numbers
    }

    @Test func bothSidesSeeTheSamePlaces() throws {
        let first = try RingMapping(capacity: 64 << 10)
        let agent = try RingPlaces(count: 4, capacity: 64 << 10)
        let worker = try RingPlaces(fileDescriptor: dup(agent.fileDescriptor))
        #expect(worker.count == 4 && worker.capacity == 64 << 10)
        let taken = try #require(try worker.take(like: first))
        #expect(taken.place == 0 && agent.state(0) == .used && agent.state(1) == .free)
        #expect(taken.ring.monotonicBase == first.monotonicBase)
        var writer = RingWriter(taken.ring)
        Self.record(7).withUnsafeBytes { _ = writer.write($0) }
        worker.end(0)
        #expect(agent.state(0) == .ended)
        var reader = RingReader(try agent.ring(0, monotonicBase: first.monotonicBase))
        #expect(Self.numbers(&reader) == [7])
    }

    @Test func freedPlaceIsEmptyAndHasNoPages() throws {
        let first = try RingMapping(capacity: 64 << 10)
        let places = try RingPlaces(count: 2, capacity: 64 << 10)
        for round in 1...3 {
            let taken = try #require(try places.take(like: first))
            #expect(taken.place == 0)
            #expect(taken.ring.load(RingMapping.Cell.head) == 0)
            var writer = RingWriter(taken.ring)
            for number in 0..<500 { Self.record(UInt32(number)).withUnsafeBytes { _ = writer.write($0) } }
            places.end(0)
            do {
                var reader = RingReader(try places.ring(0, monotonicBase: first.monotonicBase))
                #expect(Self.numbers(&reader).count == 500, "round \(round)")
            }
            #expect(places.free(0))
            #expect(places.state(0) == .free)
        }
        var status = stat()
        #expect(fstat(places.fileDescriptor, &status) == 0)
        #expect(status.st_blocks * 512 <= 8192)
    }

    @Test func noPlaceIsFreeWhenAllAreTaken() throws {
        let first = try RingMapping(capacity: 64 << 10)
        let places = try RingPlaces(count: 3, capacity: 64 << 10)
        for place in 0..<3 { #expect(try places.take(like: first)?.place == place) }
        #expect(try places.take(like: first) == nil)
        places.end(1)
        #expect(try places.take(like: first) == nil, "not read to its end yet")
        #expect(places.free(1))
        #expect(try places.take(like: first)?.place == 1)
    }

    @Test func stateThatIsNoneCountsAsFree() throws {
        let places = try RingPlaces(count: 2, capacity: 64 << 10)
        let worker = try #require(sl_shared_map(places.fileDescriptor, 4096))
        defer { munmap(worker, 4096) }
        worker.storeBytes(of: 0xFFFF_FFFF, toByteOffset: 64, as: UInt32.self)
        #expect(places.state(0) == .free)
    }

    @Test func descriptorOfSomethingElseIsRefused() throws {
        let ring = try RingMapping(capacity: 64 << 10)
        #expect(throws: RingError.self) { try RingPlaces(fileDescriptor: dup(ring.fileDescriptor)) }
    }

    /// Children on threads that come and go, and an agent that reads all of them and gives their places back: nothing is lost, nothing comes twice.
    @Test func everyRecordOfManyRingsArrivesOnce() async throws {
        let first = try RingMapping(capacity: 64 << 10)
        let agent = try RingPlaces(count: 3, capacity: 64 << 10)
        let worker = try RingPlaces(fileDescriptor: dup(agent.fileDescriptor))
        let children = 24
        let each = 3000
        let taking = Mutex(())
        let running = Atomic<Int>(children)
        for child in 0..<children {
            Thread.detachNewThread {
                var taken: (place: Int, ring: RingMapping)?
                while taken == nil {
                    taken = taking.withLock { _ in (try? worker.take(like: first)) ?? nil }
                    if taken == nil { sched_yield() }
                }
                var writer = RingWriter(taken!.ring)
                for number in 0..<each {
                    let record = Self.record(UInt32(child * each + number))
                    while !record.withUnsafeBytes({ writer.write($0) }) { sched_yield() }
                }
                worker.end(taken!.place)
                running.subtract(1, ordering: .relaxed)
            }
        }
        var seen = Set<UInt32>()
        var twice = 0
        var readers: [Int: Reading] = [:]
        while running.load(ordering: .relaxed) > 0 || (0..<agent.count).contains(where: { agent.state($0) != .free }) {
            for place in 0..<agent.count {
                let state = agent.state(place)
                if readers[place] == nil {
                    guard state != .free else { continue }
                    readers[place] = Reading(try agent.ring(place, monotonicBase: 0))
                }
                for number in readers[place]!.take() where !seen.insert(number).inserted { twice += 1 }
                if state == .ended {
                    readers[place] = nil
                    #expect(agent.free(place))
                }
            }
            sched_yield()
        }
        #expect(twice == 0)
        #expect(seen.count == children * each)
    }

    private final class Reading {
        var reader: RingReader
        init(_ ring: RingMapping) { reader = RingReader(ring) }
        func take() -> [UInt32] { RingPlacesTests.numbers(&reader) }
    }
}
