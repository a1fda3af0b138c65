import Testing

@testable import sidelight

@Suite struct HealthTableTests {
    private static func lines(_ text: String) -> [String]? { HealthTable(Array(text.utf8))?.lines }

    @Test func isALineOfAllAndOneForEachComponent() {
        let text = #"""
            {"status":"warn","serviceId":"shop","checks":{
            "exporter/otlp:outage":[{"status":"warn","observedValue":3,"observedUnit":"s","output":"refused","since":"2026-11-27T03:12:44.018Z"}],
            "heap:utilization":[{"status":"pass","observedValue":18.5,"observedUnit":"percent"}],"store:writes":[{"status":"pass"}]}}
            """#
        #expect(
            Self.lines(text) == [
                "shop: warn", "  exporter/otlp  warn  3 s     refused (since 2026-11-27T03:12:44.018Z)",
                "  heap           pass  18.5 %", "  store          pass",
            ])
    }

    @Test func oneOfThemIsOne() {
        let text = #"""
            {"status":"pass","serviceId":"shop","checks":{
            "api:responseTime":[{"status":"pass","observedValue":1,"observedUnit":"ms"}],
            "eventloop:stall":[{"status":"pass","observedValue":1,"observedUnit":"s"}],
            "workload:isolates":[{"status":"pass","observedValue":1,"observedUnit":"isolates"}]}}
            """#
        #expect(
            Self.lines(text) == [
                "shop: pass", "  api        pass  1 ms", "  eventloop  pass  1 s", "  workload   pass  1 isolate",
            ])
    }

    @Test func controlCharactersAreNotPrinted() {
        let lines = Self.lines(
            #"{"status":"fail\u001b[2J","serviceId":"s\n","output":"\u0007","checks":{"a\u001b:b":[{"status":"\u001b","output":"\r\u001b]0;x"}],"c":7,"d":[]}}"#
        )
        #expect(lines?.count == 2)
        for line in lines ?? [] { #expect(!line.unicodeScalars.contains { $0.value < 0x20 }) }
    }

    @Test(arguments: [
        "", "ok\n", "[]", "{}", #"{"status":"pass"}"#, #"{"status":1,"checks":{}}"#,
        #"{"status":"pass","checks":{}}"#,
    ])
    func otherAnswersAreNone(_ text: String) { #expect(Self.lines(text) == nil) }
}
