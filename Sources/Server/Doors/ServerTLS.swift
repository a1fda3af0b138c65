internal import CServerTLS

/// What ports show of themselves over TLS, and whose certificates they ask clients for. Any thread.
public final class ServerTLS: @unchecked Sendable {
    // @unchecked: nothing of it changes after it was made, and OpenSSL lets any thread make sessions of it.

    /// Why it cannot be made; for people.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// Which of the files is to be looked at; library: none of them.
        public enum Source: Sendable { case library, certificate, key, authority }

        public let source: Source
        public let description: String
    }

    let context: OpaquePointer
    /// Whether clients have to show a certificate.
    public let asksForCertificates: Bool

    /// - Parameters:
    ///   - certificate: PEM; the server's own first, then those that lead to the root.
    ///   - key: PEM, without a passphrase.
    ///   - authority: PEM; who signs the certificates of clients. Nil: they need none.
    public init(certificate: [UInt8], key: [UInt8], authority: [UInt8]?) throws(Problem) {
        asksForCertificates = authority != nil
        var problem = sl_tls_problem()
        let made = certificate.withUnsafeBytes { certificate in
            key.withUnsafeBytes { key in
                (authority ?? []).withUnsafeBytes { bytes in
                    // Not null where there is an authority, however empty its file.
                    let start = authority == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
                    return sl_server_tls_make(
                        sl_tls_text(bytes: certificate.baseAddress, count: certificate.count),
                        sl_tls_text(bytes: key.baseAddress, count: key.count),
                        sl_tls_text(bytes: start, count: bytes.count), &problem)
                }
            }
        }
        guard let made else {
            let text = withUnsafeBytes(of: &problem.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw Problem(source: Problem.Source(problem.source), description: text)
        }
        context = made
    }

    deinit { sl_server_tls_free(context) }

    /// Unix seconds until which the certificate is valid; nil: it does not say.
    public var notAfter: Int64? {
        let seconds = sl_server_tls_not_after(context)
        return seconds == 0 ? nil : seconds
    }
}

extension ServerTLS.Problem.Source {
    fileprivate init(_ source: sl_tls_source) {
        switch source {
        case SL_TLS_FROM_CERTIFICATE: self = .certificate
        case SL_TLS_FROM_KEY: self = .key
        case SL_TLS_FROM_AUTHORITY: self = .authority
        default: self = .library
        }
    }
}

/// One connection's session: a machine between ciphertext and plaintext that knows no socket. On the server's thread.
final class ConnectionTLS {
    enum State { case open, ended, failed }

    private let session: OpaquePointer
    private let context: ServerTLS
    /// Ciphertext came.
    private(set) var isBegun = false
    private(set) var state = State.open

    /// Nil: no memory.
    init?(_ context: ServerTLS) {
        guard let session = sl_tls_session_make(context.context) else { return nil }
        self.session = session
        self.context = context
    }

    deinit { sl_tls_session_free(session) }

    /// The handshake is over.
    var isEstablished: Bool { sl_tls_session_is_open(session) }

    /// Takes ciphertext, and puts the plaintext of it into `room`, which is larger by a record than the ciphertext: how many bytes.
    func receive(_ ciphertext: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int {
        isBegun = true
        guard sl_tls_session_receive(session, ciphertext.baseAddress!, ciphertext.count) else {
            state = .failed
            return 0
        }
        var filled = 0
        while filled < room.count {
            let count = sl_tls_session_read(session, room.baseAddress! + filled, room.count - filled)
            guard count > 0 else {
                if count < 0 { state = count == -1 ? .ended : .failed }
                break
            }
            filled += count
        }
        return filled
    }

    /// Turns plaintext into ciphertext that waits in the session. False: it failed.
    func write(_ plaintext: UnsafeRawBufferPointer) -> Bool {
        sl_tls_session_write(session, plaintext.baseAddress!, plaintext.count)
    }

    /// Ciphertext that waits: how many bytes of it were put into `room`.
    func take(_ room: UnsafeMutableRawBufferPointer) -> Int {
        sl_tls_session_take(session, room.baseAddress!, room.count)
    }

    /// Says that nothing more comes: without it what the client has may be a part. RFC 9112 section 9.8.
    func close() { sl_tls_session_close(session) }

    /// Why its handshake failed, if that is for want of a certificate; for people.
    var strangeness: String? {
        switch sl_tls_session_stranger(session) {
        case SL_TLS_WITHOUT_CERTIFICATE: "no certificate was shown"
        case SL_TLS_WRONG_CERTIFICATE: "the certificate does not lead to client-ca, or is not valid now"
        default: nil
        }
    }

    /// What the client's certificate calls it; nil where none was asked for.
    lazy var clientName: String? = {
        guard context.asksForCertificates else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { name in
            sl_tls_session_client(session, name.baseAddress!, name.count)
            return String(cString: name.baseAddress!)
        }
    }()
}
