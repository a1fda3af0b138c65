import Testing

@testable import Configuration

@Suite struct RegisterConfigurationTests {
    private func register(
        _ text: String?, _ flags: String..., environment: [String: String] = [:]
    ) throws -> RegisterConfiguration {
        var loading = PipelineLoading()
        loading.flags.registers = flags
        loading.environment = environment
        loading.files = ["token": "from-file\n"]
        return try loading.configuration(text).common.discovery.register
    }

    private func errors(_ text: String?, _ flags: String...) -> [String] {
        var loading = PipelineLoading()
        loading.flags.registers = flags
        return loading.errors(text)
    }

    @Test func nothingIsRegisteredUnlessAskedFor() throws {
        #expect(try register(nil) == RegisterConfiguration())
        #expect(try !register(nil).isNeeded)
        #expect(try !register("discovery: {register: {name: a}}").isNeeded)
    }

    @Test func everyKeyIsRead() throws {
        let register = try register(
            """
            discovery:
              register:
                name: shop
                address: 10.0.0.5
                port: 80
                tags: [a, b c]
                meta: {team: web, tier: ""}
                labels: {env: prod}
                weight: 10
                ttl: 30s
                consul: {url: "https://consul:8501/", token: {file: token}, namespace: n, partition: p, deregister-after: 5m, ca: ca.pem}
                etcd: {urls: ["http://a:2379", "b:2379"], user: u, password: secret, ca: ca.pem}
                dns-sd: _shop._tcp
                file-sd: /etc/prometheus/shop.json
            """)
        var expected = RegisterConfiguration()
        (expected.name, expected.address, expected.port) = ("shop", "10.0.0.5", 80)
        (expected.tags, expected.meta, expected.labels) = (["a", "b c"], ["team": "web", "tier": ""], ["env": "prod"])
        (expected.weight, expected.ttlNanoseconds) = (10, 30_000_000_000)
        var consul = RegisterConfiguration.Consul()
        consul.url = try EndpointURL(parsing: "https://consul:8501")
        (consul.token, consul.namespace, consul.partition) = ("from-file", "n", "p")
        (consul.deregisterNanoseconds, consul.authority) = (300_000_000_000, "ca.pem")
        expected.consul = consul
        var etcd = RegisterConfiguration.Etcd()
        etcd.urls = [try EndpointURL(parsing: "http://a:2379"), try EndpointURL(parsing: "http://b:2379")]
        (etcd.user, etcd.password, etcd.authority) = ("u", "secret", "ca.pem")
        expected.etcd = etcd
        var dnsSD = RegisterConfiguration.DNSSD()
        dnsSD.type = "_shop._tcp"
        (expected.dnsSD, expected.fileSD) = (dnsSD, "/etc/prometheus/shop.json")
        #expect(register == expected)
    }

    @Test func flagsNameRegistries() throws {
        let all = try register(nil, "consul", "etcd", "dns-sd", "file-sd=t.json")
        #expect(all.consul?.url.description == "http://127.0.0.1:8500")
        #expect(all.etcd?.urls.map(\.description) == ["http://127.0.0.1:2379"])
        #expect(all.dnsSD == RegisterConfiguration.DNSSD())
        #expect(all.fileSD == "t.json")
        let places = try register(nil, "consul=c:1", "etcd=http://a:1,https://b", "dns-sd=_x._udp")
        #expect(places.consul?.url.description == "http://c:1")
        #expect(places.etcd?.urls.map(\.description) == ["http://a:1", "https://b"])
        #expect(places.dnsSD?.type == "_x._udp")
    }

