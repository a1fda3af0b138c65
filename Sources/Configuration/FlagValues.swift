/// What the command line said, unparsed: one property a flag of DESIGN section 6. Nil or empty: not given.
public struct FlagValues: Sendable {
    public var service: String?
    public var store: String?
    public var exports: [String] = []
    public var admin: String?
    /// KIND or KIND=PLACE each.
    public var resolves: [String] = []
    public var listen: String?
    public var isolates: String?
    public var tlsCertificate: String?
    public var tlsKey: String?
    public var policy: String?
    /// Files of public keys.
    public var requiredSignatures: [String] = []
    /// `--audit`.
    public var isAudited = false
    public var limits: [String] = []
    /// Of `agent`: NAME=HOST:PORT or NAME=off.
    public var receives: [String] = []
    /// KIND or KIND=VALUE of registries.
    public var registers: [String] = []
    public var logs: [String] = []
    public var folders: [String] = []
    public var logLevel: String?
    public var isJSON = false
    /// `--insecure`.
    public var isInsecure = false
    public var flushTimeout: String?
    public var shutdownTimeout: String?
    public var startTimeout: String?
    public var profileSlow: String?
    public var snapshotsHeap = false
    public var crons: [String] = []
    /// Of `run`, which has fewer limits than `serve`.
    public var isRun = false
    /// ENTRY, for the service's default name.
    public var entry: String?

    public init() {}
}
