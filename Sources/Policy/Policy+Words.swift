extension Policy {
    /// What it allows, a sentence each, for people.
    public var words: [String] {
        guard !isOpen else { return ["Everything is allowed."] + volumeWords }
        var words = networkWords
        words += Self.paths(read, "It reads no files.", "It reads ")
        words += Self.paths(write, "It writes no files.", "It writes ")
        words.append(
            Self.names(environment, "It sees no variables.", "It sees the variables ", "It sees all variables."))
        words.append(moduleWords)
        words.append(allowsCode ? "Code may be made of strings." : "Code is not made of strings.")
        words.append(allowsWasm ? "WebAssembly may be compiled." : "WebAssembly is not compiled.")
        words.append(allowsWorkers ? "It may start Workers." : "It starts no Workers.")
        words.append(clock == .exact ? "Clocks are exact." : "Clocks are coarse, and no memory is shared.")
        words.append(
            allowsRandom ? "It may have random numbers." : "It gets no random numbers; those of Math.random repeat.")
        words.append(
            Self.names(crypto, "It uses no cryptography.", "Of cryptography it uses ", "It may use all cryptography."))
        return words + volumeWords
    }

    private var volumeWords: [String] {
        var words: [String] = []
        if let count = volume.logsPerSecond { words.append("It logs at most \(count) records a second.") }
        if let count = volume.spansPerSecond { words.append("It records at most \(count) spans a second.") }
        return words
    }

    private var networkWords: [String] {
        guard let network else { return ["It connects to anything."] }
        var words: [String] = []
        switch network.allow {
        case nil: words.append("It connects to every host.")
        case []?: words.append("It connects to no host of the Internet.")
        case let rules?: words.append("It connects to \(Self.joined(rules.map(\.words))).")
        }
        if !network.deny.isEmpty { words.append("It never connects to \(Self.joined(network.deny.map(\.words))).") }
        switch network.privates {
        case nil: words.append("It reaches private networks and this machine.")
        case []?: words.append("It reaches neither private networks nor this machine.")
        case let rules?:
            words.append("Of private networks and this machine it reaches \(Self.joined(rules.map(\.words))).")
        }
        return words
    }

    private var moduleWords: String {
        guard let modules else { return "It loads any modules." }
        let named = (modules.names.patterns + modules.paths.paths).map(\.quotable)
        switch (modules.allowsOwn, named.isEmpty) {
        case (false, true): return "It loads no modules but its entry."
        case (false, false): return "It loads the modules \(Self.joined(named))."
        case (true, true): return "It loads modules below its entry's folder."
        case (true, false): return "It loads modules below its entry's folder, and \(Self.joined(named))."
        }
    }

    private static func paths(_ rules: PathRules?, _ none: String, _ some: String) -> [String] {
        guard let rules else { return [some + "any files."] }
        return [rules.paths.isEmpty ? none : "\(some)\(joined(rules.paths.map(\.quotable))) and what is in it."]
    }

    private static func names(_ rules: NameRules?, _ none: String, _ some: String, _ all: String) -> String {
        guard let rules, !rules.patterns.contains("*") else { return all }
        return rules.patterns.isEmpty ? none : "\(some)\(joined(rules.patterns.map(\.quotable)))."
    }

    private static let shownMax = 20

    private static func joined(_ parts: [String]) -> String {
        guard parts.count <= shownMax else {
            return parts.prefix(shownMax).joined(separator: ", ") + " and \(parts.count - shownMax) more"
        }
        return parts.count < 2
            ? parts.first ?? "nothing" : parts.dropLast().joined(separator: ", ") + " and " + parts.last!
    }
}

extension NetworkRule {
    fileprivate var words: String {
        let where_ = host == .any ? (scheme.map { "every host by \($0)" } ?? "every host") : description
        return methods.isEmpty ? where_ : "\(where_) with \(methods.joined(separator: ", "))"
    }
}
