/// Who may come in at the agent's own doors, the admin port and the receivers: `security` of the file. docs/security.md.
public struct SecurityConfiguration: Hashable, Sendable {
    /// What somebody may ask for.
    public enum Right: String, Sendable, CaseIterable {
        /// To see what the admin port shows.
        case read
        /// To send telemetry to receivers.
        case ingest
        /// To see, and to change something through the admin port.
        case admin
    }

    /// What is to be guarded.
    public enum Door: String, Sendable, CaseIterable {
        case admin, receivers
    }

    /// Whoever knows its secret may do what it allows: `Authorization: Bearer SECRET`. RFC 6750.
    public struct Token: Hashable, Sendable {
        /// For messages and the audit log.
        public var name: String
        public var secret: String
        public var rights: [Right]

        public init(name: String, secret: String, rights: [Right]) {
            self.name = name
            self.secret = secret
            self.rights = rights
        }
    }

    public struct TLS: Hashable, Sendable {
        public var files: TLSFiles
        /// PEM: who signs the certificates that clients have to show. Nil: they show none.
        public var clientAuthority: String?
        public var doors = Door.allCases

        public init(files: TLSFiles) { self.files = files }
    }

    /// Of one address, over all doors; nil: no limit of its own.
    public struct ClientLimits: Hashable, Sendable {
        public var connections: Int?
        public var requestsPerSecond: Int?
        public var bytesPerSecond: Int?

        public init() {}
    }

    /// Fewer characters could be guessed.
    public static let secretBytesMin = 16
    public static let secretBytesMax = 512
    public static let tokensMax = 64

    public var tokens: [Token] = []
    /// Nil: plain HTTP.
    public var tls: TLS?
    public var perClient = ClientLimits()
    /// Doors may be open to other machines without a lock.
    public var isInsecure = false

    public init() {}

    /// The tokens that are good for something there; where there are any, one is needed.
    public func tokens(for door: Door) -> [Token] {
        tokens.filter { token in
            token.rights.contains { right in
                switch door {
                case .admin: right == .read || right == .admin
                case .receivers: right == .ingest
                }
            }
        }
    }

    public func tls(for door: Door) -> TLS? { tls.flatMap { $0.doors.contains(door) ? $0 : nil } }

    /// Why nobody may listen there: from other machines anybody could come in. Nil: it may be.
    public func refusal(of place: HostPort, _ door: Door) -> String? {
        guard !isInsecure, !place.isLoopback, tokens(for: door).isEmpty, tls(for: door)?.clientAuthority == nil else {
            return nil
        }
        let (right, harm) =
            switch door {
            case .admin: (Right.read, "read all that is recorded")
            case .receivers: (Right.ingest, "send what it likes")
            }
        return
            "\(place) is open to other machines, and anybody there could \(harm): give out tokens that allow \(right.rawValue) (security.tokens), ask for clients' certificates (security.tls.client-ca), or say that it is meant so (--insecure, security.insecure)"
    }
}

extension HostPort {
    /// Whether nobody but this machine gets there.
    public var isLoopback: Bool {
        let host = host.lowercased()
        return host == "localhost" || host == "::1"
            || host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) }
    }
}
