// One program in one isolate, on one event loop: the isolate's thread is the loop's.
//
// JavaScript is entered through `turn` only. A turn ends with its microtasks, the imports they asked for, and the rejections nobody handled; then
// the `RunMachine` says whether anything is pending. What stops JavaScript from outside (exit, limits, signals) terminates
// execution and is found out when the turn has unwound.

internal import Engine
internal import Glibc
internal import NIOCore
internal import Platform
internal import Policy
internal import System
internal import TLS
internal import Telemetry

final class Workload {
    let eventLoop: any EventLoop
    let isolate: Isolate
    let internals: Internals
    let ring: RingMapping
    let options: WorkerOptions
    let loader: ModuleLoader
    /// What is printed is without these values.
    private let mask: SecretMask?
    /// Of one that lists what its program consists of.
    let recorder: FileRecorder?
    let fetches: Fetches
    let modules: CompiledModules
    /// Of a worker that serves; nil without an agent.
    let board: BoardWriter?
    /// Of one that serves over TLS.
    let tls: TLSContext?
    /// Once the entry has been evaluated, in a worker that serves.
    var http: HTTPServer?
    private(set) var opHost: OpHost?
    let gate: LoopGate
    let policyGate: PolicyGate
    let children: ChildIsolates
    /// Nil of the process's first isolate.
    let child: ChildRole?
    /// Set with the first start.
    private(set) var messages: MessagePorts?
    /// A child's `close()` was called: it ends with the turn.
    var isClosing = false
    /// A child has its global and its span.
    var hasBegun = false
    /// A child has said its last words.
    var hasFinished = false
    /// What it failed with was the policy's refusal.
    private(set) var wasRefused = false
    /// What the program failed with before it came to serve, in a line.
    var startFailure: String?
    let realm: Realm
    private let clock: RingTime

    let monitor: TurnMonitor
    /// Those of a server are counted from one moment without requests to the next.
    private let limitsPromises: Bool

    var machine = RunMachine()
    private(set) var isInTurn = false
    private var rejections = Rejections()
    private var settled = CircularBuffer<(token: Int, reason: Value?)>()
    /// In the order of their calls.
    private var imports = CircularBuffer<PendingImport>()
    private var observers: [Int: Observer] = [:]
    private var lastToken = 0
    var entry: ModuleRecord?
    var timer: NIOScheduledCallback?
    /// `internal.timers.run`, once the first timer has come.
    var runTimers: Value?
    /// What asked the run to end from another thread.
    let stop: StopRequest

    private struct PendingImport {
        let request: DynamicImport
        let context: Value
    }

    /// Who waits for an evaluation.
    private enum Observer {
        case entry
        case module(ModuleRecord)
        case dynamicImport(UInt64, ModuleRecord)
    }

    /// - Parameter realm: prepared by `PlatformSources`, its ops not yet installed.
    init(
        _ realm: Realm, on eventLoop: any EventLoop, gate: LoopGate, ring: RingMapping, board: BoardWriter? = nil,
        tls: TLSContext? = nil, options: WorkerOptions, files: FileSystem, stop: StopRequest, turns: TurnClock,
        children: ChildIsolates,
        child: ChildRole? = nil
    ) throws(JSFailure) {
        self.realm = realm
        self.eventLoop = eventLoop
        self.gate = gate
        self.children = children
        self.child = child
        self.ring = ring
        self.board = board
        self.tls = tls
        self.options = options
        self.stop = stop
        isolate = realm.isolate
        clock = RingTime(base: ring.monotonicBase)
        monitor = TurnMonitor(realm.isolate, board: board, turns: turns)
        internals = Internals(try PlatformSources.attach(realm), in: realm)
        mask = options.mask
        policyGate = PolicyGate(options.policy, internals)
        recorder = options.listsFiles ? FileRecorder() : nil
        let files = recorder?.recording(files) ?? policyGate.closing(options.signedFiles?.guarding(files) ?? files)
        limitsPromises = options.limit("promises") != nil && options.serves
        loader = try ModuleLoader(
            internals, files: files, gate: policyGate, clock: clock,
            codeCache: options.cacheDirectory.map(CodeCacheStore.init), codeGate: options.codeGate)
        fetches = Fetches(eventLoop, services: FetchServiceOptions(options.configuration["resolve"]))
        modules = CompiledModules(internals, store: options.cacheDirectory.map(StoredModules.init))
    }

    // MARK: Starting

