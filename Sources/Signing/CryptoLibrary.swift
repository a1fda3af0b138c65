internal import CCrypto

/// libcrypto, which is loaded when it is first needed.
public enum CryptoLibrary {
    /// Loads it, or says why it cannot be had.
    public static func require() throws(SigningError) {
        if let problem = sl_crypto_problem() { throw SigningError(String(cString: problem)) }
    }

    /// Bytes of the kernel's random numbers, for which it is not needed.
    public static func random(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, made in
            sl_crypto_random(room.baseAddress!, count)
            made = count
        }
    }
}

/// Why a key, a signature or a sealed file is of no use; for people.
public struct SigningError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// It is encrypted, and the passphrase is missing or another.
    public let isPassphrase: Bool

    init(_ description: String, isPassphrase: Bool = false) {
        self.description = description
        self.isPassphrase = isPassphrase
    }
}

/// Bytes that are overwritten when nobody needs them any more.
public final class SecretBytes: @unchecked Sendable {
    // @unchecked: written to in `init` and `deinit` only.
    private let memory: UnsafeMutableRawBufferPointer

    /// Takes them over; the array is overwritten where it is the only one that has them.
    public init(_ bytes: consuming [UInt8]) {
        memory = UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1), count: bytes.count)
        memory.copyBytes(from: bytes)
        bytes.withUnsafeMutableBytes { sl_crypto_cleanse($0.baseAddress, $0.count) }
    }

    init(count: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
        // An empty one has an address, too.
        memory = UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 1), count: count)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        body(memory.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }

    deinit {
        sl_crypto_cleanse(memory.baseAddress, memory.count)
        memory.baseAddress!.deallocate()
    }

    public var count: Int { memory.count }

    func prefix(_ count: Int) -> SecretBytes {
        SecretBytes(count: count) { room in
            if count > 0 { room.update(from: memory.baseAddress!.assumingMemoryBound(to: UInt8.self), count: count) }
        }
    }

    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(memory))
    }

    func withPointer<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        body(UnsafePointer(memory.baseAddress!.assumingMemoryBound(to: UInt8.self)))
    }
}
