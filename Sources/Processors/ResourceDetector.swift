public import Telemetry

/// What can be found out about where the agent runs, as resource attributes with the names of the semantic conventions.
/// Pure: the caller reads files and variables. <https://opentelemetry.io/docs/specs/semconv/resource/>
public enum ResourceDetector {
    /// - Parameters:
    ///   - machineID: of `/etc/machine-id`.
    ///   - architecture: as `uname -m` says it.
    ///   - osDescription: `PRETTY_NAME` of `/etc/os-release`, or the file's whole text.
    public static func host(
        name: String = "", machineID: String = "", architecture: String = "", osDescription: String = ""
    ) -> Attributes {
        var attributes: Attributes = []
        append("host.name", trimmed(name), &attributes)
        append("host.id", trimmed(machineID), &attributes)
        let names = ["x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm32", "ppc64le": "ppc64", "i686": "x86"]
        let architecture = trimmed(architecture)
        append("host.arch", names[architecture] ?? architecture, &attributes)
        attributes.append(Attribute("os.type", "linux"))
        append("os.description", prettyName(osDescription), &attributes)
        return attributes
    }

    public static func process(
        id: Int, parentID: Int? = nil, executablePath: String = "", commandArguments: [String] = [], owner: String = ""
    ) -> Attributes {
        var attributes: Attributes = [Attribute("process.pid", .int(Int64(id)))]
        if let parentID { attributes.append(Attribute("process.parent_pid", .int(Int64(parentID)))) }
        if let name = executablePath.split(separator: "/").last {
            append("process.executable.name", String(name), &attributes)
        }
        append("process.executable.path", executablePath, &attributes)
        if !commandArguments.isEmpty {
            attributes.append(Attribute("process.command_args", .array(commandArguments.map { .string($0) })))
        }
        append("process.owner", owner, &attributes)
        return attributes
    }

    /// Of `/proc/self/cgroup`, or where that only says `/` (a cgroup namespace) of `/proc/self/mountinfo`.
    public static func container(cgroup: String, mountInfo: String = "") -> Attributes {
        guard let id = containerID(cgroup) ?? containerIDOfMounts(mountInfo) else { return [] }
        return [Attribute("container.id", .string(id))]
    }

    /// Of the variables that the downward API fills by the names that are usual: `K8S_POD_NAME` or `POD_NAME`, and so
    /// on; the pod's name of `HOSTNAME` where `KUBERNETES_SERVICE_HOST` says that this is a cluster.
    public static func kubernetes(environment: [String: String]) -> Attributes {
        var attributes: Attributes = []
        let sources: [(String, [String])] = [
            ("k8s.pod.name", ["K8S_POD_NAME", "KUBERNETES_POD_NAME", "POD_NAME"]),
            ("k8s.pod.uid", ["K8S_POD_UID", "KUBERNETES_POD_UID", "POD_UID"]),
            ("k8s.namespace.name", ["K8S_NAMESPACE_NAME", "K8S_NAMESPACE", "KUBERNETES_NAMESPACE", "POD_NAMESPACE"]),
            ("k8s.node.name", ["K8S_NODE_NAME", "KUBERNETES_NODE_NAME", "NODE_NAME"]),
            ("k8s.container.name", ["K8S_CONTAINER_NAME", "KUBERNETES_CONTAINER_NAME", "CONTAINER_NAME"]),
            ("k8s.deployment.name", ["K8S_DEPLOYMENT_NAME", "DEPLOYMENT_NAME"]),
            ("k8s.cluster.name", ["K8S_CLUSTER_NAME", "CLUSTER_NAME"]),
        ]
        guard
            environment["KUBERNETES_SERVICE_HOST"] != nil || environment.keys.contains(where: { $0.hasPrefix("K8S_") })
        else { return [] }
        for (key, variables) in sources {
            for variable in variables {
                guard let value = environment[variable], !value.isEmpty else { continue }
                attributes.append(Attribute(key, .string(value)))
                break
            }
        }
        if attributes["k8s.pod.name"] == nil, let name = environment["HOSTNAME"], !name.isEmpty {
            attributes.append(Attribute("k8s.pod.name", .string(name)))
        }
        return attributes
    }

    // MARK: texts

    private static func append(_ key: String, _ value: String, _ attributes: inout Attributes) {
        if !value.isEmpty { attributes.append(Attribute(key, .string(value))) }
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (UInt8) -> Bool = { $0 <= 0x20 }
        let utf8 = text.utf8
        guard let first = utf8.firstIndex(where: { !isSpace($0) }), let last = utf8.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }

    private static func prettyName(_ text: String) -> String {
        guard text.contains("\n") || text.hasPrefix("PRETTY_NAME=") else { return trimmed(text) }
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("PRETTY_NAME=") }) else { return "" }
        let value = line.dropFirst("PRETTY_NAME=".count)
        return trimmed(String(value.drop { $0 == "\"" }.prefix { $0 != "\"" }))
    }

    /// The last part of a path in which 64 hex digits stand as Docker, containerd, CRI-O and Podman write them: `<id>`,
    /// `docker-<id>.scope`, `<runtime>:<id>`.
    private static func containerID(_ cgroup: String) -> String? {
        for line in cgroup.split(separator: "\n") {
            guard let path = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last else {
                continue
            }
            for part in path.split(separator: "/").reversed() {
                if let id = hexRun(part) { return id }
            }
        }
        return nil
    }

    /// `/var/lib/docker/containers/<id>/hostname` and its kin are mounted into a container.
    private static func containerIDOfMounts(_ mountInfo: String) -> String? {
        for line in mountInfo.split(separator: "\n") {
            guard line.contains("/containers/") || line.contains("/sandboxes/") else { continue }
            let parts = line.split(separator: "/")
            for (folder, id) in zip(parts, parts.dropFirst()) where folder == "containers" || folder == "sandboxes" {
                if let id = hexRun(id) { return id }
            }
        }
        return nil
    }

    /// Exactly 64 lowercase hex digits, set off by something else.
    private static func hexRun(_ text: Substring) -> String? {
        text.split { !("0"..."9").contains($0) && !("a"..."z").contains($0) }
            .first {
                $0.utf8.count == 64 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            }
            .map(String.init)
    }
}
