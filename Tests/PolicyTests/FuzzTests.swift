import Testing

@testable import Policy

/// Texts that nobody would write: nothing traps, and what is taken is written as it is read.
struct FuzzTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }

    private static let pieces = [
        "https://", "http://", "://", "*.", "*", ".", ":", "::", "[", "]", "/", "/8", "/129", "127.0.0.1", "0x7f",
        "0177", "1", "256", "4294967295",
        "a", "A", "example.com", "localhost", "-", "_", "ffff", "::ffff:", "%", "%31", "@", "#", "?", " ", "\u{0}",
        "\u{E4}", "\u{3002}", "\u{202E}", "443",
        "65536", "0", "1-9", "9-1", "xn--a", ",", "\\", "\n",
    ]

    private static func text(_ random: inout Random) -> String {
        (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
    }

    @Test func rulesAndAddresses() throws {
        var random = Random(state: 8)
        var taken = 0
        for _ in 0..<20_000 {
            let text = Self.text(&random)
            if case .address(let address) = IPAddress.host(text) {
                #expect(IPAddress(address.description) == address, "\(text)")
            }
            guard let rule = try? NetworkRule(parsing: text) else { continue }
            taken += 1
            #expect(try NetworkRule(parsing: rule.description) == rule, "\(text)")
        }
        #expect(taken > 100)
    }

    @Test func decisions() throws {
        var random = Random(state: 9)
        var policy = Policy.strict.resolved(entry: "/srv/main.js") { $0 }
        policy.network = NetworkRules(
            allow: try ["*.example.com", "https://a"].map { try NetworkRule(parsing: $0) },
            privates: [try NetworkRule(parsing: "127.0.0.1:443")])
        policy.read = PathRules(["/srv/data"], key: "files.read")
        for _ in 0..<20_000 {
            let text = Self.text(&random)
            let accesses: [Access] = [
                .connect(method: text, scheme: "https", host: text, port: 443), .read(path: text),
                .read(path: "/srv/data/" + text), .module(text),
                .environment(text), .crypto(text),
            ]
            for access in accesses {
                let decision = policy.decide(access)
                #expect(decision.isAllowed == decision.reason.isEmpty)
                guard case .connect(_, _, let host, _) = access, decision.isAllowed else { continue }
                let name = host.lowercased()
                let isMeant =
                    name == "a" || name == "a." || name.hasSuffix(".example.com") || name.hasSuffix(".example.com.")
                #expect(isMeant || IPAddress.host(host) == .address(IPAddress(v4: 0x7F00_0001)), "\(text)")
            }
        }
    }
}
