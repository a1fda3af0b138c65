internal import Signing
internal import Telemetry
internal import Wire

/// The end of the chain, signed: what tells that entries were cut off there. Beside the log, in `head.json`.
struct AuditHead: Hashable {
    var number: UInt64
    var hash: Digest
    /// Unix nanoseconds.
    var time: UInt64
    var key: PublicKey
    var signature: Signature

    static let bytesMax = 4_096

    private static func message(_ number: UInt64, _ hash: Digest, _ time: String) -> [UInt8] {
        Array("sidelight audit head v1\n\(number)\n\(hash.hex)\n\(time)\n".utf8)
    }

    init(_ number: UInt64, _ hash: Digest, time: UInt64, _ key: SigningKey) throws(SigningError) {
        self.number = number
        self.hash = hash
        self.time = time
        self.key = key.publicKey
        signature = try key.sign(Self.message(number, hash, UnixTime.text(time, fractionDigits: 9)))
    }

    /// Nil: it is no head.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.bytesMax, let json = try? JSONValue(parsing: bytes),
            let number = json["seq"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let hash = json["hash"]?.string.flatMap({ Digest(hex: $0) }),
            let time = json["time"]?.string.flatMap({ UnixTime.nanoseconds(parsing: $0) }),
            let key = json["key"]?.string.flatMap({ PublicKey(hex: $0) }),
            let signature = json["signature"]?.string.flatMap({ Signature(hex: $0) })
        else { return nil }
        self.number = number
        self.hash = hash
        self.time = time
        self.key = key
        self.signature = signature
    }

    func isSigned(by key: PublicKey) -> Bool {
        key.isValid(signature, of: Self.message(number, hash, UnixTime.text(time, fractionDigits: 9)))
    }

    var bytes: [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.name("seq")
            json.integer(number)
            json.field("hash", hash.hex)
            json.field("time", UnixTime.text(time, fractionDigits: 9))
            json.field("key", key.hex)
            json.field("signature", signature.hex)
        }
        return json.bytes + [UInt8(ascii: "\n")]
    }
}

/// A signature in the chain itself, over all entries before it.
enum AuditSeal {
    static let action = "sign"
    static let keyName = "key", signatureName = "signature"

    static func message(_ number: UInt64, previous: Digest) -> [UInt8] {
        Array("sidelight audit seal v1\n\(number)\n\(previous.hex)\n".utf8)
    }

    static func event(
        _ number: UInt64, previous: Digest, time: UInt64, _ key: SigningKey
    ) throws(SigningError) -> AuditEvent {
        let signature = try key.sign(message(number, previous: previous))
        return AuditEvent(
            .integrity, time: time, action: action, outcome: "done",
            attributes: [
                Attribute(keyName, .string(key.publicKey.hex)), Attribute(signatureName, .string(signature.hex)),
            ])
    }

    /// Nil: the entry is no seal. Else whether it is this key's and good.
    static func isGood(_ entry: AuditEntry, _ key: PublicKey) -> Bool? {
        guard entry.event.kind == .integrity, entry.event.action == action else { return nil }
        guard let text = entry.event.attributes[signatureName]?.string, let signature = Signature(hex: text)
        else { return false }
        return key.isValid(signature, of: message(entry.number, previous: entry.previous))
    }
}
