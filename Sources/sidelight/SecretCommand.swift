import ArgumentParser
import Glibc
import Linux
import Signing
import System

struct SecretCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Keep secrets in files that nobody can read without a key.",
        discussion: """
            A policy gives them to a program: `secrets: {DB_PASSWORD: {sealed: db.sealed, key-file: seal.key}}`.
            """,
        subcommands: [SecretKeyCommand.self, SecretEncryptCommand.self, SecretDecryptCommand.self])
}

struct SecretKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make a key file.", usage: "sidelight secret key --out FILE")

    @Option(help: ArgumentHelp("Where it is written; it is not overwritten.", valueName: "FILE"))
    var out: String

    func run() throws {
        try KeyFile.write(Array((CryptoLibrary.random(32).hex + "\n").utf8), to: out, isPublic: false)
    }
}

/// What a secret is sealed with.
struct SealOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A key that `sidelight secret key` has made (default: a passphrase).", valueName: "FILE"))
    var keyFile: String?

    @OptionGroup var passphrase: PassphraseOptions

    func seal(_ prompt: String) throws -> Seal {
        if let keyFile {
            guard passphrase.passphraseFile == nil else {
                complain("name a file with --key-file or with --passphrase-file, not both")
                throw ExitCode(2)
            }
            let bytes = try KeyFile.read(keyFile)
            do throws(SigningError) {
                return try Seal(keyFile: bytes)
            } catch {
                complain("\(keyFile.escaped): \(error)")
                throw ExitCode(2)
            }
        }
        guard let secret = try passphrase.get(prompt), secret.count > 0 else {
            complain(
                "there is no passphrase: set \(KeyFile.passphraseVariable), or name a file with --passphrase-file or --key-file"
            )
            throw ExitCode(2)
        }
        return .passphrase(secret)
    }
}

struct SecretEncryptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encrypt",
        abstract: "Seal a file, or standard input.",
        usage: "sidelight secret encrypt [OPTIONS] [FILE]",
        discussion: """
            EXAMPLES
              sidelight secret key --out seal.key
              printf %s hunter2 | sidelight secret encrypt --key-file seal.key --out db.sealed

            EXIT CODES
              0  success    2  usage, or a file cannot be read or written
            """)

    @OptionGroup var options: SealOptions

    @Option(
        help: ArgumentHelp("Where it is written; it is not overwritten (default: standard output).", valueName: "FILE"))
    var out: String?

    @Argument(help: ArgumentHelp("What is sealed (default: standard input).", valueName: "FILE"))
    var file: String?

    func run() throws {
        let plain = SecretBytes(try SecretInput.read(file))
        let seal = try options.seal("New passphrase: ")
        let sealed: [UInt8]
        do throws(SigningError) {
            sealed = try SealedText.seal(plain, with: seal)
        } catch {
            complain("\(error)")
            throw ExitCode(2)
        }
        if let out { return try KeyFile.write(sealed, to: out, isPublic: true) }
        let output = Output()
        for line in sealed.split(separator: UInt8(ascii: "\n")) { output.line(String(decoding: line, as: UTF8.self)) }
        output.flush()
    }
}

struct SecretDecryptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decrypt",
        abstract: "Write to standard output what is sealed in a file.",
        usage: "sidelight secret decrypt [OPTIONS] FILE",
        discussion: """
            EXIT CODES
              0  success    1  it cannot be written    2  usage, or the file cannot be read or opened
            """)

    @OptionGroup var options: SealOptions

    @Argument(help: ArgumentHelp("The sealed file.", valueName: "FILE"))
    var file: String

    func run() throws {
        let sealed = try SecretInput.read(file)
        let seal = try options.seal("Passphrase of \(file.escaped): ")
        let isRead: Bool
        do throws(SigningError) {
            isRead = try SealedText.open(sealed, with: seal).withBytes(Output.write)
        } catch {
            complain("\(file.escaped): \(error)")
            throw ExitCode(2)
        }
        guard isRead else {
            complain("standard output cannot be written: \(String(cString: strerror(EPIPE)))")
            throw ExitCode(1)
        }
    }
}

private enum SecretInput {
    static func read(_ path: String?) throws -> [UInt8] {
        do throws(FileError) {
            return try readFile(path ?? "/dev/stdin", bytesMax: SealedText.fileBytesMax)
        } catch {
            complain("\(path?.escaped ?? "standard input"): \(error.reason)")
            throw ExitCode(2)
        }
    }
}
