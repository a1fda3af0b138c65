// When the fence goes up around this process: docs/fence.md. What it is made of is Sources/Linux/Fence.swift, and what it is to be says the agent.

internal import Glibc
internal import Linux
internal import System
internal import Telemetry

struct WorkerFence {
    private let fence: Fence
    private let required: FenceLayers
    /// Those that are up.
    private(set) var layers: FenceLayers = []

    /// Nil: there is to be none, as for a worker that was started by hand.
    init?(_ options: WorkerOptions) {
        guard let json = options.configuration["fence"], case .object = json else { return nil }
        func texts(_ name: String) -> [String] {
            guard case .array(let values) = json[name] else { return [] }
            return values.compactMap(\.string)
        }
        func isTrue(_ name: String) -> Bool { if case .bool(true) = json[name] { true } else { false } }
        var fence = Fence()
        fence.read = texts("read")
        fence.write = texts("write")
        fence.writesOthersFiles = !options.folders.isEmpty
        if case .array(let ports) = json["ports"] { fence.ports = ports.compactMap { $0.number.map { UInt16($0) } } }
        fence.firstDescriptor = UInt32(options.descriptorMax + 1)
        fence.descriptorsMax = json["descriptorsMax"]?.number.map { Int($0) } ?? fence.descriptorsMax
        if let user = json["user"]?.number, let group = json["group"]?.number {
            fence.user = (UInt32(user), UInt32(group))
        }
        fence.hasOwnNet = isTrue("net")
        fence.hasOwnIPC = isTrue("ipc")
        self.fence = fence
        required = FenceLayers(rawValue: UInt32(json["require"]?.number ?? 0))
        // A folder that is not there cannot be let through.
        if let cache = options.cacheDirectory { _ = makeFolders(cache) }
    }

    /// First of all, while there is one thread.
    mutating func enclose() { layers = fence.enclose() }

    /// Before anything of the guest's is looked at.
    /// - Parameter tell: Gets the name of the call that ends the process, in a signal handler.
    mutating func close(tell: @escaping @convention(c) (UnsafePointer<CChar>) -> Void) {
        layers.formUnion(Fence.close(tell: tell))
    }

    /// What is required and did not come to be; for people. Nil: nothing.
    var lacking: String? {
        let lacking = required.subtracting(layers).layers
        guard !lacking.isEmpty else { return nil }
        return "the fence lacks \(lacking.map(\.rawValue).joined(separator: ", ")), which the policy requires"
    }
}
