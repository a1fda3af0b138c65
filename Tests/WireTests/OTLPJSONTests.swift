import Telemetry
import Testing
import Wire

@Suite struct OTLPJSONTests {
    private func text(_ items: EncodedItems) -> String { String(decoding: items.bytes, as: UTF8.self) }

    @Test func spanHasEveryField() {
        let batch = Batch([Example.span], resource: Example.resource, scope: Example.scope)
        let encoded = OTLP.exportRequestJSON(batches: [batch])
        #expect(encoded.items == 1)
        #expect(
            text(encoded) == #"""
                {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}],\#
                "droppedAttributesCount":1},"scopeSpans":[{"scope":{"name":"http","version":"1.2",\#
                "attributes":[{"key":"s","value":{"boolValue":true}}],"droppedAttributesCount":2},\#
                "spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","traceState":"a=1",\#
                "parentSpanId":"00f067aa0ba902b7","flags":769,"name":"GET /","kind":2,\#
                "startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"18446744073709551615","attributes":[\#
                {"key":"s","value":{"stringValue":"é"}},{"key":"b","value":{"boolValue":false}},\#
                {"key":"i","value":{"intValue":"-9223372036854775808"}},{"key":"d","value":{"doubleValue":-0.5}},\#
                {"key":"y","value":{"bytesValue":"AP8="}},\#
                {"key":"a","value":{"arrayValue":{"values":[{"intValue":"9223372036854775807"},{}]}}},\#
                {"key":"m","value":{"kvlistValue":{"values":[{"key":"x","value":{"stringValue":""}}]}}},\#
                {"key":"e","value":{}}],"droppedAttributesCount":300,\#
                "events":[{"timeUnixNano":"5","name":"e","attributes":[{"key":"k","value":{"boolValue":true}}],\#
                "droppedAttributesCount":1}],"droppedEventsCount":2,\#
                "links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7","traceState":"b=2",\#
                "attributes":[{"key":"l","value":{"intValue":"1"}}],"droppedAttributesCount":3,"flags":769}],\#
                "droppedLinksCount":4294967295,"status":{"message":"bad","code":2}}],"schemaUrl":"https://s"}],\#
                "schemaUrl":"https://r"}]}
                """#)
    }

    @Test func logAndMetrics() {
        let logs = OTLP.exportRequestJSON(batches: [Batch([Example.log], resource: Resource())])
        #expect(
            text(logs) == #"""
                {"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":"1",\#
                "observedTimeUnixNano":"2","severityNumber":17,"severityText":"ERROR","body":{"stringValue":"boom"},\#
                "attributes":[{"key":"exception.type","value":{"stringValue":"TypeError"}}],"droppedAttributesCount":4,\#
                "flags":1,"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",\#
                "eventName":"exception"}]}]}]}
                """#)
        let points = [Example.counter, Example.gauge, Example.histogram]
        let metrics = OTLP.exportRequestJSON(batches: [Batch(points, resource: Resource())])
        #expect(
            text(metrics) == #"""
                {"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[\#
                {"name":"requests","description":"d","unit":"{request}","sum":{"dataPoints":[{\#
                "attributes":[{"key":"k","value":{"stringValue":"v"}}],"startTimeUnixNano":"1","timeUnixNano":"2",\#
                "asInt":"-7"}],"aggregationTemporality":2,"isMonotonic":true}},\#
                {"name":"temp","gauge":{"dataPoints":[{"timeUnixNano":"2","asDouble":0.0}]}},\#
                {"name":"duration","unit":"s","histogram":{"dataPoints":[{"startTimeUnixNano":"1","timeUnixNano":"2",\#
                "count":"3","sum":4.5,"bucketCounts":["1","2","0"],"explicitBounds":[0.5,2.5],"min":0.25,"max":2.25}],\#
                "aggregationTemporality":2}}]}]}]}
                """#)
    }

    @Test func scatteredRepeatedFieldsBecomeOneArrayAndOfAOneofTheLastCounts() throws {
        let log = written { writer in
            writer.message(6) { $0.putString(1, "a") }
            writer.putFixed64(1, 9)
            writer.message(6) { $0.putString(1, "b") }
            writer.message(5) { body in
                body.putString(1, "first")
                body.putVarint(3, 5)
            }
        }
        let request = written { $0.message(1) { $0.message(2) { $0.putBytes(2, log) } } }
        let batches = try OTLP.batches(fromExportRequest: request, signal: .logs).batches
        #expect(
            text(OTLP.exportRequestJSON(batches: batches)).contains(
                #"{"timeUnixNano":"9","body":{"intValue":"5"},"attributes":[{"key":"a"},{"key":"b"}]}"#))
    }

    @Test func itemThatDoesNotDecodeIsSkippedAndCounted() throws {
        let broken = written { writer in
            OTLP.encode(span: Example.span, into: &writer)
            writer.putBytes(9, [0x0A, 0x7F])
        }
        let whole = written { $0.message(2) { OTLP.encode(span: Example.span, into: &$0) } }
        let request = written { $0.message(1) { $0.putBytes(2, whole + written { $0.putBytes(2, broken) } + whole) } }
        let batches = try OTLP.batches(fromExportRequest: request, signal: .traces).batches
        #expect(batches[0].items.count == 3)
        let json = OTLP.exportRequestJSON(batches: batches)
        #expect((json.items, json.skipped) == (2, 1))
        #expect(throws: Never.self) { try JSONValue(parsing: json.bytes) }
        let zipkin = Zipkin.encode(batches: batches)
        #expect((zipkin.items, zipkin.skipped) == (2, 1))
        let jaeger = Jaeger.encode(batches: batches)
        #expect((jaeger[0].items, jaeger[0].skipped) == (2, 1))
    }
}

@Suite struct ExportResponseTests {
    @Test func protobuf() throws {
        let response = bytes(hex: "0a0f08ffffffffffffffffff0112026e6f")
        #expect(
            try OTLP.decodeExportResponse(response, signal: .traces) == OTLP.PartialSuccess(rejected: -1, message: "no")
        )
        #expect(try OTLP.decodeExportResponse([], signal: .logs) == nil)
        #expect(try OTLP.decodeExportResponse([0x0A, 0x00], signal: .logs) == nil)
        #expect(throws: DecodeError.self) { try OTLP.decodeExportResponse([0x0A, 0x05], signal: .logs) }
    }

    @Test(arguments: [
        (Signal.traces, #"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}"#),
        (.logs, #"{"partial_success":{"rejected_log_records":3,"error_message":"no"}}"#),
        (.metrics, #"{"later":1,"partialSuccess":{"rejectedDataPoints":3,"errorMessage":"no"}}"#),
    ])
    func json(signal: Signal, text: String) throws {
        let partial = try OTLP.decodeExportResponse(Array(text.utf8), signal: signal, isJSON: true)
        #expect(partial == OTLP.PartialSuccess(rejected: 3, message: "no"))
    }

    @Test func jsonWithoutPartialSuccess() throws {
        for text in ["{}", #"{"partialSuccess":{}}"#, #"{"partialSuccess":null}"#] {
            #expect(try OTLP.decodeExportResponse(Array(text.utf8), signal: .traces, isJSON: true) == nil)
        }
        #expect(throws: DecodeError.self) {
            try OTLP.decodeExportResponse(Array("<html>".utf8), signal: .traces, isJSON: true)
        }
    }

    @Test func errorStatusHasAMessage() {
        #expect(OTLP.decodeErrorStatus(written { $0.putString(2, "quota") }) == "quota")
        #expect(OTLP.decodeErrorStatus(Array(#"{"code":8,"message":"quota"}"#.utf8), isJSON: true) == "quota")
        #expect(OTLP.decodeErrorStatus(Array("Bad Gateway".utf8)) == nil)
        #expect(OTLP.decodeErrorStatus(Array("Bad Gateway".utf8), isJSON: true) == nil)
    }
}
