import Testing

@testable import Policy

struct DecideTests {
    private func network(
        _ allow: [String]?, deny: [String] = [], private privates: [String]? = []
    ) throws -> Policy {
        var policy = Policy.strict
        policy.network = NetworkRules(
            allow: try allow?.map { try NetworkRule(parsing: $0) }, deny: try deny.map { try NetworkRule(parsing: $0) },
            privates: try privates?.map { try NetworkRule(parsing: $0) })
        return policy
    }

    private func connect(_ policy: Policy, _ url: String, _ method: String = "GET") -> Decision {
        let parts = url.split(separator: "/", omittingEmptySubsequences: false)
        let scheme = String(parts[0].dropLast())
        var place = parts[2]
        var port: UInt16 = scheme == "https" || scheme == "wss" ? 443 : 80
        if let colon = place.lastIndex(of: ":"), !place.hasSuffix("]") {
            port = UInt16(place[place.index(after: colon)...])!
            place = place[..<colon]
        }
        return policy.decide(.connect(method: method, scheme: scheme, host: String(place), port: port))
    }

    private static let everything: [Access] = [
        .connect(method: "GET", scheme: "https", host: "example.com", port: 443),
        .reach(host: "example.com", address: IPAddress(v4: 0x0A00_0001), port: 443), .read(path: "/etc/passwd"),
        .write(path: "/tmp/x"), .environment("PATH"), .module("node:fs"), .module("/etc/passwd"), .code, .wasm, .worker,
        .preciseClock, .random, .crypto("AES-GCM"),
    ]

    @Test func withoutAPolicyEverythingIsAllowed() {
        for policy in [Policy.standard, .trusted] {
            #expect(policy.isOpen)
            for access in Self.everything {
                #expect(policy.isOpen(access.permission))
                #expect(policy.decide(access) == .allowed(access.permission))
            }
        }
    }

    @Test func strictAllowsNothing() {
        for access in Self.everything {
            let decision = Policy.strict.decide(access)
            #expect(!decision.isAllowed && !decision.isAudited, "\(access)")
            #expect(!decision.reason.isEmpty && !decision.rule.isEmpty && decision.permission == access.permission)
        }
    }

    @Test func anAuditAllowsAndTells() {
        var policy = Policy.strict
        policy.isAudited = true
        for access in Self.everything {
            let decision = policy.decide(access)
            #expect(decision.isAllowed && decision.isAudited && !decision.reason.isEmpty)
        }
    }

    @Test func strictLoadsWhatLiesBelowItsEntry() {
        let policy = Policy.strict.resolved(entry: "/srv/app/main.js") { $0 }
        for path in ["/srv/app/main.js", "/srv/app/lib/a.js", "/srv/app/x.json"] {
            #expect(policy.decide(.module(path)).isAllowed, "\(path)")
        }
        for path in [
            "/srv/app2/main.js", "/srv/main.js", "/srv/app/../app2/x.js", "/srv/app//x.js", "/srv/app/./x.js",
            "srv/app/x.js",
            "/srv/app/..", "node:fs", "sidelight", "data:text/javascript,1", "",
        ] {
            #expect(!policy.decide(.module(path)).isAllowed, "\(path)")
        }
    }

    @Test func theEntryMayAlwaysBeLoaded() {
        var policy = Policy.strict
        policy.modules = ModuleRules(names: ["node:*"], paths: ["/opt/lib"], allowsOwn: false)
        policy = policy.resolved(entry: "/srv/app/main.js") { $0 }
        #expect(policy.decide(.module("/srv/app/main.js")).rule == "modules (the entry)")
        #expect(!policy.decide(.module("/srv/app/other.js")).isAllowed)
        #expect(policy.decide(.module("/opt/lib/x.js")).isAllowed)
        #expect(policy.decide(.module("node:events")).isAllowed)
        #expect(!policy.decide(.module("nodex")).isAllowed)
    }

    @Test func hostsSchemesPortsAndMethodsAreMatched() throws {
        let policy = try network(["https://api.example.com", "*.example.org:443", "plain.test"])
        for url in [
            "https://api.example.com/", "https://API.example.com./", "wss://api.example.com/", "https://a.example.org/",
            "https://a.b.example.org/", "http://plain.test:81/", "https://plain.test/",
        ] {
            #expect(connect(policy, url).isAllowed, "\(url)")
        }
        for url in [
            "http://api.example.com/", "https://api.example.com:444/", "http://api.example.com:443/",
            "https://example.org/",
            "https://example.org.evil.test/", "https://xexample.org/", "http://a.example.org/",
            "https://api.example.com.evil/",
            "https://evil.test/", "https://sub.plain.test/", "https://plain.test.evil/",
        ] {
            let decision = connect(policy, url)
            #expect(!decision.isAllowed && decision.rule == "network (nothing allows it)", "\(url)")
        }
        #expect(connect(policy, "https://a.example.org/").rule == "network.allow[1]")
    }

