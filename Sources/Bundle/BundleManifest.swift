// What is signed of a program: its entry and every file that it loads, by digest. The manifest is JSON for people and tools; what is signed is not that text
// but the same content in netstrings, of which there is one form only. docs/specs/bundle.md.

public import Signing
internal import Telemetry
internal import Wire

/// A signed list of files.
public struct BundleManifest: Hashable, Sendable {
    public struct File: Hashable, Sendable {
        /// Relative to the manifest's folder; it may begin with "..".
        public var path: String
        public var bytes: Int
        public var digest: Digest

        public init(path: String, bytes: Int, digest: Digest) {
            self.path = path
            self.bytes = bytes
            self.digest = digest
        }
    }

    public static let bytesMax = 64 << 20
    public static let filesMax = 100_000
    /// UTF-8 bytes of a path.
    public static let pathBytesMax = 4_096

    /// One of the files' paths.
    public let entry: String
    /// In the order of their paths' bytes, each path once.
    public let files: [File]
    /// When it was signed, Unix nanoseconds; whole seconds.
    public let time: UInt64
    public let key: PublicKey
    private let signature: Signature

    private static let format = "sidelight bundle 1"

    /// What `sidelight sign` writes beside the entry.
    public static func path(ofEntry entry: String) -> String { entry + ".sidelight.json" }

    /// Signs them.
    public init(entry: String, files: [File], time: UInt64, _ key: SigningKey) throws(SigningError) {
        let files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        self.entry = entry
        self.files = files
        // As the text has it.
        self.time = time / 1_000_000_000 * 1_000_000_000
        self.key = key.publicKey
        signature = try key.sign(Self.message(entry, files, self.time))
    }

    /// Whether the list is what the key that it names has signed. Whether that key is to be trusted is the caller's business.
    public var isSigned: Bool { key.isValid(signature, of: Self.message(entry, files, time)) }

    private static func message(_ entry: String, _ files: [File], _ time: UInt64) -> [UInt8] {
        var message: [UInt8] = []
        func put(_ text: String) {
            message += Array("\(text.utf8.count):".utf8) + Array(text.utf8) + [UInt8(ascii: ",")]
        }
        put(format)
        put(entry)
        put("\(time / 1_000_000_000)")
        put("\(files.count)")
        for file in files {
            put(file.path)
            put("\(file.bytes)")
            put(file.digest.hex)
        }
        return message
    }

    // MARK: JSON

    /// The text of the manifest, a file a line.
    public var json: [UInt8] {
        func quoted(_ text: String) -> String {
            var json = JSONWriter(capacity: text.utf8.count + 2)
            json.string(text)
            return json.text
        }
        let lines = files.map {
            "    {\"path\": \(quoted($0.path)), \"bytes\": \($0.bytes), \"sha256\": \"\($0.digest.hex)\"}"
        }
        return Array(
            """
            {
              "format": \(quoted(Self.format)),
              "entry": \(quoted(entry)),
              "time": "\(UnixTime.text(time, fractionDigits: 1))",
              "key": "\(key.hex)",
              "files": [
            \(lines.joined(separator: ",\n"))
              ],
              "signature": "\(signature.hex)"
            }

            """.utf8)
    }

    /// Reads a manifest; whether it is signed is not looked at.
    public init(parsing bytes: [UInt8]) throws(BundleError) {
        guard bytes.count <= Self.bytesMax else { throw BundleError("it has more than \(Self.bytesMax) bytes") }
        let json: JSONValue
        do {
            // A tool that takes the first of two members would show another program than the one that runs.
            json = try JSONValue(parsing: bytes, allowsRepeatedNames: false)
        } catch {
            throw BundleError("it is no JSON: \(error)")
        }
        guard json["format"]?.string == Self.format else {
            throw BundleError("its \"format\" is not \"\(Self.format)\"")
        }
        guard let entry = json["entry"]?.string, let text = json["time"]?.string,
            let time = UnixTime.nanoseconds(parsing: text),
            let key = json["key"]?.string.flatMap({ PublicKey(hex: $0) }),
            let signature = json["signature"]?.string.flatMap({ Signature(hex: $0) }),
            case .array(let values) = json["files"], values.count <= Self.filesMax
        else {
            throw BundleError(
                "\"entry\", \"time\", \"key\", \"signature\" or \"files\" is missing, or not what it should be")
        }
        guard time % 1_000_000_000 == 0 else {
            throw BundleError("its \"time\" is not of whole seconds, as signed ones are")
        }
        var files: [File] = []
        for (index, value) in values.enumerated() {
            guard let path = value["path"]?.string, Self.isPath(path),
                let size = value["bytes"]?.integer.flatMap({ Int(exactly: $0) }), size >= 0,
                let digest = value["sha256"]?.string.flatMap({ Digest(hex: $0) })
            else { throw BundleError("\"files\"[\(index)] is no path with bytes and sha256") }
            if let last = files.last, !last.path.utf8.lexicographicallyPrecedes(path.utf8) {
                throw BundleError("\"files\"[\(index)] is not in the order of paths, or twice there")
            }
            files.append(File(path: path, bytes: size, digest: digest))
        }
        guard files.contains(where: { $0.path == entry }) else { throw BundleError("its entry is not among its files") }
        self.entry = entry
        self.files = files
        self.time = time
        self.key = key
        self.signature = signature
    }

    private static func isPath(_ path: String) -> Bool {
        !path.isEmpty && path.utf8.count <= pathBytesMax && !path.utf8.contains(0) && !path.hasPrefix("/")
            && BundlePath.normal(path) == path
    }
}

/// Why a manifest is of no use; for people.
public struct BundleError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// Paths of a bundle, as text.
public enum BundlePath {
    /// Without ".", empty parts, and ".." that leads back.
    static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    /// The absolute path as seen from an absolute folder.
    public static func relative(_ path: String, to folder: String) -> String {
        let from = folder.split(separator: "/")
        let to = path.split(separator: "/")
        var common = 0
        while common < from.count, common < to.count, from[common] == to[common] { common += 1 }
        return (Array(repeating: "..", count: from.count - common) + to[common...]).joined(separator: "/")
    }

    /// The absolute path of one that is relative to an absolute folder.
    public static func absolute(_ path: String, in folder: String) -> String {
        var parts = folder.split(separator: "/")
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
