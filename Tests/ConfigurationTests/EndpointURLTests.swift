import Testing

@testable import Configuration

@Suite struct EndpointURLTests {
    @Test func aServiceIsAURLWithoutAPort() throws {
        let url = try EndpointURL(parsing: "DNSSRV+https://_OTLP._tcp.example.com/v1/traces?a", allowsService: true)
        #expect(url.isService)
        #expect(url.scheme == .https)
        #expect(url.host == "_otlp._tcp.example.com")
        #expect(url.description == "dnssrv+https://_otlp._tcp.example.com/v1/traces?a")
        #expect(url.with(path: "").description == "dnssrv+https://_otlp._tcp.example.com")
        #expect(try EndpointURL(parsing: "dnssrv+http://a.b.", allowsService: true).host == "a.b.")
        let long = String(repeating: "a", count: 64)
        for bad in [
            "a.b:1", "1.2.3.4", "[::1]", "a..b", ".", "\(long).b",
            Array(repeating: "abcdefg", count: 32).joined(separator: "."),
        ] {
            #expect(throws: EndpointURL.Failure.self, "\(bad)") {
                try EndpointURL(parsing: "dnssrv+http://\(bad)", allowsService: true)
            }
        }
        #expect(throws: EndpointURL.Failure.self) { try EndpointURL(parsing: "dnssrv+http://a.b") }
    }

    @Test func aServiceMayBeOneThatARegistryKnows() throws {
        let url = try EndpointURL(parsing: "Consul+HTTP://green.collector/v1/traces", allowsService: true)
        #expect(url.finding == .consul)
        #expect(url.host == "green.collector")
        #expect(url.description == "consul+http://green.collector/v1/traces")
        #expect(try EndpointURL(parsing: "etcd+https://collector", allowsService: true).finding == .etcd)
        #expect(try EndpointURL(parsing: "http://collector", allowsService: true).finding == nil)
        for (bad, complaint) in [
            ("consul+http://collector:80", "the port is what its instances have: leave it out"),
            ("consul+http://10.0.0.1", "\"10.0.0.1\" is no name of a service"),
            (
                "consul://collector",
                "the scheme \"consul\" is not http or https; what consul knows is written as in consul+http://collector"
            ),
            (
                "etcd+grpc://collector",
                "the scheme \"etcd+grpc\" is not http or https; what etcd knows is written as in etcd+http://collector"
            ),
        ] {
            #expect(throws: EndpointURL.Failure(message: complaint), "\(bad)") {
                try EndpointURL(parsing: bad, allowsService: true)
            }
        }
        #expect(throws: EndpointURL.Failure.self) { try EndpointURL(parsing: "consul+http://collector") }
    }

    @Test func partsAreTold() throws {
        let url = try EndpointURL(parsing: "HTTPS://Collector.example.com:4318/v1/traces?a=b&c=?d")
        #expect(url.scheme == .https)
        #expect(url.host == "collector.example.com")
        #expect(url.port == 4318)
        #expect(url.path == "/v1/traces")
        #expect(url.query == "a=b&c=?d")
        #expect(url.description == "https://collector.example.com:4318/v1/traces?a=b&c=?d")
    }

    @Test func portAndPathMayBeMissing() throws {
        #expect(try EndpointURL(parsing: "http://localhost").port == 80)
        #expect(try EndpointURL(parsing: "https://localhost").port == 443)
        #expect(try EndpointURL(parsing: "http://localhost:").port == 80)
        #expect(try EndpointURL(parsing: "http://localhost").hasNoPath)
        #expect(try EndpointURL(parsing: "http://localhost/").hasNoPath)
        #expect(try !EndpointURL(parsing: "http://localhost/x").hasNoPath)
        #expect(try EndpointURL(parsing: "http://localhost?x").query == "x")
    }

    @Test func ipv6AddressStandsInBrackets() throws {
        let url = try EndpointURL(parsing: "http://[2001:DB8::1]:4318/x")
        #expect(url.host == "2001:db8::1")
        #expect(url.port == 4318)
        #expect(url.description == "http://[2001:db8::1]:4318/x")
        for good in ["::", "::1", "1:2:3:4:5:6:7:8", "fe80::1", "::ffff:127.0.0.1", "1:2:3:4:5:6:127.0.0.1"] {
            #expect(EndpointURL.isIPv6Address(good), "\(good)")
        }
        for bad in [
            "", ":", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::127.0.0", "::256.0.0.1",
            ":::", "+1::",
        ] {
            #expect(!EndpointURL.isIPv6Address(bad), "\(bad)")
        }
    }

    @Test(arguments: [
        ("", "empty"), ("localhost:4318", "must start with http://"),
        ("ftp://localhost", "\"ftp\" is not http or https"),
        ("://localhost", "\"\" is not http or https"), ("http://", "no host"), ("http:///v1/traces", "no host"),
        ("http://:4318", "no host"), ("http://localhost:0", "\"0\" is no port"),
        ("http://localhost:99999", "\"99999\" is no port"),
        ("http://localhost:+80", "\"+80\" is no port"), ("http://localhost:http", "\"http\" is no port"),
        ("http://::1:4318", "brackets"), ("http://[::1", "not closed"), ("http://[::1]4318", "instead of a port"),
        ("http://[nonsense]", "no IPv6 address"), ("http://user:secret@localhost", "HEADERS"),
        ("http://localhost/#top", "fragment"),
        ("http://local host/", "percent-encoded"), ("http://localhost/\u{7F}", "percent-encoded"),
        ("http://h%41st/", "no host name"),
        ("http://localhost/é", "percent-encoded"), ("http://localhost/\r\nX: 1", "percent-encoded"),
    ])
    func whatIsWrongIsSaid(text: String, part: String) {
        do {
            let url = try EndpointURL(parsing: text)
            Issue.record("\(text) was taken as \(url)")
        } catch {
            #expect(error.message.contains(part), "\(text): \(error.message)")
        }
    }

    @Test func hostAndPortAreParsed() {
        #expect(HostPort(parsing: "127.0.0.1:0") == HostPort(host: "127.0.0.1", port: 0))
        #expect(HostPort(parsing: "[::1]:9464") == HostPort(host: "::1", port: 9464))
        #expect(HostPort(parsing: "[::1]:9464")?.description == "[::1]:9464")
        for bad in [
            "", ":", "9464", ":9464", "localhost", "localhost:", "localhost:-1", "localhost:65536", "::1:80", "a b:1",
            "[x]:1",
        ] {
            #expect(HostPort(parsing: bad) == nil, "\(bad)")
        }
    }
}
