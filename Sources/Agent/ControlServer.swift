// What `sidelight profile` talks to: a socket in the store's folder (control/PID.sock, for our own user only), one JSON line there and one back. And the
// reader of what workers send unasked: profiles of slow turns, heaps that were full.
//
// A thread of its own, which writes files and may be slow. It waits for nobody alone: whatever a client or a worker does or leaves undone, the others
// are heard, and everything it waits for has a time by which it is given up.

internal import Audit
internal import Glibc
internal import Linux
internal import Synchronization
internal import System
internal import Wire

/// Any thread.
final class ControlServer: Sendable {
    private struct State {
        var added: [(pid: Int32, place: Int, connection: LocalConnection)] = []
        var gone: [Int32] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wake: EventDescriptor
    /// Nil when there can be none: workers are read all the same, and `sidelight profile` says that it found none.
    private let socket: ListeningSocket?
    private let ended = Monitor<Bool>()
    private let clock = LinuxClock()

    /// How long the end waits for what dead workers have sent to be written.
    private static let stopNanoseconds: UInt64 = 5_000_000_000

    /// Nil when the system gives no descriptor or thread: nothing else is the worse for it.
    ///
    /// - Parameter trail: Nil: what is asked for is not put on record.
    init?(store: String, service: String, _ trail: AuditTrail? = nil) {
        guard let wake = try? EventDescriptor() else { return nil }
        self.wake = wake
        let folder = store.hasSuffix("/") ? store + "control" : store + "/control"
        // The store makes its folder on a thread of its own, perhaps later.
        for (index, byte) in folder.utf8.enumerated() where byte == UInt8(ascii: "/") && index > 0 {
            mkdir(String(decoding: folder.utf8.prefix(index), as: UTF8.self), 0o700)
        }
        let path = "\(folder)/\(getpid()).sock"
        socket = mkdir(folder, 0o700) == 0 || errno == EEXIST ? try? ListeningSocket(.unix(path: path)) : nil
        if socket != nil { chmod(path, 0o600) }
        let isStarted = startThread { [self, wake, socket] in
            ControlLoop(self, wake, socket, ProfileFiles(store: store), service: service, trail).run()
            ended.open()
        }
        guard isStarted else { return nil }
    }

    func add(pid: Int32, place: Int, _ connection: LocalConnection) {
        state.withLock { $0.added.append((pid, place, connection)) }
        wake.signal()
    }

    /// Its process is over.
    func remove(pid: Int32) {
        state.withLock { $0.gone.append(pid) }
        wake.signal()
    }

    /// Once, when all workers are over. Waits for what they have sent.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
        ended.wait(until: clock.monotonicNanoseconds() &+ Self.stopNanoseconds)
        socket?.removePath()
    }

    /// What has come since it was last called. The thread.
    fileprivate func news() -> (
        added: [(pid: Int32, place: Int, connection: LocalConnection)], gone: [Int32], isStopping: Bool
    ) {
        state.withLock { state in
            defer {
                state.added = []
                state.gone = []
            }
            return (state.added, state.gone, state.isStopping)
        }
    }
}

/// The thread's.
private final class ControlLoop {
    private let server: ControlServer
    private let wake: EventDescriptor
    private let socket: ListeningSocket?
    private let files: ProfileFiles
    private let service: String
    private let trail: AuditTrail?
    private let clock = LinuxClock()
    private var workers: [ControlStream] = []
    private var clients: [ControlClient] = []
    private var isStopping = false

    /// At once; further ones wait in the socket's queue.
    private static let clientsMax = 128
    private static let lineBytesMax = 4096
    /// For a client to say what it wants.
    private static let lineNanoseconds: UInt64 = 2_000_000_000
    /// For a worker to begin to answer: it may be in native code that nothing interrupts.
    private static let workerNanoseconds: UInt64 = 60_000_000_000
    /// For what a dead worker has left in its stream: a child of it may hold the other end, and write on.
    private static let restNanoseconds: UInt64 = 2_000_000_000
    /// Of a profile; and its interval, as V8 takes it.
    private static let secondsMax: Int64 = 600
    private static let intervalMicroseconds: ClosedRange<Int64> = 50...1_000_000

    private static let wakeIndex = 0, socketIndex = 1, streamsIndex = 2

    init(
        _ server: ControlServer, _ wake: EventDescriptor, _ socket: ListeningSocket?, _ files: ProfileFiles,
        service: String, _ trail: AuditTrail?
    ) {
        self.trail = trail
        self.server = server
        self.wake = wake
        self.socket = socket
        self.files = files
        self.service = service
    }

