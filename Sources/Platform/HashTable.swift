internal import COpenSSL

/// Digests and HMACs by OpenSSL: the algorithms a realm has asked for, and the computations it has under way. Used on
/// the isolate's thread.
final class HashTable {
    /// Computations under way at once; one takes about 500 bytes.
    static let openMax = 1 << 20

    enum Computation {
        case digest(OpaquePointer)
        case mac(OpaquePointer)
    }

    /// By number, which JavaScript keeps: to fetch an algorithm takes longer than to hash a short text.
    private var algorithms: [OpaquePointer] = []
    private var numbers: [String: Int] = [:]
    private var computations: [Computation?] = []
    private var free: [Int] = []
    private lazy var hmac: OpaquePointer? = EVP_MAC_fetch(nil, "HMAC", nil)
    /// Used again for every digest in one call.
    private lazy var scratch = EVP_MD_CTX_new()

    deinit {
        for computation in computations { computation.map(Self.release) }
        for algorithm in algorithms { EVP_MD_free(algorithm) }
        if !algorithms.isEmpty {
            EVP_MAC_free(hmac)
            EVP_MD_CTX_free(scratch)
        }
    }

    /// The number of an algorithm; nil when OpenSSL has none of that name.
    func number(_ name: String) -> Int? {
        if let number = numbers[name] { return number }
        guard let algorithm = HashTable.fetch(name) else {
            ERR_clear_error()
            return nil
        }
        algorithms.append(algorithm)
        numbers[name] = algorithms.count - 1
        return algorithms.count - 1
    }

    /// Of OpenSSL's providers, which know no names as old as RSA-SHA256: those lead to the digest's own. The caller frees it; nil leaves an error in OpenSSL's queue.
    static func fetch(_ name: UnsafePointer<CChar>) -> OpaquePointer? {
        if let algorithm = EVP_MD_fetch(nil, name, nil) { return algorithm }
        guard let known = EVP_get_digestbyname(name), let ownName = EVP_MD_get0_name(known) else { return nil }
        return EVP_MD_fetch(nil, ownName, nil)
    }

    private func algorithm(_ number: Int) -> OpaquePointer? {
        algorithms.indices.contains(number) ? algorithms[number] : nil
    }

    /// Bytes of a digest, and of the blocks it works on.
    func sizes(_ number: Int) -> (digest: Int, block: Int)? {
        guard let algorithm = algorithm(number) else { return nil }
        return (Int(EVP_MD_get_size(algorithm)), Int(EVP_MD_get_block_size(algorithm)))
    }

    /// One of an extendable function (SHAKE), whose digests have the length one asks for.
    private func isExtendable(_ algorithm: OpaquePointer) -> Bool {
        EVP_MD_get_flags(algorithm) & UInt(EVP_MD_FLAG_XOF) != 0
    }

    /// The digest of all at once.
    func digest(_ number: Int, _ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let algorithm = algorithm(number), let scratch, EVP_DigestInit_ex2(scratch, algorithm, nil) == 1,
            EVP_DigestUpdate(scratch, bytes.baseAddress, bytes.count) == 1
        else { return failed() }
        return finish(scratch, length: nil)
    }

    /// The HMAC of all at once.
    func mac(_ number: Int, key: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let context = makeMAC(number, key: key) else { return failed() }
        defer { EVP_MAC_CTX_free(context) }
        guard EVP_MAC_update(context, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count) == 1 else {
            return failed()
        }
        return finishMAC(context)
    }

    // MARK: In pieces

