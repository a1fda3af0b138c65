import Configuration
import Linux
import Logs
import Processors
import Resolver
import System
import Telemetry
import Testing
import Transport
import Wire

@testable import Agent

/// What is read of files, on its way into real queues in a temporary folder; the exporters' backends are away.
@Suite struct LogDeliveryTests {
    private final class Positions: PositionFiles, @unchecked Sendable {
        // @unchecked: used by one thread at a time.
        let path = "positions"
        var bytes: [UInt8] = []
        var appended: () -> Void = {}

        func contents() -> [UInt8] { bytes }
        func append(_ bytes: [UInt8]) {
            appended()
            self.bytes += bytes
        }
        func truncate(to bytes: Int) { self.bytes.removeLast(self.bytes.count - bytes) }
        func sync() {}
        func replace(with bytes: [UInt8]) { self.bytes = bytes }
    }

    private final class World {
        let folder = TemporaryFolder()
        let files = Positions()
        let intake: PipelineIntake
        let positions: PositionLog
        private let surroundings: PipelineSurroundings
        private var builder: PipelineBuilder

        /// - Parameter text: what of the configuration is more than queues of 1 MB and one receiver of files.
        init(_ text: String) throws {
            let clock = LinuxClock()
            let transport = CurlTransport()
            surroundings = PipelineSurroundings(
                transport: transport, resolver: ServiceResolver(ResolveConfiguration(), transport),
                budget: MemoryBudget(bytesMax: 64 << 20), clock: clock, audit: DropAudit(clock),
                messages: Messages(isQuiet: true, level: .critical),
                followers: LogFollowers(clock, memoryBytesMax: 64 << 20), deliveries: Deliveries())
            builder = PipelineBuilder(surroundings)
            intake = PipelineIntake(try builder.first(try Self.configuration(text, folder)), surroundings)
            positions = try PositionLog(files, boot: "", lastSequence: { _ in nil })
        }

        private static func configuration(_ text: String, _ folder: TemporaryFolder) throws -> PipelineConfiguration {
            let whole =
                "store: off\nqueue: {directory: '\(folder.path)/q', bytes: 1MB}\nreceivers: {files: /nowhere}\n\(text)\n"
            let file = PipelineConfiguration.File(name: "f", bytes: Array(whole.utf8))
            return try PipelineConfiguration.load(FlagValues(), environment: [:], file: file) { _ in .failed("none") }
                .get()
                .value.configuration
        }

        func change(_ text: String) throws {
            let change = try builder.change(from: intake.plan, to: try Self.configuration(text, folder))
            intake.adopt(change.plan, ending: change.endedStateful)
            builder.finish(change)
        }

        func books(_ name: String) -> (queued: Int, dropped: Int) {
            let books = intake.plan.outputs.first { $0.name == name }!.exporter.books(.logs)
            return (books.queued, books.dropped.values.reduce(0, +))
        }

        /// How far the file is read, for the next run.
        var place: UInt64? { positions.places.first?.resume.start }

        /// Gives it so many deliveries of 100 kB as it takes.
        func fill() -> Int {
            var taken = 0
            while taken < 100,
                intake.take(LogDeliveryTests.delivery(UInt64(taken) + 1, bytes: 100_000), positions) == .taken
            { taken += 1 }
            return taken
        }
    }

    private static let away = "{kind: otlp, url: 'http://127.0.0.1:1'}"

    fileprivate static func delivery(_ mark: UInt64, bytes: Int = 10) -> LogDelivery {
        var builder = BatchBuilder(signal: .logs, resource: Resource(attributes: [Attribute("service.name", "shop")]))
        builder.append(LogRecord(time: 5, body: .string(String(repeating: "x", count: bytes))))
        let place = TailPlace(
            id: 1, identity: TailFileIdentity(device: 1, inode: 1), head: HeadPrint(bytes: 0, hash: 0),
            resume: ResumePoint(mark), isEnded: false, path: "/a", source: LogSource(path: "/a", receiver: "files"))
        return LogDelivery([("files", [builder.take()])], TailMark(number: mark, places: [place], forgotten: []))
    }

