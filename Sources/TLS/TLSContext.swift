// What all TLS sessions of a server share: certificate, ticket keys, and the memory through which OpenSSL sees the wire.

internal import COpenSSL
internal import Glibc
public import Linux

/// One a thread: its sessions use its wire one after the other.
public final class TLSContext {
    /// A session whose ticket is older than this is not resumed; no more than the ticket keys live. Seconds.
    private static let ticketLifetime = 2 * 3600
    /// More memory than this is not kept between two calls.
    private static let keptOutputBytesMax = 512 << 10

    let context: OpaquePointer
    let wire: UnsafeMutablePointer<sl_tls_wire>
    /// Read by the callback of tickets, without a reference of its own.
    private let ticketKeys: TicketKeyMemory?

    /// - Parameter ticketKeys: nil: keys of its own, so tickets work with this context alone.
    public init(_ identity: TLSIdentity, ticketKeys: TicketKeyMemory? = nil) throws(TLSProblem) {
        self.ticketKeys = ticketKeys
        ERR_clear_error()
        wire = .allocate(capacity: 1)
        wire.initialize(to: sl_tls_wire())
        guard let context = sl_tls_server_context() else {
            preconditionFailure("OpenSSL cannot be used: \(OpenSSLError.take() ?? "no memory")")
        }
        self.context = context
        guard SSL_CTX_use_certificate(context, identity.certificate) == 1 else {
            throw .openSSL(.certificate, "it cannot be used")
        }
        for certificate in identity.chain where !sl_tls_add_chain(context, certificate) {
            throw .openSSL(.certificate, "its chain cannot be used")
        }
        guard SSL_CTX_use_PrivateKey(context, identity.key) == 1 else { throw .openSSL(.key, "it cannot be used") }
        SSL_CTX_set_timeout(context, Self.ticketLifetime)
        if let ticketKeys {
            SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(ticketKeys).toOpaque())
            sl_tls_set_ticket_function(context, sealTicket)
        }
    }

    deinit {
        SSL_CTX_free(context)
        free(wire.pointee.output)
        wire.deallocate()
    }

    /// Ciphertext that is to be sent, of the session that was used last. Taken at once: the next call of a session adds to what is there.
    public func takeOutput(_ body: (UnsafeRawBufferPointer) -> Void) {
        let count = wire.pointee.output_count
        guard count > 0 else { return }
        wire.pointee.output_count = 0
        body(UnsafeRawBufferPointer(start: wire.pointee.output, count: count))
        guard wire.pointee.output_capacity > Self.keptOutputBytesMax else { return }
        free(wire.pointee.output)
        wire.pointee.output = nil
        wire.pointee.output_capacity = 0
    }
}

/// Names the key of a new ticket, or finds the one of a ticket that a client shows. RFC 5077 section 4's recommended form: AES in CBC mode, HMAC
/// with SHA-256. 0: no ticket, and so a whole handshake; 2: a good ticket that is to be replaced.
private func sealTicket(
    _ session: OpaquePointer, _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>,
    _ cipher: OpaquePointer, _ mac: OpaquePointer, _ encrypts: Int32
) -> Int32 {
    guard let keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), 0) else { return 0 }
    let memory = Unmanaged<TicketKeyMemory>.fromOpaque(keys).takeUnretainedValue()
    let key: TicketKeyMemory.Key
    if encrypts == 1 {
        key = memory.newest()
        _ = key.name.withUnsafeBytes { memcpy(name, $0.baseAddress!, TicketKeyMemory.nameBytes) }
        guard RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1,
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, iv) == 1
        else { return -1 }
    } else {
        guard let found = memory.find(name) else { return 0 }
        key = found
        guard EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, iv) == 1 else { return -1 }
    }
    var mackey = key.mac
    let isSet = mackey.withUnsafeMutableBytes { bytes in
        var digest = Array("SHA256".utf8CString)
        return digest.withUnsafeMutableBufferPointer { digest in
            var parameters = [
                OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes.baseAddress, bytes.count),
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return EVP_MAC_CTX_set_params(mac, &parameters) == 1
        }
    }
    guard isSet else { return -1 }
    return key.isOld ? 2 : 1
}
