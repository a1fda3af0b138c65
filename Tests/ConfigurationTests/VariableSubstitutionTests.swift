import Testing

@testable import Configuration

/// The cases of the specification's table, and what else can be asked.
/// <https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution>
@Suite struct VariableSubstitutionTests {
    private static let environment = [
        "STRING_VALUE": "value", "INT_VALUE": "1111", "EMPTY": "", "REPLACE_ME": "${DO_NOT_REPLACE_ME}", "_x1": "y",
        "VALUE_WITH_ESCAPE": "value$$",
    ]

    private func text(_ text: String) -> String? {
        try? VariableSubstitution.substitute(text, Self.environment).text
    }

    @Test(
        arguments: [
            ("plain", "plain"), ("", ""), ("${STRING_VALUE}", "value"), ("${env:STRING_VALUE}", "value"),
            ("foo ${STRING_VALUE} ${INT_VALUE}", "foo value 1111"), ("${UNDEFINED}", ""),
            ("${UNDEFINED:-fallback}", "fallback"), ("${EMPTY:-fallback}", "fallback"), ("${UNDEFINED:-}", ""),
            ("${UNDEFINED:-a:-b}", "a:-b"), ("${REPLACE_ME}", "${DO_NOT_REPLACE_ME}"), ("${_x1}", "y"),
            ("${UNDEFINED:-${STRING_VALUE}}", "${STRING_VALUE}"), ("${STRING_VALUE}${STRING_VALUE}", "valuevalue"),
            ("$${STRING_VALUE}", "${STRING_VALUE}"), ("$$${STRING_VALUE}", "$value"),
            ("$$$${STRING_VALUE}", "$${STRING_VALUE}"), ("$STRING_VALUE", "$STRING_VALUE"), ("a $$ b", "a $ b"),
            ("a $ b", "a $ b"), ("$", "$"), ("$$", "$"), ("a$", "a$"), ("${VALUE_WITH_ESCAPE}", "value$$"),
        ])
    func isAsSpecified(_ value: String, _ expected: String) {
        #expect(text(value) == expected)
    }

    @Test(
        arguments: [
            "${", "${STRING_VALUE", "${}", "${1A}", "${A B}", "${STRING_VALUE:?error}", "${A.B}", "${file:x}", "${Ä}",
            "${:-x}",
        ])
    func whatIsNoReference(_ value: String) {
        #expect(text(value) == nil)
    }

    @Test func unsetVariablesAreNamed() throws {
        let result = try VariableSubstitution.substitute("${A}${STRING_VALUE}${B:-x}${EMPTY}", Self.environment)
        #expect(result.unset == ["A", "EMPTY"])
        #expect(result.variables == ["A", "STRING_VALUE", "B", "EMPTY"])
    }

    @Test func aValueCannotGrowWithoutBound() {
        let large = ["A": String(repeating: "x", count: 60_000)]
        #expect((try? VariableSubstitution.substitute("${A}", large)) != nil)
        #expect((try? VariableSubstitution.substitute(String(repeating: "${A}", count: 10_000), large)) == nil)
    }
}
