import Telemetry
import Testing
import Wire

@testable import Exposition

/// What Prometheus' parsers take, and no more: the grammar, every name of one family in one piece, each series once.
private struct StrictPage {
    var families: [String: String] = [:]
    var series: Set<String> = []
    var samples = 0

    init(_ page: [UInt8], _ format: ExpositionFormat) throws {
        let text = try #require(String(validating: page, as: UTF8.self), "not UTF-8")
        #expect(!page.contains(0))
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.removeLast().isEmpty)
        if format.kind == .openMetrics { #expect(lines.removeLast() == "# EOF") }
        var current = ""
        for line in lines {
            if line.hasPrefix("# TYPE ") {
                var scanner = Scanner(line.dropFirst(7))
                current = try scanner.isNext("\"") ? scanner.quoted() : scanner.name()
                let type = String(scanner.rest.dropFirst())
                #expect(["counter", "gauge", "histogram", "summary", "info"].contains(type))
                #expect(families.updateValue(type, forKey: current) == nil, "\(current) stands twice")
            } else if line.hasPrefix("# HELP ") || line.hasPrefix("# UNIT ") {
                continue
            } else {
                try sample(line, current)
            }
        }
    }

    private mutating func sample(_ line: Substring, _ family: String) throws {
        var scanner = Scanner(line)
        var name = ""
        var labels: [String: String] = [:]
        if !scanner.isNext("{") { name = try scanner.name() }
        if scanner.isNext("{") {
            scanner.skip()
            while !scanner.isNext("}") {
                let key = try scanner.isNext("\"") ? scanner.quoted() : scanner.name()
                if scanner.isNext("=") {
                    scanner.skip()
                    #expect(labels.updateValue(try scanner.quoted(), forKey: key) == nil, "\(key) stands twice")
                } else {
                    #expect(name.isEmpty)
                    name = key
                }
                if scanner.isNext(",") { scanner.skip() }
            }
            scanner.skip()
        }
        #expect(!name.isEmpty && name.hasPrefix(family), "\(name) among \(family)")
        #expect(labels.keys.allSatisfy { !$0.hasPrefix("__") })
        let key = name + labels.sorted { $0.key < $1.key }.map { "\u{1}\($0.key)\u{2}\($0.value)" }.joined()
        #expect(series.insert(key).inserted, "\(line) stands twice")
        #expect(scanner.isNext(" "))
        let number = scanner.rest.dropFirst().prefix { $0 != " " }
        #expect(["NaN", "+Inf", "-Inf"].contains(number) || Double(number) != nil, "\(line)")
        samples += 1
    }

    struct Scanner {
        var rest: Substring
        init(_ line: Substring) { rest = line }
        struct Broken: Error { let rest: String }
        func isNext(_ character: Unicode.Scalar) -> Bool { rest.unicodeScalars.first == character }
        mutating func skip() { rest.unicodeScalars.removeFirst() }

        mutating func name() throws -> String {
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
            guard let first = name.first, !first.isNumber else { throw Broken(rest: String(rest)) }
            rest = rest.dropFirst(name.count)
            return String(name)
        }

        mutating func quoted() throws -> String {
            guard isNext("\"") else { throw Broken(rest: String(rest)) }
            skip()
            var text = ""
            while let scalar = rest.unicodeScalars.first, scalar != "\"" {
                skip()
                guard scalar == "\\" else {
                    text.unicodeScalars.append(scalar)
                    continue
                }
                guard let escaped = rest.unicodeScalars.first, ["n", "\"", "\\"].contains(escaped) else {
                    throw Broken(rest: String(rest))
                }
                text += escaped == "n" ? "\n" : String(escaped)
                skip()
            }
            guard isNext("\"") else { throw Broken(rest: String(rest)) }
            skip()
            return text
        }
    }
}

private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

@Suite struct HostileTests {
    private static let texts = [
        "", "a", "a.b", "a_b", "a__b", "_", "__name__", "le", "quantile", "job", "instance", "exported_le", "2xx", "ü",
        "日本", "a\"", "a\\",
        "a\nb", "\u{0}", "x\u{0}", "a_total", "a_count", "a_sum", "a_bucket", "a_created", "target", "target_info",
        "total", "otel_scope_name",
        "{}", "a}", "a=\"b\",c", "# TYPE a counter", "\u{FEFF}", "\u{2028}", "e\u{301}", "a:b", ":", "-1", " ",
    ]
    private static let units = ["", "1", "s", "By", "By/s", "{thing}", "\n", "\"", "a_b", "total", "%", "m/\u{0}"]
    private static let numbers: [Double] = [
        0, -0.0, 1, -1, 0.5, .infinity, -.infinity, .nan, 1e300, .leastNonzeroMagnitude, 3, 2,
    ]

