import Testing

@testable import CodeCheck

struct ByteRulesTests {
    private func look(_ text: String, _ options: CodeCheckOptions = CodeCheckOptions()) -> [CodeFinding] {
        look(Array(text.utf8), options).findings
    }

    private func look(
        _ bytes: [UInt8], _ options: CodeCheckOptions = CodeCheckOptions()
    ) -> (findings: [CodeFinding], isText: Bool) {
        bytes.withUnsafeBytes { ByteRules.look(at: $0, options) }
    }

    private func rules(_ text: String) -> [String] { look(text).map(\.rule) }

    @Test func ordinaryTextHasNothing() {
        #expect(look("const a = 'ä, 漢字, 👩‍👩‍👧, ❤️, 1️⃣';\r\n\tf();\n").isEmpty)
        #expect(look("").isEmpty)
    }

    @Test(arguments: [0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069])
    func bidirectionalControlsAreErrors(code: UInt32) {
        let found = look("ab\(Character(Unicode.Scalar(code)!))c")
        #expect(found.map(\.rule) == ["bidi-control"])
        #expect(found[0].level == .error)
        #expect(found[0].from == CodePlace(line: 1, column: 3))
    }

    @Test func directionMarksAreWarnings() {
        #expect(look("a\u{200E}b").map(\.level) == [.warning])
    }

    @Test(arguments: [0x200B, 0x2060, 0x3164, 0xFFA0, 0x115F, 0xE0041, 0xE0101, 0x180E])
    func whatShowsNothingIsFound(code: UInt32) {
        #expect(rules("x\(String(Character(Unicode.Scalar(code)!)))y") == ["invisible-character"])
    }

    @Test func joinersBelongIntoSomeScripts() {
        #expect(rules("'می‌خواهم'").isEmpty)
        #expect(rules("'क्‍ष', 'ಮಾರ್ಚ್\u{200C}_'").isEmpty)
        #expect(rules("a\u{200D}b") == ["invisible-character"])
        #expect(rules("a\u{200C}") == ["invisible-character"])
    }

    @Test func aVariationSelectorBelongsBehindASymbol() {
        #expect(rules("'✔\u{FE0F}'").isEmpty)
        #expect(rules("'a\u{FE01}'") == ["invisible-character"])
    }

    @Test func controlCharactersAreFound() {
        #expect(rules("a\u{1B}[31m") == ["control-character"])
        #expect(rules("a\u{0}b") == ["control-character"])
        #expect(rules("a\u{85}") == ["control-character"])
        #expect(rules("a\u{2028}b") == ["control-character"])
    }

    @Test func linesAreThoseOfECMAScript() {
        let found = look("1\n2\r\n3\r4\u{2028}5\u{202E}")
        #expect(found.last?.from == CodePlace(line: 5, column: 2))
    }

    @Test func columnsAreUnitsOfUTF16() {
        #expect(look("'😀'\u{202E}")[0].from.column == 5)
    }

    @Test func aByteOrderMarkIsNotedAtTheStartAlone() {
        #expect(rules("\u{FEFF}a") == ["bom"])
        #expect(rules("a\u{FEFF}") == ["invisible-character"])
    }

    @Test(
        arguments: [
            [0x61, 0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80],
            [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3, 0x28], [0xFE, 0xFF, 0x00, 0x61], [0xFF, 0xFE, 0x61, 0x00],
        ] as [[UInt8]])
    func whatIsNoUTF8IsNoText(bytes: [UInt8]) {
        let (findings, isText) = look(bytes)
        #expect(!isText)
        #expect(findings.map(\.rule) == ["not-utf8"])
    }

    @Test func aLongLineIsToldOfOnce() {
        let line = String(repeating: "a", count: ByteRules.lineUnitsMax)
        #expect(rules(line).isEmpty)
        #expect(rules("\(line)b\n\(line)b") == ["long-line"])
    }

    @Test func aRuleTellsOfTwentyPlaces() {
        #expect(rules(String(repeating: "\u{202E}", count: 50)).count == ByteRules.eachMax)
    }

    @Test func aFileThatIsTooLargeIsNotLookedAt() {
        var options = CodeCheckOptions()
        options.fileBytesMax = 10
        #expect(look(Array("0123456789".utf8), options).isText)
        let (findings, isText) = look(Array("0123456789a".utf8), options)
        #expect(findings.map(\.rule) == ["file-too-large"])
        #expect(!isText)
    }

    @Test func anyBytesAreBorne() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...40)).map { _ in
                Bool.random()
                    ? UInt8.random(in: 0...255, using: &generator)
                    : [0xE2, 0x80, 0xAE, 0xF0, 0x9F, 0xFE][Int.random(in: 0...5)]
            }
            let (findings, isText) = look(bytes)
            #expect(
                isText == (String(validating: bytes, as: UTF8.self) != nil && !bytes.starts(with: [0xFF, 0xFE])),
                "\(bytes)")
            #expect(findings.allSatisfy { $0.from.line > 0 && $0.from.column > 0 })
        }
    }
}