    @Test func flagsBeatTheFileAndKeepWhatElseItSays() throws {
        let consul = try register("discovery: {register: {consul: {url: 'http://a', token: t}}}", "consul=http://b")
            .consul
        #expect(consul?.url.description == "http://b")
        #expect(consul?.token == "t")
        #expect(
            try register("discovery: {register: {consul: 'http://a'}}", "consul").consul?.url.description == "http://a")
    }

    @Test func consulsVariablesAreRead() throws {
        let environment = ["CONSUL_HTTP_ADDR": "10.0.0.1:8500", "CONSUL_HTTP_TOKEN": "t"]
        let consul = try register(nil, "consul", environment: environment).consul
        #expect(consul?.url.description == "http://10.0.0.1:8500")
        #expect(consul?.token == "t")
        #expect(try register(nil, "consul=http://b", environment: environment).consul?.url.description == "http://b")
        // By themselves they ask for nothing.
        #expect(try !register(nil, environment: environment).isNeeded)
    }

    @Test func servesReadsThemToo() throws {
        var flags = FlagValues()
        flags.registers = ["consul"]
        #expect(
            try AgentConfiguration.parse(flags, environment: [:]).get().value.common.discovery.register.consul != nil)
    }

    @Test func secretsAreNotShown() throws {
        let effective = try PipelineLoading().loaded(
            "discovery: {register: {consul: {token: hunter2}, etcd: {user: u, password: hunter2}}}"
        ).effective.yaml()
        #expect(!effective.contains("hunter2"))
        #expect(effective.contains("consul:"))
    }

    @Test(arguments: [
        ("consul://x", "\"consul://x\" is not one of consul, etcd, dns-sd, file-sd"),
        ("consull", "did you mean consul?"),
        ("consul=", "says nothing after"), ("consul=ftp://x", "is a bad URL"),
        ("consul=http://u:p@x", "user name or password"),
        ("etcd=http://a,,http://b", "\"\" is a bad URL"), ("dns-sd=http", "is no type of a service"),
        ("file-sd", "has no file"),
        ("file-sd=t.yml", "has to end in .json"),
    ])
    func wrongFlagsAreErrors(flag: String, expected: String) {
        let errors = errors(nil, flag)
        #expect(errors.count == 1 && errors[0].contains(expected) && errors[0].hasPrefix("--register"), "\(errors)")
    }

    @Test func aRegistryIsNamedOnce() {
        #expect(errors(nil, "consul", "consul=http://b").count == 1)
    }

    @Test(arguments: [
        ("name: a/b", "is no name of a service"), ("name: ..", "is no name of a service"),
        ("address: 'a:1'", "is no address or name"),
        ("address: ''", "is no address or name"), ("port: 0", "whole number from 1 to 65535"),
        ("tags: ['a,b']", "is no tag"),
        ("tags: [\"a\\nb\"]", "is no tag"), ("meta: {'a b': c}", "no name that can be used"),
        ("meta: {metrics: c}", "no name that can be used"),
        ("labels: {'1a': c}", "no name that can be used"), ("labels: {__x: c}", "no name that can be used"),
        ("weight: 0", "whole number"),
        ("ttl: 1s", "is not a time from 2s to 1h"), ("ttl: 15", "is not a time"),
        ("consul: {deregister-after: 30s}", "is not a time from 1m"),
        ("consul: {token: ''}", "it is empty"), ("consul: {token: \"a\\nb\"}", "control characters"),
        ("consul: {tokn: x}", "did you mean \"token\""),
        ("consul: 'http://a?x=1'", "is not the URL of a server alone"), ("etcd: {urls: []}", "which members"),
        ("etcd: {user: u}", "its password is missing"),
        ("etcd: {password: u}", "whose is it?"), ("dns-sd: _http", "is no type"),
        ("dns-sd: _aaaaaaaaaaaaaaaa._tcp", "is no type"),
        ("dns-sd: _123._tcp", "is no type"), ("file-sd: a/.json", "has to end in .json"),
        ("consol: x", "did you mean \"consul\""),
    ])
    func wrongSettingsAreErrors(text: String, expected: String) {
        let errors = errors("discovery:\n  register:\n    \(text)\n")
        #expect(errors.count == 1 && errors[0].contains(expected) && errors[0].hasPrefix("f.yaml:3:"), "\(errors)")
    }
}
