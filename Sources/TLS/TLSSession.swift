// One client's TLS session: a machine between ciphertext and plaintext. It knows no socket.
//
//     handshaking ──done──► open ──close_notify of the client──► ended
//          └──────────────────┴── what breaks the protocol ──► failed
//
// Whoever uses it lends it what came (`lend`), takes plaintext until there is none (`read`), and sends on what `TLSContext.takeOutput` has
// after every call, failed ones included: that is where the alert is.

internal import COpenSSL
internal import Glibc

/// On the thread of its context.
public final class TLSSession {
    public enum State: Hashable, Sendable {
        case handshaking
        case open
        /// The client has said that nothing more comes from it. It still reads.
        case ended
        /// Nothing more can be read or written.
        case failed
    }

    public enum Version: Sendable {
        case tls12, tls13
    }

    public private(set) var state = State.handshaking
    /// Something was lent to it.
    public private(set) var isBegun = false
    /// The handshake was completed, whatever came then.
    public private(set) var isEstablished = false
    private let context: TLSContext
    private let session: OpaquePointer

    public init(_ context: TLSContext) {
        self.context = context
        guard let session = SSL_new(context.context), let bio = sl_tls_wire_bio(context.wire) else {
            preconditionFailure("no memory for a TLS session")
        }
        self.session = session
        // Takes the one reference over.
        SSL_set_bio(session, bio, bio)
        SSL_set_accept_state(session)
    }

    deinit { SSL_free(session) }

    /// Once it is open.
    public var version: Version { SSL_version(session) == TLS1_3_VERSION ? .tls13 : .tls12 }
    /// Whether the client came with a ticket.
    public var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// Ciphertext that came, for the calls of `read` within `body`, which have to go on while `hasMore`.
    public func lend(_ ciphertext: UnsafeRawBufferPointer, _ body: () -> Void) {
        isBegun = true
        context.wire.pointee.input = ciphertext.baseAddress?.assumingMemoryBound(to: UInt8.self)
        context.wire.pointee.input_count = ciphertext.count
        body()
        context.wire.pointee.input = nil
        context.wire.pointee.input_count = 0
    }

    /// Whether `read` can give anything: asking in vain costs a microsecond.
    public var hasMore: Bool { context.wire.pointee.input_count > 0 || SSL_pending(session) > 0 }

    /// Plaintext; how many bytes. 0: there is no more for now, or `state` says that there is none any more.
    public func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard state == .handshaking || state == .open else { return 0 }
        ERR_clear_error()
        let count = SSL_read(session, room.baseAddress, Int32(clamping: room.count))
        if state == .handshaking, SSL_is_init_finished(session) == 1 {
            state = .open
            isEstablished = true
        }
        if count > 0 { return Int(count) }
        switch SSL_get_error(session, count) {
        case SSL_ERROR_WANT_READ: break
        case SSL_ERROR_ZERO_RETURN: state = .ended
        default: state = .failed
        }
        return 0
    }

    /// Turns plaintext into output of the context. False: it failed, or the handshake is not over.
    public func write(_ plaintext: UnsafeRawBufferPointer) -> Bool {
        guard state == .open || state == .ended, let start = plaintext.baseAddress else { return plaintext.isEmpty }
        var written = 0
        while written < plaintext.count {
            ERR_clear_error()
            let count = SSL_write(session, start + written, Int32(clamping: plaintext.count - written))
            guard count > 0 else {
                state = .failed
                return false
            }
            written += Int(count)
        }
        return true
    }

    /// Says that nothing more comes from here. RFC 8446 section 6.1.
    public func close() {
        guard state == .open || state == .ended else { return }
        ERR_clear_error()
        _ = SSL_shutdown(session)
        ERR_clear_error()
    }
}
