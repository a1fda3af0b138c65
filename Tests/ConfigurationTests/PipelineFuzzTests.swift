import Foundation
import Testing

@testable import Configuration

/// Files that nobody meant: the loader answers, within its bounds, and never traps.
@Suite struct PipelineFuzzTests {
    /// SplitMix64, so that a failure can be run again by its seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }

    private static let pieces = [
        "*a", "&a ", "- ", "? ", ": ", "{", "}", "[", "]", ",", "\n", "  ", "\t", "'", "\"", "|\n", ">\n", "#",
        "!!str ", "!x ",
        "---\n", "...\n", "%YAML 1.2\n", "<<: *a\n", "${", "${A}", "${A:-", "$$", "}", "null", "~", "true", "-1",
        "1e999",
        "99999999999999999999", "64MB", "0", "a/b", "..", "/", "\u{0}", "\u{1}", "\u{7F}", "\u{FEFF}", "\u{2028}", "ü",
        "😀",
        "file", "off", "*", "kind: otlp\n", "url: http://x\n", "otlp-http", "traces", "receivers", "queue: {}",
        "exporters:\n",
        String(repeating: "[", count: 40), String(repeating: "x", count: 300),
    ].map { Array($0.utf8) }

    private static func mutated(_ base: [UInt8], _ generator: inout Generator) -> [UInt8] {
        var bytes = base
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes.insert(contentsOf: pieces.randomElement(using: &generator)!, at: place)
            case 1: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &generator) }
            case 2:
                let end = min(bytes.count, place + Int.random(in: 1...40, using: &generator))
                bytes.removeSubrange(place..<end)
            case 3:
                // A line to somewhere else.
                let end = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
                bytes.insert(
                    contentsOf: bytes[place..<end] + [0x0A], at: Int.random(in: 0...bytes.count, using: &generator))
            case 4: bytes.removeSubrange(place...)
            default:
                if let line = bytes[place...].firstIndex(of: 0x0A) {
                    bytes.insert(
                        contentsOf: repeatElement(0x20, count: Int.random(in: 1...6, using: &generator)), at: line + 1)
                }
            }
        }
        return bytes
    }

    private func load(_ bytes: [UInt8]) -> Result<Configured<PipelineConfiguration.Loaded>, ConfigurationErrors> {
        PipelineConfiguration.load(
            FlagValues(), environment: ["A": "*a [{"], file: PipelineConfiguration.File(name: "f", bytes: bytes)
        ) { _ in .bytes([0x78]) }
    }

    /// What has to be true of every answer.
    private func check(_ bytes: [UInt8], seed: UInt64) {
        switch load(bytes) {
        case .success(let configured):
            // What was taken can be printed, and is taken again.
            let printed = configured.value.effective.yaml()
            if case .failure(let errors) = load(Array(printed.utf8)) {
                Issue.record("seed \(seed): \(errors)\n\(String(decoding: bytes, as: UTF8.self))\n--\n\(printed)")
            }
        case .failure(let errors):
            #expect(!errors.problems.isEmpty, "seed \(seed)")
            #expect(errors.problems.count <= FileLoading.problemsMax + 50, "seed \(seed)")
            let lines =
                bytes.count { $0 == 0x0A || $0 == 0x0D } + 2
                + String(decoding: bytes, as: UTF8.self).count { $0.isNewline }
            for position in errors.problems.compactMap(\.position) {
                #expect(
                    position.line >= 1 && position.column >= 1 && position.line <= lines, "seed \(seed): \(position)")
            }
        }
    }

    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "examples/agent/sidelight.yaml")

    /// SIDELIGHT_FUZZ_ROUNDS makes it longer.
    private static var rounds: UInt64 {
        ProcessInfo.processInfo.environment["SIDELIGHT_FUZZ_ROUNDS"].flatMap { UInt64($0) } ?? 400
    }

    @Test func mutationsOfTheExampleGetAnAnswer() throws {
        let base = Array(try String(contentsOf: Self.example, encoding: .utf8).utf8)
        let start = UInt64.random(in: 0...1 << 40)
        for seed in start..<start + Self.rounds {
            var generator = Generator(state: seed)
            check(Self.mutated(base, &generator), seed: seed)
        }
    }

    @Test func heapsOfPiecesGetAnAnswer() {
        let start = UInt64.random(in: 0...1 << 40)
        for seed in start..<start + Self.rounds * 4 {
            var generator = Generator(state: seed)
            let count = Int.random(in: 0...60, using: &generator)
            let bytes = (0..<count).flatMap { _ in Self.pieces.randomElement(using: &generator)! }
            check(bytes, seed: seed)
        }
    }

    private static func lines(_ count: Int, _ line: (Int) -> String) -> String { (0..<count).map(line).joined() }

    private static func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }

    private static let bombs: [String] = [
        "a: &a [x,x,x,x,x,x,x,x,x]\n" + times(30, "b: &a [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"),
        "? &a [x]\n: &b {? *a : *a}\n? {? *b : *b}\n: *b\n",
        times(100_000, "{a: "), times(900_000, "["), times(400_000, "- "), times(400_000, "? "),
        times(1_000_000, " ") + "a: b", times(1_000_000, "a"), lines(100_000) { "k\($0): x\n" },
        "service: \"" + times(200_000, "${A}") + "\"", "service: |\n" + times(200_000, "  x\n"), times(1_000_000, "\n"),
        times(500_000, "#\n"), times(1_000_000, "'"),
        "exporters: {" + lines(5_000) { "e\($0): {kind: otlp, url: 'http://x', nope: 1}, " } + "}",
        "a: " + times(300_000, "&a "), times(500_000, "!<"), times(100_000, "%TAG ! x\n"),
    ]

    /// Each would take hours, or all memory, without the bounds.
    @Test(arguments: bombs.indices)
    func bombsAreRefused(_ index: Int) {
        let text = Self.bombs[index]
        guard case .failure(let errors) = load(Array(text.utf8)) else {
            // Long, but nothing to object to.
            #expect(text.hasPrefix("\n") || text.hasPrefix("#") || text.hasPrefix("service: |"))
            return
        }
        #expect(errors.problems.count <= FileLoading.problemsMax + 1)
    }
}
