internal import Glibc

/// A system call that failed.
public struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, with the name it was tried on.
    public let call: String
    public let code: Int32

    public init(_ call: String, errno code: Int32) {
        self.call = call
        self.code = code
    }

    /// "connect: Connection refused"
    public var description: String { "\(call): \(reason)" }
    /// The system's words for the code alone.
    public var reason: String { String(cString: strerror(code)) }
    /// Those for `errno` as it is.
    public static var lastReason: String { String(cString: strerror(errno)) }
    public var isNotFound: Bool { code == ENOENT }
}

/// Repeats a call that a signal interrupts. Nil when it failed otherwise: `errno` says why.
func retryingInterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result? {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { return nil }
    }
}
