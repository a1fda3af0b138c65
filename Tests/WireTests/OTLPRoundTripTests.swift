import Telemetry
import Testing
import Wire

@Suite struct OTLPRoundTripTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func everythingComesBack(seed: UInt64) throws {
        var generator = Generator(seed: seed)
        for _ in 0..<50 {
            let span = generator.span()
            #expect(try OTLP.decodeSpan(written { OTLP.encode(span: span, into: &$0) }) == span)
            let log = generator.log()
            #expect(try OTLP.decodeLog(written { OTLP.encode(log: log, into: &$0) }) == log)
            let metric = generator.metric()
            #expect(try OTLP.decodeMetric(written { OTLP.encode(metric: metric, into: &$0) }).points == [metric])
            let resource = generator.resource()
            #expect(try OTLP.decodeResource(OTLP.message(resource), schemaURL: resource.schemaURL) == resource)
            let scope = generator.scope()
            #expect(try OTLP.decodeScope(OTLP.message(scope).message, schemaURL: scope.schemaURL) == scope)
        }
    }

    @Test func notANumberComesBackBitForBit() throws {
        let number = Double(nan: 0x1234, signaling: false)
        let span = SpanData(
            context: SpanContext(traceID: Example.traceID, spanID: Example.spanID), name: "", startTime: 0, endTime: 0,
            attributes: [Attribute("d", .double(number))])
        let decoded = try OTLP.decodeSpan(written { OTLP.encode(span: span, into: &$0) })
        guard case .double(let back) = decoded.attributes[0].value else { return #expect(Bool(false)) }
        #expect(back.bitPattern == number.bitPattern)
    }

    @Test(
        arguments: [
            (Double.nan, 0), (.infinity, .max), (-.infinity, .min), (1e30, .max), (-1e30, .min), (2.25, 2), (-3, -3),
        ] as [(Double, Int64)])
    func integerInstrumentRoundsAndClamps(value: Double, expected: Int64) {
        var point = Example.counter
        point.value = value
        let encoded = written { OTLP.encode(metric: point, into: &$0) }
        let integer = written { $0.putFixed64(6, UInt64(bitPattern: expected)) }
        #expect(hex(encoded).contains(hex(integer)))
    }

    @Test func histogramLeavesOutWhatItDoesNotKnow() throws {
        var point = Example.histogram
        point.value = .nan
        point.histogram?.min = .nan
        let decoded = try OTLP.decodeMetric(written { OTLP.encode(metric: point, into: &$0) }).points[0]
        #expect(decoded.value.isNaN)
        #expect(decoded.histogram?.min.isNaN == true)
        #expect(decoded.histogram?.max == 2.25)
    }
}
