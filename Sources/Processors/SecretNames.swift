/// Names whose values are secret, compared without case, hyphens and underscores: `X-Api-Key`, `x_api_key` and
/// `xApiKey` are one name.
///
/// A name without a dot is compared with the last part of a key (behind its last dot), one with dots with the whole
/// key. `*` in a name stands for any bytes; such a name is compared with the whole key.
struct SecretNames {
    /// What names of headers, parameters and settings that hold secrets are called.
    static let wellKnown = [
        "authorization", "proxy_authorization", "cookie", "set_cookie", "api_key", "x_api_key", "password", "passwd",
        "passphrase", "secret", "token", "access_token", "refresh_token", "id_token", "auth_token", "x_auth_token",
        "bearer_token",
        "session_token", "csrf_token", "xsrf_token", "x_csrf_token", "x_xsrf_token", "x_amz_security_token",
        "client_secret",
        "secret_key", "secret_access_key", "aws_secret_access_key", "access_key", "private_key", "signing_key",
        "encryption_key",
        "credentials", "jwt",
    ]

    /// What signs a URL is as good as a password until it expires.
    static let wellKnownParameters =
        wellKnown + [
            "signature", "sig", "x_amz_signature", "x_amz_credential", "x_goog_signature", "x_goog_credential",
            "aws_access_key_id",
        ]

    /// A name of up to 32 bytes, folded.
    private typealias Folded = SIMD4<UInt64>
    static let foldedBytesMax = 32

    private struct Table {
        /// By the number of their bytes; a name of n is among `starts[n]` ..< `starts[n + 1]`.
        private var names: [Folded] = []
        private var starts = [Int](repeating: 0, count: foldedBytesMax + 2)

        var isEmpty: Bool { names.isEmpty }

        init(_ names: [(name: Folded, count: Int)]) {
            for count in 0...foldedBytesMax {
                starts[count] = self.names.count
                for (name, length) in names where length == count && !self.names[starts[count]...].contains(name) {
                    self.names.append(name)
                }
            }
            starts[foldedBytesMax + 1] = self.names.count
        }

        func contains(_ name: (name: Folded, count: Int)) -> Bool {
            for index in starts[name.count]..<starts[name.count + 1] where names[index] == name.name { return true }
            return false
        }
    }

    private let lastParts: Table
    private let wholes: Table
    private var patterns: [TextPattern] = []
    /// A bit for each pair of last letters that a name has, by their lowest five bits. Most keys are sorted out here.
    private var endings = [UInt32](repeating: 0, count: 32)

    init(_ names: [String]) {
        var lastParts: [(name: Folded, count: Int)] = []
        var wholes: [(name: Folded, count: Int)] = []
        for name in names {
            if name.utf8.contains(0x2A) {
                patterns.append(TextPattern(glob: String(decoding: name.utf8.map(ByteClass.lowercased), as: UTF8.self)))
                continue
            }
            let bytes = Array(name.utf8)
            let folded = bytes.withUnsafeBytes { Self.fold($0) }
            guard let folded else {
                patterns.append(TextPattern(glob: String(decoding: bytes.map(ByteClass.lowercased), as: UTF8.self)))
                continue
            }
            guard folded.count > 0 else { continue }
            if name.utf8.contains(0x2E) { wholes.append(folded) } else { lastParts.append(folded) }
            let kept = bytes.filter { $0 != 0x2D && $0 != 0x5F }
            let last = Int(kept[kept.count - 1] & 31)
            if kept.count == 1 {
                endings[last] = .max
            } else {
                endings[last] |= 1 << UInt32(kept[kept.count - 2] & 31)
            }
        }
        self.lastParts = Table(lastParts)
        self.wholes = Table(wholes)
    }

    /// Whether the value of an attribute with this key is secret.
    @inline(__always)
    func contains(_ key: UnsafeRawBufferPointer) -> Bool {
        let count = key.count
        guard count > 0 else { return false }
        let last = endings[Int(key[count &- 1] & 31)]
        let isCandidate = count == 1 ? last != 0 : last & 1 << UInt32(key[count &- 2] & 31) != 0 || last == .max
        return isCandidate && isNamed(key) || !patterns.isEmpty && isMatched(key)
    }

    @inline(never)
    private func isNamed(_ key: UnsafeRawBufferPointer) -> Bool {
        var start = key.count
        while start > 0, key[start - 1] != 0x2E { start -= 1 }
        if let part = Self.fold(UnsafeRawBufferPointer(rebasing: key[start...])), lastParts.contains(part) {
            return true
        }
        guard !wholes.isEmpty, let whole = Self.fold(key) else { return false }
        return wholes.contains(whole)
    }

    /// Keys that are compared with patterns are cut here: names of attributes are short.
    private static let patternKeyBytesMax = 256

    @inline(never)
    private func isMatched(_ key: UnsafeRawBufferPointer) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: Self.patternKeyBytesMax, alignment: 1) { lower in
            let count = min(key.count, Self.patternKeyBytesMax)
            for index in 0..<count { lower[index] = ByteClass.lowercased(key[index]) }
            let text = UnsafeRawBufferPointer(start: lower.baseAddress!, count: count)
            return patterns.contains { $0.matches(text) }
        }
    }

    /// Nil when more than 32 bytes are left.
    private static func fold(_ name: UnsafeRawBufferPointer) -> (name: Folded, count: Int)? {
        var folded = Folded.zero
        var count = 0
        for byte in name where byte != 0x2D && byte != 0x5F {
            guard count < foldedBytesMax else { return nil }
            folded[count >> 3] |= UInt64(ByteClass.lowercased(byte)) << UInt64((count & 7) * 8)
            count += 1
        }
        return (folded, count)
    }
}
