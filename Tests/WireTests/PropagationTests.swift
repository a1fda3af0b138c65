import Telemetry
import Testing
import Wire

@Suite struct W3CTraceContextTests {
    private static let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private static let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

    @Test func contextComesBack() throws {
        let context = try #require(W3CTraceContext.parse(traceParent: Self.valid))
        #expect(context == SpanContext(traceID: Example.traceID, spanID: Example.spanID, traceFlags: 1, isRemote: true))
        #expect(W3CTraceContext.format(context) == Self.valid)
    }

    @Test(arguments: [
        "", "00", "00-\(ids)", "00-\(ids)-0", "00-\(ids)-0g", "00-\(ids)-01-", "00-\(ids)-01-extra", "00-\(ids)-01x",
        "ff-\(ids)-01",
        "FF-\(ids)-01", "0-\(ids)-01", "cc-\(ids)-01x", "cc-\(ids)-01.what",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00_\(ids)-01", "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", "00-\(ids)_01",
        "00-0af7651916cd43dd8448eb211c8031-b7ad6b7169203331abcd-01", "00-\(ids)-+1",
    ])
    func invalidTraceParentIsRefused(value: String) {
        #expect(W3CTraceContext.parse(traceParent: value) == nil)
    }

    @Test(arguments: ["cc-\(ids)-01", "cc-\(ids)-01-", "cc-\(ids)-01-what-the-future-says", " \t00-\(ids)-01 "])
    func laterVersionIsReadAsFarAsItIsKnown(value: String) {
        #expect(W3CTraceContext.parse(traceParent: value)?.traceFlags == 1)
    }

    @Test(
        arguments: [("00", 0, "00"), ("02", 2, "02"), ("03", 3, "03"), ("ff", 3, "03"), ("08", 0, "00")]
            as [(String, UInt8, String)])
    func onlyKnownFlagsArePassedOn(flags: String, expected: UInt8, formatted: String) {
        let context = W3CTraceContext.parse(traceParent: "00-\(Self.ids)-\(flags)")
        #expect(context?.traceFlags == expected)
        #expect(context.flatMap(W3CTraceContext.format) == "00-\(Self.ids)-\(formatted)")
    }

    @Test func contextWithoutIDsHasNoHeader() {
        #expect(W3CTraceContext.format(SpanContext(traceID: .invalid, spanID: Example.spanID)) == nil)
        #expect(W3CTraceContext.format(SpanContext(traceID: Example.traceID, spanID: .invalid)) == nil)
    }

    @Test func moreThanOneTraceParentIsNone() {
        #expect(W3CTraceContext.extract(traceParent: [Self.valid, Self.valid], traceState: []) == nil)
        #expect(W3CTraceContext.extract(traceParent: [], traceState: ["a=1"]) == nil)
        #expect(
            W3CTraceContext.extract(traceParent: [Self.valid], traceState: ["a=1", "b=2"])?.traceState == "a=1,b=2")
        #expect(W3CTraceContext.extract(traceParent: [Self.valid], traceState: ["a=1", "B=2"])?.traceState == "")
    }

    @Test(arguments: [
        (["a=1"], "a=1"), ([" a=1\t, ,b=2 ,", "", "c=3"], "a=1,b=2,c=3"), (["a=1,b=2,a=3"], "a=1,b=2"), ([], ""),
        (["0a_-*/@z=!~ x"], "0a_-*/@z=!~ x"), (["t@s=1"], "t@s=1"),
    ])
    func traceStateIsJoined(headers: [String], expected: String) {
        #expect(W3CTraceContext.parse(traceState: headers) == expected)
    }

    @Test(arguments: [
        "a", "=1", "a=", "A=1", "a=1=2", "a =1", "_a=1", "é=1", "a=é", "a=\u{1}", "a=1,b",
        String(repeating: "k", count: 257) + "=1", "k=" + String(repeating: "v", count: 257),
        (1...33).map { "k\($0)=1" }.joined(separator: ","),
    ])
    func invalidTraceStateIsRefusedAsAWhole(header: String) {
        #expect(W3CTraceContext.parse(traceState: [header]) == nil)
    }

    @Test func traceStateAtItsLimits() {
        let members = (1...32).map { "k\($0)=1" }.joined(separator: ",")
        #expect(W3CTraceContext.parse(traceState: [members]) == members)
        let long = String(repeating: "k", count: 256) + "=" + String(repeating: "v", count: 256)
        #expect(W3CTraceContext.parse(traceState: [long]) == long)
        let changed = W3CTraceContext.setting("new", to: "1", in: members)
        #expect(changed.hasPrefix("new=1,k1=1,") && changed.hasSuffix(",k31=1"))
        #expect(W3CTraceContext.setting("b", to: "9", in: "a=1,b=2") == "b=9,a=1")
        #expect(W3CTraceContext.setting("B", to: "9", in: "a=1") == "a=1")
    }
}

