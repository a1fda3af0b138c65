extension CommonLoader {
    private static let tagsMax = 32
    private static let metaMax = 48
    private static let labelsMax = 32
    private static let membersMax = 16

    /// - Parameter section: `discovery`.
    mutating func readRegister(_ section: inout FileSection, _ flags: FlagValues) {
        let registries = RegisterFlags(flags.registers, section.loading)
        guard section.has("register") || !registries.isEmpty else {
            _ = section.node("register")
            return
        }
        var register = configuration.discovery.register
        section.section("register") { Self.read(&register, &$0, registries) }
        configuration.discovery.register = register
    }

    private static func read(
        _ register: inout RegisterConfiguration, _ section: inout FileSection, _ registries: RegisterFlags
    ) {
        section.optional("name", &register.name, .serviceName)
        section.optional("address", &register.address, .hostName)
        section.optional("port", &register.port, .port)
        section.list("tags", &register.tags, .tag)
        if register.tags.count > tagsMax {
            section.error("tags", "there are \(register.tags.count); at most \(tagsMax) are taken")
        }
        read(
            "meta", &register.meta, .metaValue, &section, countMax: metaMax, isKey: isMetaKey,
            "letters, digits, \"-\" and \"_\", at most 128, and not \"sidelight-process\" or \"metrics\", which the agent itself sets"
        )
        read(
            "labels", &register.labels, .text, &section, countMax: labelsMax, isKey: isLabel,
            "letters, digits and \"_\", not a digit first, and not \"__\"")
        section.value("weight", &register.weight, .weight)
        section.value("ttl", &register.ttlNanoseconds, .time(2_000_000_000...3_600_000_000_000))
        if section.has("consul") || registries.has("consul") {
            register.consul = readConsul(&section, registries)
        } else {
            _ = section.node("consul")
        }
        if section.has("etcd") || registries.has("etcd") {
            register.etcd = readEtcd(&section, registries)
        } else {
            _ = section.node("etcd")
        }
        if section.has("dns-sd") || registries.has("dns-sd") {
            var dnsSD = RegisterConfiguration.DNSSD()
            section.section("dns-sd", shorthand: "type") { section in
                section.optional(
                    "type", &dnsSD.type, .dnsServiceType, flag: ("--register dns-sd", registries["dns-sd"]))
            }
            register.dnsSD = dnsSD
        } else {
            _ = section.node("dns-sd")
        }
        section.optional("file-sd", &register.fileSD, .jsonFile, flag: ("--register file-sd", registries["file-sd"]))
    }

    private static func readConsul(
        _ section: inout FileSection, _ registries: RegisterFlags
    ) -> RegisterConfiguration.Consul {
        var consul = RegisterConfiguration.Consul()
        section.section("consul", shorthand: "url") { section in
            section.value(
                "url", &consul.url, .server(example: "http://127.0.0.1:8500"),
                flag: ("--register consul", registries["consul"]), environment: "CONSUL_HTTP_ADDR")
            consul.token = section.secret("token")
            if let token = section.loading.environment["CONSUL_HTTP_TOKEN"]?.trimmed, !token.isEmpty {
                consul.token = token
                section.note("token", EffectiveValue.mask, .environment("CONSUL_HTTP_TOKEN"))
            }
            if let token = consul.token, !ExporterParser.isHeader("X-Consul-Token", token) {
                section.error("token", "this cannot be sent: it holds control characters")
            }
            section.optional("namespace", &consul.namespace, .text)
            section.optional("partition", &consul.partition, .text)
            section.value(
                "deregister-after", &consul.deregisterNanoseconds, .time(60_000_000_000...30 * 86_400_000_000_000))
            section.optional("ca", &consul.authority, .path)
        }
        return consul
    }

    private static func readEtcd(
        _ section: inout FileSection, _ registries: RegisterFlags
    ) -> RegisterConfiguration.Etcd {
        var etcd = RegisterConfiguration.Etcd()
        section.section("etcd", shorthand: "urls") { section in
            let isRead = section.list("urls", &etcd.urls, .server(example: "http://127.0.0.1:2379"))
            if let text = registries["etcd"] { readMembers(text, &etcd.urls, &section) }
            if isRead, etcd.urls.isEmpty { section.error("urls", "there is none: which members are to be asked?") }
            if etcd.urls.count > membersMax {
                section.error("urls", "there are \(etcd.urls.count); at most \(membersMax) are asked")
            }
            section.optional("user", &etcd.user, .text)
            etcd.password = section.secret("password")
            if etcd.user != nil, etcd.password == nil { section.error("user", "its password is missing") }
            if etcd.user == nil, etcd.password != nil { section.error("password", "whose is it? user is missing") }
            section.optional("ca", &etcd.authority, .path)
        }
        return etcd
    }

    /// Of the flag: several with commas between.
    private static func readMembers(_ text: String, _ urls: inout [EndpointURL], _ section: inout FileSection) {
        urls = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            do throws(WrongValue) {
                urls.append(try ScalarKind.server(example: "http://127.0.0.1:2379").parse(String(part)))
            } catch {
                section.loading.error(.flag("--register etcd"), section.path + ["urls"], "\"\(part)\" \(error.message)")
            }
        }
        let shown = urls.map(\.description).joined(separator: ",")
        section.note("urls", shown, .flag("--register etcd"))
        // What cannot be read is reported; that nothing is left is no further error.
        if urls.isEmpty { urls = [EndpointURL.local(port: 2379)] }
    }

    private static func read(
        _ key: String, _ values: inout [String: String], _ kind: ScalarKind<String>, _ section: inout FileSection,
        countMax: Int, isKey: (String) -> Bool, _ keys: String
    ) {
        guard section.has(key) else {
            _ = section.node(key)
            return
        }
        var found: [String: String] = [:]
        section.section(key) { section in
            for name in section.keys {
                var value: String?
                section.optional(name, &value, kind)
                if !isKey(name) { section.error(name, "this is no name that can be used: \(keys)") }
                if let value { found[name] = value }
            }
        }
        if found.count > countMax { section.error(key, "there are \(found.count); at most \(countMax) are taken") }
        values = found
    }

    private static func isMetaKey(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text != "sidelight-process" && text != "metrics"
            && text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func isLabel(_ text: String) -> Bool {
        text.utf8.first.map { !(0x30...0x39).contains($0) } == true && !text.hasPrefix("__")
            && text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") }
    }
}

