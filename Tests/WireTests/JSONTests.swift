import Testing
import Wire

@Suite struct JSONTests {
    private func json(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return writer.text
    }

    @Test func commasComeByThemselves() {
        let text = json { json in
            json.object { json in
                json.name("a")
                json.array { json in
                    json.integer(1)
                    json.array { _ in }
                    json.object { _ in }
                    json.null()
                }
                json.name("b")
                json.bool(true)
            }
        }
        #expect(text == #"{"a":[1,[],{},null],"b":true}"#)
    }

    @Test func stringsAreEscaped() {
        let expected = #""a\"\\\n\r\t\u0000\u001f"# + "\u{7F}/é\u{2028}🚀\""
        #expect(json { $0.string("a\"\\\n\r\t\u{0}\u{1F}\u{7F}/é\u{2028}🚀") } == expected)
        #expect(json { $0.string("") } == #""""#)
    }

    @Test func invalidUTF8IsReplaced() {
        let bytes: [UInt8] = [0x61, 0xFF, 0x62]
        #expect(json { json in bytes.withUnsafeBytes { json.string(utf8: $0) } } == "\"a\u{FFFD}b\"")
    }

    @Test(arguments: [
        (0.1, "0.1"), (-0.0, "-0.0"), (1e300, "1e+300"), (.leastNonzeroMagnitude, "5e-324"), (.nan, "\"NaN\""),
        (.infinity, "\"Infinity\""), (-.infinity, "\"-Infinity\""),
    ])
    func doublesAreTheShortestThatComeBack(value: Double, text: String) {
        #expect(json { $0.double(value) } == text)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ])
    func base64IsThatOfTheRFC(text: String, expected: String) {
        #expect(json { json in Array(text.utf8).withUnsafeBytes { json.base64($0) } } == "\"\(expected)\"")
    }

    @Test func readerReadsWhatTheWriterWrites() throws {
        var generator = Generator(seed: 7)
        for _ in 0..<200 {
            let text = generator.text()
            #expect(try JSONValue(parsing: Array(json { $0.string(text) }.utf8)) == .string(text))
        }
    }

    @Test func readerReadsEveryKindOfValue() throws {
        let text = #" { "a" : [ 1 , -2.5e+3 , true , false , null , "A😀\ud83dx\/\b\f" ] , "a2" : { } } "#
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(
            value
                == .object([
                    "a": .array([
                        .number("1"), .number("-2.5e+3"), .bool(true), .bool(false), .null,
                        .string("A😀\u{FFFD}x/\u{8}\u{C}"),
                    ]),
                    "a2": .object([:]),
                ]))
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "tru", "\"\u{1}\"", "\"\\x\"", "\"\\u12g4\"",
        "\"open", "1 2",
        "nan", "[1 2]", "+1",
    ])
    func readerRefusesWhatIsNotJSON(text: String) {
        #expect(throws: DecodeError.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test func readerRefusesDeepNesting() {
        #expect(throws: DecodeError.self) {
            try JSONValue(parsing: [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
        }
    }
}
