import Testing
import Wire

@testable import CodeCheck

struct CodeCheckerTests {
    /// A parser that finds this, whatever it is given.
    private func check(
        _ text: String, finds answer: String, _ change: (inout CodeCheckOptions) -> Void = { _ in }
    ) throws -> CodeReport {
        var options = CodeCheckOptions()
        change(&options)
        let json = try JSONValue(parsing: Array(answer.utf8))
        return CodeChecker(options).check(Array(text.utf8), .either) { _, _ in .answer(json) }
    }

    private func answer(_ directives: String = "") -> String {
        #"{"findings":[["no-eval","error",2,1,2,5,"eval"],["no-with","warning",3,1,3,5,"with"]],"left":0,"directives":[\#(directives)]}"#
    }

    private func directive(_ line: Int, _ rules: String, _ reason: String = "because") -> String {
        #"{"line":\#(line),"at":\#(line - 1),"column":1,"rules":[\#(rules)],"reason":"\#(reason)"}"#
    }

    @Test func aSuppressionTakesAFindingAway() throws {
        let report = try check("", finds: answer(directive(2, #""no-eval""#)))
        #expect(report.findings.map(\.suppression) == ["because", nil])
        #expect(report.first(atLeast: .error) == nil)
        #expect(report.first(atLeast: .warning)?.rule == "no-with")
    }

    @Test func aSuppressionWithoutAReasonTakesNothingAway() throws {
        let report = try check("", finds: answer(directive(2, #""no-eval""#, "")))
        #expect(report.findings.map(\.rule) == ["bad-suppression", "no-eval", "no-with"])
        #expect(report.findings[1].suppression == nil)
    }

    @Test func aSuppressionOfNoUseIsToldOf() throws {
        let report = try check("", finds: answer(directive(3, #""no-eval","nonsense""#)))
        #expect(report.findings.map(\.rule) == ["bad-suppression", "no-eval", "unused-suppression", "no-with"])
        #expect(report.findings.allSatisfy { $0.suppression == nil })
    }

    @Test func aSuppressionWithoutARuleIsToldOf() throws {
        #expect(try check("", finds: answer(directive(2, ""))).findings.map(\.rule).first == "bad-suppression")
    }

    @Test func suppressionsCountForNothingWhereTheSourceIsTheEnemy() throws {
        let report = try check("", finds: answer(directive(2, #""no-eval""#))) { $0.allowsSuppressions = false }
        #expect(report.first(atLeast: .error)?.rule == "no-eval")
    }

    @Test func rulesCanBeOffAndHaveOtherLevels() throws {
        let report = try check("", finds: answer()) {
            $0.off = ["no-eval"]
            $0.levels = ["no-with": .error]
        }
        #expect(report.findings.map(\.rule) == ["no-with"])
        #expect(report.findings[0].level == .error)
    }

    @Test func anAnswerThatIsNoneFailsTheFile() throws {
        for text in ["null", "{}", #"{"findings":[[1]]}"#, #"{"findings":[["a","fatal",1,1,1,1,"m"]]}"#] {
            #expect(try check("", finds: text).first(atLeast: .error)?.rule == "check-failed")
        }
    }

    @Test func whatIsNoTextIsNotParsed() {
        let report = CodeChecker(CodeCheckOptions()).check([0x61, 0xFF], .either) { _, _ in
            Issue.record("it was parsed")
            return .failed("")
        }
        #expect(report.findings.map(\.rule) == ["not-utf8"])
    }

    @Test func aReportSurvivesItsWay() throws {
        var report = try check("", finds: answer(directive(2, #""no-eval""#)))
        report.left = 7
        #expect(CodeReport(try JSONValue(parsing: report.json)) == report)
    }

    @Test func optionsSurviveTheirWay() throws {
        var options = CodeCheckOptions()
        options.own = [.init(id: "own", pattern: "*[a='\"']", message: "m", level: .note)]
        (options.globals, options.imports, options.off) = (["fetch"], ["x"], ["no-eval"])
        options.levels = ["no-with": .error]
        options.fileBytesMax = 77
        options.allowsSuppressions = false
        #expect(CodeCheckOptions(try JSONValue(parsing: options.json)) == options)
    }

    @Test func moreFindingsThanThereMayBeAreCounted() {
        let finding = CodeFinding("a", .note, "m")
        var report = CodeReport(findings: Array(repeating: finding, count: CodeFinding.countMax + 5))
        report.sort()
        #expect(report.findings.count == CodeFinding.countMax)
        #expect(report.left == 5)
    }

    @Test func framesHaveABound() {
        #expect(CodeFrame.length(CodeFrame.header(70_000)) == 70_000)
        #expect(CodeFrame.length([0xFF, 0xFF, 0xFF, 0xFF]) == nil)
        for kind in [CodeKind.either, .module, .script] { #expect(CodeFrame.kind(CodeFrame.byte(kind)) == kind) }
        #expect(CodeFrame.kind(3) == nil)
    }
}
