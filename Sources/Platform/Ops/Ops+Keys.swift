internal import COpenSSL
internal import Engine

extension PlatformOps {
    /// The keys of Web Cryptography and what is done with them. A key is a Uint8Array that says where it lies; its numbers are sl_crypto.h's. What
    /// cannot be is null.
    /// keySecret(bytes), keyRandom(bits): secrets. keyDecode(kind, curve, format, bytes).
    /// keyOfRSA(n, e, d, p, q, dp, dq, qi): a public one without d. keyOfCurve(kind, curve, point, scalar): a private one.
    /// keyPublic(key): a private key's other half. keyEncode(key, format), keyPart(key, part): bytes. keyBits(key): how long it is.
    /// cryptoRun(operation, hash, curve, number, length, key, other, data, iv, extra): bytes, a key, or whether a signature is valid. A number: the id of a
    /// job on another thread, which comes back by `internal.jobs.ended(id, result)`; -1: there are too many.
    static let keys = [
        Op("keySecret") {
            let call = OpCall($0, $1)
            returns(call, sl_crypto_key_secret(bytes(call, 0)))
        },
        Op("keyRandom") {
            let call = OpCall($0, $1)
            returns(call, sl_crypto_key_random(call.integer(0)))
        },
        Op("keyDecode") {
            let call = OpCall($0, $1)
            let format = sl_crypto_format(UInt32(call.integer(2)))
            returns(call, sl_crypto_key_decode(kind(call, 0), curve(call, 1), format, bytes(call, 3)))
        },
        Op("keyOfRSA") {
            let call = OpCall($0, $1)
            let parts = (0..<Int(SL_CRYPTO_RSA_PARTS)).map { bytes(call, $0) }
            returns(call, sl_crypto_key_rsa(parts))
        },
        Op("keyOfCurve") {
            let call = OpCall($0, $1)
            returns(call, sl_crypto_key_private(kind(call, 0), curve(call, 1), bytes(call, 2), bytes(call, 3)))
        },
        Op("keyPublic") {
            let call = OpCall($0, $1)
            returns(call, key(call, 0).flatMap(sl_crypto_key_public))
        },
        Op("keyEncode") {
            let call = OpCall($0, $1)
            let format = sl_crypto_format(UInt32(call.integer(1)))
            var output = sl_crypto_output()
            guard let key = key(call, 0), sl_crypto_key_encode(key, format, &output) else { return call.returnsNull() }
            call.returns(call.realm.makeBytes(output))
        },
        Op("keyPart") {
            let call = OpCall($0, $1)
            let part = sl_crypto_part(UInt32(call.integer(1)))
            var output = sl_crypto_output()
            guard let key = key(call, 0), sl_crypto_key_part(key, part, &output) else { return call.returnsNull() }
            call.returns(call.realm.makeBytes(output))
        },
        Op("keyBits") {
            let call = OpCall($0, $1)
            call.returns(Double(key(call, 0).map(sl_crypto_key_bits) ?? 0))
        },
        Op("cryptoRun") {
            let call = OpCall($0, $1)
            var job = sl_crypto_job()
            job.operation = sl_crypto_operation(UInt32(call.integer(0)))
            job.hash = sl_crypto_hash(UInt32(call.integer(1)))
            job.curve = curve(call, 2)
            job.number = UInt64(call.integer(3))
            job.length = call.integer(4)
            job.key = key(call, 5)
            job.other = key(call, 6)
            job.data = bytes(call, 7)
            job.iv = bytes(call, 8)
            job.extra = bytes(call, 9)
            if job.isLong {
                let platform = call.platform
                return call.returns(Double(platform.jobs.start(job, end: platform.host.cryptoEnd()) ?? -1))
            }
            let isDone = sl_crypto_run(&job)
            call.returns(job.takeResult(isDone: isDone, in: call.realm))
        },
    ]

    private static func kind(_ call: OpCall, _ index: Int) -> sl_crypto_kind {
        sl_crypto_kind(UInt32(call.integer(index)))
    }
    private static func curve(_ call: OpCall, _ index: Int) -> sl_crypto_curve {
        sl_crypto_curve(UInt32(call.integer(index)))
    }

    /// Null when it is none, as of undefined.
    private static func bytes(_ call: OpCall, _ index: Int) -> sl_crypto_bytes {
        guard let bytes = call.bytes(index) else { return sl_crypto_bytes() }
        return sl_crypto_bytes(
            start: bytes.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }, count: bytes.count)
    }

    private static func key(_ call: OpCall, _ index: Int) -> OpaquePointer? {
        call.bytes(index).flatMap { sl_crypto_key_at($0.baseAddress, $0.count) }
    }

    private static func returns(_ call: OpCall, _ key: OpaquePointer?) {
        guard let key else { return call.returnsNull() }
        call.returns(call.realm.makeKey(key))
    }
}
