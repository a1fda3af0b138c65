// A secret in a file that may lie in a repository: AES-256-GCM, under a key of a file or one that scrypt makes of a passphrase. docs/specs/sealed-file.md.
//
//     sidelight sealed 1
//     <hex digits, 64 a line>
//
// of: kind (1: key, 2: passphrase); of kind 2 log2 N, r, p (a byte each) and 16 bytes of salt; a nonce of 12 bytes; the text; a tag of 16 bytes.
// Everything before the nonce, the first line included, is authenticated with the text.

internal import CCrypto

/// What a secret is sealed with.
public enum Seal: Sendable {
    /// 32 bytes.
    case key(SecretBytes)
    case passphrase(SecretBytes)

    /// From the 64 hex digits of a key's file.
    public init(keyFile bytes: [UInt8]) throws(SigningError) {
        let text = String(decoding: bytes, as: UTF8.self)
        let digits = text.filter { !$0.isWhitespace }
        guard digits.utf8.count == 64, let key = [UInt8](lowercaseHex: digits) else {
            throw SigningError("it is no key: 64 hex digits are expected, as `sidelight secret key` writes them")
        }
        self = .key(SecretBytes(key))
    }
}

public enum SealedText {
    /// Of what is sealed.
    public static let bytesMax = 1 << 20
    /// Of a file.
    public static let fileBytesMax = 4 * bytesMax

    private static let firstLine = Array("sidelight sealed 1\n".utf8)
    private static let digitsPerLine = 64
    private static let nonceBytes = 12, tagBytes = 16, saltBytes = 16

    /// What scrypt costs: N = 2^15, r = 8, p = 3 take 32 MiB and some 0.2 s (OWASP's advice of 2025).
    private static let cost = Cost(logN: 15, r: 8, p: 3)
    /// A file may ask for more, but not for what no machine has.
    private static let memoryBytesMax: UInt64 = 256 << 20

    private struct Cost {
        var logN: UInt8
        var r: UInt8
        var p: UInt8

        var isPossible: Bool {
            (10...20).contains(logN) && (1...32).contains(r) && (1...16).contains(p)
                && 128 << UInt64(logN) * UInt64(r) <= memoryBytesMax
        }
    }

    /// The text of a file.
    public static func seal(_ plain: SecretBytes, with seal: Seal) throws(SigningError) -> [UInt8] {
        try CryptoLibrary.require()
        guard plain.count <= bytesMax else { throw SigningError("it has more than \(bytesMax) bytes") }
        var body: [UInt8]
        let key: SecretBytes
        switch seal {
        case .key(let given):
            body = [1]
            key = given
        case .passphrase(let passphrase):
            let salt = CryptoLibrary.random(saltBytes)
            body = [2, cost.logN, cost.r, cost.p] + salt
            key = try derive(passphrase, cost, salt)
        }
        let nonce = CryptoLibrary.random(nonceBytes)
        let header = firstLine + body
        var tag = [UInt8](repeating: 0, count: tagBytes)
        var made = false
        let sealed = [UInt8](unsafeUninitializedCapacity: plain.count) { room, count in
            made = plain.withBytes { plain in
                key.withPointer {
                    sl_crypto_seal($0, nonce, header, header.count, plain.baseAddress, plain.count, pointer(room), &tag)
                }
            }
            count = plain.count
        }
        guard made else { throw SigningError("libcrypto does not encrypt") }
        body += nonce + sealed + tag
        let digits = Array(body.hex.utf8)
        let lines = stride(from: 0, to: digits.count, by: digitsPerLine).map {
            Array(digits[$0..<min($0 + digitsPerLine, digits.count)]) + [UInt8(ascii: "\n")]
        }
        return firstLine + lines.joined()
    }

    /// Whether a file is one.
    public static func isSealed(_ file: [UInt8]) -> Bool { file.starts(with: firstLine) }

    /// What is sealed in the file.
    public static func open(_ file: [UInt8], with seal: Seal) throws(SigningError) -> SecretBytes {
        try CryptoLibrary.require()
        guard isSealed(file), file.count <= fileBytesMax else { throw SigningError("it is no sealed file") }
        let digits = file.dropFirst(firstLine.count).filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard let body = [UInt8](lowercaseHex: String(decoding: digits, as: UTF8.self)), let kind = body.first else {
            throw SigningError("it is broken: something else than hex digits is in it")
        }
        let headBytes = kind == 2 ? 4 + saltBytes : 1
        guard kind == 1 || kind == 2, body.count >= headBytes + nonceBytes + tagBytes else {
            throw SigningError("it is broken, or of a later version")
        }
        let key: SecretBytes
        switch (kind, seal) {
        case (1, .key(let given)): key = given
        case (2, .passphrase(let passphrase)):
            let cost = Cost(logN: body[1], r: body[2], p: body[3])
            guard cost.isPossible else { throw SigningError("it is broken: scrypt cannot have these parameters") }
            key = try derive(passphrase, cost, Array(body[4..<headBytes]))
        case (1, _): throw SigningError("it is sealed with a key file, not with a passphrase", isPassphrase: false)
        default: throw SigningError("it is sealed with a passphrase, not with a key file", isPassphrase: true)
        }
        let nonce = Array(body[headBytes..<headBytes + nonceBytes])
        let sealed = Array(body[(headBytes + nonceBytes)..<body.count - tagBytes])
        let tag = Array(body.suffix(tagBytes))
        let header = firstLine + body[..<headBytes]
        var isGood = false
        let plain = SecretBytes(count: max(sealed.count, 1)) { room in
            isGood = key.withPointer {
                sl_crypto_open($0, nonce, header, header.count, sealed, sealed.count, room, tag)
            }
        }
        guard isGood else {
            throw SigningError(
                "it cannot be opened: the \(kind == 1 ? "key" : "passphrase") is another, or the file was changed",
                isPassphrase: kind == 2)
        }
        return plain.prefix(sealed.count)
    }

    private static func derive(
        _ passphrase: SecretBytes, _ cost: Cost, _ salt: [UInt8]
    ) throws(SigningError) -> SecretBytes {
        var made = false
        let key = SecretBytes(count: 32) { room in
            made = passphrase.withBytes {
                sl_crypto_scrypt(
                    $0.baseAddress, $0.count, salt, salt.count, 1 << UInt64(cost.logN), UInt32(cost.r), UInt32(cost.p),
                    memoryBytesMax + 1 << 20, room)
            }
        }
        guard made else { throw SigningError("scrypt fails: there is too little memory") }
        return key
    }

    /// An empty buffer need not have an address.
    private static func pointer(_ room: UnsafeMutableBufferPointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        room.baseAddress ?? UnsafeMutablePointer(bitPattern: 1)!
    }
}
