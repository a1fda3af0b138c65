internal import Configuration
internal import Linux
internal import Signing
internal import System

/// Fetches the values of secrets.
enum SecretValues {
    private static let passphraseVariable = "SIDELIGHT_PASSPHRASE"
    private static let bytesMax = 1 << 20

    static func read(_ sources: [SecretSource]) throws(StartRefusal) -> [WorkerConfiguration.Secret] {
        try sources.map { (source) throws(StartRefusal) in
            let bytes = try bytes(source)
            guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
                throw refusal(source, "its value is no text")
            }
            return WorkerConfiguration.Secret(name: source.name, value: text)
        }
    }

    private static func bytes(_ source: SecretSource) throws(StartRefusal) -> [UInt8] {
        switch source.place {
        case .file(let path): return withoutLineEnd(try file(path, source))
        case .environment(let name):
            guard let value = Machine.variable(name) else { throw refusal(source, "the variable \(name) is not set") }
            return Array(value.utf8)
        case .sealed(let path, let keyFile, let passphraseFile):
            let seal = try seal(source, keyFile, passphraseFile)
            let sealed = try file(path, source)
            do throws(SigningError) {
                return withoutLineEnd(try SealedText.open(sealed, with: seal).withBytes { Array($0) })
            } catch {
                throw refusal(source, "\(path): \(error)")
            }
        }
    }

    private static func seal(
        _ source: SecretSource, _ keyFile: String?, _ passphraseFile: String?
    ) throws(StartRefusal) -> Seal {
        if let keyFile {
            let bytes = try file(keyFile, source)
            do throws(SigningError) {
                return try Seal(keyFile: bytes)
            } catch {
                throw refusal(source, "\(keyFile): \(error)")
            }
        }
        if let passphraseFile {
            // As `sidelight secret --passphrase-file` takes it.
            let line = try file(passphraseFile, source).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            return .passphrase(SecretBytes(Array(line)))
        }
        guard let text = Machine.variable(passphraseVariable) else {
            throw refusal(source, "it is sealed: set \(passphraseVariable), or name key-file or passphrase-file")
        }
        return .passphrase(SecretBytes(Array(text.utf8)))
    }

    private static func file(_ path: String, _ source: SecretSource) throws(StartRefusal) -> [UInt8] {
        do throws(FileError) {
            return try readFile(path, bytesMax: bytesMax)
        } catch {
            throw refusal(source, "\(path): \(error.reason)")
        }
    }

    private static func withoutLineEnd(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes
    }

    private static func refusal(_ source: SecretSource, _ reason: String) -> StartRefusal {
        StartRefusal(problems: ["secret \(source.name): \(reason)"], exitCode: 2)
    }
}

extension AgentConfiguration {
    /// Has the program see its secrets.
    mutating func fetchSecrets() throws(StartRefusal) {
        let sources = policy.secrets.sources
        worker.secrets = try SecretValues.read(sources)
        worker.hiddenVariables = sources.compactMap { source in
            guard case .environment(let name) = source.place, name != source.name else { return nil }
            return name
        }
    }
}
