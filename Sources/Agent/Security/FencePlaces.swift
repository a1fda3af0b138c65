internal import Configuration
internal import Linux
internal import Policy
internal import System

/// What a policy says of files and ports, as far as Landlock can say it: never less than the policy allows, for it is the worker's own checks that are exact.
struct FencePlaces {
    /// Folders and files.
    var read: [String]
    var write: [String]
    /// Nil: any.
    var ports: [UInt16]?

    /// What libraries read when they find out where they are: threads, memory, names, certificates, time zones, and those that are loaded late.
    private static let system = [
        "/usr", "/lib", "/lib64", "/proc", "/sys/devices/system", "/sys/fs/cgroup", "/dev/null", "/dev/zero",
        "/dev/urandom", "/dev/random", "/etc/ld.so.cache", "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
        "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/localtime", "/etc/timezone",
        "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/gnutls", "/etc/gss", "/run/systemd/resolve",
    ]
    /// Variables that name further certificates.
    private static let certificateVariables = ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"]

    /// - Parameters:
    ///   - worker: Paths in its policy are absolute.
    ///   - entry: As given on the command line.
    ///   - cacheDirectory: Absolute, where it keeps compiled code.
    init(_ worker: WorkerConfiguration, entry: String, cacheDirectory: String?) {
        let policy = worker.policy
        let cache = [cacheDirectory].compactMap { $0 }
        let folders = worker.folders.map(\.host)
        // Nothing is refused where needs are found out.
        guard !policy.isAudited else {
            (read, write, ports) = (["/"], cache + folders, nil)
            return
        }
        write = cache + (policy.write?.paths ?? folders)
        if let modules = policy.modules {
            let entry = FileSystem.linux.realPath(entry) ?? entry
            read = Self.system + [entry] + modules.paths.paths + (policy.read?.paths ?? []) + folders
            if modules.allowsOwn, let slash = entry.lastIndex(of: "/") { read.append(String(entry[..<slash]) + "/") }
            // The start-up snapshot lies there.
            if let program = try? Worker.executable(), let path = FileSystem.linux.realPath(program) {
                read.append(String(path[...path.lastIndex(of: "/")!]))
            }
            read += Self.certificateVariables.compactMap(Machine.variable)
            for registry in [worker.resolve.consul, worker.resolve.etcd] {
                read += [registry?.tls.authority, registry?.tls.certificate, registry?.tls.key].compactMap { $0 }
            }
        } else {
            read = ["/"]
        }
        ports = Self.ports(worker, policy)
    }

    // MARK: Ports

    /// Those of the rules, and of name servers.
    private static func ports(_ worker: WorkerConfiguration, _ policy: Policy) -> [UInt16]? {
        guard let network = policy.network, let allow = network.allow, let privates = network.privates else {
            return nil
        }
        let rules = allow + privates
        guard !rules.isEmpty else { return [] }
        // Where services are, registries say; where requests go, a proxy.
        guard worker.resolve.isEmpty, !proxyVariables.contains(where: { Machine.variable($0) != nil }) else {
            return nil
        }
        var ports: Set<UInt16> = [53]
        for rule in rules {
            guard !rule.ports.isEmpty else { return nil }
            for range in rule.ports {
                ports.formUnion(range)
                if ports.count > portsMax { return nil }
            }
        }
        return ports.sorted()
    }

    /// More rules than Landlock should be given.
    private static let portsMax = 1_024
    private static let proxyVariables = [
        "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "ws_proxy", "wss_proxy", "HTTP_PROXY",
    ]
}
