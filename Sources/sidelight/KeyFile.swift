import ArgumentParser
import Glibc
import Linux
import Signing
import System

/// Keys and passphrases of the command line. What is wrong is said on stderr, and is exit code 2.
enum KeyFile {
    /// The variable that a passphrase may come in.
    static let passphraseVariable = "SIDELIGHT_PASSPHRASE"
    private static let passphraseBytesMax = 1_024

    static func read(_ path: String) throws -> [UInt8] {
        do throws(FileError) {
            return try readFile(path, bytesMax: SigningKey.fileBytesMax)
        } catch {
            complain("\(path.escaped): \(error.reason)")
            throw ExitCode(2)
        }
    }

    static func publicKey(_ path: String) throws -> PublicKey {
        let pem = try read(path)
        do throws(SigningError) {
            return try PublicKey(pem: pem)
        } catch {
            complain("\(path.escaped): \(error)")
            throw ExitCode(2)
        }
    }

    /// Asks for the passphrase where there is one.
    static func signingKey(_ path: String, _ passphrase: PassphraseOptions) throws -> SigningKey {
        let pem = try read(path)
        do throws(SigningError) {
            return try SigningKey(pem: pem)
        } catch {
            guard error.isPassphrase else {
                complain("\(path.escaped): \(error)")
                throw ExitCode(2)
            }
        }
        guard let secret = try passphrase.get("Passphrase of \(path.escaped): ") else {
            complain("\(path.escaped) is encrypted: set \(passphraseVariable), or name a file with --passphrase-file")
            throw ExitCode(2)
        }
        do throws(SigningError) {
            return try SigningKey(pem: pem, passphrase: secret)
        } catch {
            complain("\(path.escaped): \(error)")
            throw ExitCode(2)
        }
    }

    /// Writes a file, or what takes the place of one: it is never there in part. A link, a pipe or a device is no file, and stays.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        var status = stat()
        guard lstat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
            complain("\(path.escaped) is no regular file, and is not replaced")
            throw ExitCode(2)
        }
        let next = path + ".new"
        unlink(next)
        try write(bytes, to: next, isPublic: true)
        guard rename(next, path) == 0 else {
            complain("\(path.escaped): \(String(cString: strerror(errno)))")
            unlink(next)
            throw ExitCode(2)
        }
    }

    /// The files that a pattern of the shell names; folders are left out.
    static func matching(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
            .filter { !Machine.isFolder($0) }.sorted()
    }

    /// Writes a file that is not there yet.
    static func write(_ bytes: [UInt8], to path: String, isPublic: Bool) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, isPublic ? 0o644 : 0o600)
        guard file >= 0 else {
            complain(
                errno == EEXIST
                    ? "\(path.escaped) is there already, and is not overwritten"
                    : "\(path.escaped): \(String(cString: strerror(errno)))")
            throw ExitCode(2)
        }
        defer { close(file) }
        guard Glibc.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            complain("\(path.escaped): \(String(cString: strerror(errno)))")
            unlink(path)
            throw ExitCode(2)
        }
    }
}

/// Where a passphrase comes from: a file, the environment, or the terminal.
struct PassphraseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Its first line is the passphrase (default: \(KeyFile.passphraseVariable), else the terminal).",
            valueName: "FILE"))
    var passphraseFile: String?

    /// Nil: there is none to be had.
    func get(_ prompt: String) throws -> SecretBytes? {
        if let passphraseFile {
            let bytes = try KeyFile.read(passphraseFile)
            return SecretBytes(Array(bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }))
        }
        if let text = Machine.variable(KeyFile.passphraseVariable) { return SecretBytes(Array(text.utf8)) }
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        return Self.ask(prompt)
    }

    /// From the terminal, which does not show it.
    private static func ask(_ prompt: String) -> SecretBytes? {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var quiet = before
        quiet.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        Machine.writeToStandardError(prompt)
        let line = readLine(strippingNewline: true)
        Machine.writeToStandardError("\n")
        return line.map { SecretBytes(Array($0.utf8)) }
    }
}