    @Test func methodsAreMatchedWithoutCase() throws {
        var policy = Policy.strict
        policy.network = NetworkRules(allow: [
            try NetworkRule(host: "db.test", ports: [5432...5432, 8000...8010], methods: ["get", "HEAD"])
        ])
        #expect(connect(policy, "http://db.test:5432/", "GET").isAllowed)
        #expect(connect(policy, "http://db.test:8005/", "Head").isAllowed)
        #expect(!connect(policy, "http://db.test:8011/", "GET").isAllowed)
        #expect(!connect(policy, "http://db.test:5432/", "POST").isAllowed)
    }

    @Test func denialsComeFirst() throws {
        let policy = try network(["*"], deny: ["*.evil.test", "8.8.8.0/24", "POST.test:25"], private: ["10.0.0.5"])
        #expect(connect(policy, "https://a.evil.test/").rule == "network.deny[0]")
        #expect(connect(policy, "https://8.8.8.8/").rule == "network.deny[1]")
        #expect(connect(policy, "https://[::ffff:808:808]/").rule == "network.deny[1]")
        let reached = policy.decide(.reach(host: "innocent.test", address: IPAddress("8.8.8.9")!, port: 443))
        #expect(reached.rule == "network.deny[1]")
        #expect(connect(policy, "https://post.test:25/").rule == "network.deny[2]")
        #expect(connect(policy, "https://post.test/").isAllowed)
    }

    @Test(arguments: [
        "http://127.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://169.254.169.254/", "http://0/",
        "http://10.0.0.1/",
        "http://[64:ff9b::a00:1]/", "http://[2002:7f00:1::]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/",
        "http://[::]/",
    ])
    func privatePlacesAreRefusedUnlessNamed(_ url: String) throws {
        let open = try network(["*"])
        #expect(connect(open, url).rule == "network.private")
        let named = try network([], private: ["*"])
        #expect(connect(named, url).isAllowed)
    }

    @Test func whatANameTurnsOutToBeIsLookedAtAgain() throws {
        let policy = try network(["*"], private: ["10.0.0.5:8080", "db.internal:5432", "127.0.0.0/8:*"])
        func reach(_ host: String, _ address: String, _ port: UInt16) -> Decision {
            policy.decide(.reach(host: host, address: IPAddress(address)!, port: port))
        }
        #expect(reach("example.com", "1.1.1.1", 443).isAllowed)
        #expect(reach("rebound.test", "10.0.0.6", 8080).rule == "network.private")
        #expect(reach("rebound.test", "10.0.0.5", 8080).rule == "network.private[0]")
        #expect(!reach("rebound.test", "10.0.0.5", 8081).isAllowed)
        #expect(reach("db.internal", "192.168.7.7", 5432).isAllowed)
        #expect(!reach("db.internal", "192.168.7.7", 80).isAllowed)
        #expect(reach("x.test", "127.9.9.9", 1).isAllowed)
        #expect(!reach("x.test", "::1", 1).isAllowed)
        #expect(!reach("x.test", "169.254.169.254", 80).isAllowed)
        #expect(!reach("localhost", "1.1.1.1", 80).isAllowed)
    }