    /// A computation's id; nil when there are too many, or the algorithm cannot do it.
    /// - Parameter key: of an HMAC; nil for a digest.
    func open(_ number: Int, key: UnsafeRawBufferPointer?) -> Int? {
        guard computations.count - free.count < Self.openMax else { return nil }
        if let key {
            guard let context = makeMAC(number, key: key) else { return failed() }
            return keep(.mac(context))
        }
        guard let algorithm = algorithm(number), let context = EVP_MD_CTX_new() else { return failed() }
        guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            EVP_MD_CTX_free(context)
            return failed()
        }
        return keep(.digest(context))
    }

    func update(_ id: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        switch computation(id) {
        case .digest(let context): EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
        case .mac(let context):
            EVP_MAC_update(context, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count) == 1
        case nil: false
        }
    }

    /// The result; the id is free afterwards.
    /// - Parameter length: bytes; nil: the algorithm's own. Others only of an extendable function.
    func finish(_ id: Int, length: Int?) -> [UInt8]? {
        defer { close(id) }
        switch computation(id) {
        case .digest(let context): return finish(context, length: length)
        case .mac(let context): return finishMAC(context)
        case nil: return nil
        }
    }

    func copy(_ id: Int) -> Int? {
        guard computations.count - free.count < Self.openMax else { return nil }
        switch computation(id) {
        case .digest(let context):
            guard let copy = EVP_MD_CTX_new() else { return failed() }
            guard EVP_MD_CTX_copy_ex(copy, context) == 1 else {
                EVP_MD_CTX_free(copy)
                return failed()
            }
            return keep(.digest(copy))
        case .mac(let context): return EVP_MAC_CTX_dup(context).map { keep(.mac($0)) }
        case nil: return nil
        }
    }

    func close(_ id: Int) {
        guard let computation = computation(id) else { return }
        Self.release(computation)
        computations[id] = nil
        free.append(id)
    }

    // MARK: Parts

    private func computation(_ id: Int) -> Computation? { computations.indices.contains(id) ? computations[id] : nil }

    private func keep(_ computation: Computation) -> Int {
        if let id = free.popLast() {
            computations[id] = computation
            return id
        }
        computations.append(computation)
        return computations.count - 1
    }

    private static func release(_ computation: Computation) {
        switch computation {
        case .digest(let context): EVP_MD_CTX_free(context)
        case .mac(let context): EVP_MAC_CTX_free(context)
        }
    }

    private func makeMAC(_ number: Int, key: UnsafeRawBufferPointer) -> OpaquePointer? {
        guard let algorithm = algorithm(number), let hmac, let context = EVP_MAC_CTX_new(hmac) else { return nil }
        let name = UnsafeMutablePointer(mutating: EVP_MD_get0_name(algorithm))
        // A pointer even for a key of no bytes: null would mean "the key from before".
        let bytes = key.assumingMemoryBound(to: UInt8.self).baseAddress
        var nothing: UInt8 = 0
        let started = withUnsafeMutablePointer(to: &nothing) { nothing in
            var parameters = [OSSL_PARAM_construct_utf8_string("digest", name, 0), OSSL_PARAM_construct_end()]
            return EVP_MAC_init(context, bytes ?? UnsafePointer(nothing), key.count, &parameters) == 1
        }
        guard started else {
            EVP_MAC_CTX_free(context)
            return nil
        }
        return context
    }

    private func finish(_ context: OpaquePointer, length: Int?) -> [UInt8]? {
        guard let algorithm = EVP_MD_CTX_get0_md(context) else { return nil }
        let own = Int(EVP_MD_get_size(algorithm))
        let wanted = length ?? own
        if isExtendable(algorithm), wanted != own || own == 0 {
            let result = [UInt8](unsafeUninitializedCapacity: wanted) { target, count in
                count = wanted == 0 || EVP_DigestFinalXOF(context, target.baseAddress, wanted) == 1 ? wanted : 0
            }
            return result.count == wanted ? result : failed()
        }
        guard wanted == own else { return nil }
        let result = [UInt8](unsafeUninitializedCapacity: max(own, Int(EVP_MAX_MD_SIZE))) { target, count in
            count = EVP_DigestFinal_ex(context, target.baseAddress, nil) == 1 ? own : 0
        }
        return result.count == own ? result : failed()
    }

    private func finishMAC(_ context: OpaquePointer) -> [UInt8]? {
        let size = EVP_MAC_CTX_get_mac_size(context)
        let result = [UInt8](unsafeUninitializedCapacity: size) { target, count in
            count = EVP_MAC_final(context, target.baseAddress, &count, size) == 1 ? size : 0
        }
        return result.count == size ? result : failed()
    }

    /// OpenSSL keeps a list of errors a thread; TLS would find ours there.
    private func failed<T>() -> T? {
        ERR_clear_error()
        return nil
    }
}
