import Glibc
import Linux
import Testing
import Wire

@testable import Agent

/// The control server between workers that are played and clients over its real socket.
@Suite struct ControlServerTests {
    private let folder = TemporaryFolder()

    /// In nanoseconds of CLOCK_MONOTONIC: for who waits in vain.
    private var soon: UInt64 { LinuxClock().monotonicNanoseconds() + 20_000_000_000 }

    private func server(_ store: String) throws -> ControlServer {
        try #require(ControlServer(store: store, service: "shop"))
    }

    private func client(_ store: String, _ line: String = "") throws -> LocalConnection {
        let client = try LocalConnection.connect(path: "\(store)/control/\(getpid()).sock", milliseconds: 5_000)
        #expect(line.isEmpty || client.sendNow(Array((line + "\n").utf8)))
        return client
    }

    private func reply(_ client: LocalConnection) throws -> JSONValue {
        try JSONValue(parsing: try #require(client.receiveLine(max: 1 << 16, until: soon)))
    }

    /// A worker's end, of one that the server knows.
    private func worker(_ server: ControlServer, pid: Int32, place: Int = 0) throws -> LocalConnection {
        let (own, others) = try LocalConnection.pair()
        others.setTimeouts(milliseconds: 20_000)
        server.add(pid: pid, place: place, own)
        return others
    }

    private func command(_ worker: LocalConnection) -> ControlCommand? {
        worker.receive(exactly: ControlCommand.byteCount).flatMap(ControlCommand.init)
    }

    private func frame(_ kind: ControlFrame.Kind, _ purpose: ControlFrame.Purpose, _ payload: [UInt8] = []) -> [UInt8] {
        ControlFrame(kind: kind, purpose: purpose, payloadBytes: payload.count).head + payload
    }

    private func end(_ server: ControlServer, _ pids: Int32...) {
        for pid in pids { server.remove(pid: pid) }
        server.stop()
    }

    @Test func aStoreWithALongPathHasASocket() throws {
        let store = folder.make([String](repeating: String(repeating: "d", count: 60), count: 4).joined(separator: "/"))
        #expect(store.utf8.count > 107)
        let server = try server(store)
        let worker = try worker(server, pid: 7)
        let reply = try reply(client(store, #"{"command":"who"}"#))
        #expect(reply["service"]?.string == "shop")
        #expect(worker.send(frame(.data, .outOfMemory, [1, 2, 3]) + frame(.done, .outOfMemory)))
        end(server, 7)
        #expect(folder.names(String(store.dropFirst(folder.path.utf8.count)) + "/control").isEmpty)
        let kept = folder.names(String(store.dropFirst(folder.path.utf8.count)) + "/profiles")
        #expect(kept.count == 1 && kept[0].hasSuffix("-7-oom.heapsnapshot"))
    }

    @Test func aStoreThatCanHaveNoSocketStillTakesWhatWorkersSend() throws {
        folder.write("control")
        let server = try server(folder.path)
        let worker = try worker(server, pid: 7)
        // More than the stream holds by itself.
        for _ in 0..<16 {
            #expect(worker.send(frame(.data, .outOfMemory, [UInt8](repeating: 1, count: 1 << 20))))
        }
        #expect(worker.send(frame(.done, .outOfMemory)))
        end(server, 7)
        #expect(folder.names("profiles").count == 1)
    }

    @Test func clientsThatSayNothingHoldNobodyUp() throws {
        let server = try server(folder.path)
        var silent: [LocalConnection] = []
        for _ in 0..<60 { silent.append(try client(folder.path)) }
        #expect(try reply(client(folder.path, #"{"command":"who"}"#))["service"]?.string == "shop")
        // Nor do they hold up the end.
        end(server)
        for one in silent { #expect(one.receiveLine(max: 10, until: soon) == nil) }
    }

    @Test func aWorkerThatStopsHalfWayHoldsNobodyUp() throws {
        let server = try server(folder.path)
        let silent = try worker(server, pid: 1)
        let other = try worker(server, pid: 2, place: 1)
        #expect(silent.send(ControlFrame(kind: .data, purpose: .slow, payloadBytes: 1000).head + [1, 2, 3]))
        #expect(other.send(frame(.data, .slow, [1]) + frame(.done, .slow)))
        #expect(try reply(client(folder.path, #"{"command":"who"}"#))["service"]?.string == "shop")
        end(server, 1, 2)
        let kept = folder.names("profiles")
        #expect(kept.count == 1 && kept[0].hasSuffix("-2-slow.cpuprofile"))
    }

    @Test func aHeapThatIsFullIsTakenWhileAnotherIsolateIsProfiled() throws {
        let server = try server(folder.path)
        let first = try worker(server, pid: 1)
        let second = try worker(server, pid: 2, place: 1)
        let asking = try client(folder.path, #"{"command":"profile","milliseconds":600000}"#)
        #expect(command(first) == .startProfile(interval: 1_000))
        for _ in 0..<16 {
            #expect(second.send(frame(.data, .outOfMemory, [UInt8](repeating: 1, count: 1 << 20))))
        }
        #expect(second.send(frame(.done, .outOfMemory)))
        server.remove(pid: 2)
        // The first dies within its profile, and who asked is told.
        server.remove(pid: 1)
        #expect(try reply(asking)["error"]?.string?.hasPrefix("the worker ended") == true)
        end(server)
        #expect(folder.names("profiles").count == 1)
    }

    @Test func aProfileThatIsAskedForIsAFile() throws {
        let server = try server(folder.path)
        let worker = try worker(server, pid: 1)
        let asking = try client(folder.path, #"{"command":"profile","milliseconds":1,"intervalMicroseconds":50}"#)
        #expect(command(worker) == .startProfile(interval: 50))
        #expect(command(worker) == .stopProfile)
        // In pieces, heads too.
        let bytes =
            frame(.data, .answer, Array("{\"a\":".utf8)) + frame(.data, .answer, Array("1}".utf8))
            + frame(.done, .answer)
        for byte in bytes { #expect(worker.send([byte])) }
        let path = try #require(try reply(asking)["file"]?.string)
        let file = open(path, O_RDONLY)
        var content = [UInt8](repeating: 0, count: 64)
        #expect(content.withUnsafeMutableBytes { read(file, $0.baseAddress!, 64) } == 7)
        close(file)
        #expect(content.prefix(7).elementsEqual(Array("{\"a\":1}".utf8)))
        end(server, 1)
    }

    @Test func numbersOutOfRangeAreRefused() throws {
        let server = try server(folder.path)
        let worker = try worker(server, pid: 1)
        for (request, words) in [
            (#""milliseconds":0"#, "milliseconds is an integer from 1 to 600000"),
            (#""milliseconds":1e18"#, "milliseconds is an integer"),
            (#""milliseconds":600001"#, "milliseconds is an integer"),
            (#""milliseconds":null"#, "milliseconds is an integer"),
            (#""intervalMicroseconds":0"#, "intervalMicroseconds is an integer from 50 to 1000000"),
            (#""intervalMicroseconds":-5"#, "intervalMicroseconds is an integer"),
            (#""intervalMicroseconds":4294967296"#, "intervalMicroseconds is an integer"),
            (#""pid":1e999"#, "pid is an integer"), (#""pid":1.5"#, "pid is an integer"),
            (#""pid":{}"#, "pid is an integer"),
            (#""place":-1"#, "place is an integer from 0"), (#""place":"x""#, "place is an integer from 0"),
            (#""place":7"#, "there is no isolate 7; there is 0"),
        ] {
            let reply = try reply(client(folder.path, "{\"command\":\"profile\",\(request)}"))
            #expect(reply["error"]?.string?.hasPrefix(words) == true, "\(request): \(reply)")
        }
        let asking = try client(
            folder.path, #"{"command":"profile","milliseconds":600000,"intervalMicroseconds":1000000}"#)
        #expect(command(worker) == .startProfile(interval: 1_000_000))
        server.remove(pid: 1)
        #expect(try reply(asking)["error"]?.string?.hasPrefix("the worker ended") == true)
        end(server)
    }

    @Test func oneAtATimeAndTheNextAfterOneThatLeaves() throws {
        let server = try server(folder.path)
        let worker = try worker(server, pid: 1)
        var first: LocalConnection? = try client(folder.path, #"{"command":"profile","milliseconds":600000}"#)
        #expect(command(worker) == .startProfile(interval: 1_000))
        let refused = try reply(client(folder.path, #"{"command":"heap"}"#))
        #expect(refused["error"]?.string == "isolate 0 is being profiled already")
        withExtendedLifetime(first) {}
        first = nil
        #expect(command(worker) == .stopProfile)
        let next = try client(folder.path, #"{"command":"heap"}"#)
        // The answer of who has left is nobody's; then it is the next one's turn.
        #expect(worker.send(frame(.data, .answer, [1]) + frame(.done, .answer)))
        #expect(command(worker) == .heapSnapshot(mebibytesMax: 1024))
        #expect(worker.send(frame(.failed, .answer, Array("too large".utf8))))
        #expect(try reply(next)["error"]?.string == "too large")
        end(server, 1)
        #expect(folder.names("profiles").isEmpty)
    }

    @Test func whatNobodyAskedForIsNotKept() throws {
        let server = try server(folder.path)
        let worker = try worker(server, pid: 1)
        #expect(worker.send(frame(.data, .answer, [1]) + frame(.done, .answer)))
        #expect(worker.send(frame(.data, .slow, [1]) + frame(.done, .slow)))
        end(server, 1)
        #expect(folder.names("profiles").count == 1)
    }

    @Test(
        arguments: [
            [9, 0, 0, 0, 0, 0, 0, 0], [1, 9, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 255, 255, 255, 255],
            // An answer of another kind within one.
            [1, 1, 0, 0, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func aStreamThatMakesNoSenseIsReadNoMore(_ bytes: [UInt8]) throws {
        let server = try server(folder.path)
        let worker = try worker(server, pid: 1)
        #expect(worker.send(bytes))
        // The worker is told by its next words, and not left to wait.
        var isTold = false
        for _ in 0..<64 where !isTold { isTold = !worker.send([UInt8](repeating: 0, count: 1 << 20)) }
        #expect(isTold)
        end(server)
        #expect(folder.names("profiles").isEmpty)
    }
}
