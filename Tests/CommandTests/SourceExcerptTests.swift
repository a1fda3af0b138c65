import CodeCheck
import Testing

@testable import sidelight

struct SourceExcerptTests {
    private func show(_ source: String, _ line: Int, _ from: Int, _ to: Int) -> [String] {
        let finding = CodeFinding(
            "r", .error, from: CodePlace(line: line, column: from), to: CodePlace(line: line, column: to), "m")
        return SourceExcerpt(Array(source.utf8)).lines(of: finding).map { [$0.text, $0.mark] } ?? []
    }

    @Test func thePlaceIsUnderlined() {
        #expect(show("a\r\nlet x = eval(y);", 2, 9, 16) == ["let x = eval(y);", "        ^~~~~~~"])
    }

    @Test func wideCharactersAndTabsKeepTheMarkInItsPlace() {
        #expect(show("\t漢eval", 1, 3, 7) == ["  漢eval", "    ^~~~"])
        #expect(show("😀eval", 1, 3, 7) == ["😀eval", "  ^~~~"])
    }

    @Test func whatATerminalWouldObeyIsEscaped() {
        let lines = show("'\u{1B}[2J\u{202E}' + x", 1, 1, 3)
        #expect(lines[0] == "'\\e[2J\\u{202e}' + x")
    }

    @Test func aLongLineIsCutAroundThePlace() {
        let lines = show(String(repeating: "a", count: 500) + "EVIL" + String(repeating: "b", count: 500), 1, 501, 505)
        #expect(lines[0].hasPrefix("…a") && lines[0].hasSuffix("b…") && lines[0].count < 120)
        #expect(lines[0].contains("EVIL"))
    }

    @Test func aPlaceThatIsNotThereIsNotShown() {
        #expect(show("a", 7, 1, 2) == [])
        #expect(show("a", 1, 90, 80) == ["a", " ^"])
    }

    @Test func linesAreThoseOfECMAScript() { #expect(show("1\r2\u{2028}3", 3, 1, 2)[0] == "3") }
}
