import Telemetry
import Testing
import Wire

@Suite struct OTLPReceiveJSONTests {
    private func receive(_ text: String, _ signal: Signal = .traces) throws -> OTLP.Received {
        try OTLP.batches(fromExportRequestJSON: Array(text.utf8), signal: signal)
    }

    /// The fields of one span with ids, and more.
    private func span(_ more: String = "") throws -> OTLP.Received {
        try receive(
            #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","#
                + #""spanId":"b7ad6b7169203331"\#(more.isEmpty ? "" : ",")\#(more)}]}]}]}"#)
    }

    private func onlySpan(_ more: String) throws -> SpanData {
        let received = try span(more)
        #expect(received.rejectedItems == 0, "\(String(describing: received.firstRejection))")
        return try #require(received.batches.first).span(at: 0)
    }

    private func rejection(_ more: String) throws -> String? {
        let received = try span(more)
        #expect(received.batches.isEmpty && received.rejectedItems == 1)
        return received.firstRejection?.shortDescription
    }

    private func value(_ json: String) throws -> AttributeValue? {
        try onlySpan(#""attributes":[{"key":"k","value":\#(json)}]"#).attributes["k"]
    }

    private func valueRejection(_ json: String) throws -> String? {
        try rejection(#""attributes":[{"key":"k","value":\#(json)}]"#)
    }

    // MARK: there and back

    @Test func whatTheEncoderWritesIsReadAgain() throws {
        let batch = Batch([Example.span, Example.span], resource: Example.resource, scope: Example.scope)
        let json = OTLP.exportRequestJSON(batches: [batch]).bytes
        let received = try OTLP.batches(fromExportRequestJSON: json, signal: .traces)
        #expect(received.rejectedItems == 0 && received.batches.count == 1)
        let again = received.batches[0]
        #expect(try again.span(at: 1) == Example.span)
        #expect(try again.decodedResource() == Example.resource)
        #expect(try again.decodedScopes() == [Example.scope])
        expectSameIndex(again, batch)
        #expect(OTLP.exportRequestJSON(batches: [again]).bytes == json)
    }

    private func expectSameIndex(_ left: Batch, _ right: Batch) {
        #expect(left.items.count == right.items.count)
        for (left, right) in zip(left.items, right.items) {
            #expect((left.status, left.kind, left.scope) == (right.status, right.kind, right.scope))
            #expect((left.traceID, left.spanID, left.parentSpanID) == (right.traceID, right.spanID, right.parentSpanID))
            #expect((left.start, left.end) == (right.start, right.end))
        }
    }

    /// All signals, every field, values at random.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func generatedItemsComeBackEqual(seed: UInt64) throws {
        try OTLPJSONRoundTrip.run(seed: seed)
    }

    // MARK: names and order

    @Test func membersInAnyOrderAndWithTheirNamesInTheProtoFiles() throws {
        let received = try receive(
            #"""
            {"later": {"a": [1, {"b": null}]}, "resource_spans": [{"schema_url": "r", "scope_spans": [{"schemaUrl": "s",
              "spans": [{"span_id": "b7ad6b7169203331", "start_time_unix_nano": 5, "end_time_unix_nano": "7", "status": {"code": 2},
                "trace_id": "0AF7651916CD43DD8448EB211C80319C", "dropped_attributes_count": 3, "\u006eame": "n",
                "parent_span_id": "", "trace_state": "a=1", "unknown": [[]]}],
              "scope": {"name": "lib"}}], "resource": {"attributes": [{"value": {"string_value": "shop"}, "key": "service.name"}]}}]}
            """#)
        let batch = try #require(received.batches.first)
        let span = try batch.span(at: 0)
        #expect(span.context.traceID == Example.traceID && span.context.traceState == "a=1")
        #expect((span.startTime, span.endTime, span.name) == (5, 7, "n"))
        #expect((span.status.code, span.droppedAttributesCount) == (.error, 3))
        #expect(batch.items[0].status == 2 && batch.items[0].start == 5)
        #expect(
            try batch.decodedResource() == Resource(attributes: [Attribute("service.name", "shop")], schemaURL: "r"))
        #expect(try batch.decodedScopes() == [InstrumentationScope(name: "lib", schemaURL: "s")])
    }

    @Test func nullIsAbsent() throws {
        let span = try onlySpan(
            #""name":null,"kind":null,"attributes":null,"status":null,"startTimeUnixNano":null,"name":"n""#)
        #expect(span.name == "n" && span.attributes.isEmpty)
        #expect(try receive("{}").batches.isEmpty)
        #expect(try receive(#"{"resourceSpans":null}"#).batches.isEmpty)
        #expect(try receive(#"{"resourceSpans":[{"resource":null,"scopeSpans":[{"spans":[]}]}]}"#).batches.isEmpty)
        #expect(try value(#"{"intValue":null,"stringValue":"s"}"#) == "s")
        #expect(try value("null") == .empty)
        #expect(try value("{}") == .empty)
    }

    @Test func aFieldThatComesTwiceIsRefused() throws {
        let twice = "a field, or two of which only one may be set, comes twice in an object"
        #expect(try rejection(#""name":"a","name":"b""#) == twice)
        #expect(try rejection(#""traceState":"a","trace_state":"b""#) == twice)
        #expect(try valueRejection(#"{"intValue":1,"stringValue":"s"}"#) == twice)
        #expect(throws: DecodeError.self) { try receive(#"{"resourceSpans":[],"resource_spans":[]}"#) }
        #expect(throws: DecodeError.self) { try receive(#"{"resourceSpans":[{"resource":{},"resource":{}}]}"#) }
    }

    // MARK: values

    @Test(
        arguments: [
            (#"{"stringValue":""}"#, ""), (#"{"boolValue":false}"#, false),
            (#"{"intValue":"-9223372036854775808"}"#, .int(.min)),
            (#"{"intValue":9223372036854775807}"#, .int(.max)), (#"{"intValue":-0}"#, 0), (#"{"intValue":1.0}"#, 1),
            (#"{"intValue":"0"}"#, 0),
            (#"{"intValue":1e3}"#, 1000), (#"{"doubleValue":1}"#, 1.0), (#"{"doubleValue":"-0.5"}"#, -0.5),
            (#"{"doubleValue":18446744073709551615}"#, .double(18_446_744_073_709_551_616)),
            (#"{"doubleValue":123456789012345678901234567890}"#, .double(1.2345678901234568e29)),
            (#"{"doubleValue":"Infinity"}"#, .double(.infinity)),
            (#"{"doubleValue":"-Infinity"}"#, .double(-.infinity)),
            (#"{"doubleValue":1e-400}"#, 0.0), (#"{"doubleValue":5e-324}"#, .double(.leastNonzeroMagnitude)),
            (#"{"doubleValue":1.7976931348623157e308}"#, .double(.greatestFiniteMagnitude)),
            (#"{"bytesValue":""}"#, .bytes([])),
            (#"{"bytesValue":"AP8="}"#, .bytes([0, 255])), (#"{"bytesValue":"AP8"}"#, .bytes([0, 255])),
            (#"{"bytesValue":"-_8="}"#, .bytes([0xFB, 0xFF])), (#"{"bytesValue":"+\/8="}"#, .bytes([0xFB, 0xFF])),
            (#"{"arrayValue":{}}"#, .array([])),
            (#"{"arrayValue":{"values":[{"intValue":1},{}]}}"#, .array([1, .empty])),
            (
                #"{"kvlistValue":{"values":[{"key":"a"},{"value":{"boolValue":true}}]}}"#,
                .map([Attribute("a", .empty), Attribute("", true)])
            ),
            (#"{"stringValue":"\"\\\/\b\f\n\r\t\u00e9\u65E5\ud83d\ude80\u0000"}"#, "\"\\/\u{8}\u{C}\n\r\té日🚀\0"),
            (#"{"stringValue":"a\ud83d"}"#, "a\u{FFFD}"), (#"{"stringValue":"\ude80\ud83dx"}"#, "\u{FFFD}\u{FFFD}x"),
            (#"{"stringValue":"\ud83d\u0041"}"#, "\u{FFFD}A"), (#"{"stringValue":"\ud83d\ud83d\ude80"}"#, "\u{FFFD}🚀"),
        ] as [(String, AttributeValue)])
    func anyValue(json: String, expected: AttributeValue) throws {
        #expect(try value(json) == expected)
    }

    @Test func minusZeroAndNaN() throws {
        for text in ["-0", "-0.0", #""-0""#] {
            guard case .double(let zero) = try value(#"{"doubleValue":\#(text)}"#) else { return #expect(Bool(false)) }
            #expect(zero == 0 && zero.sign == .minus)
        }
        guard case .double(let number) = try value(#"{"doubleValue":"NaN"}"#) else { return #expect(Bool(false)) }
        #expect(number.isNaN)
    }

    @Test(arguments: [
        (#"{"intValue":9223372036854775808}"#, "a number is out of range or has a fraction"),
        (#"{"intValue":1.5}"#, "a number is out of range or has a fraction"),
        (#"{"intValue":"1e400"}"#, "a number is out of range or has a fraction"),
        (#"{"doubleValue":1e400}"#, "a number is out of range or has a fraction"),
        (#"{"doubleValue":"-1e400"}"#, "a number is out of range or has a fraction"),
        (#"{"intValue":"x"}"#, "valid JSON, but not the expected message"),
        (#"{"intValue":""}"#, "valid JSON, but not the expected message"),
        (#"{"intValue":"0x10"}"#, "valid JSON, but not the expected message"),
        (#"{"intValue":" 1"}"#, "valid JSON, but not the expected message"),
        (#"{"intValue":true}"#, "valid JSON, but not the expected message"),
        (#"{"doubleValue":"inf"}"#, "valid JSON, but not the expected message"),
        (#"{"boolValue":"true"}"#, "valid JSON, but not the expected message"),
        (#"{"boolValue":1}"#, "valid JSON, but not the expected message"),
        (#"{"stringValue":1}"#, "valid JSON, but not the expected message"),
        (#"{"stringValue":{}}"#, "valid JSON, but not the expected message"),
        (#"{"arrayValue":[]}"#, "valid JSON, but not the expected message"),
        (#"{"arrayValue":{"values":[null]}}"#, "valid JSON, but not the expected message"),
        (#"{"bytesValue":"A"}"#, "bytes are not base64"), (#"{"bytesValue":"A=B="}"#, "bytes are not base64"),
        (#"{"bytesValue":"===="}"#, "bytes are not base64"), (#"{"bytesValue":"AP8= "}"#, "bytes are not base64"),
        ("7", "valid JSON, but not the expected message"), ("[]", "valid JSON, but not the expected message"),
    ])
    func badValueRejectsItsItem(json: String, reason: String) throws {
        #expect(try valueRejection(json) == reason)
    }

    @Test func enumerationsAreNumbersOrNames() throws {
        #expect(try onlySpan(#""kind":3"#).kind == .client)
        #expect(try onlySpan(#""kind":"SPAN_KIND_CLIENT""#).kind == .client)
        #expect(try onlySpan(#""kind":"3""#).kind == .client)
        #expect(try onlySpan(#""kind":99,"status":{"code":"STATUS_CODE_ERROR"}"#).status.code == .error)
        #expect(try onlySpan(#""kind":"SPAN_KIND_OF_LATER""#).kind == .unspecified)
        #expect(try onlySpan(#""kind":-1"#).kind == .unspecified)
        #expect(try rejection(#""kind":4294967296"#) == "a number is out of range or has a fraction")
        let log = try receive(
            #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"SEVERITY_NUMBER_WARN2"}]}]}]}"#, .logs)
        #expect(try log.batches[0].logRecord(at: 0).severity == 14 && log.batches[0].items[0].status == 14)
    }

    // MARK: what is bad

    @Test func idsAreHexOfTheirLength() throws {
        func ids(_ trace: String, _ span: String) throws -> DecodeError? {
            let received = try receive(
                #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"\#(trace)","spanId":"\#(span)"}]}]}]}"#)
            #expect(received.rejectedItems == 1 && received.batches.isEmpty)
            return received.firstRejection
        }
        let (trace, span) = (Example.traceID.hex, Example.spanID.hex)
        #expect(try ids("", span)?.shortDescription == "a span has no trace id or no span id")
        #expect(try ids(trace, "0000000000000000")?.shortDescription == "a span has no trace id or no span id")
        #expect(try ids(trace, "0000000000000000")?.offset == 43)
        #expect(
            try ids(trace, span + "0")?.shortDescription == "a trace id is not 16 bytes or a span id not 8 bytes long")
        #expect(try ids("CvdlGRbNQ92ESOshHIAxnA==", span)?.offset == 55)
        #expect(try ids(String(trace.dropLast()) + "g", span)?.shortDescription == "an id is not of hex digits")
        #expect(try ids(trace, "b7ad6b71692033é")?.shortDescription == "an id is not of hex digits")
    }

    @Test func badItemIsLeftOutAndTheOthersStay() throws {
        let good = #"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"x"}"#
        let bad = [
            #"{"name":5}"#, "null", "[]", "7", #""s""#, "{}",
            good.replacing("x\"", with: "x\",\"links\":[{\"traceId\":\"0\"}]"),
            good.replacing("\"x\"", with: "\"x\",\"attributes\":{\"key\":[[[]]]}"),
        ]
        let text = ([good] + bad + [good]).joined(separator: " ,\n")
        let received = try receive(#"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(text)]}]}]}"#)
        #expect(received.rejectedItems == bad.count)
        #expect(received.firstRejection?.offset == 43 + good.utf8.count + 11)
        #expect(received.batches[0].items.count == 2)
        #expect(try received.batches[0].span(at: 1).name == "x")
        let again = try OTLP.batches(
            fromExportRequest: OTLP.exportRequest(batches: received.batches), signal: .traces)
        #expect(again.batches[0].items.count == 2 && again.rejectedItems == 0)
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("{", 1), ("[]", 0), ("{}x", 2), ("{} {}", 3), ("nul", 0), (#"{"a":1,}"#, 7),
        (#"{"a" 1}"#, 5), (#"{a:1}"#, 1),
        (#"{"a":01}"#, 5), (#"{"a":1.}"#, 5), (#"{"a":+1}"#, 5), (#"{"a":.5}"#, 5), (#"{"a":1e}"#, 5), (#"{"a":-}"#, 5),
        (#"{"a":tru}"#, 5),
        (#"{"a":"\x"}"#, 6), (#"{"a":"\u12g4"}"#, 10), (#"{"a":"\u12"}"#, 8), (#"{"a":[1 2]}"#, 8), (#"{"a":[1,]}"#, 8),
        (#"{"a":[1}"#, 7),
        (#"{"a":{"b":1]}"#, 11), (#"{"a":"b"#, 5), ("{\"a\":\"b\u{1}\"}", 7), (#"{"a":"b"c}"#, 8), (#"{"a":1"b"}"#, 5),
        ("\u{FEFF}{}", 0),
        (#"{"resourceSpans":{}}"#, 17), (#"{"resourceSpans":[7]}"#, 18), (#"{"resourceSpans":[{"scopeSpans":7}]}"#, 32),
        (#"{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}"#, 42),
        (#"{"resourceSpans":[{"resource":{"attributes":7}}]}"#, 44),
        (#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\q"}]}]}]}"#, 52),
        (#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":1 2}]}]}]}"#, 53),
    ])
    func brokenTextIsRefusedWhereItIsBroken(text: String, offset: Int) {
        #expect(throws: DecodeError.self) { try receive(text) }
        do { _ = try receive(text) } catch let error as DecodeError {
            #expect(error.offset == offset, "\(error)")
        } catch {}
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
            [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func textThatIsNotUTF8IsRefused(bad: [UInt8]) {
        let text = Array(#"{"é":"日"#.utf8) + bad + Array(#""}"#.utf8)
        do {
            _ = try OTLP.batches(fromExportRequestJSON: text, signal: .traces)
            #expect(Bool(false), "decoded")
        } catch {
            #expect(error.shortDescription == "text is not UTF-8" && error.offset == 10)
        }
    }

    // MARK: limits

    @Test func limitsAreHeld() throws {
        let span = #"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}"#
        func resources(_ count: Int, scopes: Int = 1, spans: Int = 1) -> [UInt8] {
            func list(_ element: String, _ count: Int) -> String {
                repeatElement(element, count: count).joined(separator: ",")
            }
            let scope = #"{"spans":[\#(list(span, spans))]}"#
            return Array(#"{"resourceSpans":[\#(list(#"{"scopeSpans":[\#(list(scope, scopes))]}"#, count))]}"#.utf8)
        }
        func refused(_ text: [UInt8], _ limits: OTLP.ReceiveLimits) -> String? {
            do {
                _ = try OTLP.batches(fromExportRequestJSON: text, signal: .traces, limits: limits)
                return nil
            } catch { return error.shortDescription }
        }
        let limits = OTLP.ReceiveLimits(requestBytesMax: 1 << 20, itemsMax: 6, resourcesMax: 3)
        #expect(refused(resources(3, scopes: 2), limits) == nil)
        #expect(refused(resources(3, scopes: 2, spans: 2), limits) == "the request holds more items than the limit")
        #expect(
            refused(resources(4), limits)
                == "the request holds more resources, or a resource more scopes, than the limit")
        #expect(
            refused(resources(1, scopes: 4), limits)
                == "the request holds more resources, or a resource more scopes, than the limit")
        let text = resources(1)
        #expect(refused(text, OTLP.ReceiveLimits(requestBytesMax: text.count)) == nil)
        #expect(
            refused(text, OTLP.ReceiveLimits(requestBytesMax: text.count - 1)) == "the message is larger than the limit"
        )
    }

    /// Two bytes of text become eight: what is made of a text is bounded, too.
    @Test func protobufMadeOfTheTextIsBounded() {
        let zeros = repeatElement("0", count: 50_000).joined(separator: ",")
        let text = Array(
            #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"explicitBounds":[\#(zeros)]}]}}]}]}]}"#
                .utf8)
        let small = OTLP.ReceiveLimits(requestBytesMax: 200_000)
        #expect(throws: DecodeError.self) {
            try OTLP.batches(fromExportRequestJSON: text, signal: .metrics, limits: small)
        }
        #expect(throws: Never.self) { try OTLP.batches(fromExportRequestJSON: text, signal: .metrics) }
    }

    @Test func valuesNestUpToTheLimit() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth - 1) + #"{"intValue":1}"# + String(repeating: close, count: depth - 1)
        }
        for (open, close) in [
            (#"{"arrayValue":{"values":["#, "]}}"), (#"{"kvlistValue":{"values":[{"key":"k","value":"#, "}]}}"),
        ] {
            #expect(try value(nested(OTLP.valueDepthMax, open, close)) != nil)
            #expect(
                try valueRejection(nested(OTLP.valueDepthMax + 1, open, close)) == "values nest deeper than the limit")
            #expect(try valueRejection(nested(1000, open, close)) == "values nest deeper than the limit")
        }
        #expect(throws: DecodeError.self) { try span(#""x":\#(String(repeating: "[", count: 200_000))"#) }
        let deep = String(repeating: "[", count: 4_096) + String(repeating: "]", count: 4_096)
        #expect(try span(#""x":\#(deep)"#).rejectedItems == 0)
        #expect(throws: DecodeError.self) { try span(#""x":[\#(deep)]"#) }
    }
}
