import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

/// Masks Swift values the obvious way. Texts go through the scanner, which has tests of its own.
private struct SlowRedactor {
    private let names = Set(
        SecretNames.wellKnown.map { $0.lowercased().filter { $0 != "-" && $0 != "_" } })
    private let scanner = SecretScanner(
        Set(SecretKind.allCases), names: SecretNames(SecretNames.wellKnownParameters))

    func text(_ text: String, isQuery: Bool = false) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { bytes in
            var position = 0
            var match = isQuery ? scanner.firstParameter(in: bytes) : nil
            if match == nil { match = scanner.first(in: bytes, from: 0) }
            while let found = match {
                result += bytes[position..<found.range.lowerBound]
                result += Array("***".utf8)
                position = found.range.upperBound
                match = scanner.first(in: bytes, from: position)
            }
            result += bytes[position...]
        }
        return String(decoding: result, as: UTF8.self)
    }

    func value(_ value: AttributeValue) -> AttributeValue {
        switch value {
        case .string(let text): .string(self.text(text))
        case .array(let elements): .array(elements.map { self.value($0) })
        case .map(let entries): .map(attributes(entries))
        default: value
        }
    }

    func attributes(_ attributes: Attributes) -> Attributes {
        attributes.map { attribute in
            var attribute = attribute
            let last = attribute.key.split(separator: ".", omittingEmptySubsequences: false).last ?? ""
            guard names.contains(last.lowercased().filter { $0 != "-" && $0 != "_" }) else {
                if attribute.key == "url.query", case .string(let text) = attribute.value {
                    attribute.value = .string(self.text(text, isQuery: true))
                } else {
                    attribute.value = value(attribute.value)
                }
                return attribute
            }
            switch attribute.value {
            case .empty, .bool, .string(""), .array([]): break
            case .array: attribute.value = .array(["***"])
            default: attribute.value = "***"
            }
            return attribute
        }
    }

    func redact(_ batch: inout Decoded) {
        batch.resource.attributes = attributes(batch.resource.attributes)
        batch.editAttributes { $0 = attributes($0) }
        for index in batch.spans.indices {
            batch.spans[index].name = text(batch.spans[index].name)
            batch.spans[index].status.message = text(batch.spans[index].status.message)
            for event in batch.spans[index].events.indices {
                batch.spans[index].events[event].name = text(batch.spans[index].events[event].name)
                batch.spans[index].events[event].attributes = attributes(batch.spans[index].events[event].attributes)
            }
            for link in batch.spans[index].links.indices {
                batch.spans[index].links[link].attributes = attributes(batch.spans[index].links[link].attributes)
            }
        }
        for index in batch.logs.indices { batch.logs[index].body = value(batch.logs[index].body) }
    }
}

@Suite struct RedactTests {
    private static func generator(_ seed: UInt64) -> Generator {
        var generator = Generator(seed: seed)
        generator.texts =
            SecretScannerTests.secrets.map { "see " + $0.text + ", twice: " + $0.text } + ["token=1&page=2"]
        generator.keys += ["db.password", "token", "http.request.header.authorization", "url.query", "apiKey"]
        return generator
    }

    @Test(arguments: 0..<6 as Range<UInt64>, Signal.allCases)
    func isWhatEditingValuesGives(seed: UInt64, signal: Signal) throws {
        var generator = Self.generator(seed)
        let chain = chain(.redact())
        for round in 0..<150 {
            let batch = generator.batch(signal)
            guard !batch.isEmpty else { continue }
            var expected = try Decoded(batch)
            SlowRedactor().redact(&expected)
            let (result, dropped) = chain.run(batch)
            #expect(dropped == [])
            let redacted = try #require(result)
            try redacted.checkIndex()
            #expect(try Decoded(redacted) == expected, "seed \(seed), round \(round)")
            let again = chain.run(redacted).batch
            #expect(again?.bytes == redacted.bytes, "masked twice: seed \(seed), round \(round)")
        }
        #expect(chain.counts.read()[0].counts.isBalanced)
    }

