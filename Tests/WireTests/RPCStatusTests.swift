import Testing

@testable import Wire

@Suite struct RPCStatusTests {
    private static func text(_ build: (inout ProtobufWriter) -> Void, trimmed: Bool = false) -> String {
        var writer = ProtobufWriter()
        build(&writer)
        let text = OTLP.base64(writer.takeBytes())
        return trimmed ? String(text.prefix { $0 != "=" }) : text
    }

    private static func putRetry(_ writer: inout ProtobufWriter, seconds: Int64, nanoseconds: Int64) {
        writer.message(3) {
            $0.putString(1, "type.googleapis.com/google.rpc.RetryInfo")
            $0.message(2) {
                $0.message(1) {
                    $0.putVarint(1, UInt64(bitPattern: seconds))
                    $0.putVarint(2, UInt64(bitPattern: nanoseconds))
                }
            }
        }
    }

    @Test(arguments: [true, false]) func aStatusWithRetryInfo(trimmed: Bool) {
        let text = Self.text(
            {
                $0.putVarint(1, 8)
                $0.putString(2, "slow down")
                $0.message(3) {
                    $0.putString(1, "type.googleapis.com/google.rpc.DebugInfo")
                    $0.putString(2, "\u{1}")
                }
                Self.putRetry(&$0, seconds: 3, nanoseconds: 500_000_000)
            }, trimmed: trimmed)
        #expect(
            OTLP.decodeStatus(base64: text)
                == OTLP.RPCStatus(code: 8, message: "slow down", retryDelay: 3_500_000_000))
    }

    @Test func whatOurReceiverAnswersIsRead() {
        let bytes = OTLP.encodeErrorStatus(code: .unavailable, message: "m", retryAfterSeconds: 2, isJSON: false)
        #expect(
            OTLP.decodeStatus(base64: OTLP.base64(bytes))
                == OTLP.RPCStatus(code: 14, message: "m", retryDelay: 2_000_000_000))
    }

    @Test(arguments: [(-5, -1, 0), (Int64.max, 0, 3_162_240_000), (1, 99_999_999_999, 1)] as [(Int64, Int64, UInt64)])
    func delaysAreBounded(seconds: Int64, nanoseconds: Int64, expected: UInt64) {
        let text = Self.text { Self.putRetry(&$0, seconds: seconds, nanoseconds: nanoseconds) }
        #expect((OTLP.decodeStatus(base64: text)?.retryDelay).map { $0 / 1_000_000_000 } == expected)
    }

    @Test func whatIsNoStatusIsNone() {
        for text in ["?", "A", "CP//", "GgX/////", String(repeating: "/", count: 400)] {
            #expect(OTLP.decodeStatus(base64: text)?.retryDelay == nil)
        }
        #expect(OTLP.decodeStatus(base64: "")?.code == 0)
        #expect(OTLP.decodeStatus(base64: Self.text { $0.putVarint(1, 4) })?.retryDelay == nil)
    }
}
