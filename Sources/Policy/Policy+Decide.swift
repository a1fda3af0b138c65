extension Policy {
    /// What it says to an access. What is allowed costs no memory; what is refused gets a sentence.
    public func decide(_ access: Access) -> Decision {
        let permission = access.permission
        guard !isOpen(permission) else { return .allowed(permission) }
        var decision = decide(closed: access)
        if isAudited, !decision.isAllowed { (decision.isAllowed, decision.isAudited) = (true, true) }
        return decision
    }

    private func decide(closed access: Access) -> Decision {
        switch access {
        case .connect(let method, let scheme, let host, let port):
            guard let network else { return .allowed(.network) }
            return network.connect(method, scheme, host, port)
        case .front(let method, let scheme, let host, let port):
            guard let network else { return .allowed(.network) }
            var decision = network.connect(method, scheme, host, port)
            if !decision.isAllowed { decision.reason = "The header host: \(decision.reason)" }
            return decision
        case .reach(let host, let address, let port):
            guard let network else { return .allowed(.network) }
            return network.reach(host, address, port)
        case .read(let path): return Self.path(path, .read, read, "files.read", "read")
        case .write(let path): return Self.path(path, .write, write, "files.write", "written")
        case .environment(let name):
            guard let environment else { return .allowed(.environment) }
            if let rule = environment.rule(for: name) { return .allowed(.environment, rule) }
            return .refused(
                .environment, "environment (nothing allows it)",
                "The variable \(name.quotable) is not shown to the program: environment does not name it")
        case .module(let name):
            guard let modules else { return .allowed(.module) }
            if let rule = modules.rule(for: name) { return .allowed(.module, rule) }
            return .refused(
                .module, "modules (nothing allows it)",
                "The module \(name.quotable) may not be loaded: modules does not name it")
        case .crypto(let name):
            guard let crypto else { return .allowed(.crypto) }
            if let rule = crypto.rule(forCaseless: name) { return .allowed(.crypto, rule) }
            return .refused(
                .crypto, "crypto (nothing allows it)", "\(name.quotable) may not be used: crypto does not name it")
        case .code:
            return .refused(.code, "code.eval", "Code may not be made of strings: code.eval is deny")
        case .wasm:
            return .refused(.wasm, "code.wasm", "WebAssembly may not be compiled: code.wasm is deny")
        case .worker:
            return .refused(.worker, "code.workers", "A Worker may not be started: code.workers is deny")
        case .preciseClock:
            return .refused(
                .clock, "clock", "Precise clocks and memory shared between threads are not there: clock is coarse")
        case .random: return .refused(.random, "random", "Random numbers may not be had: random is deny")
        }
    }

    private static func path(
        _ path: String, _ permission: Permission, _ rules: PathRules?, _ key: String, _ verb: String
    ) -> Decision {
        guard let rules else { return .allowed(permission) }
        guard PathRules.isCanonical(path) else {
            return .refused(
                permission, "\(key) (no path)",
                "\(path.quotable) may not be \(verb): it is not an absolute path without \".\" and \"..\"")
        }
        if let rule = rules.rule(for: path) { return .allowed(permission, rule) }
        return .refused(
            permission, "\(key) (nothing allows it)",
            "\(path.quotable) may not be \(verb): \(key) does not name it, nor a folder it is in")
    }
}
