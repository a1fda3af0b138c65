import Policy
import System
import Testing

@testable import Runtime

@Suite struct NetworkGateTests {
    @Test(arguments: [
        ("http://a.example/", "http", "a.example", 80), ("https://a.example", "https", "a.example", 443),
        ("http://a.example:8080/b?c=d:1#e", "http", "a.example", 8080), ("http://[::1]:81/", "http", "[::1]", 81),
        ("http://[::1]/", "http", "[::1]", 80), ("http://user:word@b.example:82/", "http", "b.example", 82),
        ("http://a.example?@b.example:1", "http", "a.example", 80), ("http://a.example#@b", "http", "a.example", 80),
    ])
    func aURLLeadsToItsHost(url: String, scheme: String, host: String, port: Int) throws {
        let place = try #require(URLPlace(url))
        #expect(place.scheme == scheme && place.host == host && Int(place.port) == port)
    }

    @Test(arguments: ["", "http:", "http://", "http:///a", "ftp://a/", "http://a:99999/", "http://a:b/", "a.example"])
    func whatIsNoPlaceIsNone(url: String) { #expect(URLPlace(url) == nil) }

    @Test(arguments: [
        ("a.example", "a.example"), ("A.Example:80", "a.example"), ("a.example:", "a.example"), ("[::1]:80", "[::1]"),
        ("127.0.0.1", "127.0.0.1"), ("a_b-c.d", "a_b-c.d"),
    ]) func aHostHeaderNamesAHost(value: String, host: String) { #expect(URLPlace.named(by: value) == host) }

    @Test(arguments: [
        "", ":80", "x@evil.example", "evil.example/x", "127.0.0.1:1@evil.example", "127.0.0.1:x@evil.example",
        "127.0.0.1:80 evil.example", "a, b", "a:80:80", "[::1", "[a.b-c]", "[::1]x", "a.example#", "\u{E4}.example",
        "a%2eb",
    ]) func whatReadersMayReadOtherwiseIsNoHost(value: String) { #expect(URLPlace.named(by: value) == nil) }

    @Test func onlyTheHeaderHostIsLookedAt() {
        #expect(URLPlace.hostValue(of: Array("Host: \ta.example \t".utf8)[...]) == "a.example")
        #expect(URLPlace.hostValue(of: Array("hosts:a".utf8)[...]) == nil)
        #expect(URLPlace.hostValue(of: Array("x-host:a".utf8)[...]) == nil)
        #expect(URLPlace.hostValue(of: Array("hos".utf8)[...]) == nil)
    }

    private func policy() -> Policy {
        var policy = Policy.strict
        policy.network = NetworkRules(allow: nil, privates: [])
        return policy
    }

    @Test func privateAddressesAreNotAdmittedWhateverTheNameIs() throws {
        let gate = NetworkGate(policy(), host: "a.example")
        #expect(gate.admits(HTTPPeer(address: [93, 184, 216, 34], port: 443)))
        #expect(gate.takeFinding() == nil)
        for address in [[127, 0, 0, 1], [10, 1, 2, 3], [169, 254, 169, 254], [0, 0, 0, 0]] as [[UInt8]] {
            #expect(!gate.admits(HTTPPeer(address: address, port: 80)))
        }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127, 0, 0, 1]
        #expect(!gate.admits(HTTPPeer(address: mapped, port: 80)))
        let found = try #require(gate.takeFinding())
        #expect(found.decision.permission == .network && !found.decision.isAllowed)
        #expect(gate.takeFinding() == nil)
    }

    @Test func whatIsNoAddressIsNotAdmitted() {
        let gate = NetworkGate(policy(), host: "a.example")
        for count in [0, 1, 3, 5, 15, 17, 108] {
            #expect(!gate.admits(HTTPPeer(address: [UInt8](repeating: 1, count: count), port: 80)))
        }
    }

    @Test func anAuditAdmitsAndTells() throws {
        var policy = policy()
        policy.isAudited = true
        let gate = NetworkGate(policy, host: "a.example")
        #expect(gate.admits(HTTPPeer(address: [127, 0, 0, 1], port: 80)))
        let found = try #require(gate.takeFinding())
        #expect(found.decision.isAllowed && found.decision.isAudited)
    }
}