@Suite struct BaggageTests {
    @Test func membersAreReadAndWritten() {
        let baggage = Baggage(parsing: ["user = caf%C3%A9%20%25 ; p=1 ;q , empty=", "n=a=b"])
        #expect(
            baggage.entries == [
                .init(key: "user", value: "café %", metadata: "p=1 ;q"), .init(key: "empty", value: ""),
                .init(key: "n", value: "a=b"),
            ])
        #expect(baggage.header == "user=caf%C3%A9%20%25;p=1 ;q,empty=,n=a=b")
        #expect(baggage["user"] == "café %")
        #expect(Baggage().header == nil)
    }

    @Test(arguments: ["novalue", "=v", "k k=v", "k=v w", "k=\"v\"", "k=é", "k=v;m=\u{1}", "k=\\"])
    func malformedMemberIsLeftOut(member: String) {
        #expect(Baggage(parsing: ["a=1,\(member),b=2"]).entries.map { $0.key } == ["a", "b"])
    }

    @Test func brokenPercentEncodingIsKept() {
        #expect(
            Baggage(parsing: ["k=%4,l=%zz,m=%+1,n=%ff"]).entries.map { $0.value } == ["%4", "%zz", "%+1", "\u{FFFD}"])
    }

    @Test func limitsHold() {
        let many = (0..<100).map { "k\($0)=v" }.joined(separator: ",")
        #expect(Baggage(parsing: [many]).entries.count == Baggage.entriesMax)
        let long = "k=" + String(repeating: "v", count: 5000)
        #expect(Baggage(parsing: [long, "l" + long]).entries.count == 1)
        var baggage = Baggage()
        baggage.set(.init(key: "a", value: String(repeating: "v", count: 9000)))
        baggage.set(.init(key: "b", value: "1"))
        #expect(baggage.header == "b=1")
        baggage.remove("b")
        #expect(baggage.header == nil)
        #expect(baggage.set(.init(key: "no token", value: "")) == false)
    }
}

@Suite struct OtherPropagationTests {
    private static let context = SpanContext(
        traceID: Example.traceID, spanID: Example.spanID, traceFlags: 1, isRemote: true)
    private static let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

    @Test func b3Single() {
        #expect(B3.parse(single: "\(Self.ids)-1") == Self.context)
        #expect(B3.parse(single: "\(Self.ids)-d-00f067aa0ba902b7") == Self.context)
        #expect(B3.parse(single: "\(Self.ids)-0")?.isSampled == false)
        #expect(B3.parse(single: Self.ids)?.isSampled == false)
        #expect(B3.parse(single: "8448eb211c80319c-b7ad6b7169203331-1")?.traceID.high == 0)
        #expect(B3.formatSingle(Self.context) == "\(Self.ids)-1")
        for bad in ["0", "", "x-y", "\(Self.ids)-2", "\(Self.ids)-1-2", "\(Self.ids)-1-00f067aa0ba902b7-9"] {
            #expect(B3.parse(single: bad) == nil)
        }
    }

    @Test func b3Multiple() {
        let traceID = Self.context.traceID.hex
        let spanID = Self.context.spanID.hex
        #expect(B3.parse(traceID: traceID, spanID: spanID, sampled: "1") == Self.context)
        #expect(B3.parse(traceID: traceID, spanID: spanID, sampled: "0", flags: "1") == Self.context)
        #expect(B3.parse(traceID: traceID, spanID: spanID)?.isSampled == false)
        #expect(B3.parse(traceID: traceID, spanID: "0000000000000000") == nil)
        #expect(B3.parse(traceID: traceID, spanID: spanID, sampled: "yes") == nil)
        #expect(B3.formatMultiple(Self.context).map { $0.value } == [traceID, spanID, "1"])
    }

    @Test func jaeger() {
        let value = "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1"
        #expect(JaegerPropagation.parse(value) == Self.context)
        #expect(JaegerPropagation.format(Self.context) == value)
        #expect(JaegerPropagation.parse("af7651916cd43dd8448eb211c80319c%3Ab7ad6b7169203331%3a0%3A3") == Self.context)
        #expect(
            JaegerPropagation.parse("1:2:0:0")
                == SpanContext(
                    traceID: TraceID(high: 0, low: 1), spanID: SpanID(2), traceFlags: 0, isRemote: true))
        for bad in [
            "", "1:2:0", "0:2:0:1", "1:0:0:1", "1:2:0:g", "1:2:0:+1", "1:2:0:100", "x:2:0:1", "1:12345678901234567:0:1",
        ] {
            #expect(JaegerPropagation.parse(bad) == nil, "\(bad)")
        }
    }
}
