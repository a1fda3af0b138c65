import Telemetry
import Testing

@testable import Agent

@Suite struct StoreParametersTests {
    private let now: UInt64 = 1_795_442_400_000_000_000

    private func read(
        _ fields: [(name: String, value: String)], _ allowed: [StoreParameters.Name] = StoreParameters.Name.allCases
    ) throws(StoreParameters.Problem) -> StoreParameters {
        try StoreParameters(fields, allowed: allowed, now: now)
    }

    @Test func whatIsAskedForIsRead() throws {
        let found = try read([
            ("search", "needle -hay"), ("level", "warn"), ("service", "shop"), ("trace", "4bf92f35"), ("since", "1h"),
            ("until", "2026-11-23T13:59:00Z"), ("limit", "7"), ("cursor", "5.6.7"),
        ])
        #expect(found.logs.search?.soughtTexts == ["needle"])
        #expect(found.logs.severityMin == 13)
        #expect(found.logs.service == "shop")
        #expect(found.trace == "4bf92f35")
        #expect(found.logs.since == now - 3_600_000_000_000)
        #expect(found.logs.until == now - 60_000_000_000)
        #expect(found.limit == 7)
        #expect(found.cursor?.text == "5.6.7")
        let nothing = try read([])
        #expect(nothing.limit == 100)
        #expect(nothing.logs.until == .max)
    }

    @Test func aTimeMayBeUnixNanoseconds() throws {
        #expect(try read([("since", "1795442399000000001")]).logs.since == 1_795_442_399_000_000_001)
    }

    @Test(
        arguments: [
            ("search", "\"open", "quotation mark"), ("search", "", "a word is missing"),
            ("level", "loud", "trace, debug"), ("trace", "xyz", "hex digits"), ("trace", "abc", "hex digits"),
            ("since", "yesterday", "how long ago"),
            ("since", "12345", "how long ago"), ("until", "2026-13-01T00:00:00Z", "how long ago"),
            ("limit", "0", "from 1 to 1000"), ("limit", "1001", "from 1 to 1000"), ("limit", "x", "from 1 to 1000"),
            ("cursor", "1.2", "next"), ("sort", "name", "last, first, count"),
        ])
    func whatIsWrongIsNamed(_ name: String, _ value: String, _ reason: String) {
        do throws(StoreParameters.Problem) {
            _ = try read([(name, value)])
            Issue.record("\(name)=\(value) was taken")
        } catch {
            #expect(error.text.hasPrefix("\(name)=\(value): "), "\(error.text)")
            #expect(error.text.contains(reason), "\(error.text)")
        }
    }

    @Test func unknownAndRepeatedFieldsAreRefused() {
        for (fields, text) in [
            ([("limits", "1")], "there is no parameter \"limits\"; there are since, limit"),
            ([("search", "a")], "there is no parameter \"search\"; there are since, limit"),
            ([("limit", "1"), ("limit", "2")], "limit is there twice"),
        ] as [([(name: String, value: String)], String)] {
            do throws(StoreParameters.Problem) {
                _ = try read(fields, [.since, .limit])
                Issue.record("\(fields) was taken")
            } catch {
                #expect(error.text == text)
            }
        }
        #expect(throws: StoreParameters.Problem.self) { try read([("since", "1m"), ("until", "2m")]) }
    }
}
