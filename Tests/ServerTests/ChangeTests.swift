import Foundation
import Glibc
import Server
import Synchronization
import System
import Testing

/// What a server that runs can be told: other listeners, work, descriptors to look at.
@Suite struct ChangeTests {
    private static func answering(_ text: String) -> ClosureHandler {
        ClosureHandler { _, responder in responder.respond(200, body: Array(text.utf8)) }
    }

    private static func ask(_ client: TestClient) -> String {
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        return client.answer().body
    }

    @Test func aSocketThatStaysKeepsItsConnectionsAndGetsTheNewHandler() throws {
        let server = try TestServer(Self.answering("old"))
        defer { server.stop() }
        let client = try TestClient(server)
        #expect(Self.ask(client) == "old")
        let failure = server.change([Server.Listener(fileDescriptor: server.listening, handler: Self.answering("new"))])
        #expect(failure == nil)
        #expect(Self.ask(client) == "new")
        #expect(Self.ask(try TestClient(server)) == "new")
    }

    @Test func anotherSocketIsListenedAtAndTheOldOneIsLeft() throws {
        let server = try TestServer(Self.answering("first"))
        defer { server.stop() }
        let client = try TestClient(server)
        #expect(Self.ask(client) == "first")
        let (descriptor, port) = try TestServer.listen()
        defer { close(descriptor) }
        #expect(server.change([Server.Listener(fileDescriptor: descriptor, handler: Self.answering("second"))]) == nil)
        // Idle: closed.
        #expect(client.readAll() == "")
        #expect(Self.ask(try TestClient(port: port)) == "second")
        // And back, into the place that the first one had.
        #expect(
            server.change([Server.Listener(fileDescriptor: server.listening, handler: Self.answering("third"))]) == nil)
        #expect(Self.ask(try TestClient(server)) == "third")
    }

    @Test func aRequestUnderWayAtALeftSocketIsAnswered() throws {
        let held = Mutex<Responder?>(nil)
        let server = try TestServer(ClosureHandler { _, responder in held.withLock { $0 = responder } })
        defer { server.stop() }
        let client = try TestClient(server)
        client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(server.eventually { held.withLock { $0 != nil } })
        #expect(server.change([]) == nil)
        held.withLock { $0.take() }?.respond(200, body: Array("late".utf8))
        let answer = client.readAll()
        #expect(answer.hasSuffix("late"))
        #expect(answer.contains("connection: close"))
    }

    @Test func aDescriptorThatCannotBeListenedAtIsTold() throws {
        let server = try TestServer(Self.answering("here"))
        defer { server.stop() }
        let failure = server.change([
            Server.Listener(fileDescriptor: server.listening, handler: Self.answering("here")),
            Server.Listener(fileDescriptor: 1 << 20, handler: Self.answering("nowhere")),
        ])
        #expect(failure != nil)
        #expect(Self.ask(try TestClient(server)) == "here")
    }

    @Test func workRunsOnTheServersThreadInOrder() throws {
        let server = try TestServer(Self.answering(""))
        let seen = Mutex<[Int]>([])
        let threads = Mutex<Set<UInt>>([])
        for number in 0..<100 {
            server.server.perform {
                seen.withLock { $0.append(number) }
                threads.withLock { _ = $0.insert(pthread_self()) }
            }
        }
        server.stop()
        #expect(seen.withLock { $0 } == Array(0..<100))
        #expect(threads.withLock { $0.count } == 1)
    }

    /// Counts its turns and asks for one more at a time.
    private final class Companion: ServerCompanion {
        let turns = Mutex(0)
        let dueAt = Mutex<UInt64?>(nil)

        func turn(now: UInt64) -> UInt64? {
            turns.withLock { $0 += 1 }
            return dueAt.withLock { due in
                if let at = due, at <= now { due = nil }
                return due
            }
        }

        var count: Int { turns.withLock { $0 } }
    }

    @Test func aCompanionIsCalledAfterTurnsWhenItWantsAndForDescriptors() throws {
        let companion = Companion()
        let server = try TestServer(Self.answering("x"), companion: companion)
        defer { server.stop() }
        // Before there is any request.
        #expect(server.eventually { companion.count > 0 })
        #expect(Self.ask(try TestClient(server)) == "x")
        #expect(server.eventually { companion.count > 0 })

        companion.dueAt.withLock { $0 = MachineClock().monotonicNanoseconds() + 20_000_000 }
        server.server.perform {}
        #expect(server.eventually { companion.dueAt.withLock { $0 == nil } })

        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        server.server.watch(ends[0])
        server.server.perform {}
        let before = companion.count
        var byte: UInt8 = 1
        try #require(write(ends[1], &byte, 1) == 1)
        #expect(server.eventually { companion.count > before + 1 })
        server.server.unwatch(ends[0])
    }
}