    func run() {
        while true {
            takeNews()
            // The clients' connections end with this loop.
            if isStopping, workers.isEmpty { return }
            let (polledWorkers, polledClients) = (workers, clients)
            let accepts = clients.count < Self.clientsMax && !isStopping
            var poller = Poller(
                [wake.fileDescriptor, accepts ? socket?.fileDescriptor ?? -1 : -1]
                    + polledWorkers.map(\.connection.fileDescriptor) + polledClients.map(\.connection.fileDescriptor))
            guard (try? poller.wait(nanoseconds: sleepNanoseconds())) != nil else { return }
            if poller.isReady(Self.wakeIndex) { wake.clear() }
            for (index, worker) in polledWorkers.enumerated()
            where poller.isReady(Self.streamsIndex + index) || worker.hasPending || worker.readUntil != nil {
                attend(worker)
            }
            for (index, client) in polledClients.enumerated()
            where poller.isReady(Self.streamsIndex + polledWorkers.count + index) {
                attend(client)
            }
            if poller.isReady(Self.socketIndex), let socket, let connection = LocalConnection.accept(socket) {
                clients.append(
                    ControlClient(connection, deadline: clock.monotonicNanoseconds() &+ Self.lineNanoseconds))
            }
            takeTime()
        }
    }

    private func takeNews() {
        let news = server.news()
        for (pid, place, connection) in news.added {
            workers.append(ControlStream(pid: pid, place: place, connection, files))
        }
        isStopping = isStopping || news.isStopping
        let until = clock.monotonicNanoseconds() &+ Self.restNanoseconds
        for worker in workers where worker.readUntil == nil && (isStopping || news.gone.contains(worker.pid)) {
            worker.readUntil = until
        }
    }

    /// Nil: until something comes.
    private func sleepNanoseconds() -> UInt64? {
        if workers.contains(where: { $0.readUntil != nil || $0.hasPending }) { return 0 }
        var deadlines = clients.compactMap(\.deadline) + workers.compactMap(\.deadline)
        for worker in workers {
            switch worker.job?.step {
            case .sampling(let until): deadlines.append(until)
            // Who waits no longer has been told, and an answer that has begun has a time of its own.
            case .answering(let until) where worker.job?.client != nil && worker.deadline == nil:
                deadlines.append(until)
            case .answering, nil: break
            }
        }
        let now = clock.monotonicNanoseconds()
        return deadlines.min().map { $0 > now ? $0 - now : 0 }
    }

    private func takeTime() {
        let now = clock.monotonicNanoseconds()
        for worker in workers {
            if let deadline = worker.deadline, deadline <= now {
                worker.breakOff()
                forget(worker)
            }
            guard let job = worker.job else { continue }
            switch job.step {
            case .sampling(let until) where until <= now: stopSampling(worker, job)
            case .answering(let until) where until <= now && worker.deadline == nil:
                guard let client = job.client else { break }
                // What it still sends belongs to nobody; until then it is busy.
                job.client = nil
                refuse(client, "the worker did not answer within \(Self.workerNanoseconds / 1_000_000_000) s")
            case .sampling, .answering: break
            }
        }
        for client in clients {
            if let request = client.waiting, workers.first(where: { $0.pid == request.pid })?.job == nil {
                client.waiting = nil
                client.deadline = nil
                begin(request, client)
            } else if let deadline = client.deadline, deadline <= now {
                if client.waiting == nil {
                    drop(client)
                } else {
                    refuse(client, "the isolate is busy, and does not answer")
                }
            }
        }
    }

    // MARK: workers

    private func attend(_ worker: ControlStream) {
        let now = clock.monotonicNanoseconds()
        let taken = worker.take(now: now)
        switch taken {
        case .answer(let result): answered(worker, result)
        case .part: break
        case .nothing where worker.readUntil == nil: break
        case .nothing, .over: forget(worker)
        }
        if let until = worker.readUntil, until <= now { forget(worker) }
    }

    private func answered(_ worker: ControlStream, _ result: Result<String, ControlStream.Failure>) {
        guard let job = worker.job else { return }
        worker.job = nil
        guard let client = job.client else {
            if case .success(let path) = result { files.remove(path) }
            return
        }
        switch result {
        case .success(let path):
            reply(client) { json in
                json.put("file", path)
                json.put("pid", worker.pid)
            }
        case .failure(.refused(let reason)): refuse(client, reason)
        case .failure(.broken): refuse(client, Self.hasEnded)
        }
    }

    private static let hasEnded = "the worker ended, or did not answer"

    private func forget(_ worker: ControlStream) {
        worker.breakOff()
        workers.removeAll { $0 === worker }
        answered(worker, .failure(.broken))
    }

    private func stopSampling(_ worker: ControlStream, _ job: ControlJob) {
        guard worker.connection.sendNow(ControlCommand.stopProfile.bytes) else { return forget(worker) }
        job.step = .answering(until: clock.monotonicNanoseconds() &+ Self.workerNanoseconds)
    }

    // MARK: clients

