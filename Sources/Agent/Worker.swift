internal import Configuration
internal import Glibc
internal import Linux
internal import Telemetry

/// A worker that could not be started; for people.
struct WorkerStartError: Error, CustomStringConvertible {
    let description: String
}

/// One `sidelight-worker`, the ring it writes to and the event by which it wakes the agent.
struct Worker {
    let ring: RingMapping
    let wake: EventDescriptor
    let process: ChildProcess
    /// What it was started with.
    let limits: WorkloadLimits
    /// Nil: it has none.
    let fence: FencePlan?
    /// The agent's end of the control stream.
    let control: LocalConnection
    /// Of one that serves.
    let board: BoardMapping?
    /// Where its child isolates write.
    let places: RingPlaces

    /// Starts it. The calling thread must live as long as the worker is wanted: its end ends the worker.
    /// - Parameters:
    ///   - fence: nil: it has none.
    ///   - arguments: the entry, and what belongs to the program.
    ///   - serving: what it is to serve, the socket it is to accept from, and what it shows over TLS; it then has a process group of its own.
    init(
        _ configuration: WorkerConfiguration, fence: FencePlan?, arguments: [String],
        serving: (configuration: ServingConfiguration, socket: ListeningSocket, identity: ServedIdentity?)? = nil
    ) throws(WorkerStartError) {
        let executable = try Self.executable()
        limits = configuration.limits
        self.fence = fence
        do {
            ring = try RingMapping()
            wake = try EventDescriptor()
            let variables = WorkerVariables.ofProgram(
                Machine.environmentTexts, hidden: configuration.hiddenVariables)
            let file = try MemoryFile(
                name: "sidelight-config",
                contents: configuration.json(
                    cacheDirectory: Self.cacheDirectory, variables: variables, fence: fence,
                    serving: serving?.configuration))
            var options = ["--ring-fd", "3", "--wake-fd", "4", "--config-fd", "5"]
            var identityFile: MemoryFile?
            var descriptors = [ring.fileDescriptor, wake.fileDescriptor, file.fileDescriptor]
            if let serving {
                let board = try BoardMapping()
                self.board = board
                options = ["--serve"] + options + ["--listen-fd", "6", "--board-fd", "7"]
                descriptors += [serving.socket.fileDescriptor, board.fileDescriptor]
                if let identity = serving.identity {
                    let file = try identity.file()
                    options += ["--tls-fd", "8", "--tickets-fd", "9"]
                    descriptors += [file.fileDescriptor, identity.ticketKeys.fileDescriptor]
                    identityFile = file
                }
            } else {
                board = nil
            }
            let (own, others) = try LocalConnection.pair()
            control = own
            options += ["--control-fd", "\(3 + descriptors.count)"]
            descriptors.append(others.fileDescriptor)
            places = try RingPlaces(count: configuration.ringPlaces)
            options += ["--places-fd", "\(3 + descriptors.count)"]
            descriptors.append(places.fileDescriptor)
            process = try ChildProcess(
                executable: executable, arguments: options + ["--"] + arguments, descriptors: descriptors,
                parentDeathSignal: SIGTERM, hasOwnGroup: serving != nil, hasOwnPIDs: fence?.hasOwnPIDs ?? false,
                environment: WorkerVariables.ofProcess(variables))
            // The child has its copy.
            withExtendedLifetime((others, file, identityFile)) {}
        } catch {
            throw WorkerStartError(description: "the worker could not be started: \(error)")
        }
    }

    private static let name = "sidelight-worker"

    /// Beside this program, else on PATH.
    static func executable() throws(WorkerStartError) -> String {
        var folders: [Substring] = []
        if let own = Machine.executablePath, let slash = own.lastIndex(of: "/") { folders.append(own[..<slash]) }
        folders += (Machine.variable("PATH") ?? "").split(separator: ":")
        for folder in folders where Machine.isExecutable("\(folder)/\(name)") { return "\(folder)/\(name)" }
        throw WorkerStartError(
            description:
                "\(name) was not found, neither in \(folders.first ?? "?") nor on PATH; the two programs belong together"
        )
    }

    /// XDG Base Directory Specification: a relative value is to be ignored.
    static var cacheDirectory: String? {
        if let path = Machine.variable("XDG_CACHE_HOME"), path.hasPrefix("/") { return path + "/sidelight" }
        guard let home = Machine.variable("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.cache/sidelight"
    }
}
