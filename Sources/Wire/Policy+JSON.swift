// A policy as the agent hands it to a worker, both of one release. Names of rules are not in it: they follow from their places.

public import Policy

extension Policy {
    public var json: [UInt8] {
        var json = JSONWriter()
        write(into: &json)
        return json.bytes
    }

    public func write(into json: inout JSONWriter) {
        json.object { json in
            json.field("base", base.rawValue)
            json.name("audited")
            json.bool(isAudited)
            if let network {
                json.name("network")
                json.object { json in
                    json.put("allow", network.allow)
                    json.put("deny", network.deny)
                    json.put("private", network.privates)
                }
            }
            json.put("read", read?.paths)
            json.put("write", write?.paths)
            json.put("environment", environment?.patterns)
            if let modules {
                json.name("modules")
                json.object { json in
                    json.put("names", modules.names.patterns)
                    json.put("paths", modules.paths.paths)
                    json.name("own")
                    json.bool(modules.allowsOwn)
                    if let entry = modules.entry { json.field("entry", entry) }
                }
            }
            for (name, isAllowed) in [
                ("code", allowsCode), ("wasm", allowsWasm), ("workers", allowsWorkers), ("random", allowsRandom),
            ] {
                json.name(name)
                json.bool(isAllowed)
            }
            json.field("clock", clock.rawValue)
            json.put("crypto", crypto?.patterns)
            json.put("logsPerSecond", volume.logsPerSecond)
            json.put("spansPerSecond", volume.spansPerSecond)
        }
    }

    /// Nil: it is not what `json` writes.
    public init?(json bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes), case .object = value,
            let base = value["base"]?.string.flatMap(Base.init), let audited = value["audited"]?.bool,
            let clock = value["clock"]?.string.flatMap(Clock.init), let code = value["code"]?.bool,
            let wasm = value["wasm"]?.bool, let workers = value["workers"]?.bool, let random = value["random"]?.bool
        else { return nil }
        // Observers of properties, by which it knows what is open, are not called within an initializer.
        var policy = Policy(base: base)
        policy.isAudited = audited
        policy.allowsCode = code
        policy.allowsWasm = wasm
        policy.allowsWorkers = workers
        policy.allowsRandom = random
        policy.clock = clock
        policy.network = nil
        if let part = value["network"] {
            guard let allow = Self.rules(part["allow"]), let deny = Self.rules(part["deny"]), let deny,
                let privates = Self.rules(part["private"])
            else { return nil }
            policy.network = NetworkRules(allow: allow, deny: deny, privates: privates)
        }
        policy.modules = nil
        if let part = value["modules"] {
            guard let names = Self.texts(part["names"]), let names, let paths = Self.texts(part["paths"]), let paths,
                let own = part["own"]?.bool
            else { return nil }
            policy.modules = ModuleRules(names: names, paths: paths, allowsOwn: own, entry: part["entry"]?.string)
        }
        guard let read = Self.texts(value["read"]), let write = Self.texts(value["write"]),
            let environment = Self.texts(value["environment"]), let crypto = Self.texts(value["crypto"])
        else { return nil }
        policy.read = read.map { PathRules($0, key: "files.read") }
        policy.write = write.map { PathRules($0, key: "files.write") }
        policy.environment = environment.map { NameRules($0, key: "environment") }
        policy.crypto = crypto.map { NameRules($0, key: "crypto") }
        policy.volume.logsPerSecond = value["logsPerSecond"]?.integer.map { Int($0) }
        policy.volume.spansPerSecond = value["spansPerSecond"]?.integer.map { Int($0) }
        self = policy
    }

    /// `.some(nil)`: there is none. Nil: it is no list of texts.
    private static func texts(_ value: JSONValue?) -> [String]?? {
        guard let value else { return .some(nil) }
        guard case .array(let elements) = value else { return nil }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string else { return nil }
            texts.append(text)
        }
        return texts
    }

    private static func rules(_ value: JSONValue?) -> [NetworkRule]?? {
        guard let value else { return .some(nil) }
        guard case .array(let elements) = value else { return nil }
        var rules: [NetworkRule] = []
        for element in elements {
            guard let rule = NetworkRule(json: element) else { return nil }
            rules.append(rule)
        }
        return rules
    }
}

extension NetworkRule {
    fileprivate init?(json: JSONValue) {
        guard let host = json["host"]?.string, case .array(let ports) = json["ports"],
            case .array(let methods) = json["methods"]
        else { return nil }
        var ranges: [ClosedRange<UInt16>] = []
        for port in ports {
            guard let text = port.string, let range = try? NetworkRule.ports(text) else { return nil }
            ranges.append(range)
        }
        do throws(Failure) {
            try self.init(
                host: host, scheme: json["scheme"]?.string, ports: ranges, methods: methods.compactMap(\.string))
        } catch {
            return nil
        }
    }
}

extension JSONValue {
    fileprivate var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }
}

extension JSONWriter {
    fileprivate mutating func put(_ name: String, _ texts: [String]?) {
        guard let texts else { return }
        self.name(name)
        array { json in for text in texts { json.string(text) } }
    }

    fileprivate mutating func put(_ name: String, _ number: Int?) {
        guard let number else { return }
        self.name(name)
        integer(number)
    }

    fileprivate mutating func put(_ name: String, _ rules: [NetworkRule]?) {
        guard let rules else { return }
        self.name(name)
        array { json in
            for rule in rules {
                json.object { json in
                    json.field("host", rule.hostText)
                    if let scheme = rule.scheme { json.field("scheme", scheme) }
                    json.put("ports", rule.ports.map { "\($0.lowerBound)-\($0.upperBound)" })
                    json.put("methods", rule.methods)
                }
            }
        }
    }
}
