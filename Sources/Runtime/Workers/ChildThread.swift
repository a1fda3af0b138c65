// The life of a child isolate, on a thread of its own: event loop, isolate, ring, workload, and all of it back again. The first two do not depend on the
// Worker, so a thread may have them ready before there is one (ChildIsolates.spare).

internal import Dispatch
internal import Engine
internal import Glibc
internal import Linux
internal import NIOCore
internal import NIOPosix
internal import Platform
internal import Synchronization
internal import Telemetry

/// What makes a workload a child's.
struct ChildRole {
    let control: ChildIsolate
    /// To its parent.
    let port: Port
    /// JSON of 48_worker.js.
    let configuration: JSON
    /// Of a `data:` or `blob:` URL, which its parent has read.
    let source: [UInt8]?
    /// What it says to JavaScript.
    var text: String
    /// The ring has its last record, and its ports are closed: the rest is the thread's.
    let finished: () -> Void
}

/// A Worker for a thread to run.
struct ChildTask: Sendable {
    let child: ChildIsolate
    /// JSON of 48_worker.js.
    let configuration: String
    /// Of its script, where the URL is no file's.
    let source: [UInt8]?
    /// The child's end.
    let port: Port

    /// It did not come to run anything.
    func fail(_ reason: String) {
        port.peer.put(Envelope(kind: .failure, text: reason))
        port.close()
    }
}

/// Made on any thread, runs on its own.
final class ChildThread: @unchecked Sendable {
    // @unchecked: `state` has a lock, the constants are Sendable, and all else is the thread's own.
    private enum State {
        /// Its isolate is being made.
        case preparing
        /// The same, and what it will run.
        case assigned(ChildTask)
        case ready(any EventLoop)
        /// It has got what it runs, or will get nothing any more.
        case taken
        /// It will run nothing, for this reason. Somebody may be about to give it a task all the same.
        case failed(String)
    }

    private let family: ChildIsolates
    private let state: Mutex<State>
    private var gate: LoopGate?
    private var realm: Realm?
    private var workload: Workload?
    private var ring: RingMapping?
    private var place: Int?
    private var task: ChildTask?

    /// - Parameter task: nil: it waits for one.
    init(_ family: ChildIsolates, task: ChildTask?) {
        self.family = family
        state = Mutex(task.map(State.assigned) ?? .preparing)
    }

    /// Starts the thread, which keeps this object. False: the system has none.
    func start(stackBytes: Int) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, &attributes,
            { context in
                Unmanaged<ChildThread>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if code != 0 { box.release() }
        return code == 0
    }

    /// Gives a thread that was started without one its task. Once, on any thread.
    func assign(_ task: ChildTask) {
        let before = state.withLock { state in
            let before = state
            switch state {
            case .preparing: state = .assigned(task)
            case .ready: state = .taken
            case .failed: break
            case .assigned, .taken: preconditionFailure("a thread got a second Worker")
            }
            return before
        }
        switch before {
        case .ready(let eventLoop): eventLoop.execute { self.begin(task, on: eventLoop) }
        case .failed(let reason):
            family.ended(task.child)
            task.fail(reason)
        default: break
        }
    }

    /// The system has no thread for it. What it was to run fails.
    func couldNotStart() {
        let reason = "the system gives no further thread"
        guard let task = takeTask(reason) else { return }
        family.ended(task.child)
        task.fail(reason)
    }

    /// What it was to run, and will not.
    private func takeTask(_ reason: String) -> ChildTask? {
        state.withLock { state in
            defer { state = .failed(reason) }
            guard case .assigned(let task) = state else { return nil }
            return task
        }
    }

    // MARK: On the thread

    private func run() {
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { [self] eventLoop in
            do {
                let gate = LoopGate(eventLoop)
                self.gate = gate
                realm = try RealmSource(options: family.options, known: family.snapshot).make {
                    gate.wake(delaySeconds: $0)
                }
                .realm
                realm?.isolate.stayEntered()
            } catch {
                return abandon("\(error)", on: eventLoop)
            }
            if let task = prepared(eventLoop) {
                begin(task, on: eventLoop)
            } else {
                giveUpLater(on: eventLoop)
            }
        }
        // The loop has ended, and whatever it still held is gone. The ring outlives the isolate, which has its memory as a buffer.
        withExtendedLifetime(ring) {
            workload?.dismantle()
            workload = nil
            let isolate = realm?.isolate
            realm = nil
            isolate?.dispose()
        }
        ring = nil
        if let place {
            family.places?.end(place)
            family.wakeAgent()
        }
        if let task { family.ended(task.child) }
        if task != nil { family.makeSpare() }
    }

    /// The isolate is there: what it is for, if that is known already.
    private func prepared(_ eventLoop: any EventLoop) -> ChildTask? {
        state.withLock { state in
            guard case .assigned(let task) = state else {
                state = .ready(eventLoop)
                return nil
            }
            state = .taken
            return task
        }
    }

    /// No isolate could be made.
    private func abandon(_ reason: String, on eventLoop: any EventLoop) {
        family.dropSpare(self)
        task = takeTask(reason)
        task?.fail(reason)
        leave(eventLoop)
    }

    /// A spare that nobody wants gives its memory back.
    private func giveUpLater(on eventLoop: any EventLoop) {
        eventLoop.scheduleTask(in: .milliseconds(ChildIsolates.spareMillisecondsMax)) { [self] in
            if family.dropSpare(self) { leave(eventLoop) }
        }
    }

    private func begin(_ task: ChildTask, on eventLoop: any EventLoop) {
        self.task = task
        do {
            try start(task, on: eventLoop)
        } catch let error as RingError {
            task.fail("no ring for it: \(error)")
            leave(eventLoop)
        } catch {
            task.fail("\(error)")
            leave(eventLoop)
        }
    }

    private func start(_ task: ChildTask, on eventLoop: any EventLoop) throws {
        guard let realm, let gate else { preconditionFailure("a child without an isolate") }
        let (ring, place) = try family.takeRing()
        self.ring = ring
        self.place = place
        realm.isolate.setRing(ring, wakeDescriptor: family.options.wakeDescriptor)
        let role = ChildRole(
            control: task.child, port: task.port, configuration: try JSON(parsing: Array(task.configuration.utf8)),
            source: task.source, text: task.configuration,
            finished: { [unowned self] in
                family.leaves(task.child)
                leave(eventLoop)
            })
        var options = family.options
        options.serves = false
        let workload = try Workload(
            realm, on: eventLoop, gate: gate, ring: ring, options: options, files: .linux, stop: task.child.stop,
            turns: task.child.turns, children: family, child: role)
        self.workload = workload
        gate.open(workload)
        task.child.began(realm.isolate.handle, gate, cpuClock: ThreadClock())
        workload.startChild()
        eventLoop.scheduleTask(in: .milliseconds(ChildIsolates.spareDelayMilliseconds)) { [family] in family.makeSpare()
        }
    }

    /// Lets the event loop end.
    private func leave(_ eventLoop: any EventLoop) {
        gate?.close()
        eventLoop.shutdownGracefully(queue: .global()) { _ in }
    }
}
