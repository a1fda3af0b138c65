/// Where `serve` takes connections: `--listen`.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    case tcp(HostPort)
    /// The path of a socket.
    case unix(String)

    /// A socket's path has room for 107 bytes. unix(7).
    private static let pathBytesMax = 107

    /// Nil when `text` is neither HOST:PORT, nor [ADDRESS]:PORT, nor unix:PATH.
    public init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty, path.utf8.count <= Self.pathBytesMax, !path.utf8.contains(0) else { return nil }
            self = .unix(path)
        } else {
            guard let place = HostPort(parsing: text) else { return nil }
            self = .tcp(place)
        }
    }

    public var description: String {
        switch self {
        case .tcp(let place): "\(place)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// For people, and to click on.
    public func url(isTLS: Bool = false) -> String {
        switch self {
        case .tcp(let place): "\(isTLS ? "https" : "http")://\(place)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
