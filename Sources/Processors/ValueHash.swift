// SHA-256 is OpenSSL's, which is loaded when a rule asks for a hash: the agent does not link it, since that would cost
// each of its starts 4 ms (docs/adr/0008), and the one that libcurl brings is not there before the first export. See
// docs/adr/0015.

internal import Glibc

/// Why a processor could not be made. What the configuration can check it has checked.
public enum ProcessorError: Error, Hashable, Sendable, CustomStringConvertible {
    case noHashFunction(String)

    public var description: String {
        switch self {
        case .noHashFunction(let why):
            "hashing attributes needs OpenSSL's libcrypto, which cannot be loaded: \(why); install libssl3"
        }
    }
}

/// SHA-256 of values, or with a salt HMAC-SHA-256 (RFC 2104) with the salt as the key.
final class ValueHash {
    private typealias Digest =
        @convention(c) (
            UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?, OpaquePointer?,
            OpaquePointer?
        ) -> Int32
    private typealias HMAC =
        @convention(c) (
            OpaquePointer?, UnsafeRawPointer?, Int32, UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt8>?,
            UnsafeMutablePointer<UInt32>?
        ) -> UnsafeMutablePointer<UInt8>?
    private typealias Algorithm = @convention(c) () -> OpaquePointer?

    static let digestBytes = 32

    private let algorithm: OpaquePointer
    private let digest: Digest
    private let hmac: HMAC
    private let salt: [UInt8]

    /// - Parameter salt: empty: plain SHA-256.
    init(salt: String) throws(ProcessorError) {
        self.salt = Array(salt.utf8)
        guard
            let library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL)
                ?? dlopen("libcrypto.so.1.1", RTLD_NOW | RTLD_LOCAL)
        else { throw Self.failure() }
        // The library stays for the life of the process: its code may run at exit.
        guard let sha256 = dlsym(library, "EVP_sha256"), let digest = dlsym(library, "EVP_Digest"),
            let hmac = dlsym(library, "HMAC"),
            let algorithm = unsafeBitCast(sha256, to: Algorithm.self)()
        else { throw Self.failure() }
        self.algorithm = algorithm
        self.digest = unsafeBitCast(digest, to: Digest.self)
        self.hmac = unsafeBitCast(hmac, to: HMAC.self)
    }

    private static func failure() -> ProcessorError {
        .noHashFunction(dlerror().map { String(cString: $0) } ?? "no reason given")
    }

    /// 64 hex digits.
    func hex(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Self.digestBytes)
        // OpenSSL takes no null pointer for no bytes.
        var none: UInt8 = 0
        let isDone = withUnsafeBytes(of: &none) { none in
            let data = bytes.baseAddress ?? none.baseAddress!
            guard !salt.isEmpty else { return digest(data, bytes.count, &result, nil, algorithm, nil) == 1 }
            return hmac(
                algorithm, salt, Int32(salt.count), data.assumingMemoryBound(to: UInt8.self), bytes.count, &result, nil)
                != nil
        }
        precondition(isDone, "OpenSSL has no memory for a digest")
        let digits = Array("0123456789abcdef".utf8)
        return result.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