    @Test func whatHoldsNoSecretIsNotCopied() throws {
        var generator = Generator(seed: 3)
        generator.keys = ["a", "b", "http.route"]
        let chain = chain(.redact())
        for signal in Signal.allCases {
            let batch = generator.batch(signal, items: 40)
            let result = try #require(chain.run(batch).batch)
            let before = batch.bytes.withUnsafeBytes { $0.baseAddress }
            let after = result.bytes.withUnsafeBytes { $0.baseAddress }
            #expect(before == after)
        }
    }

    @Test func itemsWithoutASecretKeepTheirBytes() throws {
        var builder = BatchBuilder(signal: .traces, resource: Resource())
        var generator = Generator(seed: 9)
        generator.keys = ["a", "b"]
        var frames: [[UInt8]] = []
        for index in 0..<20 {
            var span = generator.span()
            if index % 5 == 2 { span.attributes.append(Attribute("password", "hunter2")) }
            builder.append(span)
        }
        let batch = builder.take()
        for item in batch.items { frames.append(Array(batch.bytes[Int(item.offset)..<Int(item.offset + item.length)])) }
        let result = try #require(chain(.redact()).run(batch).batch)
        for (index, item) in result.items.enumerated() {
            let frame = Array(result.bytes[Int(item.offset)..<Int(item.offset + item.length)])
            #expect((frame == frames[index]) == (index % 5 != 2))
            #expect(!frame.contains("hunter2"))
        }
    }

