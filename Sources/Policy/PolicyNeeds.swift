/// What a workload did that its policy would have refused, as `--audit` collects it.
public struct PolicyNeeds: Hashable, Sendable {
    public struct Need: Hashable, Sendable {
        public let permission: Permission
        public let target: String
        /// Of the target: two texts that look alike are equal, and the two files that they name are not.
        private let bytes: [UInt8]
        /// The policy's own rule that stands against it, which no further rule can outweigh. Nil: nothing allows it so far.
        var deniedBy: String?
        /// It is a place outside the public Internet.
        var isPrivate: Bool

        init(permission: Permission, target: String, deniedBy: String?, isPrivate: Bool) {
            (self.permission, self.target, bytes) = (permission, target, Array(target.utf8))
            (self.deniedBy, self.isPrivate) = (deniedBy, isPrivate)
        }
    }

    public private(set) var needs: Set<Need> = []
    /// Findings that were not taken for want of room.
    public private(set) var omitted = 0

    public static let needsMax = 10_000

    public init() {}

    public var isEmpty: Bool { needs.isEmpty && omitted == 0 }

    /// - Parameters:
    ///   - rule: What the decision named.
    ///   - target: As `Access.target` has it.
    public mutating func add(_ permission: Permission, rule: String, target: String) {
        let isDenied = rule.hasPrefix("network.deny") || rule.hasSuffix("(no host)") || rule.hasSuffix("(no path)")
        let need = Need(
            permission: permission, target: target, deniedBy: isDenied ? rule : nil,
            isPrivate: rule == "network.private")
        guard !needs.contains(need) else { return }
        guard needs.count < Self.needsMax else { return omitted += 1 }
        needs.insert(need)
    }

    /// The policy that allows all of it as well, and sentences on what no policy can be made to allow.
    public func added(to policy: Policy) -> (policy: Policy, remarks: [String]) {
        var policy = policy
        policy.isAudited = false
        var remarks: [String] = []
        var lists: [Permission: [String]] = [:]
        var (allow, privates): ([NetworkRule], [NetworkRule]) = ([], [])
        for need in needs.sorted(by: { ($0.permission.rawValue, $0.target) < ($1.permission.rawValue, $1.target) }) {
            if let rule = need.deniedBy {
                remarks.append("\(need.permission.rawValue) \(need.target.quotable): \(rule) stands against it")
                continue
            }
            switch need.permission {
            case .network:
                guard let rule = try? NetworkRule(parsing: need.target), !need.target.contains("*") else {
                    remarks.append("network \(need.target.quotable): no rule can be made for it")
                    continue
                }
                if need.isPrivate || rule.isForPrivatePlace { privates.append(rule) } else { allow.append(rule) }
            case .read, .write, .environment, .module, .crypto:
                guard Self.canBeWritten(need) else {
                    remarks.append("\(need.permission.rawValue) \(need.target.quotable): no rule can be made for it")
                    continue
                }
                lists[need.permission, default: []].append(need.target)
            case .code: policy.allowsCode = true
            case .wasm: policy.allowsWasm = true
            case .worker: policy.allowsWorkers = true
            case .clock: policy.clock = .exact
            case .random: policy.allowsRandom = true
            case .volume: break
            }
        }
        if omitted > 0 {
            remarks.append("\(omitted) findings more were not taken: there were more than \(Self.needsMax)")
        }
        Self.add(allow, privates, to: &policy)
        Self.add(lists, to: &policy)
        return (policy, remarks)
    }

    private static func add(_ allow: [NetworkRule], _ privates: [NetworkRule], to policy: inout Policy) {
        guard var network = policy.network else { return }
        let places = Set((network.privates ?? []) + privates)
        if let own = network.privates { network.privates = own + privates.distinct.filter { !own.contains($0) } }
        if let own = network.allow {
            network.allow = own + allow.distinct.filter { !own.contains($0) && !places.contains($0) }
        }
        policy.network = network
    }

    private static func add(_ lists: [Permission: [String]], to policy: inout Policy) {
        for (permission, targets) in lists {
            switch permission {
            case .read: policy.read = policy.read.map { PathRules($0.paths + targets, key: "files.read") }
            case .write: policy.write = policy.write.map { PathRules($0.paths + targets, key: "files.write") }
            case .environment:
                policy.environment = policy.environment.map { NameRules($0.patterns + targets, key: "environment") }
            case .crypto: policy.crypto = policy.crypto.map { NameRules($0.patterns + targets, key: "crypto") }
            default:
                policy.modules = policy.modules.map { own in
                    ModuleRules(
                        names: own.names.patterns + targets.filter { !$0.hasPrefix("/") },
                        paths: own.paths.paths + targets.filter { $0.hasPrefix("/") }, allowsOwn: own.allowsOwn,
                        entry: own.entry)
                }
            }
        }
    }

    /// Whether a policy file can name it, and it alone.
    private static func canBeWritten(_ need: Need) -> Bool {
        let target = need.target
        guard !target.contains("*"), !target.isEmpty,
            target.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { return false }
        // One of the full length was cut.
        guard target.utf16.count < Self.targetUnitsMax else { return false }
        let isPath = target.hasPrefix("/")
        if need.permission == .read || need.permission == .write { return isPath }
        return isPath && need.permission == .module
            || (target.utf8.count <= 256 && !target.utf8.contains { $0 <= 0x20 || $0 == 0x7F })
    }

    /// Of a finding's target.
    public static let targetUnitsMax = 256
}

extension NetworkRule {
    /// Whether what it names is known not to be in the public Internet.
    var isForPrivatePlace: Bool {
        switch host {
        case .any: false
        case .name(let name): name == "localhost" || name.hasSuffix(".localhost")
        case .below(let end): end == ".localhost" || end.hasSuffix(".localhost")
        case .block(let block): block.isPrivate
        }
    }
}

extension Array where Element: Hashable {
    /// Each once, in order.
    fileprivate var distinct: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
