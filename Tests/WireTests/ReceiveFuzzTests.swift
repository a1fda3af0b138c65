import Telemetry
import Testing
import Wire

/// The decoders of the formats that are not OTLP under mutated input.
@Suite struct ReceiveFuzzTests {
    enum Decoder: String, CaseIterable {
        case zipkinV2JSON = "zipkin-v2", zipkinV2Protobuf = "zipkin-protobuf", zipkinV1JSON = "zipkin-v1",
            jaegerThrift = "jaeger"

        var fuzz: DecoderFuzz {
            var generator = Generator(seed: 11, withNaN: true)
            let batch = Batch(
                [Example.span] + (0..<2).map { _ in generator.span() }, resource: Example.resource, scope: Example.scope
            )
            let small = Batch([Example.span], resource: Example.resource)
            let files = DecoderFuzz.files(rawValue)
            let tags = [
                "\"tags\":{", "\"error\":\"\"", "\"otlp.link.0\":\"", "\"\\\"a\\\":{\\\"b\\\":1}\"", "\"timestamp\":",
                "|{}|0",
            ]
            .map { Array($0.utf8) }
            switch self {
            case .zipkinV2JSON:
                let encoded = [Zipkin.encode(batches: [batch]).bytes, Zipkin.encode(batches: [small]).bytes]
                return DecoderFuzz(corpus: encoded + files, pieces: DecoderFuzz.jsonPieces + tags) {
                    (input) throws(DecodeError) in
                    try Zipkin.batches(fromV2JSON: input)
                }
            case .zipkinV1JSON:
                return DecoderFuzz(corpus: files, pieces: DecoderFuzz.jsonPieces + tags) {
                    (input) throws(DecodeError) in
                    try Zipkin.batches(fromV1JSON: input)
                }
            case .zipkinV2Protobuf:
                return DecoderFuzz(corpus: files + [Self.protobuf], pieces: Self.pieces) {
                    (input) throws(DecodeError) in
                    try Zipkin.batches(fromV2Protobuf: input)
                }
            case .jaegerThrift:
                let encoded = [Jaeger.encode(batches: [batch])[0].bytes, Jaeger.encode(batches: [small])[0].bytes]
                return DecoderFuzz(corpus: encoded + files, pieces: Self.pieces) { (input) throws(DecodeError) in
                    try Jaeger.batches(fromThrift: input)
                }
            }
        }

        private static let pieces: [[UInt8]] = [
            [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0x80], [0xFF], [0x0A], [0x0C, 0, 1],
            [0x0F, 0, 2, 0x0C, 0, 0, 0, 1],
            [0x0B, 0, 1], [0x80, 1, 0, 1], [0x82, 0x21], Array("\"a\":{\"b\":1}".utf8), Array("error".utf8),
            Array("otel.status_code".utf8),
        ]

        private static let protobuf = written { writer in
            for kind in 0..<3 as Range<UInt64> {
                writer.message(1) { span in
                    span.putBytes(1, Example.traceID.bytes)
                    span.putBytes(2, [0, 0, 0, 0, 0, 0, 0, 9])
                    span.putBytes(3, [0, 0, 0, 0, 0, 0, 0, 8])
                    span.putVarint(4, kind)
                    span.putString(5, "name")
                    span.putFixed64(6, 1_700_000_000_000_000)
                    span.putVarint(7, 300)
                    span.message(8) { host in
                        host.putString(1, "shop")
                        host.putBytes(2, [10, 0, 0, 1])
                        host.putVarint(4, 80)
                    }
                    span.message(9) { $0.putBytes(3, Array(repeating: 0, count: 16)) }
                    span.message(10) { annotation in
                        annotation.putFixed64(1, 1_700_000_000_000_001)
                        annotation.putString(2, #""e":{"k":[1,true]}"#)
                    }
                    for (key, value) in [
                        ("error", ""), ("otlp.link.0", "\(Example.traceID.hex)|\(Example.spanID.hex)||{}|0"),
                        ("k", "v"),
                    ] {
                        span.message(11) { tag in
                            tag.putString(1, key)
                            tag.putString(2, value)
                        }
                    }
                    span.putVarint(13, 1)
                }
            }
        }
    }

    @Test(arguments: Decoder.allCases)
    func fuzzedRequestsAreRefusedOrWellFormed(decoder: Decoder) {
        for seed in 0..<3 as Range<UInt64> { decoder.fuzz.run(seed: seed, rounds: 1_000) }
    }

    @Test(.enabled(if: DecoderFuzz.seconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"), arguments: Decoder.allCases)
    func fuzzedRequestsAreRefusedOrWellFormedForLong(decoder: Decoder) {
        decoder.fuzz.runForLong("ReceiveFuzzTests \(decoder)")
    }

    /// Spans at random, through our encoders and back.
    @Test(
        .enabled(if: DecoderFuzz.seconds != nil, "SIDELIGHT_FUZZ_SECONDS is not set"),
        arguments: [Decoder.zipkinV2JSON, .jaegerThrift])
    func fuzzedSpansComeBackEqualForLong(decoder: Decoder) throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(DecoderFuzz.seconds ?? 0)
        while clock.now < end {
            let seed = UInt64.random(in: .min ... .max)
            if decoder == .jaegerThrift {
                try JaegerRoundTrip.run(seed: seed)
            } else {
                try ZipkinRoundTrip.run(seed: seed)
            }
        }
    }
}
