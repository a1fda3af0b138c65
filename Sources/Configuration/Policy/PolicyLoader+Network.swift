internal import Policy

extension PolicyLoader {
    mutating func readNetwork(_ section: inout FileSection) {
        let base = configuration.policy.network
        var rules = NetworkRules(allow: base?.allow ?? nil, deny: base?.deny ?? [], privates: base?.privates ?? nil)
        section.section("network") { section in
            if let allow = Self.rules("allow", &section) {
                rules.allow = allow
                // What is named in public is no leave for what is not.
                rules.privates = rules.privates ?? []
            }
            if let deny = Self.rules("deny", &section) { rules.deny = deny }
            if let privates = Self.rules("private", &section) { rules.privates = privates }
        }
        if section.has("network") || base != nil { configuration.policy.network = rules }
    }

    /// Nil: the key is not there.
    private static func rules(_ key: String, _ section: inout FileSection) -> [NetworkRule]? {
        guard let node = section.node(key) else { return nil }
        let loading = section.loading
        let path = section.path + [key]
        let elements: [YAMLNode]
        switch node.value {
        case .list(let list): elements = list
        case .plain(let text) where PlainScalar.isNull(text): elements = []
        case .plain, .quoted: elements = [node]
        case .mapping:
            loading.error(node.position, path, "expected a list of rules, not \(node.kindName)")
            return []
        }
        checkCount(elements.count, NetworkRules.rulesMax, key, section)
        var rules: [NetworkRule] = []
        var shown: [EffectiveValue] = []
        for (index, element) in elements.prefix(NetworkRules.rulesMax).enumerated() {
            let rulePath = section.path + ["\(key)[\(index)]"]
            let rule = Self.rule(element, rulePath, loading)
            guard let rule else { continue }
            if rules.contains(rule) {
                loading.error(element.position, rulePath, "\"\(rule.description.shown)\" stands twice in the list")
            }
            rules.append(rule)
            let origin = SettingOrigin.file(loading.filePosition(element.position), through: [])
            let text = rule.methods.isEmpty ? "\(rule)" : "\(rule) \(rule.methods.joined(separator: ","))"
            shown.append(.scalar(EffectiveValue.Scalar(text: text, isBare: false, origin: origin)))
        }
        section.put(key, .list(shown))
        return rules
    }

    /// Nil, and reported: it is none.
    private static func rule(_ node: YAMLNode, _ path: [String], _ loading: FileLoading) -> NetworkRule? {
        if case .mapping = node.value { return mapping(node, path, loading) }
        guard let text = loading.scalar(node, path) else { return nil }
        do throws(NetworkRule.Failure) {
            return try NetworkRule(parsing: text.text)
        } catch {
            loading.error(
                node.position, path,
                "\"\(text.text.shown)\" \(error.message); a rule is like https://api.example.com or *.example.org:443")
            return nil
        }
    }

    /// `{host: db.internal, ports: [5432], methods: [GET]}`.
    private static func mapping(_ node: YAMLNode, _ path: [String], _ loading: FileLoading) -> NetworkRule? {
        var section = FileSection(loading, node, path: path)
        var (host, scheme): (String?, String?) = (nil, nil)
        var ports: [ClosedRange<UInt16>] = []
        var methods: [String] = []
        section.optional("host", &host, .text)
        section.optional("scheme", &scheme, .text)
        let arePorts = section.list("ports", &ports, .ports)
        let areMethods = section.list("methods", &methods, .text)
        warn(of: methods, section)
        section.finish()
        guard let host else {
            if !section.has("host") { section.error("host", "it is missing: which host is the rule for?") }
            return nil
        }
        guard arePorts, areMethods else { return nil }
        do throws(NetworkRule.Failure) {
            return try NetworkRule(host: host, scheme: scheme, ports: ports, methods: methods)
        } catch {
            loading.error(node.position, path, "\"\(host.shown)\" \(error.message)")
            return nil
        }
    }
}

extension PolicyLoader {
    /// What is most asked; others may be what is meant. <https://www.iana.org/assignments/http-methods/>
    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE",
        "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY", "LINK", "UNLINK", "PURGE",
    ]

    /// A method that nobody asks by allows nothing.
    fileprivate static func warn(of named: [String], _ section: FileSection) {
        for method in named where !methods.contains(method.uppercased()) {
            guard let nearest = Spelling.nearest(method, of: methods.map { $0.lowercased() }) else { continue }
            section.warning("methods", "\"\(method.shown)\" is no usual method; did you mean \(nearest.uppercased())?")
        }
    }
}

extension ScalarKind where Value == ClosedRange<UInt16> {
    fileprivate static var ports: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                do throws(NetworkRule.Failure) {
                    return try NetworkRule.ports(text)
                } catch {
                    throw WrongValue("is no port from 1 to 65535, nor a range such as 8000-8010")
                }
            },
            show: { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }, isBare: true)
    }
}
