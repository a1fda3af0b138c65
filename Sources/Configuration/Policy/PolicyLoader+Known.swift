// Names of what the platform has. One that it does not have allows nothing, which nobody means.

extension PolicyLoader {
    /// Modules that are built in. test_policy.py compares them with what the platform says.
    static let modules =
        ["sidelight", "@opentelemetry/api"]
        + [
            "assert", "assert/strict", "async_hooks", "buffer", "crypto", "diagnostics_channel", "events", "os", "path",
            "path/posix", "path/win32", "perf_hooks", "process", "punycode", "querystring", "string_decoder", "timers",
            "timers/promises", "url", "util", "util/types", "wasi",
        ].map { "node:" + $0 }

    /// Algorithms as decisions name them: Web Cryptography's, and digests that only node:crypto has.
    static let algorithms =
        [
            "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512", "HMAC", "AES-CBC", "AES-CTR",
            "AES-GCM", "AES-KW", "RSASSA-PKCS1-v1_5", "RSA-PSS", "RSA-OAEP", "ECDSA", "ECDH", "Ed25519", "X25519",
            "HKDF", "PBKDF2",
        ] + digests

    private static let digests = [
        "md4", "md5", "md5-sha1", "sha224", "sha512-224", "sha512-256", "sha3-224", "shake128", "shake256",
        "blake2b512", "blake2s256", "ripemd", "ripemd160", "rmd160", "sm3", "whirlpool",
    ]

    /// OpenSSL knows digests by the names of signatures, too: `RSA-SHA256`, `sha256WithRSAEncryption`.
    private static func isOldDigest(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.contains("withrsa") || name.hasPrefix("id-rsassa-") || name.hasPrefix("ssl3-")
            || ["sha", "md5", "ripemd", "sm3"].contains { name.hasPrefix("rsa-" + $0) }
    }

    static func warn(ofModule name: String, _ section: FileSection) {
        guard !isKnown(name, of: modules) else { return }
        let nearest = Spelling.nearest(name, of: modules)
        section.warning(
            "modules",
            "there is no built-in module \"\(name.shown)\""
                + (nearest.map { "; did you mean \"\($0)\"?" } ?? "; a file is named by its path, as in ./lib"))
    }

    static func warn(ofAlgorithm name: String, _ section: FileSection) {
        let isKnown = isKnown(name.lowercased(), of: algorithms.map { $0.lowercased() })
        guard !isKnown, !isOldDigest(name) else { return }
        // sha256 is SHA-256, whoever writes it.
        let nearest =
            algorithms.first { letters($0) == letters(name) }
            ?? Spelling.nearest(name, of: algorithms.map { $0.lowercased() })
            .flatMap { near in algorithms.first { $0.lowercased() == near } }
        section.warning(
            "crypto",
            "there is no algorithm \"\(name.shown)\"" + (nearest.map { "; did you mean \"\($0)\"?" } ?? ""))
    }

    private static func isKnown(_ name: String, of names: [String]) -> Bool {
        name.hasSuffix("*") ? names.contains { $0.hasPrefix(name.dropLast()) } : names.contains(name)
    }

    private static func letters(_ name: String) -> [UInt8] {
        name.lowercased().utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") }
    }
}
