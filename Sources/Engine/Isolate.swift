// An isolate and everything in it belong to the thread that made the isolate. None of these types is Sendable; what may cross
// threads is `IsolateHandle` alone. The compiler keeps most of this; `checkThread` traps on the rest.
//
// Ownership: values, modules and realms hold their isolate, so it is disposed after the last of them.

internal import CV8
internal import Glibc

/// The process-wide part of V8.
public enum Engine {
    /// Starts V8. Call once, before the first isolate; later calls do nothing.
    /// - Parameters:
    ///   - workerThreads: threads for compilation and garbage collection; 0 lets V8 choose.
    ///   - flags: a V8 flag string.
    public static func start(workerThreads: Int = 0, flags: String? = nil) {
        sl_v8_platform_start(Int32(workerThreads), flags)
    }

    /// From now on JavaScript's clocks go in steps of a millisecond that are not even, and WebAssembly shares no memory. After the start, before the first isolate.
    public static func coarsenClocks() { sl_v8_coarsen_clocks() }

    /// V8's version, such as "10.2.154.26".
    public static var version: String { String(cString: sl_v8_version()) }

    /// Sets what is called just before V8 ends the process, on whichever thread met the fault. It must neither allocate nor run JavaScript.
    public static func onFatalError(
        _ callback:
            @escaping @convention(c) (
                _ location: UnsafePointer<CChar>, _ message: UnsafePointer<CChar>, _ outOfMemory: Bool
            ) -> Void
    ) {
        sl_v8_set_fatal_callback(callback)
    }
}

/// Bounds and start-up of an isolate. Zero means V8's default, in bytes throughout.
public struct IsolateOptions {
    public var heapBytesMax = 0
    public var youngBytesMax = 0
    /// What the young generation begins with: three times one of its halves.
    public var youngBytesInitial = 0
    public var stackBytesMax = 0
    /// Sum of the live ArrayBuffers; over it `new ArrayBuffer` throws a RangeError.
    public var arrayBufferBytesMax = 0
    /// Promises made and not resolved, since `forgetPromises`; over it execution ends. Their counting costs time.
    public var promisesMax = 0
    /// Of one message of structured clone; over it a DataCloneError.
    public var cloneBytesMax = 0
    /// What `Snapshot.create` made; must stay in place as long as the isolate lives.
    public var snapshot: UnsafeRawBufferPointer?
    /// An isolate of this process was made from the same bytes: they need not be checked again.
    public var snapshotIsKnown = false

    public init() {}
}

/// Why running JavaScript was stopped from outside.
public enum EndReason: Sendable {
    case none, terminated, heapLimit, promiseLimit
}

/// What V8 asks of, or tells, its host. All on the isolate's thread.
public protocol IsolateDelegate: AnyObject {
    /// `import()`: load `specifier` and answer with `Realm.resolveImport` or `rejectImport`, now or later.
    func dynamicImport(_ request: DynamicImport, in realm: Realm)
    /// A promise was rejected and has no handler.
    func promiseRejected(_ id: UInt64, _ promise: Value, reason: Value, in realm: Realm)
    /// A promise told of before got its handler after all.
    func promiseHandled(_ id: UInt64, _ promise: Value)
    /// A garbage collection ended. No JavaScript may run from here.
    func collectedGarbage(_ collection: GarbageCollection)
    /// Whether code may be made of a string, or of WebAssembly; asked after `Realm.askBeforeCode`.
    func allowsCode(isWasm: Bool) -> Bool
}

extension IsolateDelegate {
    public func allowsCode(isWasm: Bool) -> Bool { true }
}

/// An `import()` that waits for its answer.
public struct DynamicImport {
    public let specifier: String
    /// Name of the script or module that asks.
    public let referrer: String
    /// The `type` import assertion, or empty.
    public let type: String
    /// Names this import in the answer.
    public let token: UInt64
}

/// A finished garbage collection.
public struct GarbageCollection: Sendable {
    /// 1 scavenge, 2 mark-sweep-compact, 4 incremental marking, 8 weak callbacks.
    public let kind: UInt32
    public let pauseNanoseconds: Double
    public let forced: Bool
}

