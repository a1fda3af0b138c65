import Testing

@testable import Runtime

struct TextLimitTests {
    @Test(arguments: [
        ("abc", 2, "ab"), ("abc", 3, "abc"), ("abc", 9, "abc"), ("abc", 0, ""), ("", 0, ""),
        ("aé", 2, "a"), ("aé", 3, "aé"), ("a€b", 3, "a"), ("a😀b", 4, "a"), ("a😀b", 5, "a😀"), ("😀", 3, ""),
        // A character of two scalars may be cut between them.
        ("e\u{301}x", 1, "e"), ("e\u{301}x", 2, "e"),
    ])
    func aTextIsCutBetweenScalars(text: String, count: Int, expected: String) {
        let bytes = Array(text.utf8(max: count))
        #expect(bytes == Array(expected.utf8))
        #expect(String(validating: bytes, as: UTF8.self) != nil)
    }
}
