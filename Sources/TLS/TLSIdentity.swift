// What a server shows of itself: its certificate with the chain to whoever signed it, and its private key, from PEM text.

internal import COpenSSL
internal import Glibc

/// Why a certificate or a key cannot be used; for people.
public struct TLSProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which of the two files is to be looked at.
    public enum Source: String, Sendable {
        case certificate, key
    }

    public let source: Source
    public let description: String

    init(_ source: Source, _ description: String) {
        self.source = source
        self.description = description
    }

    /// With what OpenSSL says last about the cause.
    static func openSSL(_ source: Source, _ description: String) -> TLSProblem {
        guard let reason = OpenSSLError.take() else { return TLSProblem(source, description) }
        return TLSProblem(source, "\(description): \(reason)")
    }
}

/// A certificate with its chain and key. One thread.
public final class TLSIdentity {
    /// Certificates of a chain that are read.
    static let chainMax = 16

    let certificate: OpaquePointer
    let chain: [OpaquePointer]
    let key: OpaquePointer

    /// - Parameters:
    ///   - certificate: PEM; the server's own certificate first, then those that lead to the root, in order.
    ///   - key: PEM, without a passphrase: RSA, ECDSA or Ed25519.
    public init(certificate: [UInt8], key: [UInt8]) throws(TLSProblem) {
        let certificates = try Self.certificates(certificate)
        let found: OpaquePointer
        do throws(TLSProblem) {
            found = try Self.privateKey(key)
        } catch {
            for certificate in certificates { X509_free(certificate) }
            throw error
        }
        self.certificate = certificates[0]
        chain = Array(certificates.dropFirst())
        self.key = found
        // With all properties set, deinit frees them when this throws.
        ERR_clear_error()
        guard X509_check_private_key(self.certificate, found) == 1 else {
            ERR_clear_error()
            throw TLSProblem(.key, "it is not the key of the certificate")
        }
    }

    deinit {
        X509_free(certificate)
        for certificate in chain { X509_free(certificate) }
        EVP_PKEY_free(key)
    }

    /// What is odd about it and does not keep it from being used.
    public var warnings: [TLSProblem] {
        var now = time(nil)
        if X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0 {
            let end = Self.text(X509_get0_notAfter(certificate))
            return [TLSProblem(.certificate, "it has expired (on \(end)); clients will refuse it")]
        }
        if X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0 {
            return [TLSProblem(.certificate, "it is not valid before \(Self.text(X509_get0_notBefore(certificate)))")]
        }
        return []
    }

    // MARK: PEM

    private static func reading<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result) -> Result {
        ERR_clear_error()
        return bytes.withUnsafeBytes { bytes in
            // Of no text nothing is read.
            let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
            guard let bio = BIO_new_mem_buf(start, Int32(bytes.count)) else { preconditionFailure("no memory") }
            defer { BIO_free(bio) }
            return body(bio)
        }
    }

    private static func certificates(_ text: [UInt8]) throws(TLSProblem) -> [OpaquePointer] {
        var found: [OpaquePointer] = []
        let isWhole = reading(text) { bio in
            while found.count <= chainMax, let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
                found.append(certificate)
            }
            // The end of the text is an error to it, too.
            return sl_error_is_no_pem(ERR_peek_last_error())
        }
        var problem: TLSProblem?
        if found.count > chainMax {
            problem = TLSProblem(.certificate, "it has more than \(chainMax) certificates")
        } else if !isWhole {
            problem = .openSSL(.certificate, "its certificate number \(found.count + 1) cannot be read")
        } else if found.isEmpty {
            problem = TLSProblem(.certificate, "there is no PEM certificate in it (-----BEGIN CERTIFICATE-----)")
        }
        ERR_clear_error()
        guard let problem else { return found }
        for certificate in found { X509_free(certificate) }
        throw problem
    }

    private static func privateKey(_ text: [UInt8]) throws(TLSProblem) -> OpaquePointer {
        guard text.firstRange(of: Array("PRIVATE KEY-----".utf8)) != nil else {
            throw TLSProblem(.key, "there is no PEM private key in it (-----BEGIN PRIVATE KEY-----)")
        }
        var isEncrypted = false
        let key = reading(text) { bio in
            // Asked for a passphrase, it gives none: nobody is asked on a terminal.
            PEM_read_bio_PrivateKey(
                bio, nil,
                { (_, _, _, flag) in
                    flag?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, &isEncrypted)
        }
        if let key {
            ERR_clear_error()
            return key
        }
        defer { ERR_clear_error() }
        if isEncrypted {
            throw TLSProblem(.key, "it is encrypted; decrypt it first: openssl pkey -in FILE -out NEW")
        }
        throw .openSSL(.key, "it cannot be read")
    }

    private static func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return "?" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)) UTC"
    }
}

/// OpenSSL's errors of this thread.
enum OpenSSLError {
    /// The reason of the last one, in OpenSSL's words; the others are forgotten.
    static func take() -> String? {
        let code = ERR_peek_last_error()
        defer { ERR_clear_error() }
        guard code != 0 else { return nil }
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(String(code, radix: 16))"
    }
}