    private func attend(_ client: ControlClient) {
        guard clients.contains(where: { $0 === client }) else { return }
        if let worker = workers.first(where: { $0.job?.client === client }), let job = worker.job {
            // It has no more to say, so it has gone.
            job.client = nil
            drop(client)
            if case .sampling = job.step { stopSampling(worker, job) }
            return
        }
        guard client.waiting == nil,
            case .bytes(let bytes) = client.connection.receiveNow(max: Self.lineBytesMax - client.line.count)
        else { return drop(client) }
        client.line += bytes
        if let end = client.line.firstIndex(of: UInt8(ascii: "\n")) {
            client.deadline = nil
            perform(client.line[..<end], client)
        } else if client.line.count >= Self.lineBytesMax {
            drop(client)
        }
    }

    /// Its connection ends with the last who knows it.
    private func drop(_ client: ControlClient) { clients.removeAll { $0 === client } }

    private func refuse(_ client: ControlClient, _ reason: String) { reply(client) { $0.put("error", reason) } }

    /// A line that fits into the socket; who does not take it gets none.
    private func reply(_ client: ControlClient, _ write: (inout JSONWriter) -> Void) {
        var json = JSONWriter()
        json.object { write(&$0) }
        _ = client.connection.sendNow(json.bytes + [UInt8(ascii: "\n")])
        drop(client)
    }

    private func perform(_ line: ArraySlice<UInt8>, _ client: ControlClient) {
        guard let request = try? JSONValue(parsing: Array(line)), let command = request["command"]?.string else {
            return refuse(client, "the request is no JSON with a command")
        }
        let known = workers.filter { $0.readUntil == nil }.sorted { $0.place < $1.place }
        if command == "who" { return tellWho(known, client) }
        do throws(OutOfRange) {
            let wanted = try number("pid", of: request, in: 1...Int64(Int32.max))
            let place = try number("place", of: request, in: 0...Int64(Int32.max)) ?? 0
            let chosen = known.last { worker in
                if let wanted { return Int64(worker.pid) == wanted }
                return Int64(worker.place) == place
            }
            guard let worker = chosen else {
                let places = Set(known.map(\.place)).sorted().map(String.init).joined(separator: ", ")
                let there = places.isEmpty ? "none runs at the moment" : "there is \(places)"
                return refuse(client, wanted != nil ? Self.hasEnded : "there is no isolate \(place); \(there)")
            }
            switch command {
            case "profile":
                let milliseconds = try number("milliseconds", of: request, in: 1...Self.secondsMax * 1_000) ?? 10_000
                let interval =
                    try number("intervalMicroseconds", of: request, in: Self.intervalMicroseconds) ?? 1_000
                let command = ControlClient.Request.Command.profile(
                    nanoseconds: UInt64(milliseconds) * 1_000_000, interval: UInt32(interval))
                begin(ControlClient.Request(command: command, pid: worker.pid), client)
            case "heap":
                trail?.note(
                    AuditEvent(
                        .admin, actor: "uid \(Machine.userID)", action: "heap snapshot", target: "worker \(worker.pid)",
                        outcome: "begun"))
                begin(ControlClient.Request(command: .heap, pid: worker.pid), client)
            default: refuse(client, "unknown command")
            }
        } catch {
            refuse(client, error.reason)
        }
    }

    private struct OutOfRange: Error { let reason: String }

    /// Nil: the request says nothing of it.
    private func number(
        _ name: String, of request: JSONValue, in range: ClosedRange<Int64>
    ) throws(OutOfRange) -> Int64? {
        guard let value = request[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw OutOfRange(reason: "\(name) is an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func tellWho(_ known: [ControlStream], _ client: ControlClient) {
        reply(client) { json in
            json.put("service", service)
            json.put("pid", getpid())
            json.name("workers")
            json.array { json in
                for worker in known {
                    json.object { json in
                        json.put("place", worker.place)
                        json.put("pid", worker.pid)
                    }
                }
            }
        }
    }

    private func begin(_ request: ControlClient.Request, _ client: ControlClient) {
        guard let worker = workers.first(where: { $0.pid == request.pid && $0.readUntil == nil }) else {
            return refuse(client, Self.hasEnded)
        }
        let now = clock.monotonicNanoseconds()
        if let job = worker.job {
            guard job.client == nil else { return refuse(client, "isolate \(worker.place) is being profiled already") }
            client.waiting = request
            client.deadline = now &+ Self.workerNanoseconds
            return
        }
        let (command, step): (ControlCommand, ControlJob.Step) =
            switch request.command {
            case .profile(let nanoseconds, let interval):
                (.startProfile(interval: interval), .sampling(until: now &+ nanoseconds))
            case .heap:
                (
                    .heapSnapshot(mebibytesMax: UInt32(ProfileFiles.snapshotBytesMax >> 20)),
                    .answering(until: now &+ Self.workerNanoseconds)
                )
            }
        guard worker.connection.sendNow(command.bytes) else { return refuse(client, Self.hasEnded) }
        var isSnapshot = false
        if case .heap = request.command { isSnapshot = true }
        worker.job = ControlJob(client, isSnapshot: isSnapshot, step: step)
    }
}
