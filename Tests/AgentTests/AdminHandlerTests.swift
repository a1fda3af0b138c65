import Testing

@testable import Agent

@Suite struct AdminHandlerTests {
    @Test(arguments: [
        "127.0.0.1:9464", "127.0.0.1", "[::1]:9464", "localhost", "LOCALHOST:9464", "localhost.", "agent.localhost:1",
        "agent:9464", "10.1.2.3:80", "0", "127.1", "",
    ])
    func whatNobodyCanHaveLeadElsewhereIsNoPublicName(_ host: String) {
        #expect(!AdminHandler.isPublicName(host))
    }

    @Test(arguments: ["evil.example", "evil.example:9464", "Evil.Example.:9464", "127.0.0.1.evil.example", "a.b"])
    func aPageOfSomebodyElseComesUnderAPublicName(_ host: String) {
        #expect(AdminHandler.isPublicName(host))
    }

    @Test func onlyThisMachineIsLocal() {
        for peer in [
            "", "::1", "127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "[::1]:1", "127.0.0.1:80", "[::ffff:127.0.0.1]:1",
        ] { #expect(AdminHandler.isLocal(peer)) }
        for peer in ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "192.127.0.1", "[fe80::1]:1", "[::1:2]:3", "::12"] {
            #expect(!AdminHandler.isLocal(peer))
        }
    }
}
