import Testing

@testable import Logs

@Suite("Patterns of paths")
struct PathPatternTests {
    private func matches(_ pattern: String, _ path: String) -> Bool {
        PathPattern.all(pattern).contains { $0.matches(path) }
    }

    @Test(arguments: [
        ("/var/log/*.log", "/var/log/a.log", true), ("/var/log/*.log", "/var/log/x/a.log", false),
        ("/var/log/*.log", "/var/log/.hidden.log", false), ("/var/log/.*.log", "/var/log/.hidden.log", true),
        ("/var/**/*.log", "/var/a.log", true), ("/var/**/*.log", "/var/x/y/a.log", true),
        ("/var/**/*.log", "/var/.x/a.log", false), ("/var/**", "/var/x/y/z", true),
        ("logs/?.log", "logs/ä.log", true), ("logs/?.log", "/logs/a.log", false),
        ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[!a-c]x", "dx", true), ("[]]x", "]x", true),
        ("[ab", "[ab", true), ("a{b,c{d,e}}f", "acef", true), ("a{b,c{d,e}}f", "abf", true),
        ("a{b,c{d,e}}f", "acf", false), ("a{b}", "a{b}", true), ("a\\*", "a*", true), ("a\\*", "ab", false),
        ("*a*b*c", "xxaxxbxxbxc", true), ("*a*b*c", "xxaxxbxxbxcd", false), ("a/./b", "a/b", true),
    ])
    func matching(pattern: String, path: String, expected: Bool) {
        #expect(matches(pattern, path) == expected, "\(pattern) \(path)")
    }

    @Test func aPatternThatIsMeantToTakeForeverDoesNot() {
        let name = String(repeating: "a", count: 250)
        #expect(!matches(String(repeating: "*a", count: 100) + "b", name))
        #expect(PathPattern.all(String(repeating: "{a,b}", count: 40)).count <= 256)
    }

    @Test(arguments: [
        ("app.log.1", "app.log", true), ("app.log-20261126.gz", "app.log", true), ("app-20261126.log", "app.log", true),
        ("app.2.log.zst", "app.log", true), ("app2.log", "app.log", false), ("app-web.log", "app.log", false),
        ("app.logger", "app.log", false), ("app.log", "app.log", false),
    ])
    func namesOfRotations(name: String, original: String, expected: Bool) {
        #expect(Tailer.isRotation(name, of: original) == expected, "\(name)")
    }

    @Test(arguments: [
        ("app.log.2.gz", "app.log.1", true), ("app.log-20261126.gz", "app.log", true),
        ("app.log.2.gz", "web.log.1", false),
        ("1.gz", "2", false), ("app.log.1", "app.log.1", false),
    ])
    func namesOfTwoRotations(name: String, other: String, expected: Bool) {
        #expect(Tailer.areRotations(name, other) == expected, "\(name)")
    }
}
