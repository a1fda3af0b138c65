// What a workload may do. A value without I/O: who is about to do something asks `decide`, in the worker, and does what it says.
//
// Where a part is nil everything is allowed, as without a policy; the first thing that each door looks at is `isOpen`, which is one load and one branch.

/// What a workload may do. docs/policy.md.
public struct Policy: Hashable, Sendable {
    /// What holds where a policy says nothing.
    public enum Base: String, Hashable, Sendable, CaseIterable {
        /// Nothing but the files of its own modules, below the entry's folder.
        case strict
        /// Everything, in the fence.
        case standard
        /// Everything, without the fence.
        case trusted
    }

    public enum Clock: String, Hashable, Sendable, CaseIterable {
        case exact
        /// In steps of a millisecond that are not quite even; no memory shared between threads.
        case coarse
    }

    public private(set) var base: Base
    /// `--audit`: nothing is refused, and what would be is told.
    public var isAudited = false { didSet { updateOpen() } }
    /// Where it connects to. Nil: anywhere.
    public var network: NetworkRules? { didSet { updateOpen() } }
    public var read: PathRules? { didSet { updateOpen() } }
    public var write: PathRules? { didSet { updateOpen() } }
    /// Names of variables.
    public var environment: NameRules? { didSet { updateOpen() } }
    public var modules: ModuleRules? { didSet { updateOpen() } }
    public var allowsCode = true { didSet { updateOpen() } }
    public var allowsWasm = true { didSet { updateOpen() } }
    public var allowsWorkers = true { didSet { updateOpen() } }
    public var clock = Clock.exact { didSet { updateOpen() } }
    public var allowsRandom = true { didSet { updateOpen() } }
    /// Names of algorithms.
    public var crypto: NameRules? { didSet { updateOpen() } }
    public var volume = Volume()
    /// A bit a permission, by its place in `Permission.allCases`: whether everything is allowed of it.
    private var open: UInt32 = 0

    /// At most this much a second, in each isolate. Nil: as without a policy.
    public struct Volume: Hashable, Sendable {
        public var logsPerSecond: Int?
        public var spansPerSecond: Int?

        public init() {}
    }

    public static let trusted = Policy(base: .trusted)
    /// Without a policy.
    public static let standard = Policy(base: .standard)
    public static let strict = Policy(base: .strict)

    public init(base: Base) {
        self.base = base
        if base == .strict {
            network = NetworkRules()
            read = PathRules([], key: "files.read")
            write = PathRules([], key: "files.write")
            environment = NameRules([], key: "environment")
            modules = ModuleRules(names: [], paths: [], allowsOwn: true)
            (allowsCode, allowsWasm, allowsWorkers, allowsRandom) = (false, false, false, false)
            clock = .coarse
            crypto = NameRules([], key: "crypto")
        }
        updateOpen()
    }

    /// Whether everything is allowed of it, so that nobody has to ask.
    public func isOpen(_ permission: Permission) -> Bool { open >> Self.bit(permission) & 1 != 0 }

    /// Whether everything is allowed of everything.
    public var isOpen: Bool { open == Self.allOpen }

    /// In an audit clocks stay exact: who needs them cannot be told.
    public var hasCoarseClock: Bool { clock == .coarse && !isAudited }

    private static let allOpen: UInt32 = 1 << UInt32(Permission.allCases.count) - 1

    private static func bit(_ permission: Permission) -> UInt32 {
        switch permission {
        case .network: 0
        case .read: 1
        case .write: 2
        case .environment: 3
        case .module: 4
        case .code: 5
        case .wasm: 6
        case .worker: 7
        case .clock: 8
        case .random: 9
        case .crypto: 10
        case .volume: 11
        }
    }

    private mutating func updateOpen() {
        var bits: UInt32 = 1 << Self.bit(.volume)
        func set(_ permission: Permission, _ isOpen: Bool) { if isOpen { bits |= 1 << Self.bit(permission) } }
        set(.network, network?.isOpen ?? true)
        set(.read, read == nil)
        set(.write, write == nil)
        set(.environment, environment == nil)
        set(.module, modules == nil)
        set(.code, allowsCode)
        set(.wasm, allowsWasm)
        set(.worker, allowsWorkers)
        set(.clock, clock == .exact)
        set(.random, allowsRandom)
        set(.crypto, crypto == nil)
        open = bits
    }

    // MARK: For one workload

    /// For a workload: its own modules are those below its entry's folder, and links in the paths are followed.
    /// - Parameters:
    ///   - entry: Absolute, links followed.
    ///   - followLinks: The path that an absolute path is, or itself where there is none.
    public func resolved(entry: String, followLinks: (String) -> String) -> Policy {
        var policy = self
        policy.read = read?.mapped(key: "files.read", followLinks)
        policy.write = write?.mapped(key: "files.write", followLinks)
        policy.modules = modules?.resolved(entry: entry, followLinks)
        return policy
    }
}

/// Modules that may be loaded.
public struct ModuleRules: Hashable, Sendable {
    /// Of those that are built in.
    public let names: NameRules
    /// Of files.
    public let paths: PathRules
    /// Whether what lies below the entry's folder is allowed.
    public let allowsOwn: Bool
    /// Absolute; it may always be loaded. Nil: not known yet.
    public let entry: String?
    private let own: PathRules?

    public init(names: [String], paths: [String], allowsOwn: Bool, entry: String? = nil) {
        self.names = NameRules(names, key: "modules")
        self.paths = PathRules(paths, key: "modules")
        self.allowsOwn = allowsOwn
        self.entry = entry
        own = allowsOwn ? entry.map { PathRules([PathRules.folder(of: $0)], key: "modules") } : nil
    }

    func resolved(entry: String, _ followLinks: (String) -> String) -> ModuleRules {
        ModuleRules(names: names.patterns, paths: paths.paths.map(followLinks), allowsOwn: allowsOwn, entry: entry)
    }

    /// The name of the rule that allows it.
    func rule(for module: String) -> String? {
        guard module.utf8.first == UInt8(ascii: "/") else { return names.rule(for: module) }
        if let entry, module.utf8.elementsEqual(entry.utf8) { return "modules (the entry)" }
        guard PathRules.isCanonical(module) else { return nil }
        if own?.rule(for: module) != nil { return "modules (the entry's folder)" }
        return paths.rule(for: module)
    }
}
