internal import Configuration
internal import Linux
internal import Server
internal import Synchronization
internal import System
internal import Telemetry
internal import Transport

/// The admin port of `serve` and `run`: a server on a thread of its own. Main thread, but for `show`.
final class AdminPort {
    /// Of answers and streams together that nobody has read yet. Bytes.
    static let memoryBytesMax = 128 << 20
    /// Of those who follow the logs.
    private static let followersBytesMax = 16 << 20
    /// How long answers under way may take at the end.
    private static let graceMilliseconds = 500

    /// With the port that was chosen.
    let place: HostPort
    private let socket: ListeningSocket
    private let server: Server
    private let following: Following
    private let thread: ServiceThread

    private let handler: AdminHandler

    /// - Parameter pages: Those that do not need the port itself.
    init(
        _ socket: ListeningSocket, _ asked: HostPort, _ doors: AgentDoors, _ pages: [any AdminPages],
        _ clock: LinuxClock
    ) throws {
        self.socket = socket
        place = asked.bound(to: socket.place)
        following = Following(LogFollowers(clock, memoryBytesMax: Self.followersBytesMax))
        handler = AdminHandler(pages + [LogPages(followers: following.followers)])
        let server = try Server(
            [Self.listener(socket, handler, doors)], companion: following, limits: doors.limits,
            budget: MemoryBudget(bytesMax: Self.memoryBytesMax), clock: clock)
        self.server = server
        thread = ServiceThread(name: "sidelight-admin") {
            do { try server.run() } catch { fatalError("the admin port cannot be served: \(error)") }
        }
    }

    private static func listener(
        _ socket: ListeningSocket, _ handler: AdminHandler, _ doors: AgentDoors
    ) -> Server.Listener {
        Server.Listener(
            fileDescriptor: socket.fileDescriptor, handler: handler, bodyBytesMax: AdminHandler.bodyBytesMax,
            door: doors.admin)
    }

    /// Whoever comes from now on comes through these.
    func change(_ doors: AgentDoors) {
        let listener = Self.listener(socket, handler, doors)
        server.change({ [listener] }, done: { _ in })
    }

    /// What there is to see of any workload.
    static func pages(
        _ desk: FactsDesk, _ metrics: CurrentMetrics, _ health: HealthDesk, _ resources: ResourceReading?,
        store: String, _ levels: MessageLevels, _ notes: DoorNotes?, _ clock: LinuxClock
    ) -> [any AdminPages] {
        [
            MetricsPages(source: desk, metrics: metrics), HealthPages(health),
            StorePages(queries: StoreQueries(directory: store), clock: clock), LevelPages(levels: levels, notes: notes),
            WorkloadPages(desk: desk, clock: clock), CounterPages(desk: desk, clock: clock),
            ResourcePages(reading: resources),
        ]
    }

    /// What those who follow the logs may want to see. Any thread, the same for all batches.
    func show(_ batch: Batch) {
        guard batch.signal == .logs, following.isFollowed else { return }
        server.perform { [following] in following.followers.show([batch]) }
    }

    /// Nobody is answered any more.
    func end() {
        server.perform { [following] in following.followers.end() }
        server.stop(graceMilliseconds: Self.graceMilliseconds)
        thread.join()
    }

    /// Those who follow the logs, as other threads may know of them.
    private final class Following: ServerCompanion {
        let followers: LogFollowers
        private let isAnybody = Atomic<Bool>(false)

        init(_ followers: LogFollowers) { self.followers = followers }

        var isFollowed: Bool { isAnybody.load(ordering: .relaxed) }

        func turn(now: UInt64) -> UInt64? {
            let next = followers.turn(now: now)
            isAnybody.store(!followers.isEmpty, ordering: .relaxed)
            return next
        }
    }
}

extension HostPort {
    /// With the port that was chosen.
    func bound(to place: ListeningSocket.Place) -> HostPort {
        guard case .tcp(_, let port) = place else { return self }
        return HostPort(host: host, port: port)
    }
}
