import Foundation
import Testing

@testable import Agent

@Suite struct CountersTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/specs/telemetry.md")

    @Test func everyCounterIsDescribedAndEveryDescribedCounterExists() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `sidelight_") }
        let described = rows.map { String($0.dropFirst(3).prefix { $0 != "`" }) }
        #expect(described == CounterName.allCases.map(\.rawValue))
    }

    @Test func everyCounterSaysWhatItIs() {
        for name in CounterName.allCases { #expect(name.help.hasSuffix("."), "\(name)") }
    }

    @Test func valuesAddUpByNameAndLabels() {
        var counters = Counters()
        counters.add(.exportDropped, ["exporter": "a", "signal": "traces", "reason": "refused"], 2)
        counters.add(.exportDropped, ["exporter": "a", "signal": "traces", "reason": "refused"], 3)
        counters.add(.exportDropped, ["exporter": "b", "signal": "traces", "reason": "refused"], 7)
        counters.add(.exportSent, ["exporter": "b", "signal": "traces"], 0)
        #expect(counters.sum(.exportDropped) == 12)
        #expect(counters.sum(.exportDropped, ["exporter": "a"]) == 5)
        #expect(
            counters.sorted.map { "\($0.key) \($0.value)" } == [
                #"sidelight_export_dropped_total{exporter="a",signal="traces",reason="refused"} 5"#,
                #"sidelight_export_dropped_total{exporter="b",signal="traces",reason="refused"} 7"#,
                // It has counted nothing yet, and is there.
                #"sidelight_export_sent_total{exporter="b",signal="traces"} 0"#,
            ])
    }
}
