import Telemetry
import Testing

@testable import Wire

private struct Native: Equatable {
    var time: Int64 = 0
    var schema: Int64 = 0
    var count: UInt64 = 0
    var zeroCount: UInt64 = 0
    var zeroThreshold = 0.0
    var sum = 0.0
    /// By Prometheus' index.
    var negative: [Int64: Int64] = [:]
    var positive: [Int64: Int64] = [:]
}

private struct Written: Equatable {
    /// `name{a="b"}` to its samples.
    var samples: [String: [Int64: Double]] = [:]
    var natives: [String: [Native]] = [:]
    var exemplars: [String: [String]] = [:]
    var metadata: [String] = []
}

private func unzigzag(_ bits: UInt64) -> Int64 { Int64(bits >> 1) ^ -Int64(bits & 1) }

/// Reads a `WriteRequest` by the field numbers of remote.proto and types.proto.
private func written(_ bytes: [UInt8]) throws -> Written {
    var result = Written()
    try bytes.withUnsafeBytes { bytes in
        var request = ProtobufReader(bytes)
        while let field = try request.next() {
            var message = try request.message()
            if field.number == 1 {
                try readSeries(&message, &result)
            } else {
                #expect(field.number == 3)
                var (type, texts) = (UInt64(0), ["", "", ""])
                while let field = try message.next() {
                    if field.number == 1 {
                        type = try message.varint()
                    } else {
                        texts[[2: 0, 4: 1, 5: 2][field.number]!] = try message.string()
                    }
                }
                result.metadata.append("\(type) \(texts.joined(separator: "|"))")
            }
        }
    }
    return result
}

private func label(_ reader: inout ProtobufReader) throws -> (name: String, value: String) {
    var pair = try reader.message()
    var (name, value) = ("", "")
    while let field = try pair.next() {
        if field.number == 1 { name = try pair.string() } else { value = try pair.string() }
    }
    return (name, value)
}

