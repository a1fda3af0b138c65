import Testing

@testable import Signing

@Suite struct SealedTextTests {
    private let key = Seal.key(SecretBytes([UInt8](repeating: 7, count: 32)))

    private func text(_ secret: SecretBytes) -> String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }

    @Test(arguments: ["", "x", "hunter2", String(repeating: "long ", count: 10_000)])
    func whatIsSealedIsOpened(_ plain: String) throws {
        let file = try SealedText.seal(SecretBytes(Array(plain.utf8)), with: key)
        #expect(SealedText.isSealed(file))
        #expect(plain.count < 4 || !String(decoding: file, as: UTF8.self).contains(plain))
        #expect(try text(SealedText.open(file, with: key)) == plain)
    }

    @Test func twoAreNeverAlike() throws {
        let plain = SecretBytes(Array("hunter2".utf8))
        #expect(try SealedText.seal(plain, with: key) != SealedText.seal(plain, with: key))
    }

    @Test func aPassphraseOpensIt() throws {
        let passphrase = Seal.passphrase(SecretBytes(Array("open sesame".utf8)))
        let file = try SealedText.seal(SecretBytes(Array("hunter2".utf8)), with: passphrase)
        #expect(try text(SealedText.open(file, with: passphrase)) == "hunter2")
        #expect(throws: SigningError.self) {
            try SealedText.open(file, with: .passphrase(SecretBytes(Array("open barley".utf8))))
        }
        let error = #expect(throws: SigningError.self) { try SealedText.open(file, with: key) }
        #expect(error?.description == "it is sealed with a passphrase, not with a key file")
    }

    /// A digit more or less, another digit, another kind: nothing is opened, and nothing breaks.
    @Test func everyDigitCounts() throws {
        let file = try SealedText.seal(SecretBytes(Array("hunter2".utf8)), with: key)
        for index in file.indices {
            var changed = file
            changed[index] = changed[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            if changed[index] == UInt8(ascii: "1"), file[index] == UInt8(ascii: "\n") { continue }
            #expect(throws: SigningError.self, "\(index)") { try SealedText.open(changed, with: key) }
            // But for the end of the last line.
            guard index < file.count - 1 else { continue }
            #expect(throws: SigningError.self) { try SealedText.open(Array(file[..<index]), with: key) }
        }
    }

    /// A hostile file asks for the memory of ten machines.
    @Test func impossibleParametersAreRefusedAtOnce() throws {
        let passphrase = Seal.passphrase(SecretBytes(Array("x".utf8)))
        for parameters in ["1e0801", "1408ff", "14ff01", "000801", "0f0001", "0f0800", "ff0801"] {
            let file = "sidelight sealed 1\n02\(parameters)" + String(repeating: "00", count: 16 + 12 + 16) + "\n"
            let error = #expect(throws: SigningError.self) { try SealedText.open(Array(file.utf8), with: passphrase) }
            #expect(error?.description.contains("parameters") == true, "\(parameters)")
        }
    }

    @Test func randomFilesBreakNothing() throws {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef\n".utf8)
        for _ in 0..<2_000 {
            let body = (0..<Int.random(in: 0..<200, using: &generator)).map { _ in
                digits.randomElement(using: &generator)!
            }
            let file = Array("sidelight sealed 1\n01".utf8) + body
            #expect(throws: SigningError.self) { try SealedText.open(file, with: key) }
        }
    }

    @Test func keyFilesAreRead() throws {
        let digits = [UInt8](repeating: 0xAB, count: 32).hex
        guard case .key(let key) = try Seal(keyFile: Array((digits + "\n").utf8)) else {
            Issue.record("no key"); return
        }
        #expect(key.withBytes { Array($0) } == [UInt8](repeating: 0xAB, count: 32))
        #expect(throws: SigningError.self) { try Seal(keyFile: Array(digits.dropLast().utf8)) }
        #expect(throws: SigningError.self) { try Seal(keyFile: Array("hello".utf8)) }
    }
}
