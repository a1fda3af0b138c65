import Configuration
import Discovery
import Registries
import Testing

@testable import Agent

@Suite struct RegistrationBoardTests {
    private static func status(_ beaten: UInt64) -> RegistrationStatus {
        var counts = Registration.Counts()
        counts.beaten = beaten
        counts.failed = [.unavailable: 1]
        let instance = ServiceInstance(name: "shop", id: "shop-1", address: "10.0.0.1", port: 80)
        return RegistrationStatus(
            registry: .consul, instance: instance, state: .registered, stateSince: 0, failure: nil, counts: counts)
    }

    @Test func whatIsCountedNeverGoesBack() {
        let board = RegistrationBoard()
        func sum(_ outcome: String) -> UInt64 {
            var counters = Counters()
            board.count(in: &counters)
            return counters.sum(.registryAnswers, ["registry": "consul", "outcome": outcome])
        }
        board.show([Self.status(3), Self.status(4)])
        #expect(sum("beaten") == 7 && sum("unavailable") == 2)
        board.keep(Self.status(4).counts, of: .consul)
        board.show([Self.status(3)])
        #expect(sum("beaten") == 7 && sum("unavailable") == 2)
        board.keep(Self.status(3).counts, of: .consul)
        board.show([])
        #expect(sum("beaten") == 7)
        var counters = Counters()
        board.count(in: &counters)
        #expect(counters.sum(.registrations) == 0)
    }

    @Test func anotherAdminPortIsWhatIsScraped() {
        var offers = Offers(RegisterConfiguration(), service: "shop", admin: HostPort(host: "127.0.0.1", port: 1))
        let old = offers.agent([])
        offers.admin = HostPort(host: "127.0.0.1", port: 2)
        let new = offers.agent([])
        #expect(offers.target(old)?.metricsPlace == "127.0.0.1:2")
        #expect(new.map(\.instance.port) == [2] && new[0].instance.metricsPlace == "127.0.0.1:2")
        // It is the same process.
        #expect(new[0].instance.process == old[0].instance.process)
        offers.admin = nil
        #expect(offers.target(offers.agent([])) == nil)
    }
}
