import Testing

@testable import Configuration

@Suite struct ServeConfigurationTests {
    private func parse(
        _ change: (inout FlagValues) -> Void, environment: [String: String] = [:]
    ) -> Result<Configured<AgentConfiguration>, ConfigurationErrors> {
        var flags = FlagValues()
        change(&flags)
        return AgentConfiguration.parse(flags, environment: environment)
    }

    private func problem(_ change: (inout FlagValues) -> Void) -> String? {
        guard case .failure(let errors) = parse(change) else { return nil }
        return errors.description
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"), ("[::1]:0", "http://[::1]:0"),
        ("localhost:1", "http://localhost:1"),
        ("unix:/run/a.sock", "unix:/run/a.sock"), ("unix:a", "unix:a"),
    ])
    func placesToListen(_ text: String, _ url: String) {
        #expect(ListenAddress(parsing: text)?.url() == url)
        #expect(ListenAddress(parsing: text)?.description == text)
    }

    @Test func bothFilesOfTLS() throws {
        #expect(try parse { _ in }.get().value.tls == nil)
        let files = try parse {
            $0.tlsCertificate = "c.pem"
            $0.tlsKey = "k.pem"
        }.get().value.tls
        #expect(files == TLSFiles(certificate: "c.pem", key: "k.pem"))
        #expect(problem { $0.tlsCertificate = "c.pem" } == "--tls-cert: --tls-key is missing: both are needed")
        #expect(problem { $0.tlsKey = "k.pem" } == "--tls-key: --tls-cert is missing: both are needed")
        #expect(
            problem {
                $0.tlsCertificate = ""
                $0.tlsKey = "k.pem"
            } == "--tls-cert: the file's name is empty")
        #expect(ListenAddress(parsing: "a:1")?.url(isTLS: true) == "https://a:1")
    }

    @Test(arguments: [
        "", "8080", ":8080", "a:", "a:b", "a:65536", "::1:80", "[::1]", "unix:",
        "unix:" + String(repeating: "x", count: 108),
    ])
    func whatIsNoPlaceToListen(_ text: String) {
        #expect(ListenAddress(parsing: text) == nil)
        #expect(problem { $0.listen = text }?.hasPrefix("--listen: ") == true)
    }

    @Test(arguments: [
        "* * * * *", "*/5 0-23/2 1,15 * mon-fri", "0 0 29 FEB 7", "59 23 31 12 0", "  1\t2  3 4 5 ",
    ])
    func cronExpressions(_ text: String) throws {
        let parsed = try CronExpression(parsing: text)
        #expect(parsed.text.split(separator: " ").count == 5)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
        "*/0 * * * *", "*/x * * * *", "1-2-3 * * * *", "5-1 * * * *", "1/2/3 * * * *", ", * * * *", "1, * * * *",
        "-1 * * * *",
        "99999999999999999999 * * * *", "* * * foo *",
    ])
    func whatIsNoCronExpression(_ text: String) {
        #expect(problem { $0.crons = [text] }?.hasPrefix("--cron \"\(text)\": ") == true)
    }

    @Test func limitsOfRequests() throws {
        let configuration = try parse {
            $0.limits = [
                "headers=16KB", "body=1GB", "header-timeout=5s", "idle=1m", "request-timeout=30s", "connections=7",
            ]
        }.get().value
        let limits = configuration.worker.limits
        #expect(limits.headers == 16 << 10)
        #expect(limits.body == 1 << 30)
        #expect(limits.headerTimeout == 5_000_000_000)
        #expect(limits.idle == 60_000_000_000)
        #expect(limits.requestTimeout == 30_000_000_000)
        #expect(limits.connections == 7)
        #expect(try parse { $0.limits = ["request-timeout=none"] }.get().value.worker.limits.requestTimeout == 0)
    }

    @Test(arguments: [
        "headers=0", "body=x", "header-timeout=5", "idle=none", "request-timeout=-1s", "connections=0",
        "connections=1k",
    ])
    func whatIsNoLimit(_ text: String) {
        #expect(problem { $0.limits = [text] }?.contains("--limit \(text)") == true)
    }

    @Test(arguments: [
        ("headers=1023", "from 1KB to 16MB"), ("headers=17MB", "from 1KB to 16MB"),
        ("body=1025GB", "from 1B to 1024GB"), ("connections=1000001", "from 1 to 1000000"),
        ("heap=3MB", "from 4MB to 1024GB"), ("heap=1025GB", "from 4MB to 1024GB"),
        ("cpu=999us", "from 1ms to 8760h"), ("wall=8761h", "from 1ms to 8760h"),
        ("header-timeout=1us", "from 1ms to 8760h"), ("idle=8761h", "from 1ms to 8760h"),
        ("request-timeout=1ns", "from 1ms to 8760h, or none"),
    ])
    func aLimitOutOfRangeIsAnErrorThatNamesTheRange(_ text: String, _ range: String) {
        #expect(problem { $0.limits = [text] }?.hasSuffix(range) == true)
    }

    @Test(arguments: [
        "headers=1KB", "headers=16MB", "body=1", "body=1024GB", "connections=1", "connections=1000000", "heap=4MB",
        "heap=1024GB", "cpu=1ms", "wall=8760h", "idle=1ms", "request-timeout=8760h",
    ])
    func aLimitMayBeAtTheEndOfItsRange(_ text: String) {
        #expect(problem { $0.limits = [text] } == nil)
    }

    @Test func timesOfServing() throws {
        let configuration = try parse(
            { $0.shutdownTimeout = "1.5s" }, environment: ["OTEL_METRIC_EXPORT_INTERVAL": "250"]
        )
        .get().value
        #expect(configuration.shutdownNanoseconds == 1_500_000_000)
        #expect(configuration.metricNanoseconds == 250_000_000)
        let standard = try parse({ _ in }, environment: ["OTEL_METRIC_EXPORT_INTERVAL": "0"]).get()
        #expect(standard.value.shutdownNanoseconds == 10_000_000_000)
        #expect(standard.value.metricNanoseconds == 60_000_000_000)
        #expect(standard.warnings.count == 1)
        #expect(problem { $0.shutdownTimeout = "x" }?.contains("10s") == true)
        #expect(problem { $0.isolates = "65" }?.contains("1 to 64") == true)
    }
}