/// One V8 isolate: a heap, and one thread that may touch it.
public final class Isolate {
    let raw: OpaquePointer
    private let owned: Bool
    private let thread = pthread_self()
    private let wakeBox: WakeBox?
    private var realms: [OpaquePointer: WeakRealm] = [:]
    private var isEntered = false
    /// Values, modules and realms that are left do nothing any more.
    private(set) var isDisposed = false

    /// The part of this isolate that other threads may hold.
    public let handle: IsolateHandle

    /// Who answers V8's questions. Not retained.
    public weak var delegate: (any IsolateDelegate)? {
        didSet { installHost() }
    }

    /// Nil when the snapshot does not fit this V8; make one without then.
    /// - Parameter wake: called from any thread when V8 has a task for the isolate's thread, due after so many seconds; answer with `runTasks`.
    public init?(
        _ options: IsolateOptions = IsolateOptions(), wake: (@Sendable (_ delaySeconds: Double) -> Void)? = nil
    ) {
        var raw = sl_v8_isolate_options()
        raw.heap_bytes_max = options.heapBytesMax
        raw.young_bytes_max = options.youngBytesMax
        raw.young_bytes_initial = options.youngBytesInitial
        raw.stack_bytes_max = options.stackBytesMax
        raw.array_buffer_bytes_max = options.arrayBufferBytesMax
        raw.promises_max = options.promisesMax
        raw.clone_bytes_max = options.cloneBytesMax
        raw.snapshot = options.snapshot?.baseAddress?.assumingMemoryBound(to: UInt8.self)
        raw.snapshot_length = options.snapshot?.count ?? 0
        raw.snapshot_is_known = options.snapshotIsKnown
        guard let isolate = sl_v8_isolate_create(&raw) else { return nil }
        self.raw = isolate
        owned = true
        handle = IsolateHandle(isolate)
        wakeBox = wake.map(WakeBox.init)
        if let wakeBox {
            sl_v8_isolate_set_wake(
                isolate,
                { context, delay in Unmanaged<WakeBox>.fromOpaque(context!).takeUnretainedValue().wake(delay) },
                Unmanaged.passUnretained(wakeBox).toOpaque())
        }
    }

    /// An isolate that someone else owns and that outlives this object.
    init(borrowed isolate: OpaquePointer) {
        raw = isolate
        owned = false
        handle = IsolateHandle(isolate)
        wakeBox = nil
    }

    deinit {
        handle.close()
        if owned, !isDisposed { dispose() }
    }

    /// Ends the isolate now, whatever values, modules and realms of it are left: they may be let go of later, on any thread, and used for nothing
    /// else. Outside of any call into it.
    public func dispose() {
        checkThread()
        precondition(owned && !isDisposed, "an isolate was disposed of twice")
        handle.close()
        isDisposed = true
        if isEntered { sl_v8_isolate_leave(raw) }
        sl_v8_isolate_dispose(raw)
    }

    func checkThread() {
        precondition(pthread_equal(thread, pthread_self()) != 0, "an isolate was used on another thread than its own")
    }

    // MARK: Running

    /// Runs the tasks V8 has posted to this thread. Returns how many there were.
    @discardableResult public func runTasks() -> Int {
        checkThread()
        return sl_v8_isolate_run_tasks(raw)
    }

    /// Whether V8 works in the background on something JavaScript waits for.
    public var hasPendingWork: Bool { sl_v8_isolate_has_pending_work(raw) }

    /// Runs the microtasks until none is left. They run nowhere else. False: execution was terminated.
    @discardableResult public func runMicrotasks() -> Bool {
        checkThread()
        return sl_v8_isolate_run_microtasks(raw)
    }

    /// Makes an isolate usable again whose execution was terminated and has unwound; restores the heap limit.
    public func cancelTermination() { sl_v8_isolate_cancel_terminate(raw) }

    public var endReason: EndReason {
        switch sl_v8_isolate_end_reason(raw) {
        case SL_V8_END_TERMINATED: .terminated
        case SL_V8_END_HEAP_LIMIT: .heapLimit
        case SL_V8_END_PROMISE_LIMIT: .promiseLimit
        default: .none
        }
    }

