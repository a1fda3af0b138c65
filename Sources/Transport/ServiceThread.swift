import CCurl
import Glibc

/// A thread of the agent's own that runs one function. Signals are blocked on it: they are the main thread's
/// business, and a SIGPIPE from inside a TLS library must not end the process.
public struct ServiceThread: Sendable {
    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let handle: pthread_t

    /// Starts the thread. `name` has at most 15 bytes (the kernel's limit). Whoever holds the value calls `join` or
    /// `detach` once.
    public init(name: StaticString, _ body: @escaping @Sendable () -> Void) {
        precondition(name.utf8CodeUnitCount <= 15, "thread name too long: \(name)")
        var every = sigset_t()
        var before = sigset_t()
        sigfillset(&every)
        // The new thread inherits the mask, so there is no moment at which it takes a signal.
        pthread_sigmask(SIG_SETMASK, &every, &before)
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { start in
                Unmanaged<Start>.fromOpaque(start!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Start(body)).toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else { fatalError("the system gives no further thread (error \(code))") }
        pthread_setname_np(handle, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
        self.handle = handle
    }

    /// Whether the caller runs on this thread.
    public var isCurrent: Bool { pthread_equal(pthread_self(), handle) != 0 }

    /// Waits until the body has returned. Not from the thread itself.
    public func join() {
        precondition(!isCurrent, "a thread cannot join itself")
        pthread_join(handle, nil)
    }

    /// Lets the thread end unobserved.
    public func detach() { pthread_detach(handle) }
}
