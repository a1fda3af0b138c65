internal import CLinux
internal import Glibc

/// A process started by this one, held by a pidfd, so that a signal never reaches another that got its number.
public final class ChildProcess: Sendable {
    /// How it ended.
    public enum Status: Hashable, Sendable {
        case exited(Int32)
        case signaled(Int32, coreDumped: Bool)
    }

    /// What it used, children it waited for included.
    public struct Usage: Hashable, Sendable {
        public var userNanoseconds: UInt64 = 0
        public var systemNanoseconds: UInt64 = 0
        public var residentBytesMax: UInt64 = 0

        public init() {}

        init(_ usage: rusage) {
            userNanoseconds = Self.nanoseconds(usage.ru_utime)
            systemNanoseconds = Self.nanoseconds(usage.ru_stime)
            residentBytesMax = UInt64(usage.ru_maxrss) * 1024
        }

        /// Adds another process's: times are summed, of the memory the largest counts.
        public mutating func add(_ other: Usage) {
            userNanoseconds += other.userNanoseconds
            systemNanoseconds += other.systemNanoseconds
            residentBytesMax = max(residentBytesMax, other.residentBytesMax)
        }

        private static func nanoseconds(_ time: timeval) -> UInt64 {
            UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000
        }
    }

    public let pid: Int32
    /// A pidfd: readable once the process has ended.
    public let fileDescriptor: Int32

    /// Starts a program with this process's environment (or `environment`, `NAME=value` each), standard streams and working directory, no
    /// signal blocked, and the given descriptors as 3, 4, …; no other is inherited.
    /// - Parameters:
    ///   - streams: in place of this process's standard streams, where they are not nil.
    ///   - arguments: without the program's name.
    ///   - parentDeathSignal: sent to the child when the calling thread ends; call from one that lives on.
    ///   - hasOwnGroup: the terminal's signals do not reach it.
    ///   - hasOwnPIDs: it is the first process of a PID namespace, and has no number for any other.
    public init(
        executable: String, arguments: [String], descriptors: [Int32], parentDeathSignal: Int32,
        hasOwnGroup: Bool = false, hasOwnPIDs: Bool = false, environment: [String]? = nil,
        streams: (input: Int32?, output: Int32?, error: Int32?) = (nil, nil, nil)
    ) throws(SystemCallError) {
        var strings: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?]? = environment.map { $0.map { strdup($0) } + [nil] }
        defer { for string in strings + (variables ?? []) { free(string) } }
        func withEnvironment<R>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
            guard variables != nil else { return body(environ) }
            return variables!.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
        }
        let pid = executable.withCString { path in
            strings.withUnsafeMutableBufferPointer { strings in
                descriptors.withUnsafeBufferPointer { descriptors in
                    // Non-null: an empty array still has an address here, and count 0 keeps it unread.
                    var none: Int32 = -1
                    return withUnsafePointer(to: &none) { empty in
                        withEnvironment { environment in
                            var request = sl_spawn_request(
                                executable: path, arguments: strings.baseAddress!, environment: environment,
                                descriptors: descriptors.baseAddress ?? empty,
                                descriptor_count: Int32(descriptors.count),
                                streams: (streams.input ?? -1, streams.output ?? -1, streams.error ?? -1),
                                parent_death_signal: parentDeathSignal, own_group: hasOwnGroup,
                                own_pids: hasOwnPIDs)
                            return sl_spawn(&request)
                        }
                    }
                }
            }
        }
        guard pid > 0 else { throw SystemCallError("starting \(executable)", errno: errno) }
        let descriptor = sl_pidfd_open(pid)
        guard descriptor >= 0 else {
            let code = errno
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw SystemCallError("pidfd_open", errno: code)
        }
        self.pid = pid
        fileDescriptor = descriptor
    }

    deinit { close(fileDescriptor) }

    /// Sends a signal; one to a process that has ended goes nowhere.
    public func send(_ signal: Int32) { _ = sl_pidfd_send_signal(fileDescriptor, signal) }

    /// Waits for the end and takes the result. Call once.
    public func reap() throws(SystemCallError) -> (status: Status, usage: Usage) {
        var raw: Int32 = 0
        var usage = rusage()
        guard retryingInterrupted({ wait4(pid, &raw, 0, &usage) }) != nil else {
            throw SystemCallError("wait4", errno: errno)
        }
        let signal = raw & 0x7F
        let status: Status = signal == 0 ? .exited(raw >> 8 & 0xFF) : .signaled(signal, coreDumped: raw & 0x80 != 0)
        return (status, Usage(usage))
    }
}
