import Telemetry
import Testing
import Wire

/// Against the bytes that Python's opentelemetry-proto 1.45 makes of the same values.
@Suite struct OTLPGoldenTests {
    @Test func span() throws {
        #expect(hex(written { OTLP.encode(span: Example.span, into: &$0) }) == Self.span)
        #expect(try OTLP.decodeSpan(bytes(hex: Self.span)) == Example.span)
    }

    @Test func logRecord() throws {
        #expect(hex(written { OTLP.encode(log: Example.log, into: &$0) }) == Self.log)
        #expect(try OTLP.decodeLog(bytes(hex: Self.log)) == Example.log)
    }

    @Test func metrics() throws {
        let golden = [
            (Example.counter, Self.counter), (Example.gauge, Self.gauge), (Example.histogram, Self.histogram),
        ]
        for (point, expected) in golden {
            #expect(hex(written { OTLP.encode(metric: point, into: &$0) }) == expected)
            let decoded = try OTLP.decodeMetric(bytes(hex: expected))
            #expect(decoded.points == [point])
            #expect(decoded.unsupportedPoints == 0)
        }
    }

    @Test func resourceAndScope() throws {
        #expect(hex(OTLP.message(Example.resource)) == Self.resource)
        #expect(try OTLP.decodeResource(bytes(hex: Self.resource), schemaURL: "https://r") == Example.resource)
        #expect(hex(OTLP.message(Example.scope).message) == Self.scope)
        #expect(try OTLP.decodeScope(bytes(hex: Self.scope), schemaURL: "https://s") == Example.scope)
    }

    @Test func exportRequest() {
        let batch = Batch([Example.span], resource: Example.resource, scope: Example.scope)
        #expect(hex(OTLP.exportRequest(batches: [batch])) == Self.request)
    }

    @Test func valuesOutsideTheEnumerationsAreUnspecified() throws {
        let span = try OTLP.decodeSpan(
            written { $0.putVarint(6, 99) } + written { $0.message(15) { $0.putVarint(3, .max) } })
        #expect(span.kind == .unspecified)
        #expect(span.status.code == .unset)
        #expect(try OTLP.decodeLog(written { $0.putVarint(2, 1 << 40 | 300) }).severity == 0)
    }

    @Test func unknownFieldsAreSkipped() throws {
        let unknown = written { writer in
            writer.putVarint(900, 1)
            writer.putFixed32(901, 1)
            writer.putFixed64(902, 1)
            writer.putString(903, "later")
            // A known number with another type.
            writer.putVarint(5, 1)
        }
        let extended = unknown + written { OTLP.encode(span: Example.span, into: &$0) } + unknown
        #expect(try OTLP.decodeSpan(extended) == Example.span)
    }

    @Test func deltasAndSummariesAreCountedNotMisread() throws {
        let delta = written { writer in
            writer.message(7) { sum in
                sum.message(1) { $0.putFixed64(6, 1) }
                sum.message(1) { $0.putFixed64(6, 2) }
                sum.putVarint(2, 1)
            }
        }
        #expect(try OTLP.decodeMetric(delta).points.isEmpty)
        #expect(try OTLP.decodeMetric(delta).unsupportedPoints == 2)
        let summary = written { $0.message(11) { $0.message(1) { $0.putFixed64(3, 9) } } }
        #expect(try OTLP.decodeMetric(summary).unsupportedPoints == 1)
    }

    private static let span =
        "0a100af7651916cd43dd8448eb211c80319c1208b7ad6b71692033311a03613d31220800f067aa0ba902b72a05474554"
        + "202f30023901002a36fe9c971741ffffffffffffffff4a090a017312040a02c3a94a070a0162120210004a100a016912"
        + "0b18808080808080808080014a0e0a0164120921000000000000e0bf4a090a017912043a0200ff4a150a016112102a0e"
        + "0a0a18ffffffffffffffff7f0a004a100a016d120b32090a070a017812020a004a050a0165120050ac025a1709050000"
        + "00000000001201651a070a016b12021001200160026a310a100af7651916cd43dd8448eb211c80319c120800f067aa0b"
        + "a902b71a03623d3222070a016c120218012803350103000070ffffffff0f7a0712036261641802850101030000"
    private static let log =
        "09010000000000000010111a054552524f522a060a04626f6f6d321d0a0e657863657074696f6e2e74797065120b0a09"
        + "547970654572726f72380445010000004a100af7651916cd43dd8448eb211c80319c5208b7ad6b716920333159020000"
        + "00000000006209657863657074696f6e"
    private static let counter =
        "0a0872657175657374731201641a097b726571756573747d3a2b0a2511010000000000000019020000000000000031f9"
        + "ffffffffffffff3a080a016b12030a017610021801"
    private static let gauge =
        "0a0474656d702a140a12190200000000000000210000000000000000"
    private static let histogram =
        "0a086475726174696f6e1a01734a660a6211010000000000000019020000000000000021030000000000000029000000"
        + "000000124032180100000000000000020000000000000000000000000000003a10000000000000e03f00000000000004"
        + "4059000000000000d03f6100000000000002401002"
    private static let resource =
        "0a160a0c736572766963652e6e616d6512060a0473686f701001"
    private static let scope =
        "0a04687474701203312e321a070a0173120210012002"
    private static let request =
        "0aed020a1a0a160a0c736572766963652e6e616d6512060a0473686f70100112c3020a160a04687474701203312e321a"
        + "070a0173120210012002129d020a100af7651916cd43dd8448eb211c80319c1208b7ad6b71692033311a03613d312208"
        + "00f067aa0ba902b72a05474554202f30023901002a36fe9c971741ffffffffffffffff4a090a017312040a02c3a94a07"
        + "0a0162120210004a100a0169120b18808080808080808080014a0e0a0164120921000000000000e0bf4a090a01791204"
        + "3a0200ff4a150a016112102a0e0a0a18ffffffffffffffff7f0a004a100a016d120b32090a070a017812020a004a050a"
        + "0165120050ac025a170905000000000000001201651a070a016b12021001200160026a310a100af7651916cd43dd8448"
        + "eb211c80319c120800f067aa0ba902b71a03623d3222070a016c120218012803350103000070ffffffff0f7a07120362"
        + "616418028501010300001a0968747470733a2f2f731a0968747470733a2f2f72"
}
