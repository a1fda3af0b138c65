import Telemetry
import Testing

@Suite struct IdentifierTests {
    @Test func hexAndBytesRoundTrip() throws {
        let trace = try #require(TraceID(hex: "0af7651916cd43dd8448eb211c80319c"))
        #expect(trace.hex == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.bytes.first == 0x0a && trace.bytes.last == 0x9c)
        #expect(TraceID(bytes: trace.bytes) == trace)
        let span = try #require(SpanID(hex: "B7AD6B7169203331"))
        #expect(span.hex == "b7ad6b7169203331")
        #expect(SpanID(bytes: span.bytes) == span)
    }

    @Test func sixteenDigitsAreA64BitTraceID() {
        #expect(TraceID(hex: "b7ad6b7169203331")?.hex == "0000000000000000b7ad6b7169203331")
    }

    @Test(arguments: ["", "0af7", "0af7651916cd43dd8448eb211c80319", "0af7651916cd43dd8448eb211c80319g", "０af7651916cd43dd"])
    func whatIsNoIdIsRefused(_ text: String) {
        #expect(TraceID(hex: text) == nil)
        #expect(SpanID(hex: text) == nil)
    }

    @Test func bytesOfAnotherCountAreRefused() {
        #expect(TraceID(bytes: [UInt8](repeating: 1, count: 15)) == nil)
        #expect(SpanID(bytes: [UInt8](repeating: 1, count: 9)) == nil)
    }

    @Test func ringTimesOutOfRangeHaveNoUnixTime() {
        let clock = RingClock(monotonicBase: 1_000, monotonic: 5_000, unix: 1_700_000_000_000_004_000)
        #expect(clock.unixNanoseconds(0) == 1_700_000_000_000_000_000)
        #expect(clock.unixNanoseconds(12.9) == 1_700_000_000_000_000_012)
        #expect(clock.unixNanoseconds(.nan) == nil)
        #expect(clock.unixNanoseconds(.infinity) == nil)
        #expect(clock.unixNanoseconds(-1.8e18) == nil)
        #expect(clock.unixNanoseconds(1e300) == nil)
    }
}
