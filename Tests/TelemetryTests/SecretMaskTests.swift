import Telemetry
import Testing

@Suite struct SecretMaskTests {
    private let mask = SecretMask([Array("hunter2-\"is\"-secret".utf8)])!

    @Test func theValueIsNotSaid() {
        #expect(mask.applied(to: "a hunter2-\"is\"-secret b") == "a ******************* b")
        #expect(mask.applied(to: "hunter2-\"is\"-secrethunter2-\"is\"-secret") == String(repeating: "*", count: 38))
        #expect(mask.applied(to: "hunter2-\"is\"-secre") == "hunter2-\"is\"-secre")
        #expect(mask.applied(to: "") == "")
    }

    @Test func otherFormsAreNotSaidEither() {
        #expect(mask.applied(to: #"{"p":"hunter2-\"is\"-secret"}"#) == #"{"p":"*********************"}"#)
        #expect(mask.applied(to: "?p=hunter2-%22is%22-secret&x") == "?p=***********************&x")
    }

    @Test func whatInspectMakesOfItIsNotSaid() {
        let mask = SecretMask([Array("it's\"a\\pass'word".utf8), Array("ctl\u{1}\u{8}\u{1B}secret".utf8)])!
        #expect(mask.applied(to: #"[ `it's"a\\pass'word` ]"#) == "[ `*****************` ]")
        #expect(mask.applied(to: #"'it\'s"a\\pass\'word'"#) == "'*******************'")
        #expect(mask.applied(to: #"'ctl\x01\b\x1Bsecret'"#) == "'*******************'")
        #expect(mask.applied(to: #""ctl\u0001\b\u001bsecret""#) == "\"***********************\"")
    }

    @Test func linesAreNotSaidEither() {
        let mask = SecretMask([Array("-----BEGIN KEY-----\r\nMIIEvQIB\nshort\n-----END KEY-----\n".utf8)])!
        #expect(mask.applied(to: "'MIIEvQIB\\n' +") == "'********\\n' +")
        #expect(mask.applied(to: "'short\\n' +") == "'short\\n' +")
    }

    @Test(arguments: [
        "my%20pass%20word%22%3Cx%3E%2F'%C3%A9%231", "my%20pass%20word%22%3Cx%3E/'%C3%A9#1",
        "my+pass+word%22%3Cx%3E%2F%27%C3%A9%231", "my%20pass%20word%22%3Cx%3E/'%C3%A9%231",
        "my%20pass%20word%22%3Cx%3E/%27%C3%A9%231",
    ]) func urlsDoNotSayIt(_ encoded: String) {
        let mask = SecretMask([Array("my pass word\"<x>/'é#1".utf8)])!
        #expect(mask.applied(to: encoded) == String(repeating: "*", count: encoded.utf8.count))
    }

    @Test func namesOfHostsDoNotSayIt() {
        let mask = SecretMask([Array("TokenSecretABC".utf8)])!
        #expect(mask.applied(to: "http://tokensecretabc.example/") == "http://**************.example/")
    }

    @Test func base64URLIsNotSaid() {
        let mask = SecretMask([Array("~~~>>>???~~~>>>???".utf8)])!
        #expect(mask.applied(to: "fn5-Pj4-Pz8_fn5-Pj4-Pz8_") == String(repeating: "*", count: 24))
    }

    /// Wherever it stands in the text that is encoded, however long it is: each digit that has a bit of it, and no other.
    @Test(arguments: 8...24) func base64IsNotSaid(_ length: Int) {
        for seed in 0..<8 {
            let value = (0..<length).map { UInt8(truncatingIfNeeded: ($0 + 1) * (seed * 34 + 37) + seed * 59 + 7) }
            let mask = SecretMask([value])!
            for before in 0...5 {
                for after in 0...3 {
                    let bytes = Array("user:".utf8.suffix(before)) + value + Array("!?!".utf8.prefix(after))
                    for (isURL, isPadded) in [(false, true), (false, false), (true, true), (true, false)] {
                        let encoded = Self.base64(bytes, isURL: isURL, isPadded: isPadded)
                        let expected = String(
                            encoded.enumerated().map { index, digit in
                                let isBefore = index * 6 + 6 <= before * 8
                                let isAfter = index * 6 >= (before + length) * 8 && (digit != "=" || after > 0)
                                return isBefore || isAfter ? digit : "*"
                            })
                        #expect(mask.applied(to: "c \(encoded)&d") == "c \(expected)&d", "\(value) \(before) \(after)")
                        #expect(mask.applied(to: encoded) == expected)
                    }
                }
            }
        }
    }

    /// What is masked of one hides no part of the other.
    @Test func neighboursInBase64AreNotSaid() {
        for length in 8...24 {
            let values = [UInt8(ascii: "a"), UInt8(ascii: "A")].map { first in (0..<UInt8(length)).map { first + $0 } }
            let mask = SecretMask(values)!
            for before in 0..<3 {
                let bytes = [UInt8](repeating: 0x3A, count: before) + values[0] + values[1] + values[0]
                let shown = mask.applied(to: Self.base64(bytes, isURL: false, isPadded: true))
                #expect(shown.filter { $0 != "*" }.count == before * 8 / 6, "\(length) \(before): \(shown)")
            }
        }
    }

    @Test func whatOnlyLooksLikeItsEndIsSaid() {
        let mask = SecretMask([Array("hunter2hunter2".utf8)])!
        #expect(mask.applied(to: "aHVudGVyMmh1bnRlcjI=") == String(repeating: "*", count: 20))
        #expect(mask.applied(to: "aHVudGVyMmh1bnRlcjI=,=") == String(repeating: "*", count: 20) + ",=")
        #expect(mask.applied(to: "aHVudGVyMmh1bnRlcjZ=") == String(repeating: "*", count: 18) + "Z=")
        #expect(mask.applied(to: "aHVudGVyMmh1bnRlcj") == String(repeating: "*", count: 18))
        #expect(mask.applied(to: "aHVudGVyMmh1bnRl") == "aHVudGVyMmh1bnRl")
    }

    @Test func whatOverlapsIsNotSaid() {
        let mask = SecretMask([
            Array("Sup3rSecretValue77".utf8), Array("Value77andMoreABC".utf8), Array("abababab".utf8),
        ])!
        #expect(mask.applied(to: "Sup3rSecretValue77andMoreABC!") == String(repeating: "*", count: 28) + "!")
        #expect(mask.applied(to: "ababababab!") == String(repeating: "*", count: 10) + "!")
    }

    @Test func shortValuesAreNotLookedFor() {
        #expect(SecretMask([Array("1234567".utf8), []]) == nil)
        #expect(SecretMask([]) == nil)
    }

    private static func base64(_ bytes: [UInt8], isURL: Bool, isPadded: Bool) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(isURL ? "-_" : "+/")")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = Array(bytes[start..<min(start + 3, bytes.count)])
            let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0...group.count { text.append(digits[word >> (18 - 6 * index) & 63]) }
            if isPadded { text += String(repeating: "=", count: 3 - group.count) }
        }
        return text
    }
}