    private func point(_ random: inout Random) -> TestPoint {
        func number() -> Double { Self.numbers.randomElement(using: &random)! }
        func count() -> UInt64 { [0, 1, 2, 1_000, .max, 1 << 53].randomElement(using: &random)! }
        var point = TestPoint(value: number(), time: UInt64.random(in: 0...5, using: &random), start: count())
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            point.attributes.append(
                Attribute(Self.texts.randomElement(using: &random)!, .string(Self.texts.randomElement(using: &random)!))
            )
        }
        if Bool.random(using: &random) { point.bounds = [1, 2, 3] }
        point.counts = (0...point.bounds.count).map { _ in count() }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: point.bounds.append(number())
        case 1: point.counts.append(count())
        case 2: point.flags = 1
        default: break
        }
        point.sum = number()
        point.scale = [-40, -20, -4, 0, 1, 8, 20, 32, .max, .min].randomElement(using: &random)!
        point.zeroCount = count()
        func buckets() -> Prometheus.Buckets {
            Prometheus.Buckets(
                offset: [0, 1, -1, .max, .min, 1_000, -5_000].randomElement(using: &random)!,
                counts: (0..<Int.random(in: 0...400, using: &random)).map { _ in count() })
        }
        (point.positive, point.negative) = (buckets(), buckets())
        point.quantiles = (0..<3).map { _ in ([0, 0.5, 1, 1, 2, .nan, -0.0].randomElement(using: &random)!, number()) }
        point.exemplars = [(number(), count())]
        return point
    }

    /// Names, labels and values that were chosen to hurt, of several senders: every page is one that Prometheus takes.
    @Test func everyPageCanBeParsed() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Random(state: seed)
        var limits = ExpositionLimits()
        (limits.seriesMax, limits.metricSeriesMax, limits.metricsMax, limits.targetsMax) = (300, 100, 60, 6)
        limits.ownMax = 0
        var table = table(limits)
        let formats = [
            ExpositionFormat(.text), ExpositionFormat(.openMetrics, hasCreated: true),
            ExpositionFormat(.openMetrics, isUTF8: true), ExpositionFormat(.text, isUTF8: true),
        ]
        var samples = 0
        for round in 0..<300 {
            let now = UInt64(round) * 5_000_000_000
            var metrics: [[UInt8]] = []
            for _ in 0..<8 {
                let kind = [TestKind.gauge, .sum, .histogram, .exponential, .summary].randomElement(using: &random)!
                metrics.append(
                    metric(
                        Self.texts.randomElement(using: &random)! + Self.texts.randomElement(using: &random)!, kind,
                        (0..<3).map { _ in point(&random) }, unit: Self.units.randomElement(using: &random)!,
                        help: Self.texts.randomElement(using: &random)!, isMonotonic: Bool.random(using: &random),
                        temporality: UInt64.random(in: 0...3, using: &random)))
            }
            var sender = Sender()
            sender.resource = Resource(
                attributes: (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    Attribute(
                        (["service.name", "service.instance.id"] + Self.texts).randomElement(using: &random)!,
                        .string(Self.texts.randomElement(using: &random)!))
                })
            sender.scope = InstrumentationScope(name: Self.texts.randomElement(using: &random)!)
            let source: [MetricSource] = [
                .received, .received, .own("a"), .own("b"), .isolate(UInt64.random(in: 0...2, using: &random)),
            ]
            var batch = sender.batch(metrics)
            if round % 10 == 9 {
                for _ in 0..<20 {
                    batch.bytes[Int.random(in: 0..<batch.bytes.count, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
            }
            table.take(batch, source: source.randomElement(using: &random)!, now: now)
            if round % 20 == 0 { table.ended(isolate: UInt64.random(in: 0...2, using: &random)) }
            guard round % 5 == 0 else { continue }
            table.sweep(now: now)
            for format in formats {
                do {
                    samples += try StrictPage(table.page(format), format).samples
                } catch {
                    Issue.record("\(error), seed \(seed)")
                }
            }
            _ = try families(table.page(ExpositionFormat(.protobuf)))
            #expect(table.seriesCount <= 300 && table.families.count <= 60 && table.targets.count <= 6)
        }
        #expect(samples > 10_000, "seed \(seed)")
    }
}
