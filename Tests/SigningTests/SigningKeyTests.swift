import Testing

@testable import Signing

@Suite struct SigningKeyTests {
    /// RFC 8032 section 7.1.
    private static let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ]

    @Test(arguments: vectors) func signsAsTheStandardSays(
        _ secret: String, _ publicKey: String, _ message: String, _ signature: String
    ) throws {
        let key = try SigningKey(raw: #require([UInt8](lowercaseHex: secret)))
        #expect(key.publicKey.hex == publicKey)
        let bytes = try #require([UInt8](lowercaseHex: message))
        #expect(try key.sign(bytes).hex == signature)
        #expect(key.publicKey.isValid(try #require(Signature(hex: signature)), of: bytes))
        #expect(!key.publicKey.isValid(try #require(Signature(hex: signature)), of: bytes + [0]))
    }

    /// What RFC 8032 section 5.1.7 refuses: S not below the order of the group; and keys and points that make anything valid.
    @Test func weakSignaturesAreRefused() throws {
        let key = try SigningKey.generate()
        let message = Array("m".utf8)
        var bytes = try key.sign(message).bytes
        // S + L, little-endian.
        let order: [UInt8] = [
            0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ]
        var carry = 0
        for index in 0..<32 {
            let sum = Int(bytes[32 + index]) + Int(order[index]) + carry
            bytes[32 + index] = UInt8(sum & 255)
            carry = sum >> 8
        }
        #expect(!key.publicKey.isValid(try #require(Signature(bytes: bytes)), of: message))
        #expect(!key.publicKey.isValid(try #require(Signature(bytes: [UInt8](repeating: 0, count: 64))), of: message))
        #expect(Signature(bytes: [UInt8](bytes.dropLast())) == nil)
    }

    @Test func aKeyGoesThroughPEM() throws {
        let key = try SigningKey.generate()
        let pem = try key.pem()
        #expect(String(decoding: pem, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(try SigningKey(pem: pem).publicKey == key.publicKey)
        #expect(try PublicKey(pem: key.publicKey.pem()) == key.publicKey)
    }

    /// RFC 8410 section 10.3 and 10.1.
    @Test func readsTheExamplesOfTheStandard() throws {
        let secret = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
            -----END PRIVATE KEY-----

            """
        let publicKey = """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
            -----END PUBLIC KEY-----

            """
        let key = try SigningKey(pem: Array(secret.utf8))
        #expect(try key.publicKey == PublicKey(pem: Array(publicKey.utf8)))
        #expect(try String(decoding: key.pem(), as: UTF8.self) == secret)
        #expect(try String(decoding: key.publicKey.pem(), as: UTF8.self) == publicKey)
    }

    @Test func aPassphraseEncryptsIt() throws {
        let key = try SigningKey.generate()
        let passphrase = SecretBytes(Array("open sesame".utf8))
        let pem = try key.pem(passphrase: passphrase)
        #expect(String(decoding: pem, as: UTF8.self).hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"))
        #expect(try SigningKey(pem: pem, passphrase: passphrase).publicKey == key.publicKey)
        let without = #expect(throws: SigningError.self) { try SigningKey(pem: pem) }
        #expect(without?.isPassphrase == true)
        let other = #expect(throws: SigningError.self) {
            try SigningKey(pem: pem, passphrase: SecretBytes(Array("open barley".utf8)))
        }
        #expect(other?.description == "the passphrase is another")
    }

    @Test func whatIsNoKeyIsRefusedInWords() throws {
        func reason(_ text: String) -> String? {
            #expect(throws: SigningError.self) { try SigningKey(pem: Array(text.utf8)) }?.description
        }
        #expect(reason("") == "there is no private key in it (PEM)")
        #expect(reason("hello") == "there is no private key in it (PEM)")
        #expect(
            reason("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                == "the private key in it is broken")
        // P-256, of `openssl genpkey`.
        let foreign = """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
            OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
            1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
            -----END PRIVATE KEY-----

            """
        #expect(reason(foreign) == "the private key in it is not an Ed25519 key")
        #expect(throws: SigningError.self) { try PublicKey(pem: Array("-----BEGIN PUBLIC KEY-----".utf8)) }
    }

    @Test func digestsAreThoseOfTheStandard() throws {
        try CryptoLibrary.require()
        #expect(Digest(of: []).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Digest(of: Array("abc".utf8)).hex == abc)
        #expect(Digest(hex: abc)?.hex == abc)
        #expect(Digest(hex: abc.uppercased()) == nil)
        #expect(Digest(hex: String(abc.dropLast())) == nil)
    }
}
