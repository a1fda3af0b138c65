// The worker's life: arguments, ring, V8, one workload. Started by the agent (docs/architecture.md), or by hand without one.

internal import Engine
internal import Glibc
internal import Linux
internal import NIOCore
internal import NIOPosix
internal import Platform
internal import System
internal import Telemetry

public enum WorkerMain {
    public static let version = "0.1.0"

    /// Does what the arguments (without the program's name) say, and ends the process.
    public static func run(_ arguments: [String]) -> Never {
        do {
            let options = try WorkerOptions(arguments)
            switch options.command {
            case .version: leave("sidelight-worker \(version) (V8 \(Engine.version))", code: 0, descriptor: 1)
            case .buildSnapshot(let path):
                startEngine()
                try StartupSnapshot.build(at: path)
                _exit(0)
            case .run(let entry): try run(entry, options)
            }
        } catch let error as UsageError {
            leave("sidelight-worker: \(error)", code: 2)
        } catch {
            leave("sidelight-worker: \(error)", code: 70)
        }
    }

    private static func startEngine() {
        PlatformOps.register()
        Engine.start(workerThreads: workerThreads, flags: flags)
    }

    /// `import … assert { type: 'json' }`, which V8 10.2 does not have by itself.
    private static let flags = "--harmony-import-assertions"

    /// For concurrent compilation and garbage collection. Two do for one isolate, and V8 starts them all at once.
    private static let workerThreads = 2

    private static func run(_ entry: String, _ options: WorkerOptions) throws -> Never {
        // Before there is another thread, which would take the signals.
        let signals = try SignalDescriptor([SIGINT, SIGTERM])
        SignalDescriptor.ignoreBrokenPipes()
        let ring = try makeRing(options)
        lastRing = ring
        Engine.onFatalError { location, message, _ in leaveFatalNote(location, message) }
        startEngine()
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { eventLoop in
            do {
                try start(entry, options, ring, signals, on: eventLoop)
            } catch {
                leave("sidelight-worker: \(error)", code: 70)
            }
        }
        preconditionFailure("the event loop ended before the run did")
    }

    /// Without an agent nobody reads the ring, but its clock is needed all the same.
    private static func makeRing(_ options: WorkerOptions) throws(RingError) -> RingMapping {
        guard let descriptor = options.ringDescriptor else {
            return try RingMapping(capacity: RingMapping.capacityBounds.lowerBound)
        }
        return try RingMapping(fileDescriptor: descriptor)
    }

    private static func start(
        _ entry: String, _ options: WorkerOptions, _ ring: RingMapping, _ signals: SignalDescriptor, on eventLoop: any EventLoop
    ) throws {
        let gate = LoopGate(eventLoop)
        let realm = try makeRealm(options) { gate.wake(delaySeconds: $0) }
        let clock = (ring.baseAddress + RingMapping.Cell.clock).assumingMemoryBound(to: Double.self)
        realm.isolate.setClock(cell: clock, monotonicBase: ring.monotonicBase)
        let stop = StopRequest()
        let isolate = realm.isolate.handle
        let watchdog = Watchdog(
            signals: signals, limits: options.limits, cpuClock: Watchdog.cpuClockOfThisThread(), ring: ring,
            stop: { outcome in
                guard stop.set(outcome) else { return }
                isolate.terminate()
                gate.stopRequested()
            })
        let workload = try Workload(realm, on: eventLoop, ring: ring, options: options, files: .linux, stop: stop)
        watchdog.start()
        gate.open(workload)
        workload.start(entry)
    }

    /// A realm with the platform in it, from the first snapshot that fits.
    private static func makeRealm(_ options: WorkerOptions, wake: @escaping @Sendable (Double) -> Void) throws -> Realm {
        var isolateOptions = IsolateOptions()
        isolateOptions.heapBytesMax = options.heapBytesMax
        for path in StartupSnapshot.candidates(options) {
            isolateOptions.snapshot = StartupSnapshot.map(path)
            if isolateOptions.snapshot != nil, let isolate = Isolate(isolateOptions, wake: wake) {
                return Realm(isolate, fromSnapshot: true)
            }
        }
        isolateOptions.snapshot = nil
        guard let isolate = Isolate(isolateOptions, wake: wake) else { preconditionFailure("V8 made no isolate") }
        let realm = Realm(isolate)
        try PlatformSources.prepare(realm, ops: realm.installOps(host: nil))
        return realm
    }

    private static func leave(_ message: String, code: Int32, descriptor: Int32 = 2) -> Never {
        if descriptor == 1 { print(message) } else { Machine.writeToStandardError(message + "\n") }
        fflush(nil)
        _exit(code)
    }
}

// For the fatal callback, which has no context. Set once, before V8 starts.
nonisolated(unsafe) private var lastRing: RingMapping?

/// V8 is about to abort: nothing may be allocated.
private func leaveFatalNote(_ location: UnsafePointer<CChar>, _ message: UnsafePointer<CChar>) {
    guard let ring = lastRing else { return }
    withUnsafeTemporaryAllocation(byteCount: RingMapping.deathMessageBytesMax, alignment: 1) { note in
        var length = 0
        append(location, to: note, &length)
        append(noteSeparator, to: note, &length)
        append(message, to: note, &length)
        ring.writeDeathNote(.fatal, UnsafeRawBufferPointer(rebasing: note[..<length]))
    }
}

private var noteSeparator: UnsafePointer<CChar> {
    let text: StaticString = ": "
    return UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

private func append(_ text: UnsafePointer<CChar>, to note: UnsafeMutableRawBufferPointer, _ length: inout Int) {
    let count = min(strlen(text), note.count - length)
    memcpy(note.baseAddress! + length, text, count)
    length += count
}
