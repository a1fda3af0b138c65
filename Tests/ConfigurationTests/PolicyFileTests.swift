import Policy
import Testing

@testable import Configuration

/// Policy files, and the key `policy`. docs/policy.md
@Suite struct PolicyFileTests {
    private func load(
        _ text: String, _ environment: [String: String] = [:], name: String = "conf/shop.yaml"
    )
        -> (configuration: PolicyConfiguration, errors: [ConfigurationProblem], warnings: [ConfigurationProblem])
    {
        PolicyConfiguration.load(name, folder: "/srv", environment: environment) { file in
            file == name ? .bytes(Array(text.utf8)) : .failed("No such file or directory")
        }
    }

    private func policy(_ text: String) throws -> Policy {
        let loaded = load(text)
        try #require(loaded.errors.isEmpty, "\(loaded.errors)")
        return loaded.configuration.policy
    }

    private func errors(_ text: String) -> [String] { load(text).errors.map(\.description) }

    @Test func anEmptyFileIsStrict() throws {
        #expect(try policy("") == .strict)
        #expect(try policy("base: strict\n") == .strict)
        #expect(try policy("base: standard\n") == .standard)
        #expect(try policy("base: trusted\n") == .trusted)
    }

    @Test func allKeysAreRead() throws {
        let text = """
            base: strict
            network:
              allow: ["https://api.example.com", "*.example.org:443", {host: db.internal, ports: [5432, 8000-8010], methods: [GET]}]
              deny: ["evil.example.org"]
              private: ["10.0.0.5:8080", "127.0.0.1:*", "localhost"]
            files: {read: [./data, /etc/app.conf], write: [../out]}
            environment: [API_URL, "APP_*"]
            modules: ["node:*", "sidelight", "./**", ../lib]
            code: {eval: allow, wasm: allow, workers: deny, primordials: frozen}
            clock: exact
            random: allow
            crypto: [AES-GCM, SHA-256]
            volume: {logs-per-second: 1000, spans-per-second: 10000}
            """
        let loaded = load(text)
        try #require(loaded.errors.isEmpty && loaded.warnings.isEmpty, "\(loaded.errors) \(loaded.warnings)")
        let policy = loaded.configuration.policy
        #expect(loaded.configuration.freezesPrimordials && loaded.configuration.source == "conf/shop.yaml")
        let network = try #require(policy.network)
        #expect(network.allow?.map(\.name) == ["network.allow[0]", "network.allow[1]", "network.allow[2]"])
        #expect(network.allow?[2].methods == ["GET"] && network.allow?[2].ports == [5432...5432, 8000...8010])
        #expect(network.deny.map(\.description) == ["evil.example.org"])
        #expect(network.privates?.map(\.description) == ["10.0.0.5:8080", "127.0.0.1", "localhost"])
        #expect(policy.read?.paths == ["/srv/conf/data", "/etc/app.conf"] && policy.write?.paths == ["/srv/out"])
        #expect(policy.environment?.patterns == ["API_URL", "APP_*"])
        #expect(policy.modules?.names.patterns == ["node:*", "sidelight"])
        #expect(policy.modules?.paths.paths == ["/srv/conf", "/srv/lib"])
        #expect(policy.allowsCode && policy.allowsWasm && !policy.allowsWorkers && policy.allowsRandom)
        #expect(policy.clock == .exact && policy.crypto?.patterns == ["AES-GCM", "SHA-256"])
        #expect(policy.volume.logsPerSecond == 1_000 && policy.volume.spansPerSecond == 10_000)
    }

    @Test func whatIsNotSaidIsTheBases() throws {
        let denied = try policy("base: standard\nnetwork: {deny: [evil.test]}\n")
        #expect(denied.network?.allow == nil && denied.network?.privates == nil && denied.environment == nil)
        #expect(denied.decide(.connect(method: "GET", scheme: "http", host: "127.0.0.1", port: 80)).isAllowed)
        let listed = try policy("base: standard\nnetwork: {allow: [\"*\"]}\n")
        #expect(!listed.decide(.connect(method: "GET", scheme: "http", host: "127.0.0.1", port: 80)).isAllowed)
        #expect(try policy("files: {read: []}\n") == .strict)
        #expect(try policy("crypto: allow\n").crypto == nil)
        #expect(try policy("base: standard\ncrypto: deny\n").crypto?.patterns == [])
        #expect(try policy("network:\n") == .strict)
    }

