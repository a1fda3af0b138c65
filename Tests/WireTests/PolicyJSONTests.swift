import Policy
import Testing

@testable import Wire

struct PolicyJSONTests {
    private static var policies: [Policy] {
        get throws {
            var full = Policy.strict.resolved(entry: "/srv/\u{E4}\"/main.js") { $0 }
            full.isAudited = true
            full.network = NetworkRules(
                allow: try ["https://a.test", "*.b.test:1-9", "[fd00::/8]:80", "*"].map {
                    try NetworkRule(parsing: $0)
                },
                deny: [try NetworkRule(host: "c.test", scheme: "wss", ports: [1...2, 3...3], methods: ["GET"])],
                privates: nil)
            full.read = PathRules(["/", "/a b"], key: "files.read")
            full.write = nil
            full.environment = NameRules(["A", "B_*"], key: "environment")
            full.allowsWasm = true
            full.clock = .exact
            full.volume.spansPerSecond = 5
            var closed = Policy.standard
            closed.network = NetworkRules(allow: nil, deny: [], privates: [])
            closed.modules = ModuleRules(names: ["node:*"], paths: ["/x"], allowsOwn: false)
            closed.crypto = NameRules([], key: "crypto")
            return [.standard, .strict, .trusted, full, closed]
        }
    }

    @Test func whatIsHandedOverIsTheSame() throws {
        for policy in try Self.policies {
            let read = try #require(Policy(json: policy.json))
            #expect(read == policy)
            #expect(read.isOpen == policy.isOpen && read.json == policy.json)
            for permission in Permission.allCases { #expect(read.isOpen(permission) == policy.isOpen(permission)) }
            #expect(read.network?.deny.first?.name == policy.network?.deny.first?.name)
        }
    }

    @Test func whatIsNoPolicyIsNone() throws {
        for policy in try Self.policies {
            let json = policy.json
            for cut in stride(from: 0, to: json.count, by: 3) { #expect(Policy(json: Array(json[..<cut])) == nil) }
        }
        for text in ["", "{}", "[]", "null", "{\"base\":\"strict\"}", "{\"base\":1}"] {
            #expect(Policy(json: Array(text.utf8)) == nil)
        }
        let strict = String(decoding: Policy.strict.json, as: UTF8.self)
        for (old, new) in [
            ("\"read\":[]", "\"read\":[1]"), ("\"allow\":[]", "\"allow\":[{}]"), ("\"deny\":[]", "\"deny\":null"),
            ("\"base\":\"strict\"", "\"base\":\"loose\""), ("\"own\":true", "\"own\":1"),
        ] {
            let changed = strict.replacing(old, with: new)
            #expect(changed != strict && Policy(json: Array(changed.utf8)) == nil, "\(new)")
        }
    }
}
