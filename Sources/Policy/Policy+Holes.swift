extension Policy {
    /// What somebody may not have meant, a sentence each.
    public var holes: [String] {
        var holes: [String] = []
        if let network { holes += Self.holes(of: network) }
        let reachesOut = network.map { $0.allow.map { !$0.isEmpty } ?? true } ?? true
        if allowsCode, base == .strict, reachesOut {
            holes.append("code.eval: allow, and network, too: what is fetched can be run")
        }
        if allowsWorkers, clock == .exact, base == .strict {
            holes.append("clock: exact with code.workers: allow is what Spectre needs; clock: coarse takes it away")
        }
        if let environment, environment.patterns.contains("*") {
            holes.append("environment: \"*\" shows the program every secret that lies in a variable")
        }
        if let read { holes += Self.readHoles(read, environment != nil) }
        if let write { holes += writeHoles(write) }
        if let modules, modules.paths.paths.contains("/") {
            holes.append("modules: \"/\" lets it load every file of the machine as code, or as JSON")
        }
        return holes
    }

    private static func holes(of network: NetworkRules) -> [String] {
        var holes: [String] = []
        for rule in network.allow ?? [] {
            if rule.host == .any {
                holes.append("\(rule.name) is for every host: whatever the program knows can be sent anywhere")
            }
            if case .below(let end) = rule.host, !end.dropFirst().contains(".") {
                holes.append("\(rule.name) is for everything below \(end), which anybody can have a name in")
            }
            if case .block(let block) = rule.host, block.prefixBits == 0 {
                holes.append("\(rule.name) is for every address")
            }
            if rule.scheme == "http", !rule.isForPrivatePlace {
                holes.append(
                    "\(rule.name) (\(rule)) is without TLS: who is on the way reads it and can answer in its place")
            }
            if let privates = network.privates, rule.isForPrivatePlace,
                !privates.contains(where: { $0.hostText == rule.hostText || $0.host == .any || $0.covers(rule) })
            {
                holes.append(
                    "\(rule.name) (\(rule)) is not in the public Internet, so it is refused until network.private names it"
                )
            }
        }
        for rule in network.privates ?? [] {
            if rule.host == .any {
                holes.append("\(rule.name) opens every private network, this machine and the cloud's metadata")
            } else if rule.matches(host: "", address: metadata, port: 80) {
                holes.append(
                    "\(rule.name) (\(rule)) has 169.254.169.254 in it, where clouds give out the machine's credentials")
            } else if case .block(let block) = rule.host,
                block.address.isV4 ? block.prefixBits < 16 : block.prefixBits < 48
            {
                holes.append("\(rule.name) (\(rule)) is a whole network: name the hosts that are meant")
            } else if rule.ports.isEmpty {
                holes.append("\(rule.name) (\(rule)) is for every port: name those that are meant")
            }
        }
        return holes
    }

    private static let metadata = IPAddress(v4: 0xA9FE_A9FE)

    private static func readHoles(_ read: PathRules, _ hidesEnvironment: Bool) -> [String] {
        var holes: [String] = []
        for (index, path) in read.paths.enumerated() {
            let name = "files.read[\(index)]"
            if path == "/" {
                holes.append("\(name) is the whole file system")
            } else if path == "/proc" || path.hasPrefix("/proc/") {
                holes.append(
                    "\(name) (\(path)) tells of other processes"
                        + (hidesEnvironment ? ", and shows variables whatever environment says" : ""))
            } else if ["/etc", "/root", "/home", "/var", "/sys", "/dev", "/run"].contains(path) {
                holes.append("\(name) (\(path)) holds much that is no program's: name what is meant")
            }
        }
        return holes
    }

    private func writeHoles(_ write: PathRules) -> [String] {
        var holes: [String] = []
        for (index, path) in write.paths.enumerated() {
            let name = "files.write[\(index)]"
            if ["/", "/etc", "/root", "/home", "/usr", "/bin", "/lib", "/var", "/dev", "/proc", "/sys"].contains(path) {
                holes.append("\(name) (\(path)) is the system's: name what is meant")
            } else if modules?.rule(for: path + "/x.js") != nil
                || modules?.paths.paths.contains(where: {
                    $0 == path || $0.hasPrefix(path + "/")
                }) == true
            {
                holes.append("\(name) (\(path)) holds modules that it may load: what it writes can be run")
            }
        }
        return holes
    }
}

extension NetworkRule {
    /// Whether what another one names, an address or a block, is in its own block.
    fileprivate func covers(_ other: NetworkRule) -> Bool {
        guard case .block(let own) = host, case .block(let others) = other.host else { return false }
        return own.prefixBits <= others.prefixBits && own.contains(others.address)
    }
}