    @Test func whatIsWrongIsToldWithItsLineAndKey() {
        let text = """
            base: stric
            network:
              allow: ["https://", "http://a.test/path", {hots: a.test}, {host: a.test, ports: [0]}, a.test, a.test]
              private: {a: b}
            files: {read: ["./*.txt"]}
            environment: ["A*B", "A B"]
            code: {eval: no}
            clock: fast
            crypto: [allow, SHA-1]
            volume: {logs-per-second: 0}
            netwrok: {}
            """
        let told = errors(text)
        for expected in [
            "conf/shop.yaml:1:7: base: \"stric\" is not one of strict, standard, trusted; did you mean strict?",
            "conf/shop.yaml:3:11: network.allow[0]: \"https://\" names no host",
            "conf/shop.yaml:3:23: network.allow[1]: \"http://a.test/path\" has a path",
            "conf/shop.yaml:3:46: network.allow[2].hots: there is no such key; did you mean \"host\"?",
            "network.allow[3].ports: \"0\" is no port from 1 to 65535",
            "network.allow[5]: \"a.test\" stands twice in the list",
            "conf/shop.yaml:4:12: network.private: expected a list of rules, not a mapping",
            "conf/shop.yaml:5:16: files.read: \"./*.txt\" has a \"*\"",
            "environment: \"A*B\" has a \"*\" that does not stand at its end",
            "environment: \"A B\" is no name", "code.eval: \"no\" is not one of allow, deny",
            "conf/shop.yaml:8:8: clock: \"fast\" is not one of exact, coarse",
            "crypto: either allow, or deny, or a list of algorithms",
            "volume.logs-per-second: \"0\" is not a whole number",
            "conf/shop.yaml:11:1: netwrok: there is no such key; did you mean \"network\"?",
        ] {
            #expect(told.contains { $0.contains(expected) }, "\(expected) is not in:\n\(told.joined(separator: "\n"))")
        }
        #expect(told.count <= 17)
    }

    @Test func whatIsWrongWithARuleIsToldOnce() {
        let told = errors("network: {allow: [{host: a, ports: [70000], methods: [GET]}, \"http://u:p@h/\"]}\n")
        #expect(told.count == 2, "\(told)")
        #expect(told.allSatisfy { !$0.contains("no such key") && !$0.contains("u:p") }, "\(told)")
        #expect(told.last?.contains("has a user's name in it") == true, "\(told)")
    }

    @Test(arguments: [
        ("network: {allow: [\"ftp://x\"]}", "nothing connects by"), ("modules: [\"https://x/y.js\"]", "is a URL"),
        ("environment: [a=b]", "has a \"=\""), ("files: {read: [~/x]}", "begins with a \"~\""),
        ("modules: [~/x]", "begins with a \"~\""),
    ])
    func whatAllowsNothingIsAnError(_ text: String, _ message: String) {
        let told = errors(text + "\n")
        #expect(told.count == 1 && told[0].contains(message), "\(told)")
    }

    @Test(arguments: [
        ("crypto: [sha256]", "did you mean \"SHA-256\""), ("crypto: [MD6]", "no algorithm \"MD6\""),
        ("modules: [\"node:fss\"]", "no built-in module"),
        ("network: {allow: [{host: a, methods: [GETT]}]}", "did you mean GET?"),
    ])
    func whatThePlatformHasNotIsAWarning(_ text: String, _ message: String) {
        let loaded = load(text + "\n")
        #expect(loaded.errors.isEmpty && loaded.warnings.count == 1, "\(loaded.errors) \(loaded.warnings)")
        #expect(loaded.warnings.first?.message.contains(message) == true, "\(loaded.warnings)")
    }

    @Test func whatThePlatformHasIsNoWarning() {
        let text = """
            crypto: [aes-gcm, "SHA-*", md5]
            modules: ["node:*", "node:util", sidelight, "@opentelemetry/api"]
            network: {allow: [{host: a, methods: [get, PROPFIND, MYOWN]}]}
            """
        #expect(load(text).warnings.isEmpty && load(text).errors.isEmpty)
    }

