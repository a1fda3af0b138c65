import Telemetry
import Testing

@testable import Processors

@Suite struct SecretScannerTests {
    // Only read.
    private nonisolated(unsafe) static let scanner = SecretScanner(
        Set(SecretKind.allCases), names: SecretNames(SecretNames.wellKnownParameters))

    /// The text with every secret as `<kind>`.
    private static func masked(_ text: String) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { bytes in
            var position = 0
            while let match = scanner.first(in: bytes, from: position) {
                precondition(match.range.lowerBound >= position && !match.range.isEmpty)
                result += bytes[position..<match.range.lowerBound]
                result += Array("<\(match.kind.rawValue)>".utf8)
                position = match.range.upperBound
            }
            result += bytes[position...]
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let jwt =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    private static let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\nabc\n-----END RSA PRIVATE KEY-----"

    static let secrets: [(text: String, masked: String)] = [
        ("4111111111111111", "<card>"), ("4111 1111 1111 1111", "<card>"), ("4111-1111-1111-1111", "<card>"),
        ("5555555555554444", "<card>"), ("2223003122003222", "<card>"), ("378282246310005", "<card>"),
        ("3782 822463 10005", "<card>"),
        ("6011111111111117", "<card>"), ("3530111333300000", "<card>"), ("30569309025904", "<card>"),
        ("4222222222222", "<card>"),
        ("jane.doe+test@mail.example.co.uk", "<email>"), ("a@b.cd", "<email>"), ("x_y-z%1@163.com", "<email>"),
        (jwt, "<jwt>"), ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0In0.", "<jwt>"),
        ("Bearer abcdef0123456789", "Bearer <token>"), ("bearer: A1b2C3d4.~+/==", "bearer: <token>"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "<token>"),
        ("github_pat_11ABCDEFG0123456789abcdef_xyz", "<token>"),
        ("glpat-0123456789abcdefABCD", "<token>"), ("xoxb-123456789012-abcdefABCDEF", "<token>"),
        ("AIzaSyA0123456789abcdefghijklmnopqrstuv", "<token>"),
        ("AKIAIOSFODNN7EXAMPLE", "<aws-key>"), ("ASIAIOSFODNN7EXAMPLE", "<aws-key>"), (pem, "<private-key>"),
        ("https://user:pass@example.com/x", "https://<url>@example.com/x"),
        ("redis://:p@ss@host:6379", "redis://<url>@host:6379"),
        ("https://example.com/x?token=abc&page=2", "https://example.com/x?token=<url>&page=2"),
        ("/x?page=2&X-Amz-Signature=ff00#top", "/x?page=2&X-Amz-Signature=<url>#top"),
        ("/x?apiKey=1&amp;password=2", "/x?apiKey=<url>&amp;password=<url>"),
    ]

    @Test(arguments: secrets.indices)
    func secretsAreFoundWhereverTheyStand(index: Int) {
        let secret = Self.secrets[index]
        #expect(Self.masked(secret.text) == secret.masked)
        for lead in 0..<9 {
            let before = String(repeating: "z", count: lead)
            #expect(Self.masked(before + " " + secret.text + " end") == before + " " + secret.masked + " end")
            #expect(
                Self.masked("{\"k\":\"" + before + "\",\"v\":\"" + secret.text + "\"}") == "{\"k\":\"" + before
                    + "\",\"v\":\"" + secret.masked + "\"}")
        }
    }

