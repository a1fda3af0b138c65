import Testing

@testable import Configuration

@Suite struct SpellingTests {
    private let names = ["run", "serve", "trace", "tail", "profile"]

    @Test(
        arguments: [
            ("runn", "run"), ("rn", "run"), ("sreve", "serve"), ("Trace", "trace"), ("prof", "profile"),
            ("tial", "tail"),
            ("start", nil), ("", nil), ("t", nil), ("agent", nil),
        ] as [(String, String?)])
    func theNearestName(_ text: String, _ name: String?) {
        #expect(Spelling.nearest(text, of: names) == name)
    }
}
