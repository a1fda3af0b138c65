import ArgumentParser
import Signing
import Wire

struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make an Ed25519 key to sign programs with.",
        usage: "sidelight keygen [OPTIONS]",
        discussion: """
            Writes NAME.pem (PKCS #8, readable by its owner only) and NAME.pub.pem. OpenSSL reads both.

            EXAMPLES
              sidelight keygen
              sidelight keygen --out release --encrypt

            EXIT CODES
              0  success    2  usage, or a file is there already
            """)

    @Option(help: ArgumentHelp("What the files are called.", valueName: "NAME"))
    var out = "sidelight"

    @Flag(help: "Encrypt the secret key with a passphrase.")
    var encrypt = false

    @OptionGroup var passphrase: PassphraseOptions

    @Flag(help: "One JSON object.")
    var json = false

    func run() throws {
        guard !out.isEmpty else { throw ValidationError("--out: the name is empty") }
        var secret: SecretBytes?
        if encrypt {
            secret = try passphrase.get("New passphrase: ")
            guard let given = secret, given.count > 0 else {
                complain(
                    "there is no passphrase: set \(KeyFile.passphraseVariable), or name a file with --passphrase-file")
                throw ExitCode(2)
            }
        }
        let (keyFile, publicFile) = (out + ".pem", out + ".pub.pem")
        let key = try SigningKey.generate()
        try KeyFile.write(key.pem(passphrase: secret), to: keyFile, isPublic: false)
        try KeyFile.write(key.publicKey.pem(), to: publicFile, isPublic: true)
        let output = Output()
        if json {
            var json = JSONWriter()
            json.object { json in
                json.field("key", key.publicKey.id)
                json.field("public", key.publicKey.hex)
                json.field("secretFile", keyFile)
                json.field("publicFile", publicFile)
            }
            output.json(json.text)
        } else {
            output.line("\(key.publicKey.id)")
            output.line("\(keyFile.escaped): the secret key, which signs: keep it to yourself")
            output.line("\(publicFile.escaped): the public key, for --require-signature and `sidelight verify --key`")
        }
        output.flush()
    }
}
