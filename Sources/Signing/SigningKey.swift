internal import CCrypto

/// A secret Ed25519 key, RFC 8032.
public final class SigningKey: Sendable {
    static let bytesCount = 32
    /// More is no PEM file of a key.
    public static let fileBytesMax = 65_536

    private let secret: SecretBytes
    public let publicKey: PublicKey

    private init(_ secret: SecretBytes) throws(SigningError) {
        self.secret = secret
        var made = false
        let bytes = [UInt8](unsafeUninitializedCapacity: PublicKey.bytesCount) { room, count in
            made = secret.withPointer { sl_crypto_ed25519_public($0, room.baseAddress!) }
            count = PublicKey.bytesCount
        }
        guard made else { throw SigningError("libcrypto makes no public key of it") }
        publicKey = PublicKey(raw: bytes)
    }

    /// Another one each time.
    public static func generate() throws(SigningError) -> SigningKey {
        try CryptoLibrary.require()
        return try SigningKey(SecretBytes(count: bytesCount) { sl_crypto_random($0, bytesCount) })
    }

    /// From its 32 bytes.
    convenience init(raw: [UInt8]) throws(SigningError) {
        precondition(raw.count == Self.bytesCount, "\(raw.count) bytes")
        try CryptoLibrary.require()
        try self.init(SecretBytes(raw))
    }

    /// PKCS #8 in PEM, encrypted or not; `openssl genpkey -algorithm ed25519` writes it, too.
    public convenience init(pem: [UInt8], passphrase: SecretBytes? = nil) throws(SigningError) {
        try CryptoLibrary.require()
        var result = sl_crypto_pem_broken
        let secret = SecretBytes(count: Self.bytesCount) { room in
            result = pem.withUnsafeBytes { text in
                guard let passphrase else {
                    return sl_crypto_pem_read_secret(
                        text.baseAddress ?? UnsafeRawPointer(room), text.count, nil, 0, room)
                }
                return passphrase.withBytes {
                    sl_crypto_pem_read_secret(
                        text.baseAddress ?? UnsafeRawPointer(room), text.count, $0.baseAddress, $0.count, room)
                }
            }
        }
        if let error = SigningError(result, hasPassphrase: passphrase != nil, kind: "private") { throw error }
        try self.init(secret)
    }

    /// PKCS #8 in PEM; with a passphrase encrypted (scrypt and AES-256-CBC).
    public func pem(passphrase: SecretBytes? = nil) throws(SigningError) -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: 2_048) { room, count in
            count = room.withMemoryRebound(to: CChar.self) { room in
                secret.withPointer { secret in
                    guard let passphrase else {
                        return sl_crypto_pem_write_secret(secret, nil, 0, room.baseAddress!, room.count)
                    }
                    return passphrase.withBytes {
                        sl_crypto_pem_write_secret(secret, $0.baseAddress, $0.count, room.baseAddress!, room.count)
                    }
                }
            }
        }
        guard !bytes.isEmpty else { throw SigningError("libcrypto writes no PEM of the key") }
        return bytes
    }

    /// Of this message, 64 bytes.
    public func sign(_ message: [UInt8]) throws(SigningError) -> Signature {
        var made = false
        let bytes = [UInt8](unsafeUninitializedCapacity: Signature.bytesCount) { room, count in
            made = message.withUnsafeBytes { message in
                secret.withPointer {
                    sl_crypto_ed25519_sign($0, message.baseAddress, message.count, room.baseAddress!)
                }
            }
            count = Signature.bytesCount
        }
        guard made else { throw SigningError("libcrypto does not sign") }
        return Signature(raw: bytes)
    }
}

/// An Ed25519 signature.
public struct Signature: Hashable, Sendable {
    public static let bytesCount = 64

    /// 64 of them.
    public let bytes: [UInt8]

    init(raw: [UInt8]) { bytes = raw }

    /// Nil: another count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.bytesCount else { return nil }
        self.bytes = bytes
    }

    /// From 128 hex digits in lower case.
    public init?(hex: String) {
        guard let bytes = [UInt8](lowercaseHex: hex) else { return nil }
        self.init(bytes: bytes)
    }

    public var hex: String { bytes.hex }
}

/// A public Ed25519 key.
public struct PublicKey: Hashable, Sendable, CustomStringConvertible {
    public static let bytesCount = 32

    /// 32 of them.
    public let bytes: [UInt8]

    init(raw: [UInt8]) { bytes = raw }

    /// From 64 hex digits in lower case.
    public init?(hex: String) {
        guard hex.utf8.count == 2 * Self.bytesCount, let bytes = [UInt8](lowercaseHex: hex) else { return nil }
        self.bytes = bytes
    }

    /// SubjectPublicKeyInfo in PEM.
    public init(pem: [UInt8]) throws(SigningError) {
        try CryptoLibrary.require()
        var result = sl_crypto_pem_broken
        bytes = [UInt8](unsafeUninitializedCapacity: Self.bytesCount) { room, count in
            result = pem.withUnsafeBytes {
                $0.isEmpty
                    ? sl_crypto_pem_none : sl_crypto_pem_read_public($0.baseAddress!, $0.count, room.baseAddress!)
            }
            count = result == sl_crypto_pem_ok ? Self.bytesCount : 0
        }
        if let error = SigningError(result, hasPassphrase: false, kind: "public") { throw error }
    }

    /// SubjectPublicKeyInfo in PEM.
    public func pem() throws(SigningError) -> [UInt8] {
        try CryptoLibrary.require()
        let pem = [UInt8](unsafeUninitializedCapacity: 256) { room, count in
            count = room.withMemoryRebound(to: CChar.self) {
                sl_crypto_pem_write_public(bytes, $0.baseAddress!, $0.count)
            }
        }
        guard !pem.isEmpty else { throw SigningError("libcrypto writes no PEM of the key") }
        return pem
    }

    /// False, too, where there is no libcrypto.
    public func isValid(_ signature: Signature, of message: [UInt8]) -> Bool {
        guard sl_crypto_problem() == nil else { return false }
        return message.withUnsafeBytes {
            sl_crypto_ed25519_verify(bytes, $0.baseAddress, $0.count, signature.bytes)
        }
    }

    public var hex: String { bytes.hex }

    /// What people tell keys apart by: "ed25519:" and the first 16 hex digits of the SHA-256 digest of its bytes.
    public var id: String { "ed25519:" + Digest(of: bytes).hex.prefix(16) }
    public var description: String { id }
}

extension SigningError {
    /// Nil: the key was read.
    fileprivate init?(_ result: sl_crypto_pem_result, hasPassphrase: Bool, kind: String) {
        switch result {
        case sl_crypto_pem_ok: return nil
        case sl_crypto_pem_none: self.init("there is no \(kind) key in it (PEM)")
        case sl_crypto_pem_passphrase:
            self.init(
                hasPassphrase ? "the passphrase is another" : "it is encrypted: a passphrase is needed",
                isPassphrase: true)
        case sl_crypto_pem_other_key: self.init("the \(kind) key in it is not an Ed25519 key")
        default: self.init("the \(kind) key in it is broken")
        }
    }
}