    @Test func redactionsAreCountedByKind() throws {
        let batch = oneSpan {
            $0.attributes = [
                Attribute("password", "x"), Attribute("note", "a@b.cd and c@d.ef"),
                Attribute("secret", .array(["a", "b"])),
            ]
            $0.status.message = "card 4111111111111111"
        }
        let chain = chain(.redact())
        let span = try #require(chain.run(batch).batch).span(at: 0)
        #expect(
            span.attributes == [
                Attribute("password", "***"), Attribute("note", "*** and ***"), Attribute("secret", .array(["***"])),
            ])
        #expect(span.status.message == "card ***")
        #expect(chain.counts.read()[0].counts.details == ["key": 2, "email": 2, "card": 1])
    }

    /// A log record's text, what is in a structured body, and attributes.
    @Test func bodiesOfLogsAreMasked() throws {
        let body = AttributeValue.map([
            Attribute("msg", "login of a@b.cd"), Attribute("password", "hunter2"), Attribute("n", 5),
            Attribute("headers", .array([.map([Attribute("Authorization", "Basic abc")]), "Bearer hunter2hunter2"])),
        ])
        let records = [
            record("GET https://x.example/?token=hunter2&a=1 by a@b.cd, Authorization: Bearer hunter2hunter2"),
            record(body),
            record("nothing") { $0.attributes = [Attribute("db.password", "hunter2"), Attribute("a", 1)] },
        ]
        let chain = chain(.redact())
        let result = try #require(chain.run(logs(records)).batch)
        try result.checkIndex()
        #expect(!result.bytes.contains("hunter2") && !result.bytes.contains("a@b.cd"))
        #expect(
            try result.logRecord(at: 0).body == "GET https://x.example/?token=***&a=1 by ***, Authorization: Bearer ***"
        )
        #expect(
            try result.logRecord(at: 1).body
                == .map([
                    Attribute("msg", "login of ***"), Attribute("password", "***"), Attribute("n", 5),
                    Attribute("headers", .array([.map([Attribute("Authorization", "***")]), "Bearer ***"])),
                ]))
        #expect(try result.logRecord(at: 2).attributes == [Attribute("db.password", "***"), Attribute("a", 1)])
        // What the agent masks without being asked: names, also in a body; of texts nothing is known.
        var names = Redaction()
        names.patterns = []
        let plain = try #require(ProcessorChain([("it", .redact(names))]).run(logs(records)).batch)
        #expect(plain.bytes.contains("by a@b.cd") && !plain.bytes.contains("Basic abc"))
    }

    @Test func optionsChooseWhatIsMasked() throws {
        var options = Redaction()
        options.masksWellKnownKeys = false
        options.keys = ["ssn"]
        options.patterns = [.card]
        options.replacement = "[gone]"
        let batch = oneSpan {
            $0.attributes = [
                Attribute("password", "x"), Attribute("user.ssn", 5), Attribute("note", "a@b.cd 4111111111111111"),
            ]
        }
        let span = try #require(chain(.redact(options)).run(batch).batch).span(at: 0)
        #expect(
            span.attributes == [
                Attribute("password", "x"), Attribute("user.ssn", "[gone]"), Attribute("note", "a@b.cd [gone]"),
            ])
    }

    /// Readers disagree on which of two keys or values counts: all are masked.
    @Test func secretsDoNotHideBehindUnusualEncodings() throws {
        func item(_ attribute: (inout ProtobufWriter) -> Void) -> Batch {
            var batch = oneSpan { _ in }
            var writer = ProtobufWriter()
            writer.message(2) { span in
                span.putBytes(1, [UInt8](repeating: 1, count: 16))
                span.putBytes(2, [UInt8](repeating: 1, count: 8))
                span.message(9, attribute)
            }
            batch.bytes = writer.takeBytes()
            batch.items[0].length = UInt32(batch.bytes.count)
            return batch
        }
        let encodings: [(inout ProtobufWriter) -> Void] = [
            {
                $0.message(2) { $0.putString(1, "hunter2") }; $0.putString(1, "password")
            },
            {
                $0.putString(1, "password"); $0.putString(1, "other"); $0.message(2) { $0.putString(1, "hunter2") }
            },
            {
                $0.putString(1, "other"); $0.putString(1, "password"); $0.message(2) { $0.putString(1, "hunter2") }
            },
            {
                $0.putString(1, "password"); $0.message(2) { $0.putString(1, "hunter2") };
                $0.message(2) { $0.putString(1, "hunter2") }
            },
            {
                $0.putString(1, "password");
                $0.message(2) {
                    $0.putString(1, "hunter2"); $0.putVarint(2, 1)
                }
            },
            {
                $0.putString(1, "x");
                $0.message(2) {
                    $0.putString(1, "Bearer hunter2hunter2"); $0.putVarint(2, 1)
                }
            },
            {
                $0.putString(1, "x"); $0.message(2) { $0.putString(1, "Bearer hunter2hunter2") };
                $0.message(2) { $0.putString(1, "y") }
            },
            {
                $0.putVarint(7, 1); $0.putString(1, "password"); $0.message(2) { $0.putString(1, "hunter2") }
            },
        ]
        for (index, encoding) in encodings.enumerated() {
            let result = try #require(chain(.redact()).run(item(encoding)).batch, "\(index)")
            #expect(!result.bytes.contains("hunter2"), "\(index)")
        }
    }

    @Test func malformedItemsAreDroppedAndCounted() throws {
        var builder = BatchBuilder(signal: .traces, resource: Resource())
        for _ in 0..<3 {
            builder.append(
                SpanData(
                    context: SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3)), name: "n", startTime: 1,
                    endTime: 2,
                    attributes: [Attribute("k", "hunter2")]))
        }
        var batch = builder.take()
        // The key's length goes beyond its attribute.
        let position = try #require(batch.bytes.firstIndex(of: 0x6B)) + Int(batch.items[1].offset)
        batch.bytes[position - 1] = 0x7F
        let chain = chain(.redact())
        let (result, dropped) = chain.run(batch)
        #expect(
            dropped == [
                DroppedItems(
                    processor: "it", reason: .malformed, rule: "", signal: .traces, items: 1,
                    bytes: Int(batch.items[1].length))
            ])
        let rest = try #require(result)
        try rest.checkIndex()
        #expect(rest.items.count == 2)
        #expect(chain.counts.read()[0].counts.isBalanced)
    }

    @Test func depthIsBounded() throws {
        for depth in [30, 31, 32, 200] {
            var value = AttributeValue.string("a@b.cd")
            for level in 0..<depth { value = level % 2 == 0 ? .array([value]) : .map([Attribute("k", value)]) }
            let batch = oneSpan { $0.attributes = [Attribute("k", value)] }
            let (result, dropped) = chain(.redact()).run(batch)
            if depth < 32 {
                #expect(try #require(result).bytes.contains("***"))
            } else {
                #expect(result == nil)
                #expect(dropped.map(\.reason) == [.malformed])
            }
        }
    }
}

extension [UInt8] {
    func contains(_ text: String) -> Bool {
        let text = Array(text.utf8)
        return indices.contains { self[$0...].starts(with: text) }
    }
}
