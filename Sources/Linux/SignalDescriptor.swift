internal import CLinux
internal import Glibc

/// Signals taken as data instead of handlers (signalfd). They must be blocked in every thread: make this on the main thread,
/// before there are others. What whoever started us ignores (`nohup`) stays ignored and never shows up here.
public final class SignalDescriptor: Sendable {
    public struct Signal: Hashable, Sendable {
        public let number: Int32
        /// Sent by the kernel's terminal driver, thus to every process of the foreground group; not by somebody's kill(2).
        public let fromTerminal: Bool
        /// Who sent it; 0 for the kernel.
        public let sender: Int32

        public init(number: Int32, fromTerminal: Bool = false, sender: Int32 = 0) {
            self.number = number
            self.fromTerminal = fromTerminal
            self.sender = sender
        }
    }

    public let fileDescriptor: Int32

    public init(_ signals: [Int32]) throws(SystemCallError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        let code = pthread_sigmask(SIG_BLOCK, &set, nil)
        guard code == 0 else { throw SystemCallError("pthread_sigmask", errno: code) }
        fileDescriptor = sl_signalfd(&set)
        guard fileDescriptor >= 0 else { throw SystemCallError("signalfd", errno: errno) }
    }

    deinit { close(fileDescriptor) }

    /// The next signal that waits; nil when none does.
    public func next() -> Signal? {
        var signal = sl_signal()
        guard sl_signalfd_next(fileDescriptor, &signal) else { return nil }
        return Signal(number: signal.number, fromTerminal: signal.from_kernel, sender: signal.sender)
    }

    /// Writes to a pipe whose reader is gone fail with EPIPE from now on, in the whole process.
    public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Children can be waited for, even where whoever started this process ignores their ends: that is inherited, and the kernel then reaps them itself.
    public static func awaitChildren() { signal(SIGCHLD, SIG_DFL) }

    /// Ends this process as the signal would have. Comes back when the process may not be ended that way (pid 1).
    public static func endProcess(by number: Int32) {
        signal(number, SIG_DFL)
        raise(number)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}

/// "SIGKILL" for 9, "signal 99" for what has no name.
public func signalName(_ number: Int32) -> String {
    guard let abbreviation = sl_signal_abbreviation(number) else { return "signal \(number)" }
    return "SIG" + String(cString: abbreviation)
}
