import Telemetry
import Testing
import Wire

@Suite struct JaegerTests {
    @Test func smallestSpanIsTheseBytes() {
        let span = SpanData(
            context: SpanContext(
                traceID: TraceID(high: 1, low: 0xFF00_0000_0000_0000), spanID: SpanID(2), traceFlags: 3),
            name: "n", startTime: 5999, endTime: 7999)
        let encoded = Jaeger.encode(batches: [Batch([span], resource: Resource())])
        #expect(encoded.count == 1)
        let process = ["0c0001", "0b0001 0000000f", hex("unknown_service".utf8), "00"]
        let spans = [
            "0f0002 0c 00000001", "0a0001 ff00000000000000", "0a0002 0000000000000001", "0a0003 0000000000000002",
            "0a0004 0000000000000000", "0b0005 00000001 6e", "080007 00000001", "0a0008 0000000000000005",
            "0a0009 0000000000000002", "00", "00",
        ]
        #expect(hex(encoded[0].bytes) == (process + spans).joined().filter { $0 != " " })
    }

    @Test func tagsAreTyped() {
        let attributes = [
            Attribute("s", "x"), Attribute("d", 1.5), Attribute("b", true), Attribute("l", -1),
            Attribute("y", .bytes([9])),
            Attribute("a", .array([1, "x"])),
        ]
        let resource = Resource(attributes: attributes)
        let bytes = hex(Jaeger.encode(batches: [Batch([Example.span], resource: resource)])[0].bytes)
        let tags = [
            ("s", "080002 00000000 0b0003 00000001 78"), ("d", "080002 00000001 040004 3ff8000000000000"),
            ("b", "080002 00000002 020005 01"), ("l", "080002 00000003 0a0006 ffffffffffffffff"),
            ("y", "080002 00000004 0b0007 00000001 09"),
            ("a", "080002 00000000 0b0003 00000007 \(hex(#"[1,"x"]"#.utf8))"),
        ]
        for (key, tag) in tags {
            let whole = "0b0001 00000001 \(hex(key.utf8)) \(tag) 00".filter { $0 != " " }
            #expect(bytes.contains(whole), "tag \(key)")
        }
    }

    @Test func oneBodyAResource() {
        let one = Batch([Example.span], resource: Resource(attributes: [Attribute("service.name", "one")]))
        let two = Batch(
            [Example.span, Example.span], resource: Resource(attributes: [Attribute("service.name", "two")]))
        #expect(Jaeger.encode(batches: [one, two, one]).map { $0.items } == [2, 2])
        #expect(Jaeger.encode(batches: []).isEmpty)
    }
}