    @Test func whatIsNamedAsPrivateNeedNotBeAllowedTwice() throws {
        let policy = try network([], private: ["localhost:8080", "10.0.0.5:80"])
        #expect(connect(policy, "http://localhost:8080/").isAllowed)
        #expect(connect(policy, "http://10.0.0.5/").isAllowed)
        let other = connect(policy, "http://localhost:8081/")
        #expect(other.rule == "network.private")
        #expect(
            other.reason
                == "GET localhost:8081 is not in the public Internet, and network.private does not name it")
    }

    @Test func aPlaceThatIsNamedForOtherRequestsIsToldSo() throws {
        var policy = Policy.strict
        policy.network = NetworkRules(privates: [
            try NetworkRule(host: "127.0.0.1", ports: [80...80], methods: ["GET", "HEAD"])
        ])
        let decision = connect(policy, "http://127.0.0.1/", "POST")
        #expect(decision.rule == "network.private")
        #expect(
            decision.reason
                == "POST 127.0.0.1:80 is not in the public Internet, and network.private[0] is for GET, HEAD alone")
        let named = connect(policy, "http://localhost:81/")
        #expect(named.reason == "GET localhost:81 is not in the public Internet, and network.private does not name it")
    }

    @Test func aRefusedRequestIsWrittenAsAURLIs() throws {
        let decision = connect(try network(["a.test"]), "https://b.test/")
        #expect(decision.reason == "GET https://b.test:443 is not allowed: no rule of network.allow does")
    }

    @Test func aDotAtTheEndIsNotKept() throws {
        #expect(try NetworkRule(parsing: "https://Example.com.").description == "https://example.com")
        var policy = try network(["example.com."])
        #expect(policy.words.contains("It connects to example.com."))
        policy = policy.resolved(entry: "/srv/main.js") { $0 }
        #expect(policy.words.contains("It loads modules below its entry's folder."))
        #expect(Policy.trusted.words == ["Everything is allowed."])
    }

    @Test(arguments: ["", "a b", "ex\u{E4}mple.com", "a%2eb", "a\u{0}b", "[::1", "1.2.3.256", "a\nb"])
    func whatIsNoHostIsRefusedByAllRules(_ host: String) throws {
        let policy = try network(["*"], private: ["*"])
        let decision = policy.decide(.connect(method: "GET", scheme: "http", host: host, port: 80))
        #expect(decision.rule == "network (no host)")
    }

    @Test func pathsAreAllowedWithWhatIsInThem() {
        var policy = Policy.strict
        policy.read = PathRules(["/srv/data/", "/etc/app.conf"], key: "files.read")
        for path in ["/srv/data", "/srv/data/a", "/srv/data/a/..b", "/etc/app.conf", "/srv/data/..."] {
            #expect(policy.decide(.read(path: path)).isAllowed, "\(path)")
        }
        for path in [
            "/srv/database", "/srv", "/srv/data/../x", "/srv/data/..", "/srv/data/./a", "/srv//data/a", "/srv/data/",
            "srv/data/a",
            "/etc/app.confx", "", "/", "/srv/data/a\u{0}b", ".", "..",
        ] {
            #expect(!policy.decide(.read(path: path)).isAllowed, "\(path)")
        }
        policy.read = PathRules(["/"], key: "files.read")
        #expect(policy.decide(.read(path: "/")).isAllowed && policy.decide(.read(path: "/x/y")).isAllowed)
        #expect(!policy.decide(.write(path: "/srv/data/a")).isAllowed)
    }

    @Test func namesAreWholeOrBegin() {
        var policy = Policy.strict
        policy.environment = NameRules(["API_URL", "APP_*"], key: "environment")
        policy.crypto = NameRules(["aes-gcm", "SHA-*"], key: "crypto")
        #expect(policy.decide(.environment("API_URL")).rule == "environment[0]")
        #expect(policy.decide(.environment("APP_")).isAllowed && policy.decide(.environment("APP_X")).isAllowed)
        for name in ["API_URLS", "api_url", "APP", "", "XAPP_"] {
            #expect(!policy.decide(.environment(name)).isAllowed)
        }
        #expect(policy.decide(.crypto("AES-GCM")).isAllowed && policy.decide(.crypto("sha-256")).isAllowed)
        #expect(!policy.decide(.crypto("AES-CBC")).isAllowed && !policy.decide(.crypto("SHA")).isAllowed)
    }

    @Test func reasonsHoldNothingThatATerminalObeys() {
        let hostile = "\u{1B}[31m\u{202E}\u{0}\n\u{9B}x" + String(repeating: "y", count: 500)
        let policy = Policy.strict
        for access: Access in [
            .environment(hostile), .module(hostile), .read(path: "/" + hostile), .crypto(hostile),
            .connect(method: hostile, scheme: hostile, host: hostile, port: 1),
            .connect(method: hostile, scheme: hostile, host: "x", port: 1),
        ] {
            let reason = policy.decide(access).reason
            #expect(reason.unicodeScalars.allSatisfy { ![.control, .format].contains($0.properties.generalCategory) })
            #expect(reason.count < 1_000)
        }
    }

    @Test(arguments: [
        "", "https://", "https://a/b", "https://a?x", "a b", "*.*.com", "a.*.com", "*a.com", "https://a:0", "a:65536",
        "a:1-", "a:9-1",
        "a:+1", "a:http", "[::1", "[::1]x", "[1:2]:3", "1.2.3", "0x7f.1", "1.2.3.4/33", "::1/129", "1.2.3.4/-1",
        "1.2.3.4/", "b\u{FC}cher.de",
        "user@host", "http://u:p@h/", "ftp://x", "a..b", ".a", "1https://a", "://a", "-\u{0}", "a:1:2",
    ])
    func whatIsNoRuleIsNone(_ text: String) {
        #expect(throws: NetworkRule.Failure.self, "\(text)") { try NetworkRule(parsing: text) }
    }

    @Test(arguments: [
        "https://api.example.com", "https://api.example.com:8443", "*.example.org:443", "db.internal:8000-8010",
        "10.0.0.0/8",
        "10.0.0.0/8:80", "[::1]", "[::1]:8080", "[fd00::/8]:80", "*", "*:443", "localhost", "wss://a.test",
        "http://a.test:*",
        "a_b.test", "service://orders",
    ])
    func rulesAreWrittenAsTheyAreRead(_ text: String) throws {
        let rule = try NetworkRule(parsing: text)
        #expect(rule.description == text)
        #expect(try NetworkRule(parsing: rule.description) == rule)
    }
}
