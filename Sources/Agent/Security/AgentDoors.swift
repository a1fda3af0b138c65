internal import Configuration
internal import Linux
internal import Server
internal import System

/// Why the doors cannot be as the configuration wants them; for people.
struct DoorProblem: Error, Hashable, CustomStringConvertible {
    let description: String
}

/// The doors of an agent, of its admin port and of its receivers, as its configuration wants them.
struct AgentDoors: Sendable {
    /// What tells no more than whether somebody is at home: probes have no tokens.
    private static let openPaths: [StaticString] = ["/livez", "/readyz", "/startupz"]
    private static let openCalls: [StaticString] = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"]
    /// Of each file of TLS.
    static let fileBytesMax = 1 << 20

    /// A page of the admin port is nobody's to frame, to keep or to run anything in.
    private static let adminFields = ResponseFields([
        "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ])

    private let security: SecurityConfiguration
    private let tls: ServerTLS?
    /// Nil: there is no audit log.
    let notes: DoorNotes?

    /// Reads the files of TLS.
    init(_ security: SecurityConfiguration, _ notes: DoorNotes?) throws(DoorProblem) {
        self.security = security
        self.notes = notes
        tls = try Self.tls(security.tls)
    }

    private static func tls(_ wanted: SecurityConfiguration.TLS?) throws(DoorProblem) -> ServerTLS? {
        guard let wanted else { return nil }
        let certificate = try read(wanted.files.certificate, "cert")
        let key = try read(wanted.files.key, "key")
        var authority: [UInt8]?
        if let file = wanted.clientAuthority { authority = try read(file, "client-ca") }
        do throws(ServerTLS.Problem) {
            return try ServerTLS(certificate: certificate, key: key, authority: authority)
        } catch {
            switch error.source {
            case .library: throw DoorProblem(description: "security.tls: \(error)")
            case .certificate:
                throw DoorProblem(description: "security.tls.cert: \(wanted.files.certificate): \(error)")
            case .key: throw DoorProblem(description: "security.tls.key: \(wanted.files.key): \(error)")
            case .authority:
                throw DoorProblem(description: "security.tls.client-ca: \(wanted.clientAuthority ?? ""): \(error)")
            }
        }
    }

    private static func read(_ path: String, _ key: String) throws(DoorProblem) -> [UInt8] {
        do throws(FileError) {
            return try readFile(path, bytesMax: fileBytesMax)
        } catch {
            throw DoorProblem(description: "security.tls.\(key): \(path): \(error.reason)")
        }
    }

    /// What is odd about them and does not keep them from being used.
    func warnings(now unixSeconds: Int64) -> [String] {
        var warnings: [String] = []
        if let files = security.tls?.files, let end = tls?.notAfter, end < unixSeconds {
            warnings.append("security.tls.cert: \(files.certificate) has expired: clients will refuse it")
        }
        return warnings
    }

    var limits: ServerLimits {
        var limits = ServerLimits()
        limits.perClient.connectionsMax = security.perClient.connections
        limits.perClient.requestsPerSecond = security.perClient.requestsPerSecond
        limits.perClient.bytesPerSecond = security.perClient.bytesPerSecond
        return limits
    }

    private var note: @Sendable (DoorGuard.Refused) -> Void { { [notes] in notes?.refused($0) } }

    var admin: Door {
        var door = Door()
        door.fields = Self.adminFields
        if security.tls(for: .admin) != nil { door.tls = tls }
        let tokens = security.tokens(for: .admin).isEmpty ? [] : security.tokens.map { $0.token { $0.accessToAdmin } }
        door.guarding = DoorGuard(
            tokens, openPaths: Self.openPaths, stray: { AdminHandler.stray($0) }, note: note)
        return door
    }

    /// - Parameter origins: Of web pages that may send.
    func receiver(origins: [String]) -> Door {
        var door = Door()
        if security.tls(for: .receivers) != nil { door.tls = tls }
        let tokens =
            security.tokens(for: .receivers).isEmpty
            ? [] : security.tokens.map { $0.token { $0.contains(.ingest) ? .changing : .nothing } }
        door.guarding = DoorGuard(tokens, openCalls: Self.openCalls, trustedOrigins: origins, note: note)
        return door
    }
}

extension SecurityConfiguration {
    /// The files that it names: when one of them changes, it is read anew.
    var files: [String] {
        tls.map { [$0.files.certificate, $0.files.key] + [$0.clientAuthority].compactMap(\.self) } ?? []
    }
}

extension SecurityConfiguration.Token {
    fileprivate func token(_ access: ([SecurityConfiguration.Right]) -> DoorGuard.Access) -> DoorGuard.Token {
        DoorGuard.Token(name: name, secret: secret, access: access(rights))
    }
}

extension [SecurityConfiguration.Right] {
    fileprivate var accessToAdmin: DoorGuard.Access {
        contains(.admin) ? .changing : contains(.read) ? .looking : .nothing
    }
}