    @Test func whatHoldsBesidesIsToldInWords() {
        let loaded = load(
            """
            fence: off
            limits: {cpu: 500ms, logs-per-second: 10}
            secrets: {TOKEN: {env: CI_TOKEN}, KEY: {file: key}}
            signature: {require: true, keys: [a.pem]}
            check: {require: true}
            code: {primordials: open}
            """)
        #expect(loaded.errors.isEmpty, "\(loaded.errors)")
        let told = loaded.configuration.words
        for words in [
            "It sees the secrets TOKEN, KEY.", "It can change what all programs are made of.",
            "Its limits are cpu 500ms, logs-per-second 10.", "There is no fence.",
            "It runs if it is signed with a key of /srv/conf/a.pem.",
            "Its code is checked before it runs: a finding of level error keeps it from it.",
        ] {
            #expect(told.contains(words), "\(words) is not in \(told)")
        }
        #expect(loaded.configuration.holes.first?.hasPrefix("fence: off") == true)
        let besides = loaded.configuration.besides(limits: loaded.configuration.limits)
        #expect(
            besides
                == "limits:\n  cpu: 500ms\n  logs-per-second: 10\nfence: off\ncheck:\n  require: true\n# Secrets: TOKEN, KEY.\n# A signature is required.\n"
        )
        let again = load(loaded.configuration.policy.yaml + besides)
        #expect(again.errors.isEmpty && again.configuration.limits == loaded.configuration.limits)
        #expect(load("base: trusted\n").configuration.holes.count == 1)
    }

    /// As `--audit` and /api/v1/policy print it.
    @Test(arguments: [
        "base: strict\n", "base: standard\n", "base: trusted\n", "base: strict\nfence: off\n",
        "base: trusted\nfence: {mode: on, require: [seccomp]}\n",
        "base: strict\nfence: {require: [seccomp, net], user: web-1, namespaces: [net, ipc], descriptors: 4096}\n",
        "base: standard\nfence: {user: \"65534\"}\ncheck: {require: true}\n",
        "base: strict\ncheck: {require: true, level: warning, suppressions: true}\n",
    ])
    func fenceAndCheckAreWrittenAsTheyWereRead(text: String) {
        let loaded = load(text)
        #expect(loaded.errors.isEmpty, "\(loaded.errors)")
        let written =
            loaded.configuration.policy.yaml + loaded.configuration.besides(limits: loaded.configuration.limits)
        let again = load(written)
        #expect(again.errors.isEmpty, "\(written) \(again.errors)")
        #expect(again.configuration.fence == loaded.configuration.fence, "\(written)")
        #expect(again.configuration.check == loaded.configuration.check, "\(written)")
    }

    @Test func aFileThatIsNotThereIsAnErrorWithAGuess() {
        let loaded = PolicyConfiguration.load("stric", folder: "/", environment: [:]) { _ in .failed("No such file") }
        #expect(
            loaded.errors.map(\.message) == ["the policy \"stric\" cannot be read: No such file; did you mean strict?"])
    }

    @Test(arguments: ["strict", "standard", "trusted"])
    func thoseThatAreBuiltInNeedNoFile(_ name: String) {
        let loaded = PolicyConfiguration.load(name, folder: "/", environment: [:]) { _ in .failed("") }
        #expect(loaded.errors.isEmpty && loaded.configuration.policy.base.rawValue == name)
        #expect(loaded.configuration.fence.mode == (name == "trusted" ? .off : .on))
    }

    // MARK: --policy, and the key in the file of -c

    private func configure(
        _ file: String?, _ files: [String: String] = [:], _ change: (inout FlagValues) -> Void = { _ in }
    ) -> Result<Configured<AgentConfiguration>, ConfigurationErrors> {
        var flags = FlagValues()
        change(&flags)
        return AgentConfiguration.parse(
            flags, environment: [:],
            file: file.map { PipelineConfiguration.File(name: "etc/app.yaml", bytes: Array($0.utf8)) }, folder: "/srv",
            readFile: { files[$0].map { .bytes(Array($0.utf8)) } ?? .failed("No such file or directory") })
    }

    @Test func theFlagBeatsTheFile() throws {
        let file = "policy: own.yaml\n"
        let files = ["own.yaml": "environment: [A]\n", "flag.yaml": "environment: [B]\n"]
        let own = try configure(file, files).get().value
        #expect(own.worker.policy.environment?.patterns == ["A"] && own.policy.source == "own.yaml")
        let given = try configure(file, files) { $0.policy = "flag.yaml" }.get().value
        #expect(given.worker.policy.environment?.patterns == ["B"] && given.policy.source == "flag.yaml")
        #expect(try configure(file, files) { $0.policy = "trusted" }.get().value.worker.policy == .trusted)
        #expect(try configure(nil).get().value.worker.policy == .standard)
    }

    @Test func aPolicyMayStandInTheFileItself() throws {
        let value = try configure("policy:\n  files: {read: [data]}\n  environment: [A]\n").get().value
        #expect(value.worker.policy.read?.paths == ["/srv/etc/data"])
        #expect(value.worker.policy.decide(.environment("A")).isAllowed && !value.worker.policy.allowsCode)
    }

    @Test func whatIsWrongWithItIsToldWithItsOwnFile() throws {
        let failure = configure("policy: own.yaml\n", ["own.yaml": "\n\nclock: fast\n"])
        guard case .failure(let errors) = failure else { return #expect(Bool(false)) }
        #expect(errors.problems.map(\.description).first?.hasPrefix("own.yaml:3:8: clock: ") == true)
        guard case .failure(let missing) = configure(nil, { $0.policy = "no.yaml" }) else {
            return #expect(Bool(false))
        }
        #expect(
            missing.problems.map(\.description)
                == ["--policy: the policy \"no.yaml\" cannot be read: No such file or directory"])
        guard case .failure(let inside) = configure("service: a\npolicy: {clock: fast}\n") else {
            return #expect(Bool(false))
        }
        #expect(inside.problems.map(\.description).first?.hasPrefix("etc/app.yaml:2:17: policy.clock: ") == true)
    }

    private func configure(
        _ file: String?, _ change: (inout FlagValues) -> Void
    ) -> Result<Configured<AgentConfiguration>, ConfigurationErrors> { configure(file, [:], change) }

    @Test func anAuditIsOfThePolicyOrOfStrict() throws {
        let strict = try configure(nil) { $0.isAudited = true }.get().value.worker.policy
        #expect(strict.isAudited && strict.base == .strict)
        let standard = try configure(nil) { ($0.isAudited, $0.policy) = (true, "standard") }.get().value.worker.policy
        #expect(standard.isAudited && standard.base == .standard)
    }

    // MARK: What is printed is read

    @Test(arguments: 0..<200)
    func whatIsPrintedIsReadAsItWas(_ seed: UInt64) throws {
        var random = SeededRandom(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        let policy = try Self.policy(&random)
        let loaded = load(policy.yaml, ["HOME": "/root"])
        #expect(loaded.errors.isEmpty, "seed \(seed): \(loaded.errors)\n\(policy.yaml)")
        #expect(loaded.configuration.policy == policy, "seed \(seed):\n\(policy.yaml)")
        #expect(loaded.configuration.policy.yaml == policy.yaml)
    }

    @Test func damagedFilesTrapNothingAndWhatIsTakenIsPrintedAsItWas() throws {
        let text = """
            base: standard
            network: {allow: ["https://a.test", {host: "b.test", ports: [1-2], methods: [GET]}], deny: ["*.c.test"], private: ["10.0.0.0/8:80"]}
            files: {read: [./data], write: [/out]}
            environment: [A, "B_*"]
            modules: ["node:*", "./**"]
            code: {eval: deny, wasm: allow}
            clock: coarse
            crypto: [SHA-256]
            """
        let bytes = Array(text.utf8)
        var random = SeededRandom(state: 28)
        var taken = 0
        for _ in 0..<1_000 {
            var damaged = bytes
            for _ in 0...random.below(3) {
                let at = random.below(damaged.count)
                switch random.below(3) {
                case 0: damaged.remove(at: at)
                case 1: damaged[at] = UInt8(truncatingIfNeeded: random.next())
                default: damaged.insert(bytes[random.below(bytes.count)], at: at)
                }
            }
            let loaded = PolicyConfiguration.load("p.yaml", folder: "/srv", environment: [:]) { _ in .bytes(damaged) }
            guard loaded.errors.isEmpty else { continue }
            taken += 1
            let policy = loaded.configuration.policy
            let again = load(policy.yaml)
            #expect(again.errors.isEmpty && again.configuration.policy == policy, "\(policy.yaml)")
        }
        #expect(taken > 50)
    }

    @Test func whatWasNeededIsPrintedReadAndHolds() throws {
        var needs = PolicyNeeds()
        let entry = "/srv/a \"b\" ${HOME}/main.js"
        var audited = Policy.strict.resolved(entry: entry) { $0 }
        audited.isAudited = true
        let accesses: [Access] = [
            .connect(method: "GET", scheme: "https", host: "api.example.com", port: 443),
            .connect(method: "GET", scheme: "http", host: "[::1]", port: 8080), .module("/opt/$$x/y.js"),
            .module("node:fs"),
            .module("/srv/a \"b\" ${HOME}/lib/z.js"), .read(path: "/srv/\u{E4}\\\u{1F600}'#: x"),
            .write(path: "/tmp/- a"), .environment("NULL"), .environment("~"),
            .environment("$HOME"), .crypto("SHA-256"), .code, .preciseClock,
        ]
        for access in accesses {
            let decision = audited.decide(access)
            if decision.isAudited { needs.add(decision.permission, rule: decision.rule, target: access.target) }
        }
        let (needed, remarks) = needs.added(to: audited)
        #expect(remarks.isEmpty)
        let read = try policy(needed.yaml).resolved(entry: entry) { $0 }
        for access in accesses { #expect(read.decide(access).isAllowed, "\(access):\n\(needed.yaml)") }
        #expect(!read.decide(.environment("HOME")).isAllowed && !read.decide(.wasm).isAllowed)
    }

    private static func policy(_ random: inout SeededRandom) throws -> Policy {
        var policy = Policy(base: Policy.Base.allCases[random.below(2)])
        func names(_ random: inout SeededRandom) -> [String] {
            let all = [
                "A", "APP_*", "no", "~", "1", "0x1", "true", "$X", "${Y}", "null", "a:b", "#c", "-", "\u{E4}", "*",
                "'q'", "\"d\"",
            ]
            return Array(all.shuffled(using: &random).prefix(random.below(4)))
        }
        func paths(_ random: inout SeededRandom) -> [String] {
            let all = ["/", "/a b", "/\u{1F600}", "/$H/x", "/a\\b", "/a\"b", "/a'b", "/x: y", "/#", "/..a"]
            return Array(all.shuffled(using: &random).prefix(random.below(4)))
        }
        func rules(_ random: inout SeededRandom) throws -> [NetworkRule] {
            let texts = [
                "*", "https://a.test", "*.b.test:1-9", "[::1]:80", "10.0.0.0/8:1", "[fd00::/8]", "wss://c.test:*",
                "localhost",
            ]
            var rules = try texts.shuffled(using: &random).prefix(random.below(4)).map { try NetworkRule(parsing: $0) }
            if random.below(2) == 0 {
                rules.append(
                    try NetworkRule(host: "m.test", scheme: "https", ports: [1...2, 9...9], methods: ["GET", "PUT"]))
            }
            return rules
        }
        if random.below(2) == 0 {
            policy.network = NetworkRules(
                allow: try rules(&random), deny: try rules(&random), privates: try rules(&random))
        }
        if random.below(2) == 0 { policy.read = PathRules(paths(&random), key: "files.read") }
        if random.below(2) == 0 { policy.write = PathRules(paths(&random), key: "files.write") }
        if random.below(2) == 0 { policy.environment = NameRules(names(&random), key: "environment") }
        if random.below(2) == 0 {
            policy.modules = ModuleRules(
                names: names(&random).filter { !$0.hasPrefix(".") && $0 != "~" }, paths: paths(&random),
                allowsOwn: false)
        }
        if random.below(2) == 0 {
            policy.crypto = random.below(2) == 0 ? nil : NameRules(["SHA-256", "AES-*"], key: "crypto")
        }
        policy.allowsCode = random.below(2) == 0
        policy.allowsWorkers = random.below(2) == 0
        policy.allowsRandom = random.below(2) == 0
        policy.clock = Policy.Clock.allCases[random.below(2)]
        if random.below(2) == 0 { policy.volume.logsPerSecond = 1 + random.below(100) }
        return policy
    }
}

/// SplitMix64.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
