import Health
import Receivers
import Server
import Synchronization
import System
import Testing

@Suite struct HealthRPCTests {
    /// Services, and who watches them.
    private final class Source: HealthSource {
        private struct State: Sendable {
            var services: [String: HealthProtocol.ServingStatus] = ["": .serving, "db": .notServing]
            var watchers: [HealthWatcher] = []
        }

        private let state = Mutex(State())
        let watchersMax: Int

        init(watchersMax: Int = 8) { self.watchersMax = watchersMax }

        var watcherCount: Int { state.withLock { $0.watchers.count } }

        func set(_ service: String, _ status: HealthProtocol.ServingStatus?) {
            state.withLock { state in
                state.services[service] = status
                state.watchers.removeAll { !$0.tell(state.services[$0.service] ?? .serviceUnknown) }
            }
        }

        func servingStatus(of service: String) -> HealthProtocol.ServingStatus? {
            state.withLock { $0.services[service] }
        }
        var servingStatuses: [(service: String, status: HealthProtocol.ServingStatus)] {
            state.withLock { $0.services.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
        }
        var hasRoom: Bool { state.withLock { $0.watchers.count < watchersMax } }
        func add(_ watcher: HealthWatcher) {
            state.withLock { state in
                guard watcher.tell(state.services[watcher.service] ?? .serviceUnknown) else { return }
                state.watchers.append(watcher)
            }
        }
        func remove(_ watcher: HealthWatcher) { state.withLock { $0.watchers.removeAll { $0 === watcher } } }
    }

    private struct World {
        let source: Source
        let server: TestServer
        let client: HTTP2Client

        init(_ source: Source = Source()) throws {
            self.source = source
            let handler = ReceiverHandler(
                .init(protocols: [.otlpGRPC]), intake: RecordingIntake(), counters: ReceiverCounters(),
                budget: MemoryBudget(), clock: MachineClock(), health: HealthRPC(source))
            server = try TestServer(handler)
            client = try HTTP2Client(server)
        }

        func send(_ stream: UInt32, _ method: String, _ body: [UInt8], type: String = "application/grpc") {
            client.request(
                stream, "POST", "/grpc.health.v1.Health/\(method)", [("content-type", type), ("te", "trailers")],
                body: body)
        }

        func call(
            _ stream: UInt32, _ method: String, _ body: [UInt8], type: String = "application/grpc"
        ) throws -> HTTP2Client.Answer {
            send(stream, method, body, type: type)
            return try #require(client.answer(stream))
        }

        /// The next message of a stream.
        func message(_ stream: UInt32) throws -> [UInt8] {
            while true {
                let frame = try #require(client.next())
                client.take(frame)
                if frame.type == 0, frame.stream == stream { return frame.payload }
            }
        }
    }

    private static func request(_ service: String) -> [UInt8] {
        let message = service.isEmpty ? [] : [0x0A, UInt8(service.utf8.count)] + Array(service.utf8)
        return [0, 0, 0, 0, UInt8(message.count)] + message
    }

    @Test func checkSaysHowAServiceIs() throws {
        let world = try World()
        let whole = try world.call(1, "Check", Self.request(""))
        #expect(whole.fields["grpc-status"] == "0" && whole.body == [0, 0, 0, 0, 2, 8, 1])
        let part = try world.call(3, "Check", Self.request("db"))
        #expect(part.fields["grpc-status"] == "0" && part.body == [0, 0, 0, 0, 2, 8, 2])
        #expect(try world.call(5, "Check", Self.request("no")).fields["grpc-status"] == "5")
    }

    @Test func listHasAll() throws {
        let answer = try World().call(1, "List", Self.request(""))
        #expect(answer.fields["grpc-status"] == "0")
        #expect(
            Array(answer.body.dropFirst(5)) == [0x0A, 0x06, 0x0A, 0x00, 0x12, 0x02, 0x08, 0x01]
                + [0x0A, 0x08, 0x0A, 0x02, 0x64, 0x62, 0x12, 0x02, 0x08, 0x02])
    }

    @Test func watchTellsEveryChangeOnce() throws {
        let world = try World()
        world.send(1, "Watch", Self.request("db"))
        #expect(try world.message(1) == [0, 0, 0, 0, 2, 8, 2])
        world.source.set("db", .notServing)
        world.source.set("db", .serving)
        #expect(try world.message(1) == [0, 0, 0, 0, 2, 8, 1])
        // One that goes, and one that comes, are told as well.
        world.source.set("db", nil)
        #expect(try world.message(1) == [0, 0, 0, 0, 2, 8, 3])
    }

    @Test func watchOfAnUnknownServiceWaitsForIt() throws {
        let world = try World()
        world.send(1, "Watch", Self.request("new"))
        #expect(try world.message(1) == [0, 0, 0, 0, 2, 8, 3])
        world.source.set("new", .serving)
        #expect(try world.message(1) == [0, 0, 0, 0, 2, 8, 1])
    }

    @Test func whoLeavesIsForgotten() throws {
        let world = try World()
        world.send(1, "Watch", Self.request(""))
        _ = try world.message(1)
        #expect(world.source.watcherCount == 1)
        world.client.send(3, 0, 1, [0, 0, 0, 8])
        #expect(world.server.eventually { world.source.watcherCount == 0 })
    }

    @Test func noMoreWatchThanThereIsRoomFor() throws {
        let world = try World(Source(watchersMax: 2))
        for stream: UInt32 in [1, 3] {
            world.send(stream, "Watch", Self.request(""))
            _ = try world.message(stream)
        }
        #expect(try world.call(5, "Watch", Self.request("")).fields["grpc-status"] == "8")
    }

    @Test(
        arguments: [
            ([], "3"), ([0, 0, 0, 0], "3"), ([1, 0, 0, 0, 0], "12"), ([0, 0, 0, 0, 9], "3"),
            ([0, 0xFF, 0xFF, 0xFF, 0xFF], "3"),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "3"), ([0, 0, 0, 0, 1, 0x0A], "3"),
        ] as [([UInt8], String)])
    func whatIsNoRequestIsRefused(_ body: [UInt8], _ status: String) throws {
        let world = try World()
        for (stream, method) in [(1, "Check"), (3, "Watch"), (5, "List")] as [(UInt32, String)] {
            let answer = try world.call(stream, method, body)
            #expect(answer.status == 200 && answer.fields["grpc-status"] == status)
        }
        #expect(try world.call(7, "Check", Self.request("")).fields["grpc-status"] == "0")
    }

    @Test func otherTypesAndMethodsAreNotItsOwn() throws {
        let world = try World()
        #expect(try world.call(1, "Check", Self.request(""), type: "application/json").status == 415)
        #expect(try world.call(3, "Chekc", Self.request("")).fields["grpc-status"] == "12")
        let plain = try TestClient(world.server)
        plain.send("GET /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(plain.answer().status == 415)
    }
}
