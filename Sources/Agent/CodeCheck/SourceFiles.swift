internal import Glibc

/// The files that `check code` looks at: those that were named, and in folders those whose names say that they are code.
public struct SourceFiles {
    /// More than anybody checks at once.
    public static let countMax = 100_000
    private static let depthMax = 64
    private static let endings = [".js", ".mjs", ".cjs", ".wasm"]
    /// Folders of others' code, which are looked at when they are named.
    private static let foreign: Set = ["node_modules"]

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private var files: [String] = []
    private var seen: Set<String> = []

    /// In the order of their names. Links in folders are not followed.
    public static func find(_ paths: [String]) throws(Failure) -> [String] {
        var found = SourceFiles()
        for path in paths {
            var information = stat()
            guard stat(path, &information) == 0 else {
                throw Failure(description: "\(path): \(String(cString: strerror(errno)))")
            }
            switch information.st_mode & S_IFMT {
            case S_IFDIR:
                try found.walk(path == "/" ? "" : path.hasSuffix("/") ? String(path.dropLast()) : path, depth: 0)
            case S_IFREG: try found.add(path)
            default: throw Failure(description: "\(path): it is no file and no folder")
            }
        }
        return found.files
    }

    private mutating func add(_ path: String) throws(Failure) {
        guard seen.insert(path).inserted else { return }
        guard files.count < Self.countMax else {
            throw Failure(description: "there are more than \(Self.countMax) files")
        }
        files.append(path)
    }

    private mutating func walk(_ folder: String, depth: Int) throws(Failure) {
        guard depth < Self.depthMax else { return }
        guard let listing = opendir(folder.isEmpty ? "/" : folder) else {
            throw Failure(description: "\(folder): \(String(cString: strerror(errno)))")
        }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            var information = stat()
            guard lstat("\(folder)/\(name)", &information) == 0 else { continue }
            switch information.st_mode & S_IFMT {
            case S_IFDIR: if !Self.foreign.contains(name) { entries.append((name, true)) }
            case S_IFREG: if Self.endings.contains(where: name.hasSuffix) { entries.append((name, false)) }
            default: break
            }
        }
        closedir(listing)
        for entry in entries.sorted(by: { $0.name < $1.name }) {
            let path = folder == "." ? entry.name : "\(folder)/\(entry.name)"
            if entry.isFolder { try walk(path, depth: depth + 1) } else { try add(path) }
        }
    }
}
