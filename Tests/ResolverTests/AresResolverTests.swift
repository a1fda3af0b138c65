import Glibc
import Synchronization
import System
import Testing

@testable import Resolver

/// A name server on loopback that answers as the test says.
private final class NameServer: Sendable {
    /// From the question's type (33: SRV, 1: A, 28: AAAA) and the query to the whole answer; nil: none.
    typealias Answerer = @Sendable (_ type: Int, _ query: [UInt8]) -> [UInt8]?

    let place: String
    private let socket: Int32
    private let asked = Atomic<Int>(0)

    var questions: Int { asked.load(ordering: .relaxed) }

    init(_ answer: @escaping Answerer) {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        socket = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(descriptor, $0, size) == 0)
                getsockname(descriptor, $0, &size)
            }
        }
        place = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        precondition(
            startThread { [weak self] in
                var buffer = [UInt8](repeating: 0, count: 4_096)
                while true {
                    var peer = sockaddr_in()
                    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
                    let count = withUnsafeMutablePointer(to: &peer) {
                        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            recvfrom(descriptor, &buffer, buffer.count, 0, $0, &size)
                        }
                    }
                    guard count > 12 else {
                        // Closed by whoever reads from it: closed elsewhere, its number could be another server's before this thread looks again.
                        close(descriptor)
                        return
                    }
                    self?.asked.add(1, ordering: .relaxed)
                    let query = Array(buffer[..<count])
                    var end = 12
                    while query[end] != 0 { end += 1 + Int(query[end]) }
                    guard let bytes = answer(Int(query[end + 1]) << 8 | Int(query[end + 2]), query) else { continue }
                    _ = withUnsafeMutablePointer(to: &peer) {
                        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            sendto(descriptor, bytes, bytes.count, 0, $0, size)
                        }
                    }
                }
            })
    }

    deinit {
        // Ends the thread's waiting, also where it is not connected (ENOTCONN).
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// The query's header and question, and these records.
    static func reply(
        _ query: [UInt8], code: UInt8 = 0, _ records: [(type: UInt8, seconds: UInt8, data: [UInt8])] = []
    ) -> [UInt8] {
        var end = 12
        while query[end] != 0 { end += 1 + Int(query[end]) }
        var bytes = Array(query[..<(end + 5)])
        (bytes[2], bytes[3], bytes[7], bytes[11]) = (0x81, 0x80 | code, UInt8(records.count), 0)
        for record in records {
            bytes +=
                [0xC0, 12, 0, record.type, 0, 1, 0, 0, 0, record.seconds, 0, UInt8(record.data.count)] + record.data
        }
        return bytes
    }

    /// Port 4318 of `a` and `b`, one label each.
    static let services: [(type: UInt8, seconds: UInt8, data: [UInt8])] = [
        (33, 60, [0, 1, 0, 5, 0x10, 0xDE, 1, 0x61, 0]), (33, 40, [0, 2, 0, 5, 0x10, 0xDE, 1, 0x62, 0]),
    ]
}

extension AresResolver {
    fileprivate func answer(
        _ servers: [String], name: String = "_otlp._tcp.shop.example"
    ) async -> Result<ServiceAnswer, ServiceFailure> {
        await withCheckedContinuation { continuation in
            ask(ServiceQuestion(name: name, servers: servers)) { continuation.resume(returning: $0) }
        }
    }
}

@Suite struct AresResolverTests {
    @Test func servicesAreFoundWithTheirAddressesAndTheShortestTime() async throws {
        let server = NameServer { type, query in
            switch type {
            case 33: NameServer.reply(query, NameServer.services)
            case 1: NameServer.reply(query, [(1, query[13] == 0x61 ? 30 : 50, [127, 0, 0, query[13]])])
            default: NameServer.reply(query)
            }
        }
        let answer = try await AresResolver().answer([server.place]).get()
        #expect(
            answer
                == ServiceAnswer(
                    records: [
                        ServiceRecord(priority: 1, weight: 5, host: "a", port: 4318, addresses: ["127.0.0.97"]),
                        ServiceRecord(priority: 2, weight: 5, host: "b", port: 4318, addresses: ["127.0.0.98"]),
                    ], seconds: 30))
    }

    @Test func aHostWithoutAnAddressIsLeftOutAndAllOfThemAreAFailure() async throws {
        let some = NameServer { type, query in
            switch type {
            case 33: NameServer.reply(query, NameServer.services)
            case 1 where query[13] == 0x61: NameServer.reply(query, [(1, 9, [127, 0, 0, 1])])
            default: NameServer.reply(query, code: 3)
            }
        }
        #expect(try await AresResolver().answer([some.place]).get().records.map(\.host) == ["a"])
        let none = NameServer { type, query in
            type == 33 ? NameServer.reply(query, [NameServer.services[0]]) : NameServer.reply(query, code: 3)
        }
        #expect(
            await AresResolver().answer([none.place])
                == .failure(ServiceFailure("its host a has no address: there is no such name")))
    }

    @Test(
        arguments: [
            (3, "there is no such name"), (0, "it has no SRV record"),
            (2, "name servers cannot be reached, or refuse to answer"),
            (5, "name servers cannot be reached, or refuse to answer"),
        ] as [(UInt8, String)])
    func failuresHaveWords(code: UInt8, text: String) async {
        let server = NameServer { _, query in NameServer.reply(query, code: code) }
        #expect(await AresResolver().answer([server.place]) == .failure(ServiceFailure(text)))
    }

    @Test func theNextServerIsAskedWhenOneIsNotThere() async throws {
        let server = NameServer { type, query in
            type == 33
                ? NameServer.reply(query, NameServer.services)
                : NameServer.reply(query, [(1, 9, [10, 0, 0, 1])].filter { _ in type == 1 })
        }
        #expect(try await AresResolver().answer(["127.0.0.1:1", server.place]).get().records.count == 2)
    }

    @Test func garbageIsAFailure() async {
        let server = NameServer { _, query in
            NameServer.reply(query, [(33, 1, [0, 1, 0, 1, 0, 1, 0xC0, 0xFF]), (33, 1, [1])])
        }
        guard case .failure = await AresResolver().answer([server.place]) else {
            Issue.record("garbage is taken for an answer")
            return
        }
    }

    @Test func aNameThatCannotBeAskedForIsAFailure() async {
        let name = Array(repeating: "a", count: 200).joined(separator: ".")
        guard case .failure = await AresResolver().answer(["127.0.0.1:1"], name: name) else {
            Issue.record("\(name) was asked for")
            return
        }
    }

    @Test func theEndDoesNotWaitForServersThatDoNotAnswer() async {
        let server = NameServer { _, _ in nil }
        let result = await withCheckedContinuation { continuation in
            let resolver = AresResolver()
            resolver.ask(ServiceQuestion(name: "x.example", servers: [server.place])) {
                continuation.resume(returning: $0)
            }
            // It goes here, with a question under way.
        }
        #expect(result == .failure(ServiceFailure("the resolver was shut down")))
    }

    @Test func tooManyQuestionsAreRefused() async {
        let server = NameServer { _, _ in nil }
        let resolver = AresResolver()
        for _ in 0..<AresResolver.questionsMax {
            resolver.ask(ServiceQuestion(name: "x.example", servers: [server.place])) { _ in }
        }
        let text = "\(AresResolver.questionsMax) questions are under way already"
        #expect(await resolver.answer([server.place]) == .failure(ServiceFailure(text)))
    }
}
