import Testing

@testable import Policy

struct NeedsTests {
    private static let accesses: [Access] = [
        .connect(method: "POST", scheme: "https", host: "api.example.com", port: 443),
        .connect(method: "GET", scheme: "http", host: "127.0.0.1", port: 8080),
        .reach(host: "127.0.0.1", address: IPAddress(v4: 0x7F00_0001), port: 8080),
        .connect(method: "GET", scheme: "http", host: "db.internal", port: 80),
        .reach(host: "db.internal", address: IPAddress(v4: 0x0A00_0001), port: 80),
        .connect(method: "GET", scheme: "http", host: "localhost", port: 81),
        .reach(host: "localhost", address: IPAddress(v6High: 0, low: 1), port: 81),
        .connect(method: "GET", scheme: "http", host: "[::1]", port: 82),
        .reach(host: "[::1]", address: IPAddress(v6High: 0, low: 1), port: 82),
        .read(path: "/srv/a b/\u{E4}$HOME/x"), .write(path: "/tmp/out\"\\"), .environment("API_URL"),
        .module("node:events"),
        .module("/srv/app/lib.js"), .module("/opt/x.js"), .code, .wasm, .worker, .preciseClock, .random,
        .crypto("AES-GCM"),
    ]

    private func audited(_ accesses: [Access]) -> PolicyNeeds {
        var policy = Policy.strict.resolved(entry: "/srv/app/main.js") { $0 }
        policy.isAudited = true
        var needs = PolicyNeeds()
        for access in accesses {
            let decision = policy.decide(access)
            if decision.isAudited { needs.add(decision.permission, rule: decision.rule, target: access.target) }
        }
        return needs
    }

    @Test func whatIsCollectedAllowsAllThatWasDone() {
        let policy = Policy.strict.resolved(entry: "/srv/app/main.js") { $0 }
        let (added, remarks) = audited(Self.accesses).added(to: policy)
        #expect(remarks.isEmpty)
        for access in Self.accesses { #expect(added.decide(access).isAllowed, "\(access)") }
    }

    @Test func itAllowsNothingElse() {
        let policy = Policy.strict.resolved(entry: "/srv/app/main.js") { $0 }
        for left in Self.accesses {
            // What another access of the list needs, too, is no more than that one's.
            let others = Self.accesses.filter {
                $0 != left && ($0.permission != left.permission || $0.target != left.target)
            }
            let needed = !policy.decide(left).isAllowed
            #expect(audited(others).added(to: policy).policy.decide(left).isAllowed != needed, "\(left)")
        }
    }

    @Test func aDenialIsARemarkAndNoRule() throws {
        var policy = Policy.strict
        policy.network = NetworkRules(allow: nil, deny: [try NetworkRule(parsing: "evil.test")], privates: [])
        var needs = PolicyNeeds()
        needs.add(.network, rule: "network.deny[0]", target: "evil.test:443")
        let (added, remarks) = needs.added(to: policy)
        #expect(added == policy && remarks == ["network evil.test:443: network.deny[0] stands against it"])
    }

    @Test func namesThatLookAlikeAreTwo() {
        let policy = Policy.strict.resolved(entry: "/srv/app/main.js") { $0 }
        let accesses =
            ["/lib/\u{E9}.js", "/lib/e\u{301}.js"].map(Access.module) + ["\u{E9}", "e\u{301}"].map(Access.environment)
        let (added, _) = audited(accesses).added(to: policy)
        for access in accesses { #expect(added.decide(access).isAllowed, "\(access)") }
        let (one, _) = audited([accesses[0], accesses[2]]).added(to: policy)
        #expect(!one.decide(accesses[1]).isAllowed && !one.decide(accesses[3]).isAllowed)
    }

    @Test func aLetterThatCombinesHidesNoSlash() {
        let policy = Policy.strict.resolved(entry: "/srv/app/\u{301}main.js") { $0 }
        #expect(policy.decide(.module("/srv/app/other.js")).isAllowed)
        #expect(!policy.decide(.module("/srv/other.js")).isAllowed)
    }

    @Test func hostileTargetsMakeNoRules() {
        var needs = PolicyNeeds()
        for permission in Permission.allCases {
            for target in [
                "*", "a*", "/*", "", "a\nb", "x y", String(repeating: "/a", count: 200), "\u{1B}[0m", "*:443",
                "*.com:1",
            ] {
                needs.add(permission, rule: "x (nothing allows it)", target: target)
            }
        }
        var expected = Policy.strict
        (expected.allowsCode, expected.allowsWasm, expected.allowsWorkers, expected.allowsRandom) = (
            true, true, true, true
        )
        expected.clock = .exact
        #expect(needs.added(to: .strict).policy == expected)
    }

    @Test func thereIsAnEndToWhatIsCollected() {
        var needs = PolicyNeeds()
        for number in 0..<PolicyNeeds.needsMax + 5 { needs.add(.environment, rule: "", target: "N\(number)") }
        #expect(needs.needs.count == PolicyNeeds.needsMax && needs.omitted == 5)
        #expect(needs.added(to: .strict).remarks.count == 1)
    }

    @Test func holesAreTold() throws {
        var policy = Policy.strict
        policy.network = NetworkRules(
            allow: try ["*", "*.com", "http://a.test", "127.0.0.1:80"].map { try NetworkRule(parsing: $0) },
            privates: try ["10.0.0.0/8", "169.254.0.0/16", "localhost"].map { try NetworkRule(parsing: $0) })
        policy.allowsCode = true
        policy.environment = NameRules(["*"], key: "environment")
        policy.read = PathRules(["/", "/proc/self"], key: "files.read")
        policy.write = PathRules(["/srv/app"], key: "files.write")
        policy = policy.resolved(entry: "/srv/app/main.js") { $0 }
        #expect(policy.holes.count == 12, "\(policy.holes.joined(separator: "\n"))")
        #expect(Policy.strict.holes.isEmpty && Policy.standard.holes.isEmpty)
    }

    @Test(
        arguments: [
            ("0.0.0.0/0", false), ("[::/0]", false), ("0.0.0.0/1", false), ("10.0.0.0/7", false),
            ("[2002::/16]", false), ("[64:ff9b::/96]", false), ("[::/3]", false), ("10.0.0.0/8", true),
            ("127.0.0.1", true), ("192.168.1.0/24", true), ("[fd00::/8]", true), ("[2001:db8::/32]", true),
            ("[2002:a00::/24]", false), ("[2002:a00:1::/48]", true), ("93.184.0.0/16", false), ("[2000::/3]", false),
        ])
    func aBlockIsPrivateIfAllOfItIs(_ text: String, _ isPrivate: Bool) throws {
        var policy = Policy.strict
        policy.network = NetworkRules(allow: [try NetworkRule(parsing: text)])
        #expect(policy.holes.contains { $0.contains("is not in the public Internet") } == isPrivate, "\(policy.holes)")
    }

    @Test func whatIsFrozenIsSaidWhereItIsNotAsTheBaseHasIt() {
        #expect(
            Policy.strict.yaml(isFrozen: true) == "base: strict\n"
                && Policy.standard.yaml(isFrozen: false) == "base: standard\n")
        #expect(Policy.strict.yaml(isFrozen: false) == "base: strict\ncode:\n  primordials: open\n")
        #expect(Policy.standard.yaml(isFrozen: true) == "base: standard\ncode:\n  primordials: frozen\n")
    }
}
