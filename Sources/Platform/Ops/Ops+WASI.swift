internal import Engine
internal import Linux
internal import Policy
internal import System

extension PlatformOps {
    /// wasiNames(): the functions there are, in the order of their numbers, each with a line feed.
    /// wasiCreate(arguments, environment, folders): texts ended by NUL each; folders are the module's name of one and its path, in turn. A number; throws an
    /// Error when a folder cannot be opened, or the policy allows nothing of it, or there are too many. wasiCall(number, function, memory, …): an errno. wasiClose(number).
    static let wasi = [
        Op("wasiNames") {
            OpCall($0, $1).returns(WASIFunction.all.map { $0.rawValue + "\n" }.joined())
        },
        Op("wasiCreate") {
            let call = OpCall($0, $1)
            let host = call.platform
            guard host.wasiInstances.count < OpHost.wasiInstancesMax else {
                return call.throwError(.range, "too many WASI instances")
            }
            let folders = texts(call, 2)
            var given: [WASIFolder] = []
            for index in stride(from: 0, to: folders.count - 1, by: 2) {
                var folder = WASIFolder(guest: folders[index], host: folders[index + 1])
                guard permits(call, &folder) else { return }
                given.append(folder)
            }
            do throws(SystemCallError) {
                let instance = try WASI(
                    arguments: texts(call, 0), environment: texts(call, 1), folders: given,
                    clockStep: host.host.policy.hasCoarseClock ? coarseStep : 1,
                    hasRandom: host.host.policy.decide(.random).isAllowed, stop: host.host.stopDescriptor)
                host.lastWasi += 1
                host.wasiInstances[host.lastWasi] = instance
                call.returns(Double(host.lastWasi))
            } catch {
                call.throwError(.error, "\(error)", code: "ERR_WASI_FOLDER")
            }
        },
        Op("wasiCall") {
            let call = OpCall($0, $1)
            let number = call.integer(1, nan: -1)
            guard let instance = call.platform.wasiInstances[call.integer(0)], let memory = call.bytes(2),
                WASIFunction.all.indices.contains(number)
            else { return call.returns(Double(WASIErrno.badf.code)) }
            let errno = instance.call(
                WASIFunction.all[number], GuestMemory(memory), WASIArguments(call: call, first: 3))
            // Now that nobody looks at the module's memory: telling may lead into the program's code.
            if let access = instance.access { call.platform.host.note(access) }
            call.returns(Double(errno))
        },
        Op("wasiClose") {
            let call = OpCall($0, $1)
            call.platform.wasiInstances[call.integer(0)] = nil
        },
    ]

    /// Nanoseconds.
    private static let coarseStep: UInt64 = 1_000_000

    /// Takes from a folder what the policy does not allow. False: it allows nothing, and JavaScript has an exception pending.
    private static func permits(_ call: OpCall, _ folder: inout WASIFolder) -> Bool {
        let host = call.platform.host
        let policy = host.policy
        guard !policy.isOpen(.read) || !policy.isOpen(.write) else { return true }
        let path = FileSystem.linux.realPath(folder.host) ?? folder.host
        folder.withheld.path = path
        let mayRead = policy.decide(.read(path: path)).isAllowed
        let mayWrite = policy.decide(.write(path: path)).isAllowed
        guard mayRead || mayWrite else { return call.allows(.read(path: path)) }
        if mayRead { host.note(.read(path: path)) } else { folder.withheld.rights.insert(.reading) }
        if mayWrite { host.note(.write(path: path)) } else { folder.withheld.rights.insert(.changing) }
        return true
    }

    private static func texts(_ call: OpCall, _ index: Int) -> [String] {
        call.string(index).split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
