internal import Bundle
internal import Linux
public import Signing
internal import System

/// A program whose files are all what somebody has signed.
public struct VerifiedBundle: Sendable {
    /// Its path, absolute.
    public let manifest: String
    public let key: PublicKey
    /// By absolute path, without links.
    public let digests: [String: Digest]
}

/// Why a program is not taken for what somebody has signed; for people, a line each.
public struct BundleRefusal: Error, Sendable {
    /// At least one.
    public let problems: [String]
    /// In one sentence.
    public var reason: String {
        problems.count == 1 ? problems[0] : "\(problems[0]); and \(problems.count - 1) more"
    }

    init(_ problems: [String]) { self.problems = problems }
    init(_ problem: String) { problems = [problem] }
}

public enum BundleCheck {
    /// Of a file of a program.
    static let fileBytesMax = 1 << 30

    /// Looks at the manifest beside the entry, its signature, and all its files.
    /// - Parameters:
    ///   - manifest: Nil: the one beside the entry.
    ///   - keys: Nil: whoever has signed it.
    public static func verify(
        entry: String, manifest: String? = nil, keys: [PublicKey]?
    ) throws(BundleRefusal) -> VerifiedBundle {
        do throws(SigningError) {
            try CryptoLibrary.require()
        } catch {
            throw BundleRefusal(error.description)
        }
        guard let real = FileSystem.linux.realPath(entry) else {
            throw BundleRefusal("\(entry): there is no such file")
        }
        let path = manifest ?? BundleManifest.path(ofEntry: entry)
        let (list, folder) = try read(path)
        if let keys, !keys.contains(list.key) {
            throw BundleRefusal("\(path) is signed by \(list.key.id), which is not trusted here")
        }
        guard list.isSigned else { throw BundleRefusal("\(path): the signature of \(list.key.id) is not good") }
        guard BundlePath.absolute(list.entry, in: folder) == real else {
            throw BundleRefusal("\(path) is of another entry, \(list.entry)")
        }
        var digests: [String: Digest] = [:]
        var problems: [String] = []
        for file in list.files {
            let path = BundlePath.absolute(file.path, in: folder)
            digests[path] = file.digest
            do throws(FileError) {
                // No more room is taken than what was signed needs, however long the file is said to be now.
                let bytes = try readRegularFile(path, bytesMax: min(file.bytes, fileBytesMax))
                if Digest(of: bytes) != file.digest {
                    problems.append(
                        "\(file.path) is not what was signed (\(bytes.count) bytes; signed were \(file.bytes))")
                }
            } catch {
                problems.append(
                    error.name == "EFBIG"
                        ? "\(file.path) is not what was signed (more than the \(file.bytes) bytes that were)"
                        : "\(file.path): \(error.reason)")
            }
        }
        guard problems.isEmpty else { throw BundleRefusal(problems) }
        return VerifiedBundle(manifest: FileSystem.linux.realPath(path) ?? path, key: list.key, digests: digests)
    }

    /// The manifest and its folder.
    private static func read(_ path: String) throws(BundleRefusal) -> (BundleManifest, folder: String) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try readRegularFile(path, bytesMax: BundleManifest.bytesMax)
        } catch {
            throw BundleRefusal("it is not signed: \(path): \(error.reason)")
        }
        guard let real = FileSystem.linux.realPath(path), let slash = real.lastIndex(of: "/") else {
            throw BundleRefusal("\(path) is gone")
        }
        do throws(BundleError) {
            return (try BundleManifest(parsing: bytes), String(real[..<slash]))
        } catch {
            throw BundleRefusal("\(path) is no manifest: \(error)")
        }
    }
}
