internal import CLinux
internal import Wire

/// What stands between a listener's socket and its handler.
public struct Door: Sendable {
    /// Nil: what comes is plain HTTP.
    public var tls: ServerTLS?
    /// Nil: whoever gets there may come in.
    public var guarding: DoorGuard?
    /// Lines that every answer gets.
    public var fields = ResponseFields.none

    public init() {}
}

/// Asks who comes, at the head of a request, before anything of its body is kept. RFC 6750.
public final class DoorGuard: Sendable {
    /// What a token is good for here.
    public enum Access: Sendable { case nothing, looking, changing }

    public struct Token: Sendable {
        let name: String
        let secret: [UInt8]
        let access: Access

        public init(name: String, secret: String, access: Access) {
            self.name = name
            self.secret = Array(secret.utf8)
            self.access = access
        }
    }

    /// Somebody who was not let in.
    public struct Refused: Sendable {
        /// Address and port.
        public var peer: String
        /// The token's name, or the certificate's; nil: nobody knows who it was.
        public var client: String?
        public var method: String
        public var path: String
        /// Nil: it came to no request.
        public var status: Int?
        public var reason: String
    }

    /// Why a request is not for this door at all.
    public struct Stray: Sendable {
        let status: Int
        let counted: ServerRefusal
        let reason: String

        public init(status: Int, counted: ServerRefusal, reason: String) {
            self.status = status
            self.counted = counted
            self.reason = reason
        }
    }

    private let tokens: [Token]
    private let openPaths: [StaticString]
    private let openCalls: [StaticString]
    private let trustedOrigins: [String]?
    private let stray: @Sendable (borrowing ServedRequest) -> Stray?
    private let note: @Sendable (Refused) -> Void

    /// - Parameters:
    ///   - tokens: Empty: none is asked for.
    ///   - openPaths: What may be looked at without one.
    ///   - openCalls: Methods of gRPC that may be called without one.
    ///   - trustedOrigins: Of web pages that may come in, "*" for all; nil: it is left to the handler.
    ///   - stray: Asked first, on the server's thread.
    ///   - note: Told of everybody who is not let in. On the server's thread.
    public init(
        _ tokens: [Token], openPaths: [StaticString] = [], openCalls: [StaticString] = [],
        trustedOrigins: [String]? = nil,
        stray: @escaping @Sendable (borrowing ServedRequest) -> Stray? = { _ in nil },
        note: @escaping @Sendable (Refused) -> Void = { _ in }
    ) {
        self.tokens = tokens
        self.openPaths = openPaths
        self.openCalls = openCalls
        self.trustedOrigins = trustedOrigins
        self.stray = stray
        self.note = note
    }

    enum Verdict {
        /// With the name of the token, where one was asked for.
        case letIn(String?)
        case refused(ServerAnswer, ServerRefusal)
    }

    func judge(_ head: borrowing ServedRequest) -> Verdict {
        if let refusal = originRefusal(head) { return refusal }
        if let stray = stray(head) { return refuse(head, nil, stray.status, stray.counted, stray.reason, nil) }
        guard !tokens.isEmpty else { return .letIn(nil) }
        let isLooking = head.method == .get || head.method == .head
        if isProbe(head) || isOpenCall(head) { return .letIn(nil) }
        // A browser asks without credentials whether it may send some. <https://fetch.spec.whatwg.org/#cors-preflight-fetch>.
        if head.method == .options, head.headerBytes("access-control-request-method") != nil { return .letIn(nil) }
        guard let shown = head.headerBytes("authorization") else {
            return refuse(head, nil, 401, .unauthenticated, "a token is needed: authorization: Bearer TOKEN", "")
        }
        if head.isRepeated("authorization") {
            return refuse(head, nil, 400, .malformed, "authorization comes more than once", nil)
        }
        guard let token = find(shown) else {
            return refuse(
                head, nil, 401, .unauthenticated, "the token is none that is known here", ", error=\"invalid_token\"")
        }
        switch token.access {
        case .changing: return .letIn(token.name)
        case .looking where isLooking: return .letIn(token.name)
        case .looking, .nothing:
            return refuse(
                head, token.name, 403, .forbidden, "the token \(token.name) does not allow this",
                ", error=\"insufficient_scope\"")
        }
    }

    /// Whether anybody may see it, and however often: probes.
    func isProbe(_ head: borrowing ServedRequest) -> Bool {
        guard head.method == .get || head.method == .head else { return false }
        for path in openPaths where head.pathIs(path) { return true }
        return false
    }

    /// Calls have a body, so that they are no probes.
    private func isOpenCall(_ head: borrowing ServedRequest) -> Bool {
        guard head.method == .post else { return false }
        for path in openCalls where head.pathIs(path) { return true }
        return false
    }

    /// A page that somebody has open sends with its browser's hands: from this machine, through any firewall. What browsers say of such a page decides.
    private func originRefusal(_ head: borrowing ServedRequest) -> Verdict? {
        guard let trustedOrigins, let origin = head.header("origin") else { return nil }
        guard !trustedOrigins.contains(origin), !trustedOrigins.contains("*") else { return nil }
        return refuse(head, nil, 403, .origin, "this web page may not send (receivers' option `cors`)", nil)
    }

    /// Somebody came no further than the handshake.
    func turnedAway(_ descriptor: Int32, _ reason: String) {
        let peer = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 96) { text in
            sl_peer_text(descriptor, text.baseAddress!, text.count)
            return String(cString: text.baseAddress!)
        }
        note(Refused(peer: peer, client: nil, method: "handshake", path: "", status: nil, reason: reason))
    }

    private func refuse(
        _ head: borrowing ServedRequest, _ client: String?, _ status: Int, _ counted: ServerRefusal, _ reason: String,
        _ challenge: String?
    ) -> Verdict {
        note(
            Refused(
                peer: head.peer, client: client ?? head.client, method: head.methodText, path: head.path,
                status: status,
                reason: reason))
        let fields = challenge.map { ResponseFields(["www-authenticate": "Bearer realm=\"sidelight\"\($0)"]) }
        return .refused(
            ServerAnswer(status: status, fields: fields ?? .none, body: Array((reason + "\n").utf8)), counted)
    }

    // MARK: secrets

    /// All are compared, and each to its end: how long it takes tells nothing of them but their lengths.
    private func find(_ authorization: UnsafeRawBufferPointer) -> Token? {
        let scheme = "bearer ".utf8
        guard authorization.count > scheme.count,
            zip(authorization, scheme).allSatisfy({ ($0 | 0x20) == $1 || $1 == 0x20 && $0 == 0x20 })
        else { return nil }
        let shown = UnsafeRawBufferPointer(rebasing: authorization[scheme.count...])
        var found: Token?
        for token in tokens where Self.isEqual(shown, token.secret) { found = token }
        return found
    }

    static func isEqual(_ shown: UnsafeRawBufferPointer, _ secret: [UInt8]) -> Bool {
        var difference = shown.count ^ secret.count
        for index in secret.indices {
            difference |= Int(secret[index] ^ (index < shown.count ? shown[index] : 0))
        }
        return difference == 0
    }
}
