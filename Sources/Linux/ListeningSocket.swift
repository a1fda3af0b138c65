internal import CLinux
internal import Glibc

/// A listening socket that workers inherit: it outlives each of them, so a restart refuses nobody.
public final class ListeningSocket: Sendable {
    public enum Place: Hashable, Sendable {
        /// A name or an address without brackets; port 0 lets the system choose.
        case tcp(host: String, port: UInt16)
        case unix(path: String)
    }

    /// Why nobody can listen there; for people, without the place.
    public struct Failure: Error, Hashable, Sendable {
        public let reason: String
    }

    /// Connections the kernel keeps until somebody accepts them. net.core.somaxconn bounds it further.
    public static let backlog: Int32 = 4096

    public let fileDescriptor: Int32
    /// With the port that was chosen.
    public let place: Place

    public init(_ place: Place) throws(Failure) {
        switch place {
        case .tcp(let host, let port):
            var result = sl_listen_result()
            fileDescriptor = sl_listen_tcp(host, port, Self.backlog, &result)
            self.place = .tcp(host: host, port: result.port)
            if fileDescriptor < 0 { throw Self.failure(errno, &result) }
        case .unix(let path):
            fileDescriptor = sl_listen_unix(path, Self.backlog)
            self.place = place
            if fileDescriptor < 0 { throw Failure(reason: Self.reason(errno)) }
        }
    }

    static func failure(_ code: Int32, _ result: inout sl_listen_result) -> Failure {
        if let why = result.not_known { return Failure(reason: "the host is not known: \(String(cString: why))") }
        let reason = reason(code)
        guard result.tried > 1 else { return Failure(reason: reason) }
        let last = withUnsafeBytes(of: &result.last) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return Failure(reason: "none of its \(result.tried) addresses will do; the last, \(last): \(reason)")
    }

    static func reason(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE: "the address is in use by another program"
        case EADDRNOTAVAIL: "this machine does not have that address"
        case EACCES: "this user may not listen there (ports below 1024 need a privilege)"
        default: String(cString: strerror(code))
        }
    }

    /// Nobody is to come any more. What waits to be accepted is refused once every worker has closed it, too.
    public func removePath() {
        if case .unix(let path) = place { unlink(path) }
    }

    deinit { close(fileDescriptor) }
}