    @Test(arguments: [
        "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "123e4567-e89b-12d3-a456-426614174000",
        "44444444-4444-4444-8444-444444444448",
        "41111111-1111-1111-1111-111111111111", "1700000000000000000", "1700000000000",
        "2026-11-26T13:00:00.000000000Z", "2026-11-26 13:00:00",
        "4111111111111112", "0.4111111111111111", "4111111111111111.5", "x4111111111111111", "4111111111111111x",
        "41111111111111111111", "+4111111111111111",
        "4111-1111-1111-1111-1111", "4111-1111 1111 1111", "5105105105105101", "name@4.17.21.tgz", "user@host",
        "@scope/package", "a@b", "@", "@@@@@@@@@",
        "https://example.com/@name", "eyJ", "eyJhbGciOi", "eyJhbGciOiJIUzI1NiJ9.abc.def", "bearer of bad news",
        "Bearer", "bearer tokens are tokens",
        "forebearer 0123456789", "ghp_short", "xghp_0123456789abcdefghijABCDEFGHIJ012345", "xoxb-", "AKIAshort",
        "AKIAIOSFODNN7EXAMPLEX", "AKIAIOSFODNN7example",
        "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----",
        "/x?page=2&sort=token", "/x?token=", "?token", "a=b&c=d",
        "GET /users/{id}", "SELECT * FROM cards WHERE id = ?", "http://10.0.0.1:4318/v1/traces", "",
    ])
    func whatIsNoSecretStays(text: String) {
        #expect(Self.masked(text) == text)
        for lead in 0..<6 {
            let before = String(repeating: ".", count: lead) + " "
            #expect(Self.masked(before + text + " ") == before + text + " ")
        }
    }

    /// Ids and times in bulk: the most of what telemetry is made of.
    @Test func randomIdsAndTimesAreNoSecrets() {
        var generator = Generator(seed: 7)
        for _ in 0..<20_000 {
            let a = generator.bits()
            let b = generator.bits()
            let hex = TraceID(high: a, low: b).hex
            let parts = [
                hex.prefix(8), hex.dropFirst(8).prefix(4), hex.dropFirst(12).prefix(4), hex.dropFirst(16).prefix(4),
                hex.dropFirst(20),
            ]
            let uuid = parts.joined(separator: "-")
            let nanoseconds = "\(1_600_000_000_000_000_000 + a % 400_000_000_000_000_000)"
            // Sixteen decimal digits are a number whatever wrote them: one span id in two thousand.
            let span = SpanID(a).hex.contains { $0.isLetter } ? SpanID(a).hex : "0"
            for text in [
                hex, uuid, span, nanoseconds, String(nanoseconds.dropLast(3)), String(nanoseconds.dropLast(6)),
                "0.\(b)",
            ] {
                if Self.masked(text) != text { Issue.record("\(text) became \(Self.masked(text))") }
            }
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func textsOfManyPiecesAreMaskedPieceByPiece(seed: UInt64) {
        var generator = Generator(seed: seed)
        let plain = ["", "plain", "200 OK", "2026-11-26", "café", "12", "b", "e", "g", "A", "x", "user", "{id}", "GET"]
        for _ in 0..<1_000 {
            var text = ""
            var expected = ""
            for _ in 0..<generator.below(8) {
                let separator = generator.pick([" | ", "\n", "\", \"", " > "])
                if generator.chance(40) {
                    let secret = generator.pick(Self.secrets)
                    text += secret.text
                    expected += secret.masked
                } else {
                    let word = generator.pick(plain)
                    text += word
                    expected += word
                }
                text += separator
                expected += separator
            }
            if Self.masked(text) != expected { Issue.record("seed \(seed): \(text) became \(Self.masked(text))") }
        }
    }

    /// Any bytes: matches lie inside, rise, and the scan comes to its end. With long runs of what patterns begin with,
    /// in linear time: else this test would not end.
    @Test func anyBytesAreScanned() {
        var generator = Generator(seed: 11)
        let pieces = [
            "@", "eyJ", "eyJ.", "?a", "&token=", "bearer ", "4111", " 4", "-----BEGIN ", "PRIVATE KEY-----", "AKIA",
            "ghp_", "a@", "://", ".",
        ].map { Array($0.utf8) }
        for _ in 0..<5_000 {
            var bytes: [UInt8] = []
            for _ in 0..<generator.below(30) {
                if generator.chance(70) {
                    bytes += generator.pick(pieces)
                } else {
                    bytes.append(UInt8(generator.below(256)))
                }
            }
            scan(bytes)
        }
        for piece in pieces {
            scan(Array(repeatElement(piece, count: 500_000 / piece.count).joined()))
        }
    }

    private func scan(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var position = 0
            while let match = Self.scanner.first(in: bytes, from: position) {
                precondition(match.range.lowerBound >= position && match.range.upperBound > match.range.lowerBound)
                precondition(match.range.upperBound <= bytes.count)
                position = match.range.upperBound
            }
            _ = Self.scanner.firstParameter(in: bytes)
        }
    }
}

@Suite struct SecretNamesTests {
    private func contains(_ names: SecretNames, _ key: String) -> Bool {
        Array(key.utf8).withUnsafeBytes { names.contains($0) }
    }

