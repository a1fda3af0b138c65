import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

@Suite struct ServiceGraphTests {
    private static func graph(_ edit: (inout ServiceGraphConfiguration) -> Void = { _ in }) -> ServiceGraph {
        var configuration = ServiceGraphConfiguration()
        edit(&configuration)
        return ServiceGraph(configuration, name: "graph", clock: HandClock())
    }

    private static func client(
        _ id: UInt64, _ kind: SpanKind = .client, _ edit: @escaping (inout SpanData) -> Void = { _ in }
    ) -> SpanData {
        span(1, id, milliseconds: 30) {
            $0.kind = kind
            edit(&$0)
        }
    }

    private static func server(
        _ id: UInt64, of parent: UInt64, _ kind: SpanKind = .server, failed: Bool = false
    ) -> SpanData {
        span(1, id, parent: parent, milliseconds: 20) {
            $0.kind = kind
            if failed { $0.status = SpanStatus(code: .error) }
        }
    }

    /// Edges as "client>server type count/failed".
    private static func edges(_ output: ProcessorOutput) throws -> [String] {
        let total = try output.derived.points("traces_service_graph_request_total")
        let failed = try output.derived.points("traces_service_graph_request_failed_total")
        return zip(total, failed).map { total, failed in
            #expect(total.attributes == failed.attributes)
            let type = total.text("connection_type")!
            return "\(total.text("client")!)>\(total.text("server")!) \(type)\(Int(total.value))/\(Int(failed.value))"
        }
    }

    @Test func aClientAndItsServerAreOneRequestInEitherOrder() throws {
        let graph = Self.graph()
        let first = batch([Self.client(1), Self.client(2)], service: "shop", ticket: 3)
        let output = graph.take([first], at: 0)
        #expect(output.batches.map(\.bytes) == [first.bytes] && output.batches[0].ticket == 3)
        #expect(graph.waiting == 2 && graph.oldestHeld == nil && graph.wakeAt == 10_000_000_000)
        _ = graph.take([batch([Self.server(11, of: 1), Self.server(12, of: 3)], service: "stock")], at: 1)
        _ = graph.take([batch([Self.server(13, of: 2, failed: true)], service: "pay")], at: 2)
        _ = graph.take([batch([Self.client(3)], service: "web")], at: 3)
        #expect(graph.waiting == 0)
        let told = graph.tick(at: 16)
        #expect(try Self.edges(told) == ["shop>stock 1/0", "shop>pay 1/1", "web>stock 1/0"])
        for batch in told.derived { try batch.checkIndex() }
        let seconds = try told.derived.points("traces_service_graph_request_server_seconds")
        #expect(seconds.map(\.value) == [0.02, 0.02, 0.02])
        #expect(
            try told.derived.points("traces_service_graph_request_client_seconds").map(\.value) == [0.03, 0.03, 0.03])
        #expect(seconds[0].histogram?.bucketCounts[2] == 1)
        #expect(graph.counts.isBalanced)
    }

    @Test func anotherTraceIsNoPartner() throws {
        let graph = Self.graph()
        _ = graph.take([batch([Self.client(1)])], at: 0)
        _ = graph.take([batch([span(2, 5, parent: 1) { $0.kind = .server }], service: "stock")], at: 0)
        #expect(graph.waiting == 2)
        #expect(try Self.edges(graph.end(at: 1)).isEmpty)
        #expect(graph.counts.details == ["unpaired_client": 1, "unpaired_server": 1])
    }

    @Test func aMessageMayHaveSeveralConsumers() throws {
        let graph = Self.graph()
        let consumers = [11, 12].map { Self.server($0, of: 1, .consumer) }
        _ = graph.take([batch([consumers[0]], service: "mail")], at: 0)
        _ = graph.take([batch([Self.client(1, .producer)])], at: 1)
        _ = graph.take([batch([consumers[1]], service: "log")], at: 2)
        #expect(graph.waiting == 1)
        #expect(
            try Self.edges(graph.tick(at: 30)) == ["shop>mail messaging_system1/0", "shop>log messaging_system1/0"])
        #expect(graph.waiting == 0 && graph.counts.details.isEmpty)
    }

    @Test func whatSendsNoSpansIsAVirtualNode() throws {
        let graph = Self.graph()
        let database = Self.client(1) {
            $0.attributes = [Attribute("db.namespace", "orders"), Attribute("db.system.name", "postgresql")]
        }
        let peer = Self.client(2) { $0.attributes = [Attribute("peer.service", "stripe")] }
        _ = graph.take([batch([database, peer, Self.client(3), Self.server(4, of: 0)])], at: 0)
        // The database is not waited for, and the root is the user's.
        #expect(graph.waiting == 2)
        #expect(
            try Self.edges(graph.tick(at: 15)) == [
                "shop>orders database1/0", "user>shop virtual_node1/0", "shop>stripe virtual_node1/0",
            ])
        #expect(graph.counts.details == ["unpaired_client": 1])
    }

    @Test func theOldestMakesRoom() throws {
        let graph = Self.graph { $0.spansMax = 2 }
        _ = graph.take([batch([Self.client(1), Self.client(2), Self.client(3)])], at: 0)
        #expect(graph.waiting == 2)
        _ = graph.take([batch([2, 3].map { Self.server(10 + $0, of: $0) }, service: "stock")], at: 1)
        #expect(try Self.edges(graph.end(at: 2)) == ["shop>stock 2/0"])
        #expect(graph.counts.details == ["unpaired_early": 1, "unpaired_client": 1])
    }

    @Test func edgesAndNamesAreBounded() throws {
        let graph = Self.graph { $0.seriesMax = 2 }
        for service in ["a", "b", "c", "d", String(repeating: "é", count: 200)] {
            _ = graph.take([batch([Self.server(1, of: 0)], service: service)], at: 0)
        }
        let points = try graph.end(at: 1).derived.points("traces_service_graph_request_total")
        #expect(points.map(\.value).sorted() == [1, 1, 3])
        #expect(graph.counts.details == ["overflow": 3])
        let wide = Self.graph()
        _ = wide.take([batch([Self.server(1, of: 0)], service: "x" + String(repeating: "é", count: 200))], at: 0)
        let name = try wide.end(at: 1).derived.points("traces_service_graph_request_total")[0].text("server")
        #expect(name == "x" + String(repeating: "é", count: 127))
    }

    /// Random pairs in random order: each is found once, whatever comes between.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func everyPairIsFoundOnce(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        let graph = Self.graph()
        var waiting: [(service: String, span: SpanData)] = []
        var (pairs, lonely) = (0, 0)
        for id in 1...800 as ClosedRange<UInt64> {
            if generator.chance(80) {
                pairs += 1
                waiting.append(("c\(generator.below(3))", Self.client(id)))
                waiting.append(("s\(generator.below(3))", Self.server(id + 10_000, of: id)))
            } else {
                lonely += 1
                waiting.append(("c", generator.chance(50) ? Self.client(id) : Self.server(id + 10_000, of: id)))
            }
        }
        for index in waiting.indices { waiting.swapAt(index, index + generator.below(waiting.count - index)) }
        for (number, item) in waiting.enumerated() {
            _ = graph.take([batch([item.span], service: item.service)], at: Double(number) / 1_000)
        }
        let points = try graph.end(at: 5).derived.points("traces_service_graph_request_total")
        #expect(Int(points.reduce(0) { $0 + $1.value }) == pairs)
        #expect(graph.counts.details.values.reduce(0, +) == lonely && graph.waiting == 0)
    }
}
