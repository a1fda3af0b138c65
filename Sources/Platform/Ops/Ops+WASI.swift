internal import Engine
internal import Linux

extension PlatformOps {
    /// wasiNames(): the functions there are, in the order of their numbers, each with a line feed.
    /// wasiCreate(arguments, environment, folders): texts ended by NUL each; folders are the module's name of one and its path, in turn. A number; throws an
    /// Error when a folder cannot be opened, or there are too many. wasiCall(number, function, memory, …): an errno. wasiClose(number).
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
            let pairs = stride(from: 0, to: folders.count - 1, by: 2).map {
                (guest: folders[$0], host: folders[$0 + 1])
            }
            do throws(SystemCallError) {
                let instance = try WASI(
                    arguments: texts(call, 0), environment: texts(call, 1), folders: pairs,
                    stop: host.host.stopDescriptor)
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
            call.returns(Double(errno))
        },
        Op("wasiClose") {
            let call = OpCall($0, $1)
            call.platform.wasiInstances[call.integer(0)] = nil
        },
    ]

    private static func texts(_ call: OpCall, _ index: Int) -> [String] {
        call.string(index).split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