    /// Runs the entry. The event loop carries on from there; the process ends when the run does.
    func start(_ entry: String) {
        attach()
        turn { () throws(JSFailure) in
            try startPlatform(entry)
            if recorder != nil, let descriptor = options.answerDescriptor {
                return try list(entry, options.arguments, to: descriptor)
            }
            if options.isTraced { try internals.call("trace.beginRun", [internals.string(entry)]) }
            try run(entry)
        }
    }

    /// Makes V8 and the platform's ops call this object.
    func attach() {
        isolate.delegate = self
        let opHost = OpHost(self, ring: ringMemory, cryptoUsage: monitor.turns.crypto)
        opHost.wasm = modules
        self.opHost = opHost
        let messages = MessagePorts(self, gate: gate, children: children)
        self.messages = messages
        opHost.messages = messages
        _ = realm.installOps(host: opHost)
        loader.isTraced = options.isTraced
        loader.limits = ModuleLimits(count: options.limit("modules"), bytes: options.limit("module-bytes"))
        loader.onFirstSourceMap = { [unowned self] in
            isolate.setPrepareStackTrace(try? internals.property("prepareStackTrace"))
        }
    }

    func startPlatform(_ entry: String) throws(JSFailure) {
        let configuration = internals.string(options.startConfiguration(entry: entry, policyGate).text)
        try internals.call("host.start", [configuration, realm.makeExternalBuffer(ringMemory)])
        policyGate.closeCode(in: realm)
    }

