import System

/// A tree of files in memory.
struct SimulatedFiles {
    private var contents: [String: [UInt8]] = [:]
    private var links: [String: String] = [:]

    init(_ contents: [String: String], links: [String: String] = [:]) {
        self.contents = contents.mapValues { Array($0.utf8) }
        self.links = links
    }

    var fileSystem: FileSystem {
        FileSystem(
            kind: { path in
                let path = links[path] ?? path
                if contents[path] != nil { return .file }
                return contents.keys.contains { $0.hasPrefix(path + "/") } ? .directory : nil
            },
            realPath: { links[$0] ?? $0 },
            read: { path throws(FileError) in
                guard let bytes = contents[links[path] ?? path] else {
                    throw FileError(name: "ENOENT", reason: "No such file or directory")
                }
                return bytes
            })
    }
}
