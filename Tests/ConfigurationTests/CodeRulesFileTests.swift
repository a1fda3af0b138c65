import Testing

@testable import Configuration

struct CodeRulesFileTests {
    private func read(_ text: String) -> (configuration: CodeCheckConfiguration, problems: [String]) {
        var configuration = CodeCheckConfiguration()
        let file = PipelineConfiguration.File(name: "own.yaml", bytes: Array(text.utf8))
        let problems = CodeRulesFile.read(file, environment: [:], into: &configuration)
        return (configuration, problems.map(\.description))
    }

    @Test func everythingIsRead() {
        let (configuration, problems) = read(
            """
            rules:
              - {id: house/no-console, pattern: "CallExpression", message: use the logger, level: warning}
              - {id: other, pattern: "*", message: m}
            globals: [fetch, process.env]
            imports: lodash
            off: [long-line]
            levels: {no-with: error}
            size: 512KB
            """)
        #expect(problems == [])
        #expect(configuration.rules.map(\.id) == ["house/no-console", "other"])
        #expect(configuration.rules.map(\.level) == [.warning, .error])
        #expect(configuration.globals == ["fetch", "process.env"])
        #expect(configuration.imports == ["lodash"])
        #expect(configuration.off == ["long-line"])
        #expect(configuration.levels == ["no-with": .error])
        #expect(configuration.fileBytesMax == 512_000 || configuration.fileBytesMax == 524_288)
    }

    @Test(
        arguments: [
            ("rules: {a: b}", "expected a list"), ("rules: [{id: a, message: m}]", "pattern: it is missing"),
            ("rules: [{id: 'A b', pattern: '*', message: m}]", "is no name of a rule"),
            ("rules: [{id: a, pattern: '*', message: m}, {id: a, pattern: '*', message: m}]", "already"),
            ("rules: [{id: a, pattern: '*', message: m, level: fatal}]", "is not one of"),
            ("levels: {no-with: fatal}", "is not one of note, warning, error"), ("size: 1", "is not a size"),
            ("of: [a]", "did you mean \"off\""), ("rules: [", "own.yaml:"),
        ])
    func whatIsWrongIsToldWithItsPlace(text: String, message: String) {
        let (_, problems) = read(text)
        #expect(problems.contains { $0.contains(message) && $0.hasPrefix("own.yaml:") }, "\(problems)")
    }

    @Test func rulesWithoutANameAreNotTheSame() {
        let (_, problems) = read("rules: [{pattern: '*', message: m}, {pattern: '*', message: m}]")
        #expect(problems.count == 2 && problems.allSatisfy { $0.contains("it is missing") }, "\(problems)")
    }

    @Test func rulesOfSeveralFilesAddUp() {
        var configuration = CodeCheckConfiguration()
        for id in ["a", "b", "a"] {
            let text = "rules: [{id: \(id), pattern: '*', message: m}]\noff: [no-with]"
            let problems = CodeRulesFile.read(
                PipelineConfiguration.File(name: "\(id).yaml", bytes: Array(text.utf8)), environment: [:],
                into: &configuration)
            #expect(problems.isEmpty == (configuration.rules.count < 3))
        }
        #expect(configuration.off == ["no-with"])
    }

    @Test func moreRulesThanThereMayBeAreRefused() {
        let rules = (0...CodeCheckConfiguration.ownRulesMax).map { "  - {id: r\($0), pattern: '*', message: m}" }
        #expect(read("rules:\n" + rules.joined(separator: "\n")).problems.contains { $0.contains("at most 200") })
    }
}
