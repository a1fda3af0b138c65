import Testing

@testable import Configuration

@Suite struct YAMLReaderTests {
    private func read(_ text: String) throws(YAMLReader.Problem) -> (root: YAMLNode?, problems: [YAMLReader.Problem]) {
        try YAMLReader.read(Array(text.utf8))
    }

    private func problem(_ text: String) -> String? {
        do {
            let problems = try read(text).problems
            return problems.first.map { "\($0.position.line):\($0.position.column): \($0.message)" }
        } catch {
            return "\(error.position.line):\(error.position.column): \(error.message)"
        }
    }

    /// The tree as JSON-like text; plain values in <>.
    private func show(_ node: YAMLNode?) -> String {
        guard let node else { return "nothing" }
        switch node.value {
        case .plain(let text): return "<\(text)>"
        case .quoted(let text): return "\"\(text)\""
        case .list(let elements): return "[" + elements.map(show).joined(separator: " ") + "]"
        case .mapping(let entries):
            return "{" + entries.map { "\($0.key): \(show($0.value))" }.joined(separator: " ") + "}"
        }
    }

    @Test(
        arguments: [
            ("", "nothing"), ("# nothing\n", "nothing"), ("---\n...\n", "<>"), ("a", "<a>"), ("'a'", "\"a\""),
            ("a: 1\nb: [x, 'y']\nc: {d: }\n", "{a: <1> b: [<x> \"y\"] c: {d: <>}}"),
            ("- a\n- - b\n", "[<a> [<b>]]"), ("a: |\n  x\n  y\n", "{a: \"x\ny\n\"}"),
            ("a: &x [1]\nb: *x\n", "{a: [<1>] b: [<1>]}"), ("\u{FEFF}a: b\n", "{a: <b>}"),
            ("a: !!str 5\nb: !!int 5\nc: ! 5\n", "{a: \"5\" b: <5> c: \"5\"}"), ("\"a b\": c\r\n", "{a b: <c>}"),
        ])
    func values(_ text: String, _ tree: String) throws {
        #expect(try show(read(text).root) == tree)
    }

    @Test func placesAreLinesAndColumns() throws {
        guard case .mapping(let entries) = try read("# ü\na: x\nbb:\n  ç: ü  # c\n  d: [1, 2]\n").root?.value,
            case .mapping(let inner) = entries[1].value.value, case .list(let elements) = inner[1].value.value
        else {
            Issue.record("another tree")
            return
        }
        #expect(entries[0].keyPosition == TextPosition(line: 2, column: 1))
        #expect(entries[0].value.position == TextPosition(line: 2, column: 4))
        #expect(inner[0].value.position == TextPosition(line: 4, column: 6))
        #expect(elements[1].position == TextPosition(line: 5, column: 10))
    }

    @Test(
        arguments: [
            ("a: 1\nb: 2\na: 3\n", "3:1: the key \"a\" stands twice; the first is at line 1"),
            ("? [x]\n: 1\n", "1:3: a key has to be a single value, not a list"),
            ("a: *x\n", "1:4: there is no anchor \"&x\" before this alias"),
            ("a: &x [*x]\n", "1:8: there is no anchor \"&x\" before this alias"),
            ("a: !thing 5\n", "1:4: the tag \"!thing\" has no meaning here"),
            ("a: 1\n---\nb: 2\n", "2:1: a second document begins here; the file may hold only one"),
            (
                "a: x: y\n",
                "1:5: this is no YAML: mapping values are not allowed in this context; put quotes around a value with \": \" in it"
            ),
            (
                "a:\n\tb: 1\n",
                "2:1: this is no YAML: found character that cannot start any token while scanning for the next token (from line 2); indent with spaces, not with tabs"
            ),
            (
                "a: @x\n",
                "1:4: this is no YAML: found character that cannot start any token while scanning for the next token (from line 1); put quotes around a value that begins with @"
            ),
            (
                "a: [1, 2\nb: 3\n",
                "2:2: this is no YAML: did not find expected ',' or ']' while parsing a flow sequence (from line 1)"
            ),
            ("ü: 1\nb: \u{1}\n", "2:4: this is no YAML: control characters are not allowed"),
        ])
    func problems(_ text: String, _ message: String) {
        #expect(problem(text) == message)
    }

    @Test func allKeysThatStandTwiceAreTold() throws {
        let problems = try read("a: 1\na: 2\nb: {c: 1, c: 2, c: 3}\n").problems
        #expect(problems.map(\.position.line) == [2, 3, 3])
    }

    @Test func whatIsNotUTF8IsTold() {
        do {
            _ = try YAMLReader.read(Array("a: ü\nbü: ".utf8) + [0xFF, 0x0A])
            Issue.record("read")
        } catch {
            #expect(error.position == TextPosition(line: 2, column: 5))
        }
    }

    @Test func theFileHasAtMostAMegabyte() throws {
        let fits = "a: " + String(repeating: "x", count: YAMLReader.textBytesMax - 3)
        #expect(try read(fits).root != nil)
        #expect(problem(fits + "x") == "1:1: the file has 1048577 bytes; at most 1048576 are read")
    }

    @Test func nestingIsBounded() throws {
        let deep =
            String(repeating: "[", count: YAMLReader.depthMax) + String(repeating: "]", count: YAMLReader.depthMax)
        #expect(try read(deep).root?.height == YAMLReader.depthMax)
        #expect(problem("[" + deep + "]") == "1:33: lists and mappings are more than 32 levels deep here")
        #expect(problem(String(repeating: "[", count: 1_000_000))?.hasPrefix("1:33: ") == true)
        #expect(problem(String(repeating: "- ", count: 500_000))?.hasPrefix("1:65: ") == true)
        // An alias brings its own levels along.
        let half = String(repeating: "[", count: 20) + String(repeating: "]", count: 20)
        #expect(
            problem("a: &a \(half)\nb: [[[[[[[[[[[[*a]]]]]]]]]]]]\n")
                == "2:16: lists and mappings are more than 32 levels deep here")
    }

    @Test func aliasesAreCountedWithWhatIsInThem() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(
            problem(bomb)?.contains("there are more than 20000 values up to here, each use of an alias counted") == true
        )
        // The same as a key, which others would hash.
        #expect(problem("? &a [x, x]\n: &b [*a, *a]\n? *b\n: 1\n")?.contains("a key has to be a single value") == true)
    }

    @Test func valuesAreCounted() {
        let many = String(repeating: "- x\n", count: YAMLReader.nodesMax)
        #expect(problem(many)?.contains("more than 20000 values") == true)
        #expect(problem(String(repeating: "- x\n", count: YAMLReader.nodesMax - 1)) == nil)
    }
}
