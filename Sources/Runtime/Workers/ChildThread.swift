// The life of a child isolate, on a thread of its own: ring, event loop, isolate, workload, and all of it back again.

internal import Dispatch
internal import Engine
internal import Glibc
internal import Linux
internal import NIOCore
internal import NIOPosix
internal import Platform
internal import Telemetry

/// What makes a workload a child's.
struct ChildRole {
    let control: ChildIsolate
    /// To its parent.
    let port: Port
    /// JSON of 48_worker.js.
    let configuration: JSON
    /// What it says to JavaScript.
    var text: String
    /// The ring has its last record, and its ports are closed: the rest is the thread's.
    let finished: () -> Void
}

/// Made on the parent's thread, runs on its own.
final class ChildThread {
    private let child: ChildIsolate
    private let configuration: String
    private let port: Port
    private let family: ChildIsolates
    private var workload: Workload?
    private var gate: LoopGate?

    init(_ child: ChildIsolate, configuration: String, port: Port, family: ChildIsolates) {
        self.child = child
        self.configuration = configuration
        self.port = port
        self.family = family
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

    private func run() {
        let ring: RingMapping
        let place: Int?
        do {
            (ring, place) = try family.takeRing()
        } catch {
            fail("no ring for it: \(error)")
            family.ended(child)
            return
        }
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { [self] eventLoop in
            do {
                try start(on: eventLoop, ring)
            } catch {
                fail("\(error)")
                leave(eventLoop)
            }
        }
        // The loop has ended, and whatever it still held is gone. The ring outlives the isolate, which has its memory as a buffer.
        withExtendedLifetime(ring) {
            workload?.dismantle()
            let isolate = workload?.isolate
            workload = nil
            isolate?.dispose()
        }
        if let place {
            family.places?.end(place)
            family.wakeAgent()
        }
        family.ended(child)
    }

    private func start(on eventLoop: any EventLoop, _ ring: RingMapping) throws {
        let gate = LoopGate(eventLoop)
        self.gate = gate
        let realm = try RealmSource(options: family.options, known: family.snapshot).make {
            gate.wake(delaySeconds: $0)
        }
        .realm
        let clock = (ring.baseAddress + RingMapping.Cell.clock).assumingMemoryBound(to: Double.self)
        realm.isolate.setClock(cell: clock, monotonicBase: ring.monotonicBase)
        realm.isolate.stayEntered()
        let role = ChildRole(
            control: child, port: port, configuration: try JSON(parsing: Array(configuration.utf8)),
            text: configuration,
            finished: { [unowned self] in leave(eventLoop) })
        var options = family.options
        options.serves = false
        let workload = try Workload(
            realm, on: eventLoop, gate: gate, ring: ring, options: options, files: .linux, stop: child.stop,
            turns: child.turns, children: family, child: role)
        self.workload = workload
        gate.open(workload)
        child.began(realm.isolate.handle, gate, cpuClock: Watchdog.cpuClockOfThisThread())
        workload.startChild()
    }

    /// Lets the event loop end.
    private func leave(_ eventLoop: any EventLoop) {
        gate?.close()
        eventLoop.shutdownGracefully(queue: .global()) { _ in }
    }

    /// It did not come to run anything.
    private func fail(_ reason: String) {
        port.peer.put(Envelope(kind: .failure, text: reason))
        port.close()
    }
}