    private var ringMemory: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: ring.baseAddress, count: ring.byteCount)
    }

    private func run(_ entry: String) throws(JSFailure) {
        var loading = ModuleTiming.Step(start: clock.now())
        let source: [UInt8]
        do {
            source = try loader.readEntry(entry)
        } catch {
            if error.isUnsigned { try loader.noteUnsigned(entry, error.description) }
            return machine.end(.entryUnreadable(reason: error.description))
        }
        loading.end = clock.now()
        let file = loader.entryFile(entry)
        let format = try loader.entryFormat(of: file, source: source)
        try run(file, named: entry, source, as: format, loading: loading)
    }

    /// - Parameter entry: what messages call it.
    func run(
        _ file: ModuleFile, named entry: String, _ source: [UInt8], as format: ModuleFormat, loading: ModuleTiming.Step
    ) throws(JSFailure) {
        func refuse(_ reason: String) {
            machine.end(.entryUnreadable(reason: options.serves ? reason : "cannot run '\(entry)': \(reason)"))
        }
        switch format {
        case .script where options.serves:
            refuse("it is a script, not a module: `export default { fetch(request) { … } }` makes it one")
        case .script:
            machine.entryStarted()
            machine.entrySettled()
            try loader.runScript(file, source: source, loading: loading)
        case .module, .either:
            let record = try loader.loadEntry(file, source: source, loading: loading)
            machine.entryStarted()
            self.entry = record
            observe(try evaluate(record), as: .entry)
        case .wasm where options.serves: refuse("it is WebAssembly, not a module with a default export")
        case .wasm:
            machine.entryStarted()
            observe(try runCommand(entry, source), as: .entry)
        case .json: refuse("it is JSON")
        case .unsupported(let reason): refuse(reason)
        }
    }

    /// Starts a WASI command; the promise of its end.
    private func runCommand(_ entry: String, _ module: [UInt8]) throws(JSFailure) -> Value {
        try loader.validate(module, .either, name: entry)
        let name = String(FilePath.name(of: entry))
        func joined(_ texts: [String]) -> Value { internals.string(texts.map { $0 + "\0" }.joined()) }
        return try internals.call(
            "wasi.run",
            [
                module.withUnsafeBytes(realm.makeUint8Array), internals.string(entry),
                joined([name] + options.arguments),
                joined(policyGate.environment(options.environmentTexts).shown + options.secrets),
                joined(options.folders.flatMap { [$0.guest, $0.host] }),
            ])
    }

    /// Lets go of all that belongs to the isolate, which is disposed of next.
    func dismantle() {
        isolate.delegate = nil
        rejections = Rejections()
        settled.removeAll()
        imports.removeAll()
        observers = [:]
        entry = nil
        runTimers = nil
        fetches.stop()
        timer?.cancel()
        timer = nil
    }

    // MARK: Turns

    /// Enters JavaScript from the event loop.
    /// - Parameters:
    ///   - connection: of the request it is entered for.
    ///   - runsMicrotasks: `body` does so itself, at its end; then there is mostly nothing left to settle.
    func turn(
        for connection: HTTPConnection? = nil, runsMicrotasks: Bool = false, _ body: () throws(JSFailure) -> Void
    ) {
        precondition(!isInTurn, "a turn within a turn")
        // What wakes up while the run ends comes too late.
        guard !machine.isEnding else { return }
        isInTurn = true
        monitor.begin(connection)
        do throws(JSFailure) {
            try body()
            if !machine.isEnding, !runsMicrotasks || hasLeftovers { try settle() }
        } catch {
            fail(error)
        }
        if monitor.end(), !machine.isEnding { _ = try? internals.call("serve.takeNotes") }
        policyGate.tellUntold()
        monitor.leave()
        isInTurn = false
        if monitor.isOverCPU { machine.end(.limit(.cpu(milliseconds: (monitor.requestCPUMax ?? 0) / 1e6))) }
        if isClosing { machine.end(.closed) }
        decide()
        http?.settle()
        if limitsPromises, http?.isIdle == true { isolate.forgetPromises() }
        isolate.wakeIfDue()
    }

    /// What microtasks have left to do.
    private var hasLeftovers: Bool { !imports.isEmpty || !settled.isEmpty || !rejections.isEmpty }

    /// Microtasks, and all that they lead to.
    private func settle() throws(JSFailure) {
        while true {
            guard isolate.runMicrotasks() else { throw .terminated }
            if let next = imports.first {
                let token = internals.number(Double(next.request.token))
                try internals.call("host.inContext", [next.context, token])
            } else if let (token, reason) = settled.popFirst() {
                try deliver(token, reason)
            } else if let rejection = rejections.takeFirst() {
                monitor.unhandledError()
                let arguments = [
                    rejection.reason, rejection.promise, rejection.context ?? Value.undefined(in: isolate),
                ]
                guard try internals.call("host.unhandledRejection", arguments).isTrue else {
                    wasRefused = try internals.call("host.lastFailureIsRefusal").isTrue
                    noteFailure()
                    return machine.end(.failed)
                }
            } else if let promise = rejections.takeHandled() {
                try internals.call("rejectionHandled", [promise])
            } else {
                return
            }
        }
    }

    private func decide() {
        switch machine.turnEnded(hasPendingWork: messages?.isDelivering == true || isolate.hasPendingWork) {
        case .wait: break
        case .end(let outcome): finish(outcome)
        case .finish: finish(.completed(code: 0))
        case .finishUnsettled: finish(.unsettledAwait(modules: loader.unsettled))
        }
    }

    /// What a turn threw.
    private func fail(_ failure: JSFailure) {
        switch failure {
        case .terminated: machine.end(whyTerminated())
        case .exception(let exception):
            do throws(JSFailure) {
                if try !reportUncaught(exception) { machine.end(.failed) } else { try settle() }
                // An entry that does not load, or a child's that does not: there is nothing to go on with.
                if !machine.hasStarted { machine.end(.failed) }
            } catch {
                // The listener, or the report itself, was stopped or failed.
                if case .terminated = error { machine.end(whyTerminated()) } else { machine.end(.failed) }
            }
        }
    }

    func whyTerminated() -> Outcome {
        if let outcome = stop.outcome { return outcome }
        return switch isolate.endReason {
        case .heapLimit: .limit(.heap(bytes: options.heapBytesMax))
        case .promiseLimit: .limit(.promises(count: options.limit("promises") ?? 0))
        case .none, .terminated: .internalError("execution was terminated for no known reason")
        }
    }

    /// True: the program took it, and goes on.
    func reportUncaught(_ exception: JSException) throws(JSFailure) -> Bool {
        monitor.unhandledError()
        let location = exception.location
        // A failure of the entry's own code leaves nothing to go on with.
        let isTaken = try internals.call(
            "host.uncaught",
            [
                exception.thrown ?? Value.undefined(in: isolate), internals.string(location.script),
                internals.number(Double(location.line)), internals.number(Double(location.column)),
                internals.number(Double(location.endColumn)), internals.string(location.sourceLine),
            ]
        ).isTrue
        if !isTaken {
            wasRefused = (try? internals.call("host.lastFailureIsRefusal").isTrue) ?? false
            noteFailure()
        }
        return isTaken
    }

    /// What has just been printed of an error that nobody took, for the agent.
    private func noteFailure() {
        guard options.serves, http == nil, child == nil, startFailure == nil else { return }
        startFailure = try? internals.call("host.lastFailure").text
    }

    // MARK: Evaluation

    private func evaluate(_ record: ModuleRecord) throws(JSFailure) -> Value {
        try loader.evaluate(record) { (waiting) throws(JSFailure) in
            observe(waiting.evaluation!, as: .module(waiting))
        }
    }

    /// Counts as the promise's handler.
    private func observe(_ promise: Value, as observer: Observer) {
        lastToken += 1
        observers[lastToken] = observer
        do throws(JSFailure) {
            try internals.call("host.observe", [promise, internals.number(Double(lastToken))])
        } catch {
            fail(error)
        }
    }

    private func deliver(_ token: Int, _ reason: Value?) throws(JSFailure) {
        switch observers.removeValue(forKey: token) {
        case .entry:
            machine.entrySettled()
            if child != nil, reason == nil { try internals.call("worker.evaluated") }
            if let reason { throw .exception(JSException(throwing: reason, in: realm)) }
            if options.serves { try startServing() }
        case .module(let record): try loader.evaluated(record, error: reason)
        case .dynamicImport(let token, let record):
            if let reason {
                realm.rejectImport(token, reason: reason)
            } else {
                realm.resolveImport(token, namespace: record.module.namespace)
            }
        case nil: preconditionFailure("promise \(token) settled twice")
        }
    }
}

