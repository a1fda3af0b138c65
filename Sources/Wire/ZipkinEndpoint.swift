import Telemetry

/// The other side of a client's or producer's span, from the attributes that may name it, in the order of the specification:
/// <https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/#otlp---zipkin>.
struct ZipkinEndpoint: Hashable {
    var serviceName: String?
    var ipv4: String?
    var ipv6: String?
    var port: UInt16?

    private enum Source {
        /// Names a service or host.
        case name(String, port: String?)
        /// A socket's address and port.
        case address(String, port: String)
    }

    private static let ranking: [Source] = [
        .name("peer.service", port: nil),
        .name("server.address", port: "server.port"),
        .name("net.peer.name", port: "net.peer.port"),
        .address("network.peer.address", port: "network.peer.port"),
        .name("server.socket.domain", port: nil),
        .address("server.socket.address", port: "server.socket.port"),
        .name("net.sock.peer.name", port: nil),
        .address("net.sock.peer.addr", port: "net.sock.peer.port"),
        .name("peer.hostname", port: nil),
        .name("peer.address", port: nil),
        .name("db.name", port: nil),
    ]

    /// The keys of `ranking`.
    static let peerNames: [StaticString] = [
        "peer.service", "server.address", "net.peer.name", "network.peer.address", "server.socket.domain",
        "server.socket.address", "net.sock.peer.name", "net.sock.peer.addr", "peer.hostname", "peer.address", "db.name",
    ]

    /// Nil when no attribute names the other side.
    init?(remoteOf attributes: Attributes) {
        for source in Self.ranking {
            switch source {
            case .name(let key, let portKey):
                guard let name = attributes[key]?.string, !name.isEmpty else { continue }
                serviceName = name
                port = portKey.flatMap { Self.port(attributes[$0]) }
            case .address(let key, let portKey):
                guard let address = attributes[key]?.string, !address.isEmpty else { continue }
                setAddress(address)
                port = Self.port(attributes[portKey])
            }
            return
        }
        return nil
    }

    /// A path of a Unix socket, say, is no IP address and serves as a name.
    private mutating func setAddress(_ address: String) {
        if Self.isIPv4(address) {
            ipv4 = address
        } else if address.utf8.contains(UInt8(ascii: ":")),
            address.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit || $0 == 0x3A || $0 == 0x2E })
        {
            ipv6 = address
        } else {
            serviceName = address
        }
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } && UInt8($0) != nil }
    }

    private static func port(_ value: AttributeValue?) -> UInt16? {
        switch value {
        case .int(let number): UInt16(exactly: number)
        case .string(let digits): UInt16(digits)
        default: nil
        }
    }
}
