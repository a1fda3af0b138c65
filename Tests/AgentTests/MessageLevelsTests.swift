import Configuration
import Testing

@testable import Agent

@Suite struct MessageLevelsTests {
    private func changes(_ text: String) throws(LevelPages.LevelsProblem) -> [MessageCategory: LogLevel] {
        try LevelPages.changes(Array(text.utf8))
    }

    @Test func levelsChangeByCategory() throws {
        let levels = MessageLevels(.warning)
        levels.change(try changes(#"{"store": "debug", "exporters": "WARN"}"#))
        #expect(levels[.store] == .debug)
        #expect(levels[.exporters] == .warning)
        #expect(levels[.agent] == .warning)
        levels.change(try changes(#"{"all": "error", "logs": "info"}"#))
        #expect(levels.all.filter { $0.value != .error } == [.logs: .info])
    }

    @Test(
        arguments: [
            ("", "has to be an object"), ("[]", "has to be an object"), ("{}", "has to be an object"),
            (#"{"store": "loud"}"#, "store: there are the levels trace, debug"), (#"{"store": 1}"#, "store: there are"),
            (#"{"shop": "info"}"#, "there is no category \"shop\"; there are agent"),
        ])
    func whatIsWrongIsNamed(_ body: String, _ reason: String) {
        do throws(LevelPages.LevelsProblem) {
            _ = try changes(body)
            Issue.record("\(body) was taken")
        } catch {
            #expect(error.text.contains(reason), "\(error.text)")
        }
    }

    @Test func changesComeFromThisMachineAndNoBrowser() {
        func status(_ peer: String, _ origin: String? = nil, _ type: String? = "application/json") -> Int? {
            LevelPages.refusal(peer, origin, type)?.status
        }
        for peer in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", ""] {
            #expect(status(peer) == nil, "\(peer)")
        }
        for peer in ["10.0.0.1", "192.168.127.1", "::2", "fe80::1", "::ffff:10.0.0.1"] {
            #expect(status(peer) == 403, "\(peer)")
        }
        #expect(status("127.0.0.1", "http://localhost:9464") == 403)
        #expect(status("127.0.0.1", "null") == 403)
        #expect(status("127.0.0.1", nil, nil) == 415)
        #expect(status("127.0.0.1", nil, "text/plain") == 415)
        #expect(status("127.0.0.1", nil, "text/plain; application/json") == 415)
        #expect(status("127.0.0.1", nil, "Application/JSON; charset=utf-8") == nil)
    }
}
