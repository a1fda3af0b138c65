// The fence around a worker's process, as Linux builds it. docs/fence.md
//
// `enclose` comes while the process has one thread, for Landlock, capabilities and namespaces are a thread's, and those it starts have them from it. `close` comes when
// all is up, just before the first byte of a guest's code is looked at; the filter of system calls reaches the threads that are there.

internal import CLinux
internal import Glibc
internal import System
public import Telemetry

public struct Fence: Sendable {
    /// Folders and files that it reads; "/" is everything. Paths that are not there are none.
    public var read: [String] = ["/"]
    /// What it writes, and reads.
    public var write: [String] = []
    /// Whether it may do so whoever owns them, where it is root.
    public var writesOthersFiles = false
    /// Ports that it connects to. Nil: any.
    public var ports: [UInt16]?
    /// Descriptors from here on are closed.
    public var firstDescriptor: UInt32 = 3
    /// Open at once.
    public var descriptorsMax = 65_536
    /// Whom it runs as. Nil: as now.
    public var user: (id: UInt32, group: UInt32)?
    public var hasOwnNet = false
    public var hasOwnIPC = false

    public init() {}

    /// The part that is this thread's. Call while there is no other.
    public func enclose() -> FenceLayers {
        var layers: FenceLayers = []
        if sl_fence_descriptors(firstDescriptor) == 0 { layers.insert(.descriptors) }
        if sl_fence_limits(UInt64(descriptorsMax)) == 0 { layers.insert(.limits) }
        if (hasOwnNet || hasOwnIPC) && sl_fence_namespaces(hasOwnNet, hasOwnIPC) == 0 {
            if hasOwnNet { layers.insert(.net) }
            if hasOwnIPC { layers.insert(.ipc) }
        }
        // It has this number nowhere else.
        if getpid() == 1 { layers.insert(.pid) }
        if let user, sl_fence_user(user.id, user.group) == 0 { layers.insert(.user) }
        if sl_fence_capabilities(keptCapabilities) == 0 { layers.insert(.capabilities) }
        if restrict() == 0 { layers.formUnion(Self.landlockLayers) }
        return layers
    }

    /// Root reads and writes files of all users where the file system's owners do not bind it; which files is Landlock's. Nothing else is left of root.
    private var keptCapabilities: UInt64 {
        let readsAll: UInt64 = 1 << 2 /* CAP_DAC_READ_SEARCH */
        let writesAll: UInt64 = 1 << 1 /* CAP_DAC_OVERRIDE */
        return writesOthersFiles ? readsAll | writesAll : readsAll
    }

    private func restrict() -> Int32 {
        withCStrings(read) { read in
            withCStrings(write) { write in
                (ports ?? [0]).withUnsafeBufferPointer { ports in
                    var places = sl_landlock(
                        read: read.baseAddress!, write: write.baseAddress!, ports: ports.baseAddress!,
                        read_count: Int32(self.read.count), write_count: Int32(self.write.count),
                        port_count: self.ports == nil ? -1 : Int32(ports.count))
                    return sl_landlock_restrict(&places)
                }
            }
        }
    }

    /// The system calls, of all threads, for good.
    /// - Parameter tell: Gets the name of the call that ends the process, in a signal handler.
    public static func close(tell: @escaping @convention(c) (UnsafePointer<CChar>) -> Void) -> FenceLayers {
        sl_fence_calls(tell) == 0 ? FenceLayers([.seccomp]) : []
    }

    // MARK: What there is

    /// What this machine has for a worker of this process.
    public static func available() -> FenceLayers {
        var layers = landlockLayers
        layers.formUnion(FenceLayers([.capabilities, .limits, .descriptors]))
        if sl_fence_takes_calls() { layers.insert(.seccomp) }
        if sl_fence_takes_namespaces() { layers.formUnion(FenceLayers([.net, .ipc])) }
        if geteuid() == 0 { layers.insert(.user) }
        if sl_is_admin() { layers.insert(.pid) }
        return layers
    }

    /// 0: the kernel has none.
    public static var landlockVersion: Int { Int(sl_landlock_version()) }

    private static var landlockLayers: FenceLayers {
        switch landlockVersion {
        case 0: []
        case 1...3: FenceLayers([.landlock])
        case 4...5: FenceLayers([.landlock, .landlockTCP])
        default: FenceLayers([.landlock, .landlockTCP, .landlockScopes])
        }
    }

    /// A user by name or number. Nil: there is none.
    public static func user(_ text: String) -> (id: UInt32, group: UInt32)? {
        let entry = UInt32(text).map { getpwuid($0) } ?? getpwnam(text)
        if let entry { return (entry.pointee.pw_uid, entry.pointee.pw_gid) }
        // A number need not be anybody's.
        return UInt32(text).flatMap { $0 == .max ? nil : ($0, $0) }
    }
}

/// An array is never without an address here, and what is behind its end is not looked at.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>>) -> Result
) -> Result {
    let copies = (texts + [""]).map { UnsafePointer(strdup($0)!) }
    defer { for copy in copies { free(UnsafeMutablePointer(mutating: copy)) } }
    return copies.withUnsafeBufferPointer(body)
}
