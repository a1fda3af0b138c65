import Testing

@testable import Runtime

struct JSONTests {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test func valuesOfEveryKind() throws {
        let json = try parse(#" {"a": [1, -2.5e3, true, false, null], "b": {"c": "d"}, "e": ""} "#)
        #expect(json["a"] == .array([.number(1), .number(-2500), .bool(true), .bool(false), .null]))
        #expect(json["b"]?["c"]?.string == "d")
        #expect(json["e"]?.string == "")
        #expect(json["x"] == nil)
    }

    @Test func escapesAndSurrogates() throws {
        #expect(try parse(#""\n\t\"\\\/\u00e4\ud83d\ude00\ud83d""#).string == "\n\t\"\\/ä😀\u{FFFD}")
    }

    @Test func objectsKeepTheirOrderAndTheLastOfADouble() throws {
        let json = try parse(#"{"z": 1, "a": 2, "z": 3}"#)
        guard case .object(let members) = json else { return #expect(Bool(false)) }
        #expect(members.map(\.key) == ["z", "a", "z"])
        #expect(json["z"]?.number == 3)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "tru", "nul", "\"a", "\"\u{1}\"", "\"\\x\"",
        "\"\\u12\"", "1 1", "--1", "]",
        "{\"a\":1,}",
    ])
    func brokenTextsAreRefused(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func nestingIsBounded() {
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 100_000)) }
    }

    @Test func everyPrefixIsRefusedWithoutTrapping() throws {
        let whole = Array(#"{"a": [1, "\u00e4\n", {"b": null}], "c": -1.5e-7}"#.utf8)
        for length in 0..<whole.count {
            #expect(throws: JSONError.self) { try JSON(parsing: Array(whole[..<length])) }
        }
    }

    @Test func writingIsReadBackTheSame() throws {
        let json = JSON.object([
            JSON.Member(key: "a\"\\\n\u{1}", value: .array([.string("ä😀\u{7}"), .number(1.5), .bool(true), .null])),
            JSON.Member(key: "", value: .object([])),
        ])
        #expect(try parse(json.text) == json)
    }
}
