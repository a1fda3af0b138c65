extension CommonLoader {
    private static let serversMax = 8
    private static let nameServersMax = 3
    private static let consulExample = "http://127.0.0.1:8500"
    private static let etcdExample = "http://127.0.0.1:2379"

    /// - Parameter section: `discovery`.
    mutating func readResolve(_ section: inout FileSection, _ flags: FlagValues) {
        var resolve = ResolveConfiguration()
        let given = Self.parse(flags.resolves, section.loading)
        section.section("resolve") { section in
            resolve.consul = Self.registry("consul", "url", .consul, Self.consulExample, given.consul, &section) {
                Self.readToken(&$0, &$1)
            }
            resolve.etcd = Self.registry("etcd", "urls", .etcd, Self.etcdExample, given.etcd, &section) {
                registry, section in
                section.optional("user", &registry.user, .text)
                registry.password = section.secret("password")
                if (registry.user == nil) != (registry.password == nil) {
                    section.error(registry.user == nil ? "password" : "user", "user and password belong together")
                }
                section.value("folder", &registry.folder, .folderOfKeys)
            }
            resolve.nameServers = Self.nameServers(given.nameServers, &section)
        }
        configuration.discovery.resolve = resolve
    }

    /// As Consul's own tools have it.
    private static func readToken(_ registry: inout ResolveConfiguration.Registry, _ section: inout FileSection) {
        registry.token = section.secret("token")
        if let token = section.loading.environment["CONSUL_HTTP_TOKEN"]?.trimmed, !token.isEmpty {
            registry.token = token
            section.note("token", EffectiveValue.mask, .environment("CONSUL_HTTP_TOKEN"))
        }
        if let token = registry.token, !ExporterParser.isHeader("X-Consul-Token", token) {
            section.error("token", "this cannot be sent: it holds control characters")
        }
    }

    // MARK: Flags

    private typealias Given = (consul: [EndpointURL]?, etcd: [EndpointURL]?, nameServers: [String]?)

    /// `KIND` or `KIND=PLACE` each; an empty list: where it is as a rule.
    private static func parse(_ texts: [String], _ loading: FileLoading) -> Given {
        var given: Given = (nil, nil, nil)
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let place = parts.count == 2 ? String(parts[1]) : nil
            do throws(WrongValue) {
                switch parts[0] {
                case "consul": given.consul = try (given.consul ?? []) + servers(place, consulExample)
                case "etcd": given.etcd = try (given.etcd ?? []) + servers(place, etcdExample)
                case "dns": given.nameServers = try (given.nameServers ?? []) + names(place)
                default:
                    throw WrongValue(notOneOf(["consul", "etcd", "dns"], String(parts[0])))
                }
            } catch {
                loading.error(.flag("--resolve"), ["discovery", "resolve"], "\"\(text.shown)\" \(error.message)")
            }
        }
        return given
    }

    private static func servers(_ place: String?, _ example: String) throws(WrongValue) -> [EndpointURL] {
        guard let place else { return [] }
        var servers: [EndpointURL] = []
        for part in place.split(separator: ",", omittingEmptySubsequences: false) {
            servers.append(try ScalarKind<EndpointURL>.server(example: example).parse(String(part)))
        }
        return servers
    }

    private static func names(_ place: String?) throws(WrongValue) -> [String] {
        guard let place else { return [] }
        return [try ScalarKind<String>.nameServer.parse(place)]
    }

    /// As Consul's own tools have it.
    private static func consulAddress(_ loading: FileLoading) -> [EndpointURL]? {
        guard let text = loading.environment["CONSUL_HTTP_ADDR"]?.trimmed, !text.isEmpty else { return nil }
        do throws(WrongValue) {
            return try servers(text, consulExample)
        } catch {
            loading.warning(
                .environment("CONSUL_HTTP_ADDR"), ["discovery", "resolve", "consul", "url"],
                "\"\(text.shown)\" is ignored: it \(error.message)")
            return nil
        }
    }

    // MARK: The file

    private static func registry(
        _ key: String, _ urlKey: String, _ standard: ResolveConfiguration.Registry, _ example: String,
        _ given: [EndpointURL]?,
        _ section: inout FileSection,
        _ readOthers: (inout ResolveConfiguration.Registry, inout FileSection) -> Void
    ) -> ResolveConfiguration.Registry? {
        guard section.has(key) || given != nil else {
            _ = section.node(key)
            return nil
        }
        var registry = standard
        section.section(key, shorthand: urlKey) { section in
            if let given, !given.isEmpty {
                registry.urls = given
                note(urlKey, given.map(\.description), .flag("--resolve"), &section)
            } else if key == "consul", let urls = consulAddress(section.loading) {
                registry.urls = urls
                note(urlKey, urls.map(\.description), .environment("CONSUL_HTTP_ADDR"), &section)
            } else {
                let isRead = section.list(urlKey, &registry.urls, .server(example: example), isShownEmpty: true)
                if isRead, registry.urls.isEmpty { section.error(urlKey, "it is empty, as in \(example)") }
            }
            if registry.urls.count > serversMax {
                section.error(urlKey, "there are \(registry.urls.count); at most \(serversMax) are asked")
            }
            readOthers(&registry, &section)
            section.optional("ca", &registry.tls.authority, .path)
            section.optional("cert", &registry.tls.certificate, .path)
            section.optional("key", &registry.tls.key, .path)
            if registry.tls.key != nil, registry.tls.certificate == nil {
                section.error("key", "a client's key needs its certificate: cert is missing")
            }
        }
        return registry.urls.isEmpty ? nil : registry
    }

    /// `system`, or those that are to be asked.
    private static func nameServers(_ given: [String]?, _ section: inout FileSection) -> [String]? {
        let servers: [String]
        if let given {
            servers = given
            note("dns", given.isEmpty ? ["system"] : given, .flag("--resolve"), &section)
        } else {
            var words: [String] = []
            section.list("dns", &words, .nameServerOrSystem)
            guard section.has("dns") else { return nil }
            if words.contains("system"), words.count > 1 { section.error("dns", "either system, or name servers") }
            servers = words.filter { $0 != "system" }
        }
        if servers.count > nameServersMax {
            section.error("dns", "there are \(servers.count); at most \(nameServersMax) are asked")
        }
        return servers
    }

    /// What a flag or variable says, whatever the file does.
    private static func note(_ key: String, _ texts: [String], _ origin: SettingOrigin, _ section: inout FileSection) {
        _ = section.node(key)
        section.put(key, .list(texts.map { .scalar(EffectiveValue.Scalar(text: $0, isBare: false, origin: origin)) }))
    }
}

extension ScalarKind where Value == EndpointURL {
    /// Of a registry's server: nothing behind the port. HOST:PORT is http, as Consul's own tools have it.
    static func server(example: String) -> ScalarKind {
        let url = url(example: example)
        return ScalarKind(
            parse: { text throws(WrongValue) in
                let server = try url.parse(HostPort(parsing: text) == nil ? text : "http://" + text)
                guard server.hasNoPath, server.query == nil else {
                    throw WrongValue("is not the URL of a server alone, as in \(example)")
                }
                return server.with(path: "")
            },
            show: \.description)
    }
}

extension ScalarKind where Value == String {
    fileprivate static var nameServerOrSystem: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in text == "system" ? text : try nameServer.parse(text) }, show: { $0 })
    }

    fileprivate static var folderOfKeys: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard (1...256).contains(text.utf8.count), !text.utf8.contains(0) else {
                    throw WrongValue("is not what keys can begin with: 1 to 256 bytes")
                }
                return text.hasSuffix("/") ? text : text + "/"
            },
            show: { $0 })
    }
}