// MARK: - V8

extension Workload: IsolateDelegate {
    func dynamicImport(_ request: DynamicImport, in realm: Realm) {
        // Its code must not run within the call of import(): the turn's end takes it up, in the context of now.
        let context = (try? internals.call("host.context")) ?? Value.undefined(in: isolate)
        imports.append(PendingImport(request: request, context: context))
    }

    func promiseRejected(_ id: UInt64, _ promise: Value, reason: Value, in realm: Realm) {
        rejections.add(
            Rejections.Rejection(id: id, promise: promise, reason: reason, context: isolate.continuation))
    }

    func promiseHandled(_ id: UInt64, _ promise: Value) { rejections.remove(id, promise) }

    func allowsCode(isWasm: Bool) -> Bool { policyGate.allows(isWasm ? .wasm : .code) }

    func collectedGarbage(_ collection: GarbageCollection) { monitor.collected(collection) }
}

// MARK: - Platform

extension Workload: PlatformHost {
    func exit(code: Int32) {
        machine.end(.exited(code: code))
        isolate.handle.terminate()
    }

    /// A program that is run in a pipe ends with who reads it, as others do; a service has more to do than to talk.
    func outputIsClosed() {
        guard !options.serves, child == nil else { return }
        machine.end(.interrupted(signal: SIGPIPE))
        isolate.handle.terminate()
    }

    func masked(_ text: UnsafeRawBufferPointer) -> [UInt8]? { mask?.applied(to: text) }

    func runMicrotasks() {
        do throws(JSFailure) {
            try settle()
        } catch {
            fail(error)
        }
        if machine.isEnding { isolate.handle.terminate() }
    }

    func continueImport(_ token: Int) {
        guard let request = imports.first?.request, request.token == UInt64(token) else { return }
        imports.removeFirst()
        do throws(JSFailure) {
            let record = try loader.load(request.specifier, type: request.type, from: request.referrer)
            observe(try evaluate(record), as: .dynamicImport(request.token, record))
        } catch {
            // When it was terminated the turn finds out.
            if case .exception(let exception) = error, let thrown = exception.thrown {
                realm.rejectImport(request.token, reason: thrown)
            }
        }
    }

    func promiseSettled(_ token: Int, reason: Value?) { settled.append((token, reason)) }

    func sourceMap(ofScript name: String) -> [UInt8]? { loader.sourceMaps.json(of: name) }

    var policy: Policy { policyGate.policy }
    func check(_ access: Access) throws(JSFailure) { try policyGate.check(access, access.permission) }
    func note(_ access: Access) { policyGate.tell(policy.decide(access), of: access) }

    func countFinding(_ kind: String, _ name: String) {
        guard let kind = Finding.Kind(rawValue: kind), let counter = FindingCounter(kind, name) else { return }
        children.ring.add(counter)
    }

    func wakeAgent() { children.wakeAgent() }

    var stopDescriptor: Int32 { stop.descriptor }

    func changeReferences(by delta: Int) { machine.referencesChanged(by: delta) }
}
