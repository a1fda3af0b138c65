internal import COpenSSL
public import Engine

/// What is to be done on another thread, with copies of all it needs. Secrets among them are overwritten at the end.
public final class CryptoJob: @unchecked Sendable {
    // @unchecked: one thread has it at a time: the isolate's, one of the pool, the isolate's again.
    public let id: Int
    private var job: sl_crypto_job
    private var copies: [UnsafeMutableRawBufferPointer] = []
    private var isDone = false
    /// What it took.
    public internal(set) var cpuNanoseconds = 0.0
    private let cancellation: Cancellation

    /// Bytes that it holds.
    var byteCount: Int { copies.reduce(0) { $0 + $1.count } }

    init(_ id: Int, _ original: sl_crypto_job, _ cancellation: Cancellation) {
        self.id = id
        self.cancellation = cancellation
        job = original
        job.cancelled = UnsafePointer(cancellation.flag)
        job.data = copy(original.data)
        job.iv = copy(original.iv)
        job.extra = copy(original.extra)
        for key in [job.key, job.other] { key.map(sl_crypto_key_retain) }
    }

    deinit {
        for copy in copies {
            OPENSSL_cleanse(copy.baseAddress, copy.count)
            copy.deallocate()
        }
        for key in [job.key, job.other, job.made] { key.map(sl_crypto_key_release) }
        sl_crypto_output_free(job.output)
    }

    private func copy(_ bytes: sl_crypto_bytes) -> sl_crypto_bytes {
        guard let start = bytes.start, bytes.count > 0 else { return sl_crypto_bytes() }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        copy.copyMemory(from: UnsafeRawBufferPointer(start: start, count: bytes.count))
        copies.append(copy)
        return sl_crypto_bytes(start: copy.baseAddress!.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }

    /// On any thread.
    func run() { isDone = !cancellation.isCancelled && sl_crypto_run(&job) }

    /// What came of it, as `cryptoRun` gives it. Once, on the isolate's thread.
    public func result(in realm: Realm) -> Value { job.takeResult(isDone: isDone, in: realm) }

    /// Tells the jobs of an isolate that nobody waits for them any more.
    final class Cancellation: @unchecked Sendable {
        // @unchecked: the flag is read and written by atomic operations alone.
        fileprivate let flag = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

        init() { flag.initialize(to: 0) }
        deinit { flag.deallocate() }

        var isCancelled: Bool { sl_crypto_is_cancelled(flag) }
        func cancel() { sl_crypto_cancel(flag) }
    }
}

extension sl_crypto_job {
    /// Key or bytes as a Uint8Array, whether a signature is valid, or null: it has failed.
    mutating func takeResult(isDone: Bool, in realm: Realm) -> Value {
        guard isDone else { return .null(in: realm.isolate) }
        switch operation {
        case SL_CRYPTO_PKCS1_VERIFY, SL_CRYPTO_PSS_VERIFY, SL_CRYPTO_ECDSA_VERIFY, SL_CRYPTO_EDDSA_VERIFY:
            return .bool(is_valid, in: realm.isolate)
        case SL_CRYPTO_GENERATE, SL_CRYPTO_GENERATE_RSA:
            defer { made = nil }
            return realm.makeKey(made!)
        default:
            defer { output = sl_crypto_output() }
            return realm.makeBytes(output)
        }
    }

    /// Longer than some 0.2 ms on an ordinary core, which is when another thread pays.
    var isLong: Bool {
        let bytesAtOnceMax = 256 << 10
        let roundsAtOnceMax = 500
        let publicBitsAtOnceMax = 4096
        if data.count + extra.count > bytesAtOnceMax { return true }
        switch operation {
        case SL_CRYPTO_GENERATE_RSA, SL_CRYPTO_OAEP_DECRYPT, SL_CRYPTO_PKCS1_SIGN, SL_CRYPTO_PSS_SIGN: return true
        case SL_CRYPTO_OAEP_ENCRYPT, SL_CRYPTO_PKCS1_VERIFY, SL_CRYPTO_PSS_VERIFY:
            return key.map(sl_crypto_key_bits) ?? 0 > publicBitsAtOnceMax
        case SL_CRYPTO_ECDSA_SIGN, SL_CRYPTO_ECDSA_VERIFY, SL_CRYPTO_AGREE:
            return key.map { sl_crypto_key_kind($0) == SL_CRYPTO_EC && sl_crypto_key_bits($0) > 256 } ?? false
        case SL_CRYPTO_GENERATE: return curve == SL_CRYPTO_P384 || curve == SL_CRYPTO_P521
        case SL_CRYPTO_PBKDF2:
            return withUnsafePointer(to: self, sl_crypto_job_rounds) > roundsAtOnceMax
        default: return false
        }
    }
}

extension Realm {
    /// Of a key JavaScript has the place where it lies, and nothing of what is secret.
    func makeKey(_ key: OpaquePointer) -> Value {
        let memory = UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(key), count: sl_crypto_key_size(key))
        return makeOwnedBytes(memory, shown: MemoryLayout<Int>.size) { memory, _ in
            sl_crypto_key_release(OpaquePointer(memory))
        }
    }

    /// Takes over the output's memory.
    func makeBytes(_ output: sl_crypto_output) -> Value {
        guard let start = output.start, output.count > 0 else {
            sl_crypto_output_free(output)
            return makeUint8Array(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let memory = UnsafeMutableRawBufferPointer(start: start, count: output.count)
        return makeOwnedBytes(memory, shown: memory.count) { memory, length in
            sl_crypto_output_free(
                sl_crypto_output(start: memory.assumingMemoryBound(to: UInt8.self), count: length))
        }
    }
}
