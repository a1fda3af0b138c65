import Telemetry
import Testing
import Wire

@testable import Exposition

/// A message as its fields, by number; nested ones are read on demand.
struct Message {
    enum Value {
        case varint(UInt64)
        case fixed(UInt64)
        case bytes([UInt8])
    }

    var fields: [UInt32: [Value]] = [:]

    init(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes {
            var reader = ProtobufReader($0)
            while let field = try reader.next() {
                switch field.type {
                case .varint: fields[field.number, default: []].append(.varint(try reader.varint()))
                case .fixed64: fields[field.number, default: []].append(.fixed(try reader.fixed64()))
                case .lengthDelimited: fields[field.number, default: []].append(.bytes(Array(try reader.bytes())))
                case .fixed32: Issue.record("32 bits")
                }
            }
        }
    }

    func messages(_ field: UInt32) throws -> [Message] {
        try (fields[field] ?? []).map { if case .bytes(let bytes) = $0 { try Message(bytes) } else { fatalError() } }
    }

    func text(_ field: UInt32) -> String? {
        if case .bytes(let bytes)? = fields[field]?.first { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    func number(_ field: UInt32) -> UInt64? {
        if case .varint(let number)? = fields[field]?.first { number } else { nil }
    }

    func double(_ field: UInt32) -> Double? {
        if case .fixed(let bits)? = fields[field]?.first { Double(bitPattern: bits) } else { nil }
    }

    var labels: [String: String] {
        get throws { Dictionary(uniqueKeysWithValues: try messages(1).map { ($0.text(1) ?? "", $0.text(2) ?? "") }) }
    }

    func packed(_ field: UInt32) throws -> [Int64] {
        var found: [Int64] = []
        for case .bytes(let bytes) in fields[field] ?? [] {
            try bytes.withUnsafeBytes {
                var reader = ProtobufReader($0)
                while !reader.isAtEnd {
                    let bits = try reader.varint()
                    found.append(Int64(bits >> 1) ^ -Int64(bits & 1))
                }
            }
        }
        return found
    }
}

/// The families of a page, by their names.
func families(_ page: [UInt8]) throws -> [String: Message] {
    var found: [String: Message] = [:]
    try page.withUnsafeBytes {
        var reader = ProtobufReader($0)
        while !reader.isAtEnd {
            let family = try Message(Array(try reader.bytes()))
            #expect(found.updateValue(family, forKey: family.text(1)!) == nil)
        }
    }
    return found
}

@Suite struct ProtobufTests {
    private func page(_ metrics: [UInt8]..., isUTF8: Bool = false) throws -> [String: Message] {
        var table = table()
        table.take(Sender().batch(metrics), source: .received, now: 0)
        table.sweep(now: 0)
        return try families(table.page(ExpositionFormat(.protobuf, isUTF8: isUTF8)))
    }

    @Test func everyKind() throws {
        let found = try page(
            metric(
                "temp", .gauge, [TestPoint(value: 21.5, attributes: [Attribute("k", "a\"b\\n\nc")])], unit: "Cel",
                help: "h\n"),
            metric("hits", .sum, [TestPoint(value: 7, exemplars: [(1, 1_500_000_000)])]),
            metric(
                "lat", .histogram, [TestPoint(exemplars: [(3, 1)], bounds: [5, 250], counts: [1, 2, 3], sum: 42.5)]),
            metric("took", .summary, [TestPoint(sum: 42, quantiles: [(0.5, 3)], count: 6)]))
        #expect(Set(found.keys) == ["temp_celsius", "hits_total", "lat", "took", "target_info"])
        let temp = found["temp_celsius"]!
        #expect(temp.text(2) == "h\n" && temp.number(3) == 1 && temp.text(5) == "celsius")
        let gauge = try temp.messages(4)[0]
        #expect(
            try gauge.labels == ["k": "a\"b\\n\nc", "job": "eu/shop", "instance": "i-1", "otel_scope_name": "cart"])
        #expect(try gauge.messages(2)[0].double(1) == 21.5)
        let counter = try found["hits_total"]!.messages(4)[0].messages(3)[0]
        #expect(found["hits_total"]!.number(3) == 0 && counter.double(1) == 7)
        let exemplar = try counter.messages(2)[0]
        #expect(try exemplar.labels["trace_id"] == String(repeating: "01", count: 16) && exemplar.double(2) == 1)
        #expect(try exemplar.messages(3)[0].number(1) == 1 && counter.messages(3)[0].number(1) == 1)
        let histogram = try found["lat"]!.messages(4)[0].messages(7)[0]
        #expect(found["lat"]!.number(3) == 4 && histogram.number(1) == 6 && histogram.double(2) == 42.5)
        #expect(try histogram.messages(3).map { $0.number(1) } == [1, 3, 6])
        #expect(try histogram.messages(3).map { $0.double(2) } == [5, 250, .infinity])
        #expect(try histogram.messages(3)[0].messages(3).count == 1)
        let summary = try found["took"]!.messages(4)[0].messages(4)[0]
        #expect(found["took"]!.number(3) == 2 && summary.number(1) == 6)
        #expect(try summary.messages(3)[0].double(1) == 0.5)
    }

    @Test func exponentialHistogramsAreNative() throws {
        var point = TestPoint(sum: 30, scale: 0, count: 99)
        point.zeroCount = 1
        point.positive = Prometheus.Buckets(offset: 0, counts: [2, 3, 1, 0, 2])
        point.negative = Prometheus.Buckets(offset: -1, counts: [1])
        let histogram = try page(metric("size", .exponential, [point]))["size"]!.messages(4)[0].messages(7)[0]
        // What the buckets hold, whatever the sender says.
        #expect(histogram.number(1) == 10 && histogram.number(5) == 0 && histogram.number(7) == 1)
        #expect(histogram.double(6) == 0x1p-128 && histogram.fields[3] == nil)
        func spans(_ field: UInt32) throws -> [[UInt64?]] {
            try histogram.messages(field).map { [$0.number(1), $0.number(2)] }
        }
        // Offsets are zigzag.
        #expect(try spans(12) == [[2, 3], [2, 1]] && spans(9) == [[0, 1]])
        #expect(try histogram.packed(13) == [2, 1, -2, 1] && histogram.packed(10) == [1])
    }

    @Test func scalesThatPrometheusHasNotBecomeSuchThatItHas() throws {
        var point = TestPoint(scale: 10)
        point.positive = Prometheus.Buckets(offset: 0, counts: [1, 1, 1, 1, 1])
        let fine = try page(metric("size", .exponential, [point]))["size"]!.messages(4)[0].messages(7)[0]
        #expect(fine.number(5) == 16 && fine.number(1) == 5)
        point.scale = -6
        let coarse = try page(metric("size", .exponential, [point]))["size"]!.messages(4)[0].messages(7)[0]
        #expect(coarse.number(5) == nil && coarse.fields[3] != nil)
    }

    @Test func namesInUTF8() throws {
        let found = try page(metric("a.\"b\"", .sum, [TestPoint(attributes: [Attribute("k.l", "v")])]), isUTF8: true)
        #expect(try found["a.\"b\"_total"]!.messages(4)[0].labels["k.l"] == "v")
        #expect(found["target_info"] != nil)
    }
}
