public import Policy
public import Telemetry

/// What a worker needs to know.
public struct WorkerConfiguration: Hashable, Sendable {
    /// The workload's resource, `service.name` first.
    public var resource: Resource
    public var sampler = SamplerConfiguration.parentBasedAlwaysOn
    public var spanLimits = SpanLimits()
    public var propagators: [PropagatorName] = [.traceContext, .baggage]
    public var limits = WorkloadLimits()
    /// `OTEL_SDK_DISABLED`: nothing is recorded; contexts still travel.
    public var isDisabled = false

    /// Turns of the event loop that take longer are profiled, nanoseconds; nil: none is.
    public var profileSlow: UInt64?
    /// Whether a heap snapshot is taken when the heap has reached its limit.
    public var snapshotsHeap = false

    /// What is looked for in code before it runs, where that is required.
    public var check = CodeCheckConfiguration()

    /// Who tells `fetch` where services are.
    public var resolve = ResolveConfiguration()

    /// What it may do.
    public var policy = Policy.standard
    /// Whether its program finds the globals frozen.
    public var freezesPrimordials = false

    /// What the kernel refuses it.
    public var fence = FenceConfiguration()

    /// Variables that only the program sees, with values that nobody else is to see.
    public var secrets: [Secret] = []
    /// Variables of the agent that the program does not see.
    public var hiddenVariables: [String] = []

    public struct Secret: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What the program's files have to be; nil: it need not be signed.
    public var signed: SignedFileList?

    /// The files of a signed program.
    public struct SignedFileList: Hashable, Sendable {
        /// Its path, absolute.
        public var manifest: String
        /// SHA-256 in hex, by absolute path.
        public var digests: [String: String]

        public init(manifest: String, digests: [String: String]) {
            self.manifest = manifest
            self.digests = digests
        }
    }

    /// What a WASI command may reach, in the order given.
    public var folders: [GuestFolder] = []

    /// A folder here, and what a WASI command calls it.
    public struct GuestFolder: Hashable, Sendable {
        public var host: String
        public var guest: String
    }

    public init(resource: Resource) { self.resource = resource }

    /// What a policy says of workers.
    public mutating func apply(_ configuration: PolicyConfiguration) {
        policy = configuration.policy
        freezesPrimordials = configuration.freezesPrimordials
        fence = configuration.fence
        check = configuration.check
    }

    /// What a policy has to do with, as another has it; secrets and signature stay.
    public mutating func takePolicy(of other: WorkerConfiguration) {
        (policy, freezesPrimordials, fence) = (other.policy, other.freezesPrimordials, other.fence)
        (check, limits) = (other.check, other.limits)
    }

    /// Reads it from flags and environment, finding all errors at once.
    public static func parse(
        _ flags: FlagValues, environment: [String: String]
    ) -> Result<Configured<WorkerConfiguration>, ConfigurationErrors> {
        var problems = Problems()
        let value = parse(flags, Environment(environment), &problems)
        return problems.result(value)
    }

    static func parse(
        _ flags: FlagValues, _ environment: Environment, _ problems: inout Problems
    ) -> WorkerConfiguration {
        var configuration = WorkerConfiguration(resource: parseResource(flags, environment, &problems))
        configuration.sampler = SamplerConfiguration.parse(environment, &problems)
        configuration.spanLimits = SpanLimits.parse(environment, &problems)
        configuration.propagators = PropagatorName.parse(environment, &problems)
        configuration.limits = WorkloadLimits.parse(flags.limits, isRun: flags.isRun, &problems)
        configuration.isDisabled = environment.flag("OTEL_SDK_DISABLED", &problems)
        configuration.snapshotsHeap = flags.snapshotsHeap
        configuration.folders = flags.folders.compactMap { parseFolder($0, &problems) }
        if let text = flags.profileSlow {
            configuration.profileSlow = Units.nanoseconds(text)
            if configuration.profileSlow == nil {
                problems.error("--profile-slow", "\"\(text)\" is not a time such as 500ms")
            }
        }
        return configuration
    }

    /// `HOST`, or `HOST::GUEST`.
    private static func parseFolder(_ text: String, _ problems: inout Problems) -> GuestFolder? {
        var host = text[...]
        var guest = text[...]
        if let separator = text.indices.first(where: { text[$0...].hasPrefix("::") }) {
            host = text[..<separator]
            guest = text[separator...].dropFirst(2)
        }
        guard !host.isEmpty, !guest.isEmpty, !text.utf8.contains(0) else {
            problems.error("--dir \(text)", "expected DIR, or DIR::NAME as the module is to call it")
            return nil
        }
        return GuestFolder(host: String(host), guest: String(guest))
    }

    /// The name of the service: `--service`, `OTEL_SERVICE_NAME`, `service.name` of `OTEL_RESOURCE_ATTRIBUTES`, the
    /// entry's file name without its extension, "unknown_service".
    private static func parseResource(
        _ flags: FlagValues, _ environment: Environment, _ problems: inout Problems
    ) -> Resource {
        var attributes: Attributes = []
        if let text = environment.text("OTEL_RESOURCE_ATTRIBUTES") {
            do {
                attributes = try KeyValueList.parse(text).map { Attribute($0.key, .string($0.value)) }
            } catch {
                problems.warning("OTEL_RESOURCE_ATTRIBUTES", "the whole value is ignored: \(error.message)")
            }
        }
        if let service = flags.service, service.trimmed.isEmpty { problems.error("--service", "the name is empty") }
        let name =
            flags.service ?? environment.text("OTEL_SERVICE_NAME") ?? attributes["service.name"]?.string
            ?? flags.entry.flatMap(baseName) ?? "unknown_service"
        attributes.removeAll { $0.key == "service.name" }
        attributes.insert(Attribute("service.name", .string(name)), at: 0)
        return Resource(attributes: attributes)
    }

    /// "dir/app.test.js" gives "app.test"; nil when nothing is left.
    private static func baseName(_ path: String) -> String? {
        guard let file = path.split(separator: "/").last else { return nil }
        let end = file.lastIndex(of: ".").flatMap { $0 > file.startIndex ? $0 : nil } ?? file.endIndex
        return String(file[..<end])
    }
}
