internal import CV8
internal import Synchronization

/// Stops or interrupts an isolate from any thread. Does nothing once the isolate is gone.
public final class IsolateHandle: Sendable {
    private let isolate: Mutex<Pointer?>

    init(_ isolate: OpaquePointer) { self.isolate = Mutex(Pointer(raw: isolate)) }

    /// Stops running JavaScript with an exception it cannot catch, at V8's next check; if none runs, the next that is entered.
    public func terminate() {
        isolate.withLock { pointer in
            if let pointer { sl_v8_isolate_terminate(pointer.raw) }
        }
    }

    /// Calls `body` on the isolate's thread while JavaScript runs, at V8's next check. If none ever runs again it is not called.
    public func interrupt(_ body: @escaping @Sendable () -> Void) {
        isolate.withLock { pointer in
            guard let pointer else { return }
            sl_v8_isolate_interrupt(
                pointer.raw,
                { context in Unmanaged<Interrupt>.fromOpaque(context!).takeRetainedValue().body() },
                Unmanaged.passRetained(Interrupt(body)).toOpaque())
        }
    }

    func close() { isolate.withLock { $0 = nil } }

    private struct Pointer: @unchecked Sendable {
        // @unchecked: only passed to functions that sl_v8.h marks ANY THREAD, under the lock that `close` takes before disposal.
        let raw: OpaquePointer
    }

    private final class Interrupt: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
