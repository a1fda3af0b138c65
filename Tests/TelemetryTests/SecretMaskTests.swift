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

    /// Wherever it stands in the text that is encoded.
    @Test(arguments: ["", "u", "us", "use", "user:", "user1:"]) func base64IsNotSaid(_ before: String) {
        let value = "hunter2-is-secret"
        let mask = SecretMask([Array(value.utf8)])!
        for after in ["", "!", "!!"] {
            let encoded = Self.base64(Array((before + value + after).utf8))
            let shown = mask.applied(to: encoded)
            #expect(shown.count == encoded.count)
            #expect(shown.filter { $0 == "*" }.count >= value.count * 4 / 3 - 3, "\(before) \(after): \(shown)")
        }
    }

    @Test func shortValuesAreNotLookedFor() {
        #expect(SecretMask([Array("1234567".utf8), []]) == nil)
        #expect(SecretMask([]) == nil)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = Array(bytes[start..<min(start + 3, bytes.count)])
            let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0...group.count { text.append(digits[word >> (18 - 6 * index) & 63]) }
        }
        return text
    }
}
