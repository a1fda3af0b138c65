/// Where a workload may connect to.
public struct NetworkRules: Hashable, Sendable {
    /// Nil: anywhere.
    public var allow: [NetworkRule]? { didSet { Self.number(&allow, "network.allow") } }
    /// Looked at first.
    public var deny: [NetworkRule] { didSet { Self.number(&deny, "network.deny") } }
    /// Places that are none of the public Internet, and may be reached all the same. Nil: all. What is named here need not be named in `allow`, too.
    public var privates: [NetworkRule]? { didSet { Self.number(&privates, "network.private") } }

    public static let rulesMax = 1_024

    public init(allow: [NetworkRule]? = [], deny: [NetworkRule] = [], privates: [NetworkRule]? = []) {
        (self.allow, self.deny, self.privates) = (allow, deny, privates)
        Self.number(&self.allow, "network.allow")
        Self.number(&self.deny, "network.deny")
        Self.number(&self.privates, "network.private")
    }

    private static func number(_ rules: inout [NetworkRule]?, _ name: String) {
        guard var numbered = rules else { return }
        number(&numbered, name)
        rules = numbered
    }

    private static func number(_ rules: inout [NetworkRule], _ name: String) {
        for index in rules.indices { rules[index].name = "\(name)[\(index)]" }
    }

    var isOpen: Bool { allow == nil && deny.isEmpty && privates == nil }

    // MARK: Deciding

    func connect(_ method: String, _ scheme: String, _ host: String, _ port: UInt16) -> Decision {
        let literal: IPAddress?
        switch IPAddress.host(host) {
        case .address(let address): literal = address
        case .name where Self.isWritable(host): literal = nil
        case .name, .invalid:
            return .refused(.network, "network (no host)", "\"\(host.quotable)\" is no host that can be connected to")
        }
        if let rule = deny.first(where: {
            $0.matches(method: method, scheme: scheme, host: host, address: literal, port: port)
        }) {
            return refusal(rule.name, method, scheme, host, port, "\(rule.name) denies it")
        }
        if let rule = privates?.first(where: {
            $0.matches(method: method, scheme: scheme, host: host, address: literal, port: port)
        }) {
            return .allowed(.network, rule.name)
        }
        let isPrivate = literal?.isPrivate ?? Self.isLocal(host)
        guard let allow else {
            return isPrivate ? privateDecision(host, literal, port) : .allowed(.network)
        }
        guard
            let rule = allow.first(where: {
                $0.matches(method: method, scheme: scheme, host: host, address: literal, port: port)
            })
        else {
            // One of `allow` would not be enough.
            if isPrivate, privates != nil { return privateRefusal(method, host, literal, port) }
            return refusal("network (nothing allows it)", method, scheme, host, port, "no rule of network.allow does")
        }
        return isPrivate ? privateDecision(host, literal, port, rule.name) : .allowed(.network, rule.name)
    }

    func reach(_ host: String, _ address: IPAddress, _ port: UInt16) -> Decision {
        if let rule = deny.first(where: {
            $0.isForAllRequests && $0.matches(host: host, address: address, port: port)
        }) {
            return .refused(
                .network, rule.name,
                "\(host.quotable) port \(port) is \(address) and may not be connected to: \(rule.name) denies it")
        }
        guard address.isPrivate || Self.isLocal(host) else { return .allowed(.network) }
        return privateDecision(host, address, port)
    }

    /// - Parameter rule: What else allows it.
    private func privateDecision(_ host: String, _ address: IPAddress?, _ port: UInt16, _ rule: String = "") -> Decision
    {
        guard let privates else { return .allowed(.network, rule) }
        if let rule = privates.first(where: { $0.matches(host: host, address: address, port: port) }) {
            return .allowed(.network, rule.name)
        }
        return privateRefusal(nil, host, address, port)
    }

    /// - Parameter method: Nil: of a connection, whatever is asked by it.
    private func privateRefusal(_ method: String?, _ host: String, _ address: IPAddress?, _ port: UInt16) -> Decision {
        let asked = privates?.first { $0.matches(host: host, address: address, port: port) }
        var why = "network.private does not name it"
        if let asked, method != nil {
            let named = asked.methods.isEmpty ? [asked.scheme ?? ""] : asked.methods
            why = "\(asked.name) is for \(named.joined(separator: ", ")) alone"
        }
        let shown = address.map { host == "\($0)" || host == "[\($0)]" ? "" : " (\($0))" } ?? ""
        let verb = method.map { $0.quotable + " " } ?? ""
        return .refused(
            .network, "network.private",
            "\(verb)\(host.quotable):\(port)\(shown) is not in the public Internet, and \(why)")
    }

    private func refusal(
        _ rule: String, _ method: String, _ scheme: String, _ host: String, _ port: UInt16, _ why: String
    ) -> Decision {
        .refused(
            .network, rule,
            "\(method.quotable) \(scheme.quotable)://\(host.quotable):\(port) is not allowed: \(why)")
    }

    /// Whether it is made of what names of hosts are made of, once a URL was parsed: what is not could be read differently by whoever looks it up.
    private static func isWritable(_ host: String) -> Bool {
        !host.isEmpty && host.utf8.count <= 255
            && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") }
    }

    /// This machine, by name. <https://www.rfc-editor.org/rfc/rfc6761#section-6.3>
    private static func isLocal(_ host: String) -> Bool {
        local.matches(host: host, address: nil, port: 0) || belowLocal.matches(host: host, address: nil, port: 0)
    }

    private static let local = try! NetworkRule(host: "localhost")
    private static let belowLocal = try! NetworkRule(host: "*.localhost")
}