/// What `--register` says: KIND, or KIND=VALUE.
private struct RegisterFlags {
    private static let kinds = ["consul", "etcd", "dns-sd", "file-sd"]

    private var values: [String: String] = [:]
    private var named: Set<String> = []

    var isEmpty: Bool { named.isEmpty }

    init(_ flags: [String], _ loading: FileLoading) {
        func error(_ flag: String, _ message: String) {
            loading.error(.flag("--register"), ["discovery", "register"], "\"\(flag.shown)\" \(message)")
        }
        for flag in flags {
            let kind = String(flag.prefix { $0 != "=" })
            let value = flag.dropFirst(kind.count + 1)
            if !Self.kinds.contains(kind) {
                error(flag, notOneOf(Self.kinds, kind))
            } else if !named.insert(kind).inserted {
                error(flag, "is given twice: one registry of a kind")
            } else if flag.contains("="), value.isEmpty {
                error(flag, "says nothing after \"=\"")
            } else if kind == "file-sd", value.isEmpty {
                error(flag, "has no file, as in file-sd=/etc/prometheus/shop.json")
            } else if !value.isEmpty {
                values[kind] = String(value)
            }
        }
    }

    func has(_ kind: String) -> Bool { named.contains(kind) }

    subscript(kind: String) -> String? { values[kind] }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}

extension ScalarKind where Value == String {
    /// Letters, digits, "-", "." and "_".
    fileprivate static var serviceName: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let isFit = text.utf8.allSatisfy {
                    $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
                }
                guard isFit, (1...64).contains(text.utf8.count), text.contains(where: { $0 != "." }) else {
                    throw WrongValue(
                        "is no name of a service: that has 1 to 64 letters, digits, \"-\", \".\" and \"_\"")
                }
                return text
            },
            show: { $0 })
    }

    /// An address or a name, without a port.
    fileprivate static var hostName: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard
                    EndpointURL.isIPv6Address(text)
                        || (text.utf8.count <= 253 && HostPort(parsing: text + ":1")?.host == text)
                else {
                    throw WrongValue("is no address or name of a host, as in 10.0.0.5 or shop.example.com")
                }
                return text
            },
            show: { $0 })
    }

    fileprivate static var tag: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
                    !text.contains(",")
                else {
                    throw WrongValue("is no tag: that has 1 to 128 bytes and no comma")
                }
                return text
            },
            show: { $0 })
    }

    fileprivate static var metaValue: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard text.utf8.count <= 512 else { throw WrongValue("is longer than 512 bytes") }
                return text
            },
            show: { $0 })
    }

    /// RFC 6335, section 5.1; RFC 6763, section 7.
    fileprivate static var dnsServiceType: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                guard parts.count == 2, parts[1] == "_tcp" || parts[1] == "_udp", parts[0].first == "_",
                    (1...15).contains(parts[0].utf8.count - 1), parts[0].last != "-",
                    parts[0].utf8.dropFirst().allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }),
                    parts[0].utf8.contains(where: { $0 | 0x20 >= 0x61 && $0 != UInt8(ascii: "_") })
                else {
                    throw WrongValue("is no type of a service in DNS-SD, as in _http._tcp")
                }
                return text
            },
            show: { $0 })
    }

    fileprivate static var jsonFile: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let path = try ScalarKind.path.parse(text)
                guard path.hasSuffix(".json"), !path.hasSuffix("/.json") else {
                    throw WrongValue("is no file that Prometheus reads: its name has to end in .json")
                }
                return path
            },
            show: { $0 })
    }
}

extension ScalarKind where Value == UInt16 {
    fileprivate static var port: ScalarKind { count(1...65_535) }
    fileprivate static var weight: ScalarKind { count(1...65_535) }

    private static func count(_ bounds: ClosedRange<Int>) -> ScalarKind {
        let count = ScalarKind<Int>.count(bounds)
        return ScalarKind(
            parse: { text throws(WrongValue) in UInt16(try count.parse(text)) }, show: { "\($0)" }, isBare: true)
    }
}
