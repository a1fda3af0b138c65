internal import Glibc

/// What the system refused when the server was made.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ call: StaticString, _ code: Int32) {
        description = "\(call): \(String(cString: strerror(code)))"
    }
}
