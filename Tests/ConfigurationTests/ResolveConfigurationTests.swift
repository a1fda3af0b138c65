import Testing

@testable import Configuration

@Suite struct ResolveConfigurationTests {
    private func read(
        _ text: String, flags: [String] = [], environment: [String: String] = [:]
    ) -> Result<Configured<AgentConfiguration>, ConfigurationErrors> {
        var values = FlagValues()
        values.resolves = flags
        return AgentConfiguration.parse(
            values, environment: environment,
            file: PipelineConfiguration.File(name: "shop.yaml", bytes: Array(text.utf8)))
    }

    private func resolve(
        _ text: String, flags: [String] = [], environment: [String: String] = [:]
    ) throws -> ResolveConfiguration {
        try read(text, flags: flags, environment: environment).get().value.common.discovery.resolve
    }

    private func complaints(_ text: String, flags: [String] = []) -> [String] {
        guard case .failure(let errors) = read(text, flags: flags) else { return [] }
        return errors.problems.map(\.description)
    }

    @Test func nothingIsAskedUnlessItIsSaid() throws {
        #expect(try resolve("").isEmpty)
        #expect(try resolve("discovery: {resolve: {}}").isEmpty)
        #expect(try read("").get().value.worker.resolve.isEmpty)
    }

    @Test func everyKey() throws {
        let found = try resolve(
            """
            discovery:
              resolve:
                consul: {url: [http://a:8500/, "https://b"], token: secret, ca: ca.pem, cert: cert.pem, key: key.pem}
                etcd: {urls: c:2379, user: shop, password: geheim, folder: /shop, ca: ca.pem}
                dns: [127.0.0.1:8600, 10.0.0.1]
            """)
        let consul = try #require(found.consul)
        #expect(consul.urls.map(\.description) == ["http://a:8500", "https://b"])
        #expect(consul.token == "secret")
        #expect(
            consul.tls == ExporterConfiguration.TLSFiles(authority: "ca.pem", certificate: "cert.pem", key: "key.pem"))
        let etcd = try #require(found.etcd)
        #expect(etcd.urls.map(\.description) == ["http://c:2379"])
        #expect((etcd.user, etcd.password) == ("shop", "geheim"))
        #expect(etcd.folder == "/shop/")
        #expect(found.nameServers == ["127.0.0.1:8600", "10.0.0.1:53"])
    }

    @Test func withoutAPlaceItIsHere() throws {
        let found = try resolve("discovery: {resolve: {consul: , etcd: {}, dns: system}}")
        #expect(found.consul == .consul)
        #expect(found.consul?.urls.map(\.description) == ["http://127.0.0.1:8500"])
        #expect(found.etcd?.urls.map(\.description) == ["http://127.0.0.1:2379"])
        #expect(found.nameServers == [])
    }

    @Test func flagsBeatVariablesAndTheseTheFile() throws {
        let file = "discovery: {resolve: {consul: {url: http://file:1, token: file}, dns: 10.0.0.1}}"
        let flags = ["consul=http://flag:1,flag:2", "etcd", "dns"]
        let environment = ["CONSUL_HTTP_ADDR": "variable:3", "CONSUL_HTTP_TOKEN": "variable"]
        let found = try resolve(file, flags: flags, environment: environment)
        #expect(found.consul?.urls.map(\.description) == ["http://flag:1", "http://flag:2"])
        #expect(found.consul?.token == "variable")
        #expect(found.etcd == .etcd)
        #expect(found.nameServers == [])
        let others = try resolve(file, environment: environment)
        #expect(others.consul?.urls.map(\.description) == ["http://variable:3"])
        #expect(others.etcd == nil)
        // Variables that are there for other tools ask for nothing.
        #expect(try resolve("", environment: environment).isEmpty)
    }

    @Test func whatIsWrongIsSaid() {
        for (text, complaint) in [
            (
                "consul: http://a/b",
                "shop.yaml:1:31: discovery.resolve.consul.url: \"http://a/b\" is not the URL of a server alone, as in http://127.0.0.1:8500"
            ),
            (
                "etcd: {urls: []}",
                "shop.yaml:1:36: discovery.resolve.etcd.urls: it is empty, as in http://127.0.0.1:2379"
            ),
            ("etcd: {user: shop}", "shop.yaml:1:36: discovery.resolve.etcd.user: user and password belong together"),
            (
                "dns: a.example",
                "shop.yaml:1:28: discovery.resolve.dns: \"a.example\" is not ADDRESS:PORT of a name server, as in 127.0.0.1:8600"
            ),
            ("dns: [system, 10.0.0.1]", "shop.yaml:1:28: discovery.resolve.dns: either system, or name servers"),
            (
                "consul: {key: k.pem}",
                "shop.yaml:1:37: discovery.resolve.consul.key: a client's key needs its certificate: cert is missing"
            ),
            (
                "consul: {token: \"a\\nb\"}",
                "shop.yaml:1:39: discovery.resolve.consul.token: this cannot be sent: it holds control characters"
            ),
        ] {
            #expect(complaints("discovery: {resolve: {\(text)}}") == [complaint], "\(text)")
        }
        #expect(complaints("discovery: {resolve: {eureka: 1}}").count == 1)
        #expect(
            complaints("", flags: ["eureka=1"])
                == ["--resolve: \"eureka=1\" is not one of consul, etcd, dns"])
        #expect(complaints("", flags: ["consul="]).count == 1)
        #expect(complaints("", flags: ["dns=x"]).count == 1)
        // What cannot be read is no empty list besides.
        #expect(complaints("discovery: {resolve: {consul: 5}}").count == 1)
    }
}
