internal import Configuration
internal import Linux
internal import Telemetry
internal import Wire

/// Why no worker can be fenced as it is to be; for people.
struct FenceError: Error, CustomStringConvertible {
    let description: String
}

/// How workers are fenced on this machine. docs/fence.md
struct FencePlan: Sendable {
    /// What they are to have.
    let layers: FenceLayers
    /// What they must have: what the policy requires, and what it asks for by name.
    private let required: FenceLayers
    private let fence: Fence
    /// The worker is the first process of a PID namespace.
    let hasOwnPIDs: Bool
    /// What every worker has where the machine can.
    private static let usual = FenceLayers(FenceLayer.allCases).subtracting(FenceLayers([.user, .net, .ipc, .pid]))

    /// Nil: no fence is wanted.
    /// - Parameters:
    ///   - entry: As given on the command line.
    ///   - cacheDirectory: Absolute, where it keeps compiled code.
    init?(
        _ worker: WorkerConfiguration, entry: String, cacheDirectory: String? = Worker.cacheDirectory
    ) throws(FenceError) {
        let configuration = worker.fence
        guard configuration.mode == .on else { return nil }
        var named: [FenceLayer] = []
        var fence = Fence()
        if let name = configuration.user {
            guard let user = Fence.user(name) else {
                throw FenceError(description: "fence.user: there is no user \(name)")
            }
            guard user.id != 0, user.id != Machine.userID else {
                throw FenceError(description: "fence.user: \(name) is no other user than the agent's, or is root")
            }
            fence.user = user
            named.append(.user)
        }
        for namespace in configuration.namespaces {
            switch namespace {
            case .net:
                fence.hasOwnNet = true
                named.append(.net)
            case .ipc:
                fence.hasOwnIPC = true
                named.append(.ipc)
            case .pid: named.append(.pid)
            }
        }
        fence.descriptorsMax = configuration.descriptorsMax
        let places = FencePlaces(worker, entry: entry, cacheDirectory: cacheDirectory)
        (fence.read, fence.write, fence.ports) = (places.read, places.write, places.ports)
        self.fence = fence
        hasOwnPIDs = named.contains(.pid)
        required = FenceLayers(configuration.require + named)
        let available = Fence.available()
        layers = available.intersection(Self.usual.union(FenceLayers(named)))
        let lacking = required.subtracting(available).layers
        guard lacking.isEmpty else {
            throw FenceError(
                description: "the policy requires of the fence what is not to be had here: "
                    + lacking.map(Self.whyLacking).joined(separator: "; "))
        }
    }

    private static func whyLacking(_ layer: FenceLayer) -> String {
        let version = Fence.landlockVersion
        switch layer {
        case .landlock, .landlockTCP, .landlockScopes:
            let needed = layer == .landlock ? 1 : layer == .landlockTCP ? 4 : 6
            let there = version == 0 ? "none" : "version \(version)"
            return "\(layer.rawValue) (needs Landlock version \(needed); the kernel has \(there))"
        case .user: return "user (only root becomes another)"
        case .pid: return "pid (needs CAP_SYS_ADMIN)"
        case .seccomp: return "seccomp (the kernel takes no filter)"
        case .net, .ipc: return "\(layer.rawValue) (the kernel has no namespaces for this user)"
        case .capabilities, .limits, .descriptors: return layer.rawValue
        }
    }

    /// For people: what is up, and what of the usual is not.
    func text(_ up: FenceLayers) -> String {
        func list(_ layers: FenceLayers) -> String { layers.layers.map(\.rawValue).joined(separator: ", ") }
        let missing = Self.usual.subtracting(up)
        let landlock = up.contains(.landlock) ? " (Landlock version \(Fence.landlockVersion))" : ""
        return "fence: \(up.isEmpty ? "none" : list(up))\(landlock)"
            + (missing.isEmpty ? "" : "; not to be had here: \(list(missing))")
    }

    // MARK: For the worker

    func write(_ json: inout JSONWriter) {
        func texts(_ name: String, _ values: [String], _ json: inout JSONWriter) {
            json.name(name)
            json.array { json in for value in values { json.string(value) } }
        }
        json.object { json in
            texts("read", fence.read, &json)
            texts("write", fence.write, &json)
            json.name("ports")
            if let ports = fence.ports {
                json.array { json in for port in ports { json.integer(port) } }
            } else {
                json.null()
            }
            json.put("descriptorsMax", fence.descriptorsMax)
            json.put("user", fence.user?.id)
            json.put("group", fence.user?.group)
            json.put("net", fence.hasOwnNet)
            json.put("ipc", fence.hasOwnIPC)
            json.put("require", required.rawValue)
        }
    }
}

extension Resource {
    /// What fences the workload. docs/specs/telemetry.md section 2.
    mutating func set(_ fence: FencePlan?) {
        set("sidelight.fence.layers", .array((fence?.layers.layers ?? []).map { .string($0.rawValue) }))
    }
}

extension JSONWriter {
    mutating func put(_ fence: FenceLayers) {
        name("fence")
        array { json in for layer in fence.layers { json.string(layer.rawValue) } }
    }
}

/// Says once what fences the workers.
struct FenceNotice {
    private var isTold = false

    mutating func look(_ worker: AttendedWorker, _ messages: Messages) {
        guard !isTold else { return }
        guard let plan = worker.fencePlan else {
            isTold = true
            return messages.inform("fence: off")
        }
        guard let up = worker.fence else { return }
        isTold = true
        messages.inform(plan.text(up))
        // Its kernel is ours, so what we saw there was refused to it: by a container's own filter, for one.
        let lost = plan.layers.subtracting(up).layers
        guard !lost.isEmpty else { return }
        messages.warn("the fence lacks what the kernel has: \(lost.map(\.rawValue).joined(separator: ", "))")
    }
}
