import Testing

@testable import Configuration

/// `security` of the file, and who may listen where.
@Suite struct SecurityConfigurationTests {
    private var load = PipelineLoading()
    private static let secret = "0123456789abcdef"

    private func security(_ text: String) throws -> SecurityConfiguration {
        try load.configuration("security:\n" + text).common.security
    }

    @Test func nothingIsGuardedWhereNothingIsSaid() throws {
        let security = try load.configuration("service: x\n").common.security
        #expect(security == SecurityConfiguration())
        #expect(try load.loaded("service: x\n").effective["security"] == nil)
    }

    @Test func allOfItIsRead() throws {
        var load = load
        load.files = ["/t": "fedcba9876543210\n"]
        let security = try load.configuration(
            """
            security:
              tokens:
                - {name: viewer, token: \(Self.secret), allow: read}
                - {name: apps, file: /t, allow: [ingest, admin]}
                - {name: third, token: 0123456789abcdeg, allow: [admin]}
              tls: {cert: c.pem, key: k.pem, client-ca: ca.pem, doors: [admin]}
              per-client: {connections: 8, requests-per-second: 100, bytes-per-second: 1MB}
              insecure: true
            """
        ).common.security
        #expect(security.tokens.map(\.name) == ["viewer", "apps", "third"])
        #expect(security.tokens[1].secret == "fedcba9876543210")
        #expect(security.tokens.map(\.rights) == [[.read], [.ingest, .admin], [.admin]])
        #expect(security.tokens(for: .admin).map(\.name) == ["viewer", "apps", "third"])
        #expect(security.tokens(for: .receivers).map(\.name) == ["apps"])
        #expect(security.tls(for: .admin)?.files == TLSFiles(certificate: "c.pem", key: "k.pem"))
        #expect(security.tls(for: .receivers) == nil)
        #expect(security.tls?.clientAuthority == "ca.pem")
        #expect(security.perClient.connections == 8 && security.perClient.requestsPerSecond == 100)
        #expect(security.perClient.bytesPerSecond == 1 << 20)
        #expect(security.isInsecure)
    }

    @Test func secretsAreShownToNobody() throws {
        let loaded = try load.loaded("security: {tokens: [{name: a, token: \(Self.secret), allow: read}]}\n")
        #expect(!loaded.effective.yaml().contains(Self.secret))
        for text in [
            "security: {tokens: [{name: a, token: \(Self.secret)\u{e9}, allow: read}]}\n",
            "security: {tokens: [{name: a, token: \(Self.secret), allow: wrong}]}\n",
            "security: {tokens: [{name: a, token: \(Self.secret), allow: read}, {name: b, token: \(Self.secret), allow: read}]}\n",
        ] {
            let errors = load.errors(text)
            #expect(!errors.isEmpty)
            #expect(!errors.contains { $0.contains(Self.secret) })
        }
    }

    @Test(arguments: [
        ("{tokens: [{token: 0123456789abcdef, allow: read}]}", "it has no name"),
        ("{tokens: [{name: a, allow: read}]}", "its secret is missing"),
        ("{tokens: [{name: a, token: 0123456789abcdef}]}", "what it allows is missing"),
        ("{tokens: [{name: a, token: 0123456789abcdef, allow: []}]}", "what it allows is missing"),
        ("{tokens: [{name: a, token: short, allow: read}]}", "has 5 characters, and needs 16 to 512"),
        ("{tokens: [{name: a, token: 'with spaces in it', allow: read}]}", "other characters"),
        ("{tokens: [{name: 'a b', token: 0123456789abcdef, allow: read}]}", "is no name"),
        ("{tokens: [{name: a, token: 0123456789abcdef, file: /t, allow: read}]}", "one of both"),
        ("{tokens: [{name: a, file: /none, allow: read}]}", "cannot be read"),
        ("{tokens: [{name: a, token: 0123456789abcdef, allow: write}]}", "is not one of read, ingest, admin"),
        ("{tls: {cert: c}}", "key is missing"), ("{tls: {key: c}}", "cert is missing"),
        ("{tls: {cert: c, key: k, doors: [front]}}", "is not one of admin, receivers"),
        ("{per-client: {connections: 0}}", "is not a whole number"), ("{insecure: maybe}", "is not true or false"),
        ("{tokenz: 1}", "did you mean \"tokens\"?"),
    ])
    func whatIsWrongIsSaid(_ text: String, _ said: String) {
        let errors = load.errors("security: \(text)\n")
        #expect(errors.contains { $0.contains(said) }, "\(errors)")
        #expect(errors.allSatisfy { $0.hasPrefix("f.yaml:1:") }, "\(errors)")
    }

    @Test(arguments: [
        "admin: 0.0.0.0:1\n", "admin: '[::]:1'\n", "admin: 10.0.0.1:1\n", "admin: host.example:1\n",
        "admin: 127.0.0.1.example.com:1\n", "receivers: {zipkin: 0.0.0.0:1}\n",
    ])
    func nobodyListensForOtherMachinesUnasked(_ text: String) throws {
        let errors = load.errors(text)
        #expect(errors.count == 1 && errors[0].contains("is open to other machines"), "\(errors)")
        #expect(load.errors(text + "security: {insecure: true}\n") == [])
        #expect(load.errors(text + "security: {tls: {cert: c, key: k}}\n").count == 1)
        #expect(load.errors(text + "security: {tls: {cert: c, key: k, client-ca: a}}\n") == [])
        var load = load
        load.flags.isInsecure = true
        #expect(load.errors(text) == [])
    }

    @Test func aTokenOpensTheDoorsThatItIsGoodFor() throws {
        let read = "security: {tokens: [{name: a, token: \(Self.secret), allow: read}]}\n"
        #expect(load.errors("admin: 0.0.0.0:1\n" + read) == [])
        #expect(load.errors("receivers: {zipkin: 0.0.0.0:1}\n" + read).count == 1)
    }

    @Test func theWorkloadsAdminPortIsADoorToo() throws {
        var flags = FlagValues()
        flags.entry = "app.js"
        flags.admin = "0.0.0.0:1"
        guard case .failure(let errors) = AgentConfiguration.parse(flags, environment: [:]) else {
            Issue.record("it is taken")
            return
        }
        #expect(errors.problems.count == 1 && errors.problems[0].description.hasPrefix("--admin: 0.0.0.0:1 is open"))
        flags.isInsecure = true
        #expect(try AgentConfiguration.parse(flags, environment: [:]).get().value.common.security.isInsecure)
    }
}
