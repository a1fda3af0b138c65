// What `sidelight profile` talks to: a socket in the store's folder (control/PID.sock, for our own user only), one JSON line there and one back. And the
// reader of what workers send unasked: profiles of slow turns, heaps that were full.
//
// A thread of its own, which may block: a worker that spins, or a client that says nothing, holds up nothing else. It looks at one client at a time.

internal import Glibc
internal import Linux
internal import Synchronization
internal import Wire

/// Any thread.
final class ControlServer: Sendable {
    private struct Worker {
        let pid: Int32
        let place: Int
        let stream: LocalConnection
        /// Its process is over: what it has sent is read, and no more is waited for.
        var isOver = false
    }

    private struct State {
        var workers: [Worker] = []
        var isStopping = false
        var thread: pthread_t?
    }

    private let state = Mutex(State())
    private let wake: EventDescriptor
    private let socket: ListeningSocket
    private let files: ProfileFiles
    private let service: String

    private static let lineBytesMax = 4096
    private static let clientMilliseconds: Int32 = 2_000
    /// How long a worker may take to answer: it may be in native code that nothing interrupts.
    private static let workerMilliseconds: Int32 = 60_000
    private static let secondsMax = 600.0

    /// Nil when there can be no such socket: nothing else is the worse for it, and `sidelight profile` says that it found none.
    init?(store: String, service: String) {
        files = ProfileFiles(store: store)
        self.service = service
        let folder = store.hasSuffix("/") ? store + "control" : store + "/control"
        // The store makes its folder on a thread of its own, perhaps later.
        for (index, byte) in folder.utf8.enumerated() where byte == UInt8(ascii: "/") && index > 0 {
            mkdir(String(decoding: folder.utf8.prefix(index), as: UTF8.self), 0o700)
        }
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST, let wake = try? EventDescriptor(),
            let socket = try? ListeningSocket(.unix(path: "\(folder)/\(getpid()).sock"))
        else { return nil }
        self.wake = wake
        self.socket = socket
        chmod("\(folder)/\(getpid()).sock", 0o600)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<ControlServer>.fromOpaque(context!).takeRetainedValue().serve()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            return nil
        }
        state.withLock { [thread] in $0.thread = thread }
    }

    func add(pid: Int32, place: Int, _ stream: LocalConnection) {
        stream.setTimeouts(milliseconds: Self.workerMilliseconds)
        state.withLock { $0.workers.append(Worker(pid: pid, place: place, stream: stream)) }
        wake.signal()
    }

    func remove(pid: Int32) {
        state.withLock { state in
            guard let index = state.workers.firstIndex(where: { $0.pid == pid }) else { return }
            state.workers[index].isOver = true
            // What it sent is there; a descriptor that it left to a child of its own must not keep us.
            state.workers[index].stream.setTimeouts(milliseconds: 1)
        }
        wake.signal()
    }

    /// Once, when all workers are over. Waits for what they have sent.
    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            return state.thread.take()
        }
        wake.signal()
        if let thread { pthread_join(thread, nil) }
        socket.removePath()
    }

    // MARK: the thread

    private func serve() {
        while true {
            let (workers, isStopping) = state.withLock { ($0.workers, $0.isStopping) }
            if isStopping, workers.allSatisfy(\.isOver) {
                for worker in workers { take(worker) }
                return
            }
            var poller = Poller([wake.fileDescriptor, socket.fileDescriptor] + workers.map(\.stream.fileDescriptor))
            guard (try? poller.wait(nanoseconds: nil)) != nil else { return }
            if poller.isReady(0) { wake.clear() }
            for (index, worker) in workers.enumerated() where worker.isOver || poller.isReady(2 + index) {
                if !take(worker) || worker.isOver { forget(worker) }
            }
            if poller.isReady(1), let client = LocalConnection.accept(socket) {
                client.setTimeouts(milliseconds: Self.clientMilliseconds)
                answer(client)
            }
        }
    }

    private func forget(_ worker: Worker) { state.withLock { $0.workers.removeAll { $0.pid == worker.pid } } }

    /// What a worker has sent unasked. False: its stream is over, or broken.
    @discardableResult
    private func take(_ worker: Worker) -> Bool {
        repeat {
            guard let head = worker.stream.receive(exactly: ControlFrame.headBytes).flatMap({ ControlFrame(head: $0) })
            else { return false }
            switch receive(head, from: worker) {
            case .success, .failure(.refused): break
            case .failure(.broken): return false
            }
        } while worker.isOver
        return true
    }

    private enum Failure: Error {
        /// For people.
        case refused(String)
        /// Nothing more can be read of it.
        case broken
    }

    /// A whole answer, whose first frame's head is `head`: the path of its file.
    private func receive(_ head: ControlFrame, from worker: Worker, isSnapshot: Bool = false) -> Result<String, Failure>
    {
        let purpose = head.purpose
        let (name, bytesMax) =
            switch purpose {
            case .answer where isSnapshot: ("\(worker.pid).heapsnapshot", ProfileFiles.snapshotBytesMax)
            case .answer: ("\(worker.pid).cpuprofile", ProfileFiles.profileBytesMax)
            case .slow: ("\(worker.pid)-slow.cpuprofile", ProfileFiles.profileBytesMax)
            case .outOfMemory: ("\(worker.pid)-oom.heapsnapshot", ProfileFiles.snapshotBytesMax)
            }
        var file = files.make(name, bytesMax: bytesMax)
        let path = file?.path
        var problem: String? = file == nil ? "\(files.folder): \(String(cString: strerror(errno)))" : nil
        var head = head
        while true {
            guard head.purpose == purpose, let payload = worker.stream.receive(exactly: head.payloadBytes) else {
                if let path { files.remove(path) }
                return .failure(.broken)
            }
            switch head.kind {
            case .data:
                if problem == nil, file?.append(payload) != true {
                    problem = "it is larger than \(bytesMax >> 20) MiB, or the disk is full"
                }
            case .failed: problem = problem ?? String(decoding: payload, as: UTF8.self)
            case .done: break
            }
            if head.kind != .data { break }
            guard let next = worker.stream.receive(exactly: ControlFrame.headBytes).flatMap({ ControlFrame(head: $0) })
            else {
                if let path { files.remove(path) }
                return .failure(.broken)
            }
            head = next
        }
        if let problem {
            if let path { files.remove(path) }
            return .failure(.refused(problem))
        }
        files.prune()
        return .success(ProfileFiles.absolute(path ?? ""))
    }

    /// The answer to a command; what comes unasked meanwhile is taken first.
    private func receiveAnswer(from worker: Worker, isSnapshot: Bool = false) -> Result<String, Failure> {
        while let head = worker.stream.receive(exactly: ControlFrame.headBytes).flatMap({ ControlFrame(head: $0) }) {
            let result = receive(head, from: worker, isSnapshot: isSnapshot)
            if head.purpose == .answer { return result }
            if case .failure(.broken) = result { break }
        }
        return .failure(.refused("the worker ended, or did not answer"))
    }

    // MARK: a client

    private func answer(_ client: LocalConnection) {
        guard let line = client.receiveLine(max: Self.lineBytesMax) else { return }
        var reply = JSONWriter()
        switch perform(line, client) {
        case .success(let write): reply.object { write(&$0) }
        case .failure(.refused(let reason)): reply.object { $0.put("error", reason) }
        case .failure(.broken): reply.object { $0.put("error", "the worker ended, or did not answer") }
        }
        _ = client.send(reply.bytes + [UInt8(ascii: "\n")])
    }

    private typealias Reply = (inout JSONWriter) -> Void

    private func perform(_ line: [UInt8], _ client: LocalConnection) -> Result<Reply, Failure> {
        guard let request = try? JSONValue(parsing: line), let command = request["command"]?.string else {
            return .failure(.refused("the request is no JSON with a command"))
        }
        let workers = state.withLock { $0.workers.filter { !$0.isOver } }.sorted { $0.place < $1.place }
        if command == "who" {
            return .success { [service] json in
                json.put("service", service)
                json.put("pid", getpid())
                json.name("workers")
                json.array { json in
                    for worker in workers {
                        json.object { json in
                            json.put("place", worker.place)
                            json.put("pid", worker.pid)
                        }
                    }
                }
            }
        }
        let wanted = request["pid"]?.integer
        let place = request["place"]?.integer
        let chosen = workers.last { worker in
            if let wanted { return Int64(worker.pid) == wanted }
            return Int64(worker.place) == place ?? 0
        }
        guard let worker = chosen else { return .failure(.refused("there is no such isolate")) }
        let result: Result<String, Failure>
        switch command {
        case "profile":
            let milliseconds = Double(request["milliseconds"]?.integer ?? 10_000)
            let interval = UInt32(clamping: request["intervalMicroseconds"]?.integer ?? 1_000)
            guard milliseconds > 0, milliseconds <= Self.secondsMax * 1e3 else {
                return .failure(.refused("a profile takes at most \(Int(Self.secondsMax)) seconds"))
            }
            result = profile(worker, client, milliseconds, interval)
        case "heap":
            let mebibytes = UInt32(ProfileFiles.snapshotBytesMax >> 20)
            guard worker.stream.send(ControlCommand.heapSnapshot(mebibytesMax: mebibytes).bytes) else {
                return .failure(.broken)
            }
            result = receiveAnswer(from: worker, isSnapshot: true)
        default: return .failure(.refused("unknown command"))
        }
        return result.map { path in
            { json in
                json.put("file", path)
                json.put("pid", worker.pid)
            }
        }
    }

    private func profile(
        _ worker: Worker, _ client: LocalConnection, _ milliseconds: Double, _ interval: UInt32
    ) -> Result<String, Failure> {
        guard worker.stream.send(ControlCommand.startProfile(interval: interval).bytes) else {
            return .failure(.broken)
        }
        let clock = LinuxClock()
        let end = clock.monotonicNanoseconds() &+ UInt64(milliseconds * 1e6)
        var clientIsThere = true
        loop: while true {
            let now = clock.monotonicNanoseconds()
            var poller = Poller([wake.fileDescriptor, client.fileDescriptor, worker.stream.fileDescriptor])
            guard now < end, (try? poller.wait(nanoseconds: end - now)) != nil else { break }
            if poller.isReady(0) {
                wake.clear()
                // Somebody came or went, perhaps this one.
                let isThere = state.withLock { state in
                    !state.isStopping && state.workers.contains { $0.pid == worker.pid && !$0.isOver }
                }
                if !isThere { break loop }
            }
            if poller.isReady(1) {
                // It has no more to say, so it has gone.
                clientIsThere = false
                break loop
            }
            // A refusal, or something unasked.
            if poller.isReady(2) {
                guard
                    let head = worker.stream.receive(exactly: ControlFrame.headBytes).flatMap({ ControlFrame(head: $0) }
                    )
                else {
                    return .failure(.broken)
                }
                let result = receive(head, from: worker)
                if head.purpose == .answer { return result }
                if case .failure(.broken) = result { return result }
            }
        }
        guard worker.stream.send(ControlCommand.stopProfile.bytes) else { return .failure(.broken) }
        let result = receiveAnswer(from: worker)
        if !clientIsThere, case .success(let path) = result { files.remove(path) }
        return result
    }
}