private func readSeries(_ reader: inout ProtobufReader, _ result: inout Written) throws {
    var labels: [(name: String, value: String)] = []
    var samples: [Int64: Double] = [:]
    var (natives, exemplars) = ([Native](), [String]())
    var last = Int64.min
    while let field = try reader.next() {
        switch field.number {
        case 1: labels.append(try label(&reader))
        case 2:
            var sample = try reader.message()
            var (value, time) = (0.0, Int64(0))
            while let field = try sample.next() {
                if field.number == 1 {
                    value = try sample.double()
                } else {
                    time = Int64(bitPattern: try sample.varint())
                }
            }
            #expect(time > last, "samples are not in order")
            last = time
            samples[time] = value
        case 3:
            var exemplar = try reader.message()
            var text = ""
            while let field = try exemplar.next() {
                switch field.number {
                case 1:
                    let pair = try label(&exemplar)
                    text += "\(pair.name)=\(pair.value) "
                case 2: text += "\(try exemplar.double())"
                default: text += " at \(try exemplar.varint())"
                }
            }
            exemplars.append(text)
        case 4:
            var message = try reader.message()
            natives.append(try native(&message))
        default: Issue.record("field \(field.number)")
        }
    }
    #expect(labels.map(\.name) == labels.map(\.name).sorted() && Set(labels.map(\.name)).count == labels.count)
    let name = labels.first { $0.name == "__name__" }!.value
    let key =
        name + "{" + labels.filter { $0.name != "__name__" }.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        + "}"
    if !samples.isEmpty { #expect(result.samples.updateValue(samples, forKey: key) == nil, "\(key) stands twice") }
    if !natives.isEmpty { result.natives[key] = natives }
    if !exemplars.isEmpty { result.exemplars[key] = exemplars }
}

private func native(_ reader: inout ProtobufReader) throws -> Native {
    var native = Native()
    var spans: [UInt32: [(offset: Int64, length: Int)]] = [:]
    var deltas: [UInt32: [Int64]] = [:]
    while let field = try reader.next() {
        switch field.number {
        case 1: native.count = try reader.varint()
        case 3: native.sum = try reader.double()
        case 4: native.schema = unzigzag(try reader.varint())
        case 5: native.zeroThreshold = try reader.double()
        case 6: native.zeroCount = try reader.varint()
        case 8, 11:
            var span = try reader.message()
            var (offset, length) = (Int64(0), 0)
            while let field = try span.next() {
                if field.number == 1 { offset = unzigzag(try span.varint()) } else { length = Int(try span.varint()) }
            }
            spans[field.number, default: []].append((offset, length))
        case 9, 12:
            var packed = try reader.message()
            while !packed.isAtEnd { deltas[field.number, default: []].append(unzigzag(try packed.varint())) }
        case 15: native.time = Int64(bitPattern: try reader.varint())
        default: Issue.record("field \(field.number)")
        }
    }
    func buckets(_ spanField: UInt32, _ deltaField: UInt32) -> [Int64: Int64] {
        var (index, count, found) = (Int64(0), Int64(0), [Int64: Int64]())
        var rest = (deltas[deltaField] ?? [])[...]
        for span in spans[spanField] ?? [] {
            index += span.offset
            for _ in 0..<span.length {
                count += rest.removeFirst()
                found[index] = count
                index += 1
            }
        }
        #expect(rest.isEmpty)
        return found
    }
    native.negative = buckets(8, 9)
    native.positive = buckets(11, 12)
    return native
}

/// A batch of metrics that are written by hand: (name, unit, field of the data, the data's fields).
private func batch(
    _ metrics: [(name: String, unit: String, field: UInt32, data: (inout ProtobufWriter) -> Void)],
    resource: Resource = Resource(attributes: [Attribute("service.name", "shop")]),
    scope: InstrumentationScope = .init()
) throws -> Batch {
    var request = ProtobufWriter()
    request.message(1) { group in
        group.message(1) { message in message.putRawBytes(OTLP.message(resource)) }
        group.message(2) { scoped in
            scoped.message(1) { message in
                message.putString(1, scope.name)
                message.putString(2, scope.version)
            }
            for metric in metrics {
                scoped.message(2) {
                    $0.putString(1, metric.name)
                    $0.putString(2, "help")
                    $0.putString(3, metric.unit)
                    $0.message(metric.field, metric.data)
                }
            }
        }
    }
    return try OTLP.batches(fromExportRequest: request.takeBytes(), signal: .metrics).batches[0]
}

extension ProtobufWriter {
    fileprivate mutating func putRawBytes(_ bytes: [UInt8]) { bytes.withUnsafeBytes { putRaw($0) } }

    fileprivate mutating func putAttribute(_ field: UInt32, _ key: String, _ value: String) {
        message(field) {
            $0.putString(1, key)
            $0.message(2) { $0.putString(1, value) }
        }
    }

    fileprivate mutating func putNumber(
        _ value: Double, at time: UInt64, flags: UInt64 = 0, _ attributes: [(String, String)] = []
    ) {
        message(1) {
            $0.putFixed64(3, time * 1_000_000)
            $0.putDouble(4, value)
            for (key, value) in attributes { $0.putAttribute(7, key, value) }
            if flags != 0 { $0.putVarint(8, flags) }
        }
    }

    fileprivate mutating func putPacked(_ field: UInt32, _ values: [UInt64]) {
        message(field) {
            for value in values {
                $0.ensureCapacity(8)
                $0.storeFixed64(value)
            }
        }
    }
}

private func cumulative(_ writer: inout ProtobufWriter) { writer.putVarint(2, 2) }

@Suite struct RemoteWriteTests {
    private static func write(_ batches: [Batch], skipped: Int = 0) throws -> Written {
        let encoded = RemoteWrite.encode(batches: batches, now: 9_000_000)
        #expect(encoded.skipped == skipped)
        return try written(encoded.bytes)
    }

    @Test(arguments: [
        ("http.server.duration", "ms", false, false, "http_server_duration_milliseconds"),
        ("requests", "1", true, false, "requests_total"),
        ("requests.total", "{request}", true, false, "requests_total"),
        ("cpu.use", "1", false, true, "cpu_use_ratio"), ("use_ratio.now", "1", false, true, "use_now_ratio"),
        ("disk.io", "By/s", false, true, "disk_io_bytes_per_second"), ("disk bytes", "By", false, true, "disk_bytes"),
        ("a__b..c", "", false, true, "a_b_c"), ("2xx", "", true, false, "_2xx_total"), ("j:k", "", false, true, "j:k"),
        ("t", "Cel", false, true, "t_celsius"), ("x", "foo.bar", false, true, "x_foo_bar"),
        ("y", "m/{lap}", false, true, "y_meters"),
        ("über", "", false, true, "ber"), ("ü", "", false, true, ""),
    ])
    func names(name: String, unit: String, isCounter: Bool, isGauge: Bool, expected: String) {
        #expect(Prometheus.familyName(name, unit: unit, isCounter: isCounter, isGauge: isGauge) == expected)
    }

    @Test(arguments: [
        (0.005, "0.005"), (1, "1"), (0, "0"), (-2.5, "-2.5"), (1e6, "1000000"), (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"), (1.25e-6, "0.00000125"), (123456789012345680, "123456789012345680"), (.infinity, "+Inf"),
        (1.5e300, "15" + String(repeating: "0", count: 299)),
    ])
    func bounds(number: Double, text: String) {
        #expect(Prometheus.bound(number) == text)
        #expect(!number.isFinite || Double(text) == number)
    }

    @Test func gaugesAndSums() throws {
        let found = try Self.write([
            try batch(
                [
                    (
                        "temp", "Cel", 5,
                        {
                            $0.putNumber(1.5, at: 2, [("room", "a")]); $0.putNumber(2.5, at: 1, [("room", "a")])
                        }
                    ),
                    (
                        "hits", "1", 7,
                        {
                            $0.putNumber(7, at: 3); cumulative(&$0); $0.putVarint(3, 1)
                        }
                    ),
                    (
                        "queue", "1", 7,
                        {
                            $0.putNumber(-7, at: 3); cumulative(&$0)
                        }
                    ),
                    ("gone", "", 5, { $0.putNumber(1, at: 3, flags: 1) }),
                ],
                resource: Resource(attributes: [
                    Attribute("service.name", "shop"), Attribute("service.namespace", "eu"),
                    Attribute("service.instance.id", "i-1"),
                    Attribute("host.name", "h1"), Attribute("list", .array([.int(1)])),
                ]), scope: InstrumentationScope(name: "cart", version: "1.2"))
        ])
        let common = "instance=i-1,job=eu/shop,otel_scope_name=cart,otel_scope_version=1.2"
        var samples = found.samples
        let gone = samples.removeValue(forKey: "gone{\(common)}")
        #expect(gone?[3]?.bitPattern == 0x7FF0_0000_0000_0002)
        #expect(
            samples == [
                "temp_celsius{\(common),room=a}": [1: 2.5, 2: 1.5], "hits_total{\(common)}": [3: 7],
                "queue{\(common)}": [3: -7],
                "target_info{host_name=h1,instance=i-1,job=eu/shop,list=[1]}": [3: 1],
            ])
        #expect(
            found.metadata == [
                "2 temp_celsius|help|Cel", "1 hits_total|help|1", "2 queue|help|1", "2 gone|help|",
                "2 target_info|Target metadata|",
            ])
    }

    @Test func labelsAreCleanAndOneOfAName() throws {
        let found = try Self.write([
            try batch([
                (
                    "m", "", 5,
                    {
                        $0.putNumber(
                            1, at: 1,
                            [
                                ("a.b", "2"), ("a-b", "1"), ("9", "x"), ("empty", ""), ("--c--", "y"), ("job", "own"),
                                ("__name__", "z"),
                            ])
                    }
                )
            ])
        ])
        #expect(found.samples == ["m{_c_=y,_name_=z,a_b=1;2,job=own,key_9=x}": [1: 1]])
    }

    @Test func histograms() throws {
        let found = try Self.write([
            try batch([
                (
                    "lat", "s", 9,
                    {
                        cumulative(&$0)
                        $0.message(1) {
                            $0.putFixed64(3, 5_000_000)
                            $0.putFixed64(4, 6)
                            $0.putDouble(5, 1.5)
                            $0.putPacked(6, [1, 2, 3])
                            $0.putPacked(7, [(0.1).bitPattern, (10.0).bitPattern])
                            $0.message(8) {
                                $0.putFixed64(2, 4_000_000)
                                $0.putDouble(3, 0.5)
                                $0.putBytes(4, [UInt8](repeating: 0xAB, count: 8))
                                $0.putBytes(5, [UInt8](repeating: 1, count: 16))
                                $0.putAttribute(7, "k", "v")
                                $0.putAttribute(7, "long", String(repeating: "x", count: 200))
                            }
                        }
                        $0.message(1) {
                            $0.putFixed64(3, 5_000_000)
                            $0.putFixed64(4, 2)
                            $0.putAttribute(9, "only", "count")
                        }
                        // Three counts of two buckets: left out.
                        $0.message(1) {
                            $0.putPacked(6, [1, 2, 3])
                            $0.putPacked(7, [(0.1).bitPattern])
                        }
                    }
                )
            ])
        ])
        #expect(
            found.samples == [
                "lat_seconds_bucket{job=shop,le=0.1}": [5: 1], "lat_seconds_bucket{job=shop,le=10}": [5: 3],
                "lat_seconds_bucket{job=shop,le=+Inf}": [5: 6],
                "lat_seconds_count{job=shop}": [5: 6], "lat_seconds_sum{job=shop}": [5: 1.5],
                "lat_seconds_bucket{job=shop,le=+Inf,only=count}": [5: 2],
                "lat_seconds_count{job=shop,only=count}": [5: 2],
            ])
        #expect(
            found.exemplars == [
                "lat_seconds_bucket{job=shop,le=10}": [
                    "k=v span_id=abababababababab trace_id=01010101010101010101010101010101 0.5 at 4"
                ]
            ])
        #expect(found.metadata == ["3 lat_seconds|help|s"])
    }

    @Test func summaries() throws {
        let found = try Self.write([
            try batch([
                (
                    "s", "", 11,
                    {
                        $0.message(1) {
                            $0.putFixed64(3, 5_000_000)
                            $0.putFixed64(4, 6)
                            $0.putDouble(5, 2)
                            $0.message(6) {
                                $0.putDouble(1, 0.99)
                                $0.putDouble(2, 4)
                            }
                        }
                    }
                )
            ])
        ])
        #expect(
            found.samples == [
                "s{job=shop,quantile=0.99}": [5: 4], "s_count{job=shop}": [5: 6], "s_sum{job=shop}": [5: 2],
            ])
    }

    private static func exponential(
        _ writer: inout ProtobufWriter, scale: UInt64, offset: UInt64, _ counts: [UInt64], negative: [UInt64] = []
    ) {
        cumulative(&writer)
        writer.message(1) {
            $0.putFixed64(3, 5_000_000)
            $0.putFixed64(4, 9)
            $0.putDouble(5, 2)
            $0.putVarint(6, scale)
            $0.putFixed64(7, 1)
            for (field, counts) in [(UInt32(8), counts), (9, negative)] {
                $0.message(field) {
                    $0.putVarint(1, offset)
                    $0.message(2) {
                        for count in counts {
                            $0.ensureCapacity(10)
                            $0.storeVarint(count)
                        }
                    }
                }
            }
        }
    }

    /// OTLP's bucket i of scale s is Prometheus' i + 1 of schema s; finer ones are joined.
    @Test func exponentialHistograms() throws {
        let found = try Self.write(
            [
                try batch([
                    // scale 2, offset -2
                    ("a", "", 10, { Self.exponential(&$0, scale: 4, offset: 3, [3, 0, 0, 1, 4], negative: [2]) }),
                    // scale 10, offset -3
                    ("b", "", 10, { Self.exponential(&$0, scale: 20, offset: 5, [1, 2, 3, 4, 5]) }),
                    // scale -5: Prometheus has none
                    ("c", "", 10, { Self.exponential(&$0, scale: 9, offset: 0, [1]) }),
                ])
            ], skipped: 1)
        var expected = Native(time: 5, schema: 2, count: 9, zeroCount: 1, zeroThreshold: 1e-128, sum: 2)
        expected.positive = [-1: 3, 2: 1, 3: 4]
        expected.negative = [-1: 2]
        #expect(found.natives["a{job=shop}"] == [expected])
        expected.schema = 8
        // -3, -2, -1 | 0, 1 by fours: -1, 0; one more for Prometheus.
        expected.positive = [0: 6, 1: 9]
        expected.negative = [:]
        #expect(found.natives["b{job=shop}"] == [expected])
        #expect(found.natives.count == 2)
    }

    @Test func deltasAreLeftOutAndCounted() throws {
        let found = try Self.write(
            [
                try batch([
                    (
                        "d", "", 7,
                        {
                            $0.putNumber(1, at: 1); $0.putVarint(2, 1)
                        }
                    ), ("ü", "", 5, { $0.putNumber(1, at: 1) }),
                    (
                        "h", "", 9,
                        {
                            $0.message(1) { $0.putFixed64(4, 1) }; $0.putVarint(2, 1)
                        }
                    ), ("ok", "", 5, { $0.putNumber(1, at: 1) }),
                ])
            ], skipped: 3)
        #expect(found.samples == ["ok{job=shop}": [1: 1]])
    }

    @Test func batchesShareSeriesInTheOrderOfTime() throws {
        func one(_ value: Double, at time: UInt64) throws -> Batch {
            try batch([("m", "", 5, { $0.putNumber(value, at: time) })])
        }
        let found = try Self.write([try one(3, at: 3), try one(1, at: 1), try one(2, at: 3), try one(4, at: 0)])
        // No time is now, 9 ms; of two at one moment the last counts.
        #expect(found.samples == ["m{job=shop}": [1: 1, 3: 2, 9: 4]])
    }
}
