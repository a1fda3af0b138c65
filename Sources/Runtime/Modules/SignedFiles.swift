// A program that is run as somebody has signed it: a file counts only with the bytes that were signed. The bytes that are compared are those that are
// compiled, so nothing can be put in their place in between.

internal import Signing
internal import System

/// The files of a signed program, by absolute path. One thread.
struct SignedFiles {
    /// For messages.
    let manifest: String
    private let digests: [String: Digest]

    /// As the agent hands them over: path and digest in turn. Nil: the program need not be signed.
    init?(_ json: JSON?) {
        guard let json, case .array(let texts)? = json["files"], let manifest = json["manifest"]?.string else {
            return nil
        }
        self.manifest = manifest
        var digests: [String: Digest] = [:]
        for index in stride(from: 0, to: texts.count - 1, by: 2) {
            guard let path = texts[index].string, let digest = texts[index + 1].string.flatMap({ Digest(hex: $0) })
            else { continue }
            digests[path] = digest
        }
        self.digests = digests
    }

    /// The files as they may be seen. A `package.json` that was not signed is not there: it could have names lead elsewhere.
    func guarding(_ files: FileSystem) -> FileSystem {
        let (digests, manifest) = (digests, manifest)
        return FileSystem(
            kind: { path in
                let kind = files.kind(path)
                guard kind == .file, path.hasSuffix("/package.json") else { return kind }
                return digests[files.realPath(path) ?? path] == nil ? nil : kind
            }, realPath: files.realPath,
            read: { path throws(FileError) in
                guard let digest = digests[files.realPath(path) ?? path] else {
                    throw FileError(
                        name: Self.refusal, reason: "it is not among the files that were signed (\(manifest))")
                }
                let bytes = try files.read(path)
                // Loaded with the program; the agent has verified the signature with it.
                do throws(SigningError) {
                    try CryptoLibrary.require()
                } catch {
                    throw FileError(name: Self.refusal, reason: error.description)
                }
                guard Digest(of: bytes) == digest else {
                    throw FileError(name: Self.refusal, reason: "it is not what was signed (\(manifest))")
                }
                return bytes
            })
    }

    /// The name of the error of a file that was not signed so.
    static let refusal = "ERR_ACCESS_DENIED"
}

/// What of the file system a program needs to be loaded.
final class FileRecorder {
    /// In the order of their first reading, without links.
    private(set) var paths: [String] = []
    private var known: Set<String> = []

    func recording(_ files: FileSystem) -> FileSystem {
        FileSystem(kind: files.kind, realPath: files.realPath) { [self] path throws(FileError) in
            let bytes = try files.read(path)
            let real = files.realPath(path) ?? path
            if known.insert(real).inserted { paths.append(real) }
            return bytes
        }
    }
}
