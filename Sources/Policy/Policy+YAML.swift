extension Policy {
    public var yaml: String { yaml(isFrozen: base == .strict) }

    /// As a policy file, which says what its base does not. Paths in it are absolute.
    /// - Parameter isFrozen: Whether the program finds what the language is made of frozen.
    public func yaml(isFrozen: Bool) -> String {
        let base = Policy(base: base)
        var text = "base: \(self.base.rawValue)\n"
        if network != base.network { text += Self.yaml(network, isOpen: base.network == nil) }
        let (reads, writes) = (read != base.read, write != base.write)
        if reads || writes { text += "files:\n" }
        if reads { text += Self.yaml("  read", read?.paths ?? ["/"]) }
        if writes { text += Self.yaml("  write", write?.paths ?? ["/"]) }
        if environment != base.environment { text += Self.yaml("environment", environment?.patterns ?? ["*"]) }
        text += modulesYAML(base.modules)
        var code = ""
        for (key, isAllowed, was) in [
            ("eval", allowsCode, base.allowsCode), ("wasm", allowsWasm, base.allowsWasm),
            ("workers", allowsWorkers, base.allowsWorkers),
        ] where isAllowed != was {
            code += "  \(key): \(isAllowed ? "allow" : "deny")\n"
        }
        if isFrozen != (self.base == .strict) { code += "  primordials: \(isFrozen ? "frozen" : "open")\n" }
        if !code.isEmpty { text += "code:\n" + code }
        if clock != base.clock { text += "clock: \(clock.rawValue)\n" }
        if allowsRandom != base.allowsRandom { text += "random: \(allowsRandom ? "allow" : "deny")\n" }
        if crypto != base.crypto {
            switch crypto?.patterns {
            case nil: text += "crypto: allow\n"
            case []: text += "crypto: deny\n"
            case let names?: text += Self.yaml("crypto", names)
            }
        }
        if volume != Volume() { text += "volume:\n" }
        if let count = volume.logsPerSecond { text += "  logs-per-second: \(count)\n" }
        if let count = volume.spansPerSecond { text += "  spans-per-second: \(count)\n" }
        return text
    }

    /// - Parameter isOpen: Everything is allowed where nothing is said.
    private static func yaml(_ network: NetworkRules?, isOpen: Bool) -> String {
        // What a list cannot say otherwise.
        let any = ["*"]
        guard let network else { return "network:\n" + yaml("  allow", any) + yaml("  private", any) }
        var text = ""
        switch network.allow {
        case nil: text += isOpen ? "" : yaml("  allow", any)
        case []?: text += isOpen ? "  allow: []\n" : ""
        case let allow?: text += rules("  allow", allow)
        }
        if !network.deny.isEmpty { text += rules("  deny", network.deny) }
        let isOpenToo = isOpen && network.allow == nil
        switch network.privates {
        case nil: text += isOpenToo ? "" : yaml("  private", any)
        case []?: text += isOpenToo ? "  private: []\n" : ""
        case let privates?: text += rules("  private", privates)
        }
        return text.isEmpty ? "network: {}\n" : "network:\n" + text
    }

    private func modulesYAML(_ base: ModuleRules?) -> String {
        guard let modules else { return base == nil ? "" : Self.yaml("modules", ["*", "/"]) }
        if let base, base.allowsOwn, modules.allowsOwn, modules.names.patterns.isEmpty, modules.paths.paths.isEmpty {
            return ""
        }
        var paths = modules.paths.paths
        if modules.allowsOwn, let entry = modules.entry { paths.insert(PathRules.folder(of: entry), at: 0) }
        return Self.yaml("modules", modules.names.patterns + paths)
    }

    private static func rules(_ key: String, _ rules: [NetworkRule]) -> String {
        let indent = String(key.prefix { $0 == " " }) + "  "
        return key + ":\n"
            + rules.map { rule in
                guard !rule.isPlain else { return "\(indent)- \(yaml(rule.description))\n" }
                var text = "\(indent)- {host: \(yaml(rule.hostText))"
                if let scheme = rule.scheme { text += ", scheme: \(yaml(scheme))" }
                if !rule.ports.isEmpty {
                    let ports = rule.ports.map {
                        $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
                    }
                    text += ", ports: [\(ports.joined(separator: ", "))]"
                }
                if !rule.methods.isEmpty {
                    text += ", methods: [\(rule.methods.map { yaml($0) }.joined(separator: ", "))]"
                }
                return text + "}\n"
            }.joined()
    }

    /// A key with a list of texts; spaces in front of the key are those in front of each.
    public static func yaml(_ key: String, _ texts: [String]) -> String {
        guard !texts.isEmpty else { return key + ": []\n" }
        let indent = String(key.prefix { $0 == " " }) + "  "
        return key + ":\n" + texts.map { "\(indent)- \(yaml($0))\n" }.joined()
    }

    /// In double quotes, whatever it holds; "$" is doubled, for variables are put in where it stands alone.
    public static func yaml(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "$": quoted += "$$"
            case "\u{20}"..."\u{7E}": quoted.unicodeScalars.append(scalar)
            default:
                let hex = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\U" + String(repeating: "0", count: 8 - hex.count) + hex
            }
        }
        return quoted + "\""
    }
}
