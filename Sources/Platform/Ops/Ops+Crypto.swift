internal import COpenSSL
internal import Engine

extension PlatformOps {
    /// Digests and HMACs. `data` is bytes, or a text that stands for its UTF-8. A result is a Uint8Array, null when
    /// OpenSSL refuses.
    /// hashNumber(name): the algorithm's number, -1 when there is none. hashSizes(number): bytes of a digest * 2^16 +
    /// bytes of a block.
    /// hash(number, data), hmac(number, key, data): all at once.
    /// hashOpen(number, key | undefined): an id, -1 when there are too many or the algorithm has no HMAC.
    /// hashUpdate(id, data). hashFinish(id, length | undefined) frees the id,
    /// as hashClose(id) does. hashCopy(id): another id, -1.
    /// equalBytes(a, b): in a time that does not depend on what they hold. hashNames(): what OpenSSL has, joined by
    /// line feeds.
    static let crypto = [
        Op("hashNumber") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.hashes.number(call.string(0)) ?? -1))
        },
        Op("hashSizes") {
            let call = OpCall($0, $1)
            guard let sizes = call.platform.hashes.sizes(call.integer(0, nan: -1)) else { return call.returns(0) }
            call.returns(Double(sizes.digest << 16 | sizes.block))
        },
        Op("hash") {
            let call = OpCall($0, $1)
            let hashes = call.platform.hashes
            returns(call, withData(call, 1) { hashes.digest(call.integer(0, nan: -1), $0) })
        },
        Op("hmac") {
            let call = OpCall($0, $1)
            let hashes = call.platform.hashes
            let key = UnsafeRawBufferPointer(call.bytes(1) ?? .init(start: nil, count: 0))
            returns(call, withData(call, 2) { hashes.mac(call.integer(0, nan: -1), key: key, $0) })
        },
        Op("hashOpen") {
            let call = OpCall($0, $1)
            let key = call.bytes(1).map { UnsafeRawBufferPointer($0) }
            call.returns(Double(call.platform.hashes.open(call.integer(0, nan: -1), key: key) ?? -1))
        },
        Op("hashUpdate") {
            let call = OpCall($0, $1)
            let hashes = call.platform.hashes
            call.returns(withData(call, 1) { hashes.update(call.integer(0, nan: -1), $0) })
        },
        Op("hashFinish") {
            let call = OpCall($0, $1)
            let length = call.isNullOrUndefined(1) ? nil : call.integer(1)
            returns(call, call.platform.hashes.finish(call.integer(0, nan: -1), length: length))
        },
        Op("hashCopy") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.hashes.copy(call.integer(0, nan: -1)) ?? -1))
        },
        Op("hashClose") {
            let call = OpCall($0, $1)
            call.platform.hashes.close(call.integer(0, nan: -1))
        },
        Op("equalBytes") {
            let call = OpCall($0, $1)
            guard let a = call.bytes(0), let b = call.bytes(1), a.count == b.count else { return call.returns(false) }
            guard let first = a.baseAddress, let second = b.baseAddress else { return call.returns(true) }
            call.returns(CRYPTO_memcmp(first, second, a.count) == 0)
        },
        Op("hashNames") { OpCall($0, $1).returns(digestNames().joined(separator: "\n")) },
    ]

    private static func withData<R>(_ call: OpCall, _ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        if call.isString(index) { return call.withUTF8(index, body) }
        return body(UnsafeRawBufferPointer(call.bytes(index) ?? .init(start: nil, count: 0)))
    }

    private static func returns(_ call: OpCall, _ bytes: [UInt8]?) {
        guard let bytes else { return call.returnsNull() }
        call.returns(bytes.withUnsafeBytes(call.realm.makeUint8Array))
    }

    /// Sorted: the names OpenSSL has always listed, as Node lists them, of what its providers can do.
    private static func digestNames() -> [String] {
        final class Names {
            var all: [String] = []
        }
        let names = Names()
        EVP_MD_do_all_sorted(
            { _, name, _, context in
                guard let name, let context, let algorithm = HashTable.fetch(name) else { return }
                EVP_MD_free(algorithm)
                Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all.append(String(cString: name))
            }, Unmanaged.passUnretained(names).toOpaque())
        ERR_clear_error()
        return names.all
    }
}