    @Test func theIntentIsWrittenBeforeTheEntryAndTheCommitBehindIt() throws {
        let world = try World("exporters: {a: \(Self.away), b: \(Self.away)}")
        var seen: [Int] = []
        world.files.appended = { [unowned world] in seen.append(world.books("a").queued + world.books("b").queued) }
        #expect(world.intake.take(Self.delivery(7), world.positions) == .taken)
        #expect(seen == [0, 2])
        #expect(world.place == 7)
        // One entry in each, whatever number of pipelines leads there.
        #expect(world.intake.plan.outputs.allSatisfy { $0.exporter.queueCounts.entries == 1 })
    }

    @Test func twoPipelinesToOneQueueAreOneEntry() throws {
        let world = try World("exporters: {a: \(Self.away)}\npipelines: {logs: , logs/more: }")
        #expect(world.intake.take(Self.delivery(1), world.positions) == .taken)
        #expect(world.books("a").queued == 2)
        #expect(world.intake.plan.outputs[0].exporter.queueCounts.entries == 1)
    }

    @Test func whatNoQueueHasRoomForIsRefusedAndNothingChanges() throws {
        let world = try World(
            "exporters: {a: \(Self.away)}\nprocessors: {p: {limits: {}}}\npipelines: {logs: {processors: p}}")
        let taken = world.fill()
        #expect(taken > 2 && taken < 12)
        #expect(world.place == UInt64(taken))
        #expect(world.books("a") == (taken, 0))
        let again = Self.delivery(50, bytes: 100_000)
        for _ in 0..<3 { #expect(world.intake.take(again, world.positions) == .refused(.full)) }
        // No processor has seen what was refused.
        let counts = try #require(
            world.intake.plan.chains["logs"]?.front?.counts.read().first { $0.name == "p" }?.counts)
        #expect(counts.received[.logs].map { Int($0) } == taken)
        #expect(world.place == UInt64(taken))
        // Another configuration has a queue with room.
        try world.change("exporters: {a: \(Self.away), b: \(Self.away)}\npipelines: {logs: {exporters: b}}")
        #expect(world.intake.take(again, world.positions) == .taken)
        #expect(world.place == 50)
        #expect(world.books("b").queued == 1)
    }

    @Test func aFullQueueAmongOthersMissesIt() throws {
        let world = try World("exporters: {a: \(Self.away), b: \(Self.away)}\npipelines: {logs: {exporters: a}}")
        let taken = world.fill()
        try world.change("exporters: {a: \(Self.away), b: \(Self.away)}")
        #expect(world.intake.take(Self.delivery(80, bytes: 100_000), world.positions) == .taken)
        #expect(world.books("a") == (taken, 1))
        #expect(world.books("b") == (1, 0))
        #expect(world.place == 80)
    }

    @Test func whatNeverHasRoomIsDroppedAndCounted() throws {
        let world = try World("exporters: {a: \(Self.away)}")
        #expect(world.intake.take(Self.delivery(9, bytes: 2 << 20), world.positions) == .taken)
        #expect(world.books("a") == (0, 1))
        #expect(world.place == 9)
    }

    @Test func whatIsFilteredOrHasNoPipelineIsDoneWith() throws {
        let filtered = try World(
            "exporters: {a: \(Self.away)}\nprocessors: {f: {filter: {drop: [{service: shop}]}}}\npipelines: {logs: {processors: f}}"
        )
        #expect(filtered.intake.take(Self.delivery(3), filtered.positions) == .taken)
        #expect(filtered.books("a") == (0, 0))
        #expect(filtered.place == 3)
        let unrouted = try World(
            "exporters: {a: \(Self.away)}\npipelines: {traces: {receivers: [], exporters: a}}")
        #expect(unrouted.intake.take(Self.delivery(4), unrouted.positions) == .taken)
        #expect(unrouted.intake.unrouted[.logs] == 1)
        #expect(unrouted.place == 4)
    }

    @Test func placesAloneAreKept() throws {
        let world = try World("exporters: {a: \(Self.away)}")
        let mark = try #require(Self.delivery(6).mark)
        #expect(world.intake.take(LogDelivery([], mark), world.positions) == .taken)
        #expect(world.place == 6)
    }
}
