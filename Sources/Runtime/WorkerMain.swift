// The worker's life: arguments, ring, V8, one workload. Started by the agent (docs/architecture.md), or by hand without one.

internal import Engine
internal import Glibc
internal import Linux
internal import NIOCore
internal import NIOPosix
internal import Platform
internal import Synchronization
internal import System
internal import TLS
internal import Telemetry

public enum WorkerMain {
    public static let version = "0.1.0"

    /// Does what the arguments (without the program's name) say, and ends the process.
    public static func run(_ arguments: [String]) -> Never {
        do {
            if arguments.first == "--script" { try ScriptWorker.run(Array(arguments.dropFirst())) }
            if arguments.first == "--check" { try CodeCheckWorker.run(Array(arguments.dropFirst())) }
            let options = try WorkerOptions(arguments)
            switch options.command {
            case .version: leave("sidelight-worker \(version) (V8 \(Engine.version))", code: 0, descriptor: 1)
            case .buildSnapshot(let path):
                startEngine()
                try StartupSnapshot.build(at: path)
                _exit(0)
            case .checkTLS:
                try ServerIdentity.check(options)
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
        PlatformSources.register()
        Engine.start(workerThreads: workerThreads, flags: flags)
    }

    /// - `import … assert { type: 'json' }`, which V8 10.2 does not have by itself.
    /// - Nearly three times V8's budget for inlining: the tracing core is many small functions, and a span costs 13 % fewer instructions. With
    ///   twice the budget the constructor of spans is left out now and then, and called as a constructor costs a fifth of a span.
    /// - But no function over 250 bytes of bytecode into another (V8: 460): starting a span, setting an attribute, adding an event and writing a
    ///   span are each compiled once, by themselves. Inlined into each function that makes spans, and into those that call it, they cost the
    ///   compiler half a second of two threads before the first of these functions was fast.
    private static let flags =
        "--harmony-import-assertions --max-inlined-bytecode-size-cumulative=2500 --max-inlined-bytecode-size=250"

    /// Of the first isolate: a collection costs 0.3 ms however little is left alive, and a span is half a kilobyte of garbage. So each of the young generation's
    /// halves begins with 8 MiB, eight times V8's own. A child keeps to that, for its memory counts as often as there are children.
    private static let youngBytesInitial = 3 * 8 << 20

    /// For concurrent compilation and garbage collection. Two do for one isolate, and V8 starts them all at once.
    private static let workerThreads = 2

    private static func run(_ entry: String, _ options: WorkerOptions) throws -> Never {
        if let variables = options.variables { Machine.replaceEnvironment(variables) }
        var fence = WorkerFence(options)
        fence?.enclose()
        // Before there is another thread, which would take the signals.
        let signals = try SignalDescriptor([SIGINT, SIGTERM])
        SignalDescriptor.ignoreBrokenPipes()
        let ring = try makeRing(options)
        let tls = try ServerIdentity.context(options)
        lastRing = ring
        hasAgent = options.isTraced
        heapLimit = .limit(.heap(bytes: options.heapBytesMax))
        heapLimitReason = Array((heapLimit.reason ?? "").utf8)
        hasHeapLimit = options.heapBytesMax > 0
        Engine.onFatalError { location, message, outOfMemory in lastWords(location, message, outOfMemory) }
        startEngine()
        if options.policy.hasCoarseClock { Engine.coarsenClocks() }
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { eventLoop in
            do {
                try start(entry, options, ring, tls, signals, fence, on: eventLoop)
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
        _ entry: String, _ options: WorkerOptions, _ ring: RingMapping, _ tls: TLSContext?,
        _ signals: SignalDescriptor, _ fence: consuming WorkerFence?, on eventLoop: any EventLoop
    ) throws {
        let gate = LoopGate(eventLoop)
        let (realm, snapshot) = try RealmSource(options: options, youngBytesInitial: youngBytesInitial).make {
            gate.wake(delaySeconds: $0)
        }
        let wasmBytes = [options.wasmMemoryBytesMax, options.limit("memory")].compactMap(\.self).min()
        if let wasmBytes { Engine.limitWasmMemory(bytes: wasmBytes) }
        let places = try options.placesDescriptor.map { try RingPlaces(fileDescriptor: $0) }
        let children = ChildIsolates(options, ring: ring, places: places, snapshot: snapshot)
        realm.isolate.setRing(ring, wakeDescriptor: options.wakeDescriptor)
        realm.isolate.stayEntered()
        let stop = StopRequest()
        let isolate = realm.isolate.handle
        let drain: @Sendable (Bool) -> Bool = { isFollowed in
            guard stop.endServing() else { return false }
            gate.drainRequested(isFollowed: isFollowed)
            return true
        }
        var board: BoardWriter?
        if let descriptor = options.boardDescriptor {
            board = BoardWriter(try BoardMapping(fileDescriptor: descriptor))
        }
        let turns = TurnClock()
        let workload = try Workload(
            realm, on: eventLoop, gate: gate, ring: ring, board: board, tls: tls, options: options, files: .linux,
            stop: stop, turns: turns, children: children)
        let control = options.controlDescriptor.map { LocalConnection(owning: $0) }
        // An agent that takes nothing for so long takes nothing any more.
        control?.setTimeouts(milliseconds: ControlWriter.patienceMilliseconds)
        if let control { workload.monitor.profile = makeProfile(realm.isolate, options, ring, control) }
        workload.monitor.requestCPUMax = options.limits.requestCPUMilliseconds.map { $0 * 1e6 }
        let monitor = NIOLoopBound(workload.monitor, eventLoop: eventLoop)
        let isLookingAtMemory = Atomic(false)
        let server = LastServer(workload)
        lastServer = server
        let slow = options.slowMilliseconds.map { max($0, TurnMonitor.stallMin / 1e6) }
        let numbers = Atomic<Int>(0)
        let watchdog = Watchdog(
            signals: signals, limits: options.limits, cpuClock: ThreadClock(), ring: ring,
            drain: options.serves ? drain : nil, children: children, crypto: turns.crypto,
            turns: options.serves ? turns : nil,
            stalled: { isolate.interrupt { monitor.value.lookForStall() } },
            slowMilliseconds: slow, slow: { isolate.interrupt { monitor.value.turnIsSlow() } },
            lookAtMemory: {
                guard turns.runningSince != nil, !isLookingAtMemory.exchange(true, ordering: .relaxed) else { return }
                isolate.interrupt {
                    isLookingAtMemory.store(false, ordering: .relaxed)
                    guard let limit = options.limit("memory"), monitor.value.exceeds(memory: limit),
                        stop.set(.limit(.memory(bytes: limit)))
                    else { return }
                    isolate.terminate()
                }
            },
            resident: options.limits.residentBytes == nil ? nil : ResidentMemory(),
            lastResort: { server.abandon($0) },
            control: control,
            command: { command in
                let number = numbers.wrappingAdd(1, ordering: .relaxed).newValue
                let perform: @Sendable () -> Void = {
                    monitor.value.profile?.perform(command, number: number, in: monitor.value.owner)
                }
                // A snapshot is taken between turns only.
                if case .heapSnapshot = command {} else { isolate.interrupt(perform) }
                eventLoop.execute(perform)
            },
            stop: { outcome in
                guard stop.set(outcome) else { return }
                isolate.terminate()
                gate.stopRequested()
            })
        watchdog.start()
        gate.open(workload)
        close(fence, ring)
        workload.start(entry)
    }

    /// All is up that the guest's code needs.
    private static func close(_ fence: WorkerFence?, _ ring: RingMapping) {
        guard var fence else { return }
        fence.close { name in lastRing?.writeDeathNote(.fence, UnsafeRawBufferPointer(start: name, count: strlen(name)))
        }
        ring.tellFence(fence.layers)
        guard let lacking = fence.lacking else { return }
        ring.leave(.start, lacking)
        _exit(2)
    }

    /// Where the isolate's thread does not come back.
    fileprivate struct LastServer: @unchecked Sendable {
        // @unchecked: used by another thread only when that one is stuck, just before the process ends.
        private unowned(unsafe) let workload: Workload

        init(_ workload: Workload) { self.workload = workload }

        func abandon(_ outcome: Outcome) {
            if let name = outcome.limitName { workload.countFinding(Finding.Kind.limit.rawValue, name) }
            abandon(outcome.workloadOutcome)
        }

        /// Nil: no limit was reached, and yet nothing goes on.
        func abandon(_ outcome: WorkloadOutcome?) { workload.http?.abandonAtOnce(outcome) }
    }

    private static func makeProfile(
        _ isolate: Isolate, _ options: WorkerOptions, _ ring: RingMapping, _ control: LocalConnection
    ) -> ProfileControl {
        ProfileControl(
            isolate, monotonicBase: ring.monotonicBase, writer: ControlWriter(control),
            slowMilliseconds: options.slowMilliseconds, snapshotBytesMax: options.snapshotBytesMax,
            hasSecrets: !options.secrets.isEmpty)
    }

    private static func leave(_ message: String, code: Int32, descriptor: Int32 = 2) -> Never {
        if descriptor == 1 { print(message) } else { Machine.writeToStandardError(message + "\n") }
        fflush(nil)
        _exit(code)
    }
}

// For the fatal callback, which has no context. Set once, before V8 starts.
nonisolated(unsafe) private var lastRing: RingMapping?
/// Set once the isolate is there.
nonisolated(unsafe) private var lastServer: WorkerMain.LastServer?
/// It says why the worker ends.
nonisolated(unsafe) private var hasAgent = false

/// What it means that the heap's limit is reached, and in words.
nonisolated(unsafe) private var heapLimit = Outcome.limit(.heap(bytes: 0))
nonisolated(unsafe) private var heapLimitReason: [UInt8] = []
nonisolated(unsafe) private var hasHeapLimit = false

/// V8 cannot go on: nothing may be allocated, and no JavaScript run. Memory that ran out is a limit reached, and so is an array that is larger than V8's arrays can
/// be, where there is a limit of the heap; all else ends in abort.
private func lastWords(_ location: UnsafePointer<CChar>, _ message: UnsafePointer<CChar>, _ outOfMemory: Bool) {
    withUnsafeTemporaryAllocation(byteCount: RingMapping.deathMessageBytesMax, alignment: 1) { buffer in
        var note = FixedText(buffer: buffer)
        let isLimit = outOfMemory || hasHeapLimit && strstr(message, "invalid size") != nil
        if isLimit {
            note.append(heapLimitReason)
            note.append(": ")
        }
        note.append(location)
        note.append(": ")
        note.append(message)
        lastRing?.writeDeathNote(isLimit ? .heapLimit : .fatal, note.bytes)
        guard isLimit else {
            lastServer?.abandon(nil)
            return
        }
        lastServer?.abandon(heapLimit)
        if !hasAgent {
            note.count = 0
            note.append("sidelight: ")
            note.append(heapLimitReason)
            note.append("\n")
            write(2, note.bytes.baseAddress!, note.count)
        }
        _exit(heapLimit.exitCode)
    }
}

/// Text in a buffer of fixed size; what does not fit is cut off.
private struct FixedText {
    let buffer: UnsafeMutableRawBufferPointer
    var count = 0

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    mutating func append(_ text: UnsafePointer<CChar>) { append(text, strlen(text)) }
    mutating func append(_ text: [UInt8]) { text.withUnsafeBytes { append($0.baseAddress!, $0.count) } }
    mutating func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

    private mutating func append(_ start: UnsafeRawPointer, _ length: Int) {
        let length = min(length, buffer.count - count)
        memcpy(buffer.baseAddress! + count, start, length)
        count += length
    }
}
