import Testing
import Wire

@testable import CodeCheck

struct SARIFTests {
    @Test func everythingIsThere() throws {
        var options = CodeCheckOptions()
        options.own = [.init(id: "house/no-x", pattern: "*", message: "no x", level: .warning)]
        options.levels = ["no-with": .error]
        var sarif = SARIF(options, version: "1.2.3")
        var finding = CodeFinding(
            "house/no-x", .warning, from: CodePlace(line: 2, column: 3), to: CodePlace(line: 2, column: 9), "no \"x\"")
        finding.suppression = "known"
        sarif.add(CodeReport(findings: [finding]), of: "a dir/ä.js")
        let json = try JSONValue(parsing: sarif.finish())
        #expect(json["version"]?.string == "2.1.0")
        guard case .array(let runs) = json["runs"], case .array(let rules) = runs[0]["tool"]?["driver"]?["rules"],
            case .array(let results) = runs[0]["results"], case .array(let places) = results[0]["locations"]
        else {
            Issue.record("it has another form")
            return
        }
        #expect(rules.count == CodeRule.all.count + 1)
        let index = try #require(results[0]["ruleIndex"]?.integer)
        #expect(rules[Int(index)]["id"]?.string == "house/no-x")
        let place = places[0]["physicalLocation"]
        #expect(place?["artifactLocation"]?["uri"]?.string == "a%20dir/%C3%A4.js")
        #expect(place?["region"]?["startColumn"]?.integer == 3)
        guard case .array(let suppressions) = results[0]["suppressions"] else {
            Issue.record("its suppression is missing")
            return
        }
        #expect(suppressions[0]["justification"]?.string == "known")
    }

    @Test func pathsAreReferences() {
        #expect(SARIF.uri("/a/b.js") == "file:///a/b.js")
        #expect(SARIF.uri("a/100%#?.js") == "a/100%25%23%3F.js")
    }
}