    /// Promises that are not resolved yet no longer count.
    public func forgetPromises() { sl_v8_isolate_forget_promises(raw) }

    /// For a thread that has this isolate only: calls into it get cheaper.
    public func stayEntered() {
        precondition(!isEntered, "an isolate was entered for good twice")
        isEntered = true
        sl_v8_isolate_stay_entered(raw)
    }

    /// Name of the script whose code called into the platform; nil when it was none's. Within a call from JavaScript.
    public var callingScript: String? {
        [UInt8](taking: sl_v8_isolate_calling_script(raw)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Asks V8 to give memory back.
    public func lowMemory() { sl_v8_isolate_low_memory(raw) }

    // MARK: Hooks

    /// Sets the function that formats `stack`: `(error, callSites) -> string`. Nil restores V8's own.
    public func setPrepareStackTrace(_ function: Value?) { sl_v8_isolate_set_prepare_stack(raw, function?.raw) }

    /// Where the native clock stores ring times, and the CLOCK_MONOTONIC nanoseconds of ring time 0.
    public func setClock(cell: UnsafeMutablePointer<Double>, monotonicBase: Double) {
        sl_v8_isolate_set_clock(raw, cell, monotonicBase)
    }

    /// Whom the clock wakes when it is read, and `wakeIfDue`: the reader of a ring, once `head` has reached `wakeAt`.
    /// - Parameters:
    ///   - head, wakeAt: cells of the ring; they outlive the isolate.
    ///   - descriptor: an eventfd; nil for nobody.
    public func setWaker(head: UnsafePointer<UInt32>, wakeAt: UnsafePointer<UInt32>, descriptor: Int32?) {
        sl_v8_isolate_set_waker(raw, head, wakeAt, descriptor ?? -1)
    }

    /// Wakes the reader of the ring when it is due. The isolate's thread.
    public func wakeIfDue() { sl_v8_isolate_wake_if_due(raw) }

    /// Ring time now, by the clock that JavaScript's `now` reads. Nanoseconds.
    public var now: Double { sl_v8_isolate_now(raw) }

    /// The tracing context of the JavaScript that runs; nil when none does. Also from an interrupt and from `collectedGarbage`.
    public var continuation: Value? { sl_v8_isolate_continuation(raw).map { Value($0, self) } }

    private func installHost() {
        checkThread()
        var host = sl_v8_host()
        host.context = Unmanaged.passUnretained(self).toOpaque()
        host.import = { context, realm, specifier, referrer, type, token in
            let isolate = Isolate.from(context)
            let request = DynamicImport(
                specifier: String(specifier), referrer: String(referrer), type: String(type), token: token)
            isolate.delegate?.dynamicImport(request, in: isolate.realm(realm))
        }
        host.rejection = { context, realm, id, handled, promise, reason in
            let isolate = Isolate.from(context)
            let promise = Value(copying: promise, isolate)
            if handled {
                isolate.delegate?.promiseHandled(id, promise)
            } else {
                let reason = reason.map { Value(copying: $0, isolate) } ?? Value.undefined(in: isolate)
                isolate.delegate?.promiseRejected(id, promise, reason: reason, in: isolate.realm(realm))
            }
        }
        host.gc = { context, kind, pause, forced in
            Isolate.from(context).delegate?.collectedGarbage(
                GarbageCollection(kind: kind, pauseNanoseconds: pause, forced: forced))
        }
        sl_v8_isolate_set_host(raw, &host)
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Isolate {
        Unmanaged<Isolate>.fromOpaque(context!).takeUnretainedValue()
    }

    func register(_ realm: Realm) { realms[realm.raw] = WeakRealm(realm: realm) }
    func unregister(_ realm: OpaquePointer) { realms[realm] = nil }

    func realm(_ raw: OpaquePointer) -> Realm {
        guard let realm = realms[raw]?.realm else { preconditionFailure("V8 called back for a realm that is disposed") }
        return realm
    }
}

private struct WeakRealm {
    weak var realm: Realm?
}

private final class WakeBox: Sendable {
    let wake: @Sendable (Double) -> Void
    init(_ wake: @escaping @Sendable (Double) -> Void) { self.wake = wake }
}
