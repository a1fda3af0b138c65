import System
import Testing

@testable import Health

struct CheckAnswerTests {
    private static func answer(
        _ status: Int, _ body: String = "", type: String = "text/plain"
    ) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("content-type", type)], body: Array(body.utf8))
    }

    private static let health = "application/health+json; charset=utf-8"

    @Test func statusesFrom200To399AreWell() {
        let expectation = CheckExpectation()
        for status in [200, 204, 301, 399] { #expect(expectation.finding(Self.answer(status)) == .pass) }
        for status in [100, 199, 400, 404, 500, 503, 0, -1, 999] {
            #expect(expectation.finding(Self.answer(status)) == HealthFinding(.fail, "status \(status)"))
        }
    }

    @Test func theTextHasToBeThere() {
        let expectation = CheckExpectation(statuses: 200...200, text: "ready")
        #expect(expectation.finding(Self.answer(200, "we are ready")) == .pass)
        #expect(expectation.finding(Self.answer(200, "ready")) == .pass)
        #expect(expectation.finding(Self.answer(200, "read")).status == .fail)
        #expect(expectation.finding(Self.answer(200, "")).status == .fail)
        #expect(expectation.finding(Self.answer(204, "ready")).status == .fail)
    }

    @Test func healthJSONIsTakenAtItsWord() {
        let expectation = CheckExpectation()
        func finding(_ body: String, _ status: Int = 200) -> HealthFinding {
            expectation.finding(Self.answer(status, body, type: Self.health))
        }
        #expect(finding(#"{"status":"pass"}"#) == .pass)
        #expect(finding(#"{"status":"up"}"#) == .pass)
        #expect(finding(#"{"status":"warn","output":"disk at 91 %"}"#) == HealthFinding(.warn, "disk at 91 %"))
        #expect(
            finding(
                #"{"status":"fail","checks":{"a:x":[{"status":"pass"}],"db:time":[{"status":"down","output":"gone"}]}}"#
            )
                == HealthFinding(.fail, "db:time: gone"))
        #expect(finding(#"{"status":"fail"}"#) == HealthFinding(.fail, "it says fail"))
        #expect(finding(#"{"status":"fail","output":"db"}"#, 503) == HealthFinding(.fail, "status 503: db"))
    }

    @Test(arguments: [
        "", "nonsense", "[]", "{", #"{"status":1}"#, #"{"status":"great"}"#, #"{"checks":{}}"#, "\u{0}\u{1}",
        String(repeating: "[", count: 5_000), #"{"status":"warn","checks":{"a":[1,null,{"status":[]}],"b":7}}"#,
    ])
    func nonsenseIsNoPass(_ body: String) {
        let finding = CheckExpectation().finding(Self.answer(200, body, type: Self.health))
        #expect(finding.status != .pass)
        #expect(!finding.reason.isEmpty)
    }
}