    @Test(arguments: [
        "authorization", "Authorization", "http.request.header.authorization", "http.request.header.x-api-key",
        "http.request.header.x_api_key",
        "x-api-key", "apiKey", "API_KEY", "db.password", "password", "PASSWD", "client_secret", "clientSecret",
        "oauth.access_token", "accessToken",
        "http.response.header.set-cookie", "set_cookie", "token", "secret", "cookie",
    ])
    func wellKnownNamesAreSecret(key: String) {
        #expect(contains(SecretNames(SecretNames.wellKnown), key))
    }

    @Test(arguments: [
        "", ".", "a", "http.route", "gen_ai.usage.input_tokens", "token.type", "password.length", "secretary",
        "authorization.result", "cookies", "n", "on",
        "http.request.header.content_type", "description", "key", "enduser.id",
    ])
    func otherNamesAreNot(key: String) {
        #expect(!contains(SecretNames(SecretNames.wellKnown), key))
    }

    @Test func configuredNamesAreComparedByPartWholeOrPattern() {
        let names = SecretNames([
            "ssn", "user.birth-day", "internal.*", "*_hidden", "a-name-that-is-much-longer-than-thirty-two-bytes", "q",
        ])
        for key in [
            "ssn", "user.SSN", "user.birthDay", "USER.birth_day", "Internal.x", "x_HIDDEN",
            "a-name-that-is-much-longer-than-thirty-two-bytes", "q", "a.Q",
        ] {
            #expect(contains(names, key), "\(key)")
        }
        for key in ["ssn.x", "birth_day", "internal", "hidden", "other", "qq"] {
            #expect(!contains(names, key), "\(key)")
        }
    }
}

@Suite struct TextPatternTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("a", "a", true), ("a", "ab", false), ("*", "", true), ("**", "abc", true),
        ("a*", "abc", true), ("a*", "ba", false),
        ("*c", "abc", true), ("*c", "cb", false), ("*b*", "abc", true), ("*b*", "ac", false), ("a*c", "abc", true),
        ("a*c", "ac", true), ("a*a", "a", false),
        ("a*b*c", "aXbXc", true), ("a*b*c", "aXc", false), ("*a*b", "xaxb", true), ("*ab*ab*", "ab ab", true),
        ("*ab*ab*", "abab", true), ("*ab*ab*", "aba", false),
        ("a**c", "abc", true), ("GET /users/*", "GET /users/1", true),
    ])
    func starsStandForAnything(pattern: String, text: String, isMatch: Bool) {
        #expect(Array(text.utf8).withUnsafeBytes { TextPattern(glob: pattern).matches($0) } == isMatch)
    }

    @Test func agreesWithASlowMatcher() {
        func slow(_ pattern: Substring, _ text: Substring) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == "*" {
                return slow(pattern.dropFirst(), text) || !text.isEmpty && slow(pattern, text.dropFirst())
            }
            return text.first == first && slow(pattern.dropFirst(), text.dropFirst())
        }
        var generator = Generator(seed: 5)
        for _ in 0..<20_000 {
            let pattern = String(generator.many(7) { $0.pick(["a", "b", "*"] as [Character]) })
            let text = String(generator.many(9) { $0.pick(["a", "b"] as [Character]) })
            #expect(
                Array(text.utf8).withUnsafeBytes { TextPattern(glob: pattern).matches($0) }
                    == slow(pattern[...], text[...]), "\(pattern) \(text)")
        }
    }
}
