internal import System

/// What rotations do to names: they put something behind, or before the ending.
enum RotationName {
    /// Marks between a name and what a rotation adds to it.
    static let marks = "-._~"

    /// The name without its ending: what each rotation of it begins with.
    static func stem(_ name: String) -> Substring {
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name[...] }
        return name[..<dot]
    }

    /// The name without numbers and endings that rotations gave it: "app.log" of "app.log.2.gz".
    static func base(_ name: String) -> Substring {
        var base = name[...]
        while let mark = base.lastIndex(where: { "-._".contains($0) }), mark > base.startIndex {
            let last = base[base.index(after: mark)...]
            guard last == "gz" || last == "zst" || last.allSatisfy({ $0.isNumber || "TZ".contains($0) }) else { break }
            base = base[..<mark]
        }
        return base
    }
}

/// Finds contents by what their rotations are called, so that thousands of files which begin alike need not be compared with each other.
struct NameIndex {
    /// By folder and stem: "app.log" by names that begin with "app" and a mark, as "app.log.1" and "app-20261126.log" do.
    private var byStem: [String: [TailedFile]] = [:]
    /// By folder and base, for rotations of the same that are compressed: "app.log.1" by "app.log.2.gz".
    private var byBase: [String: [TailedFile]] = [:]

    private static func keys(_ path: String) -> (stem: String, base: String) {
        let (folder, name) = (folder(of: path), fileName(path))
        return (joined(folder, String(RotationName.stem(name))), joined(folder, String(RotationName.base(name))))
    }

    mutating func add(_ file: TailedFile) {
        file.indexed = file.names
        for path in file.indexed {
            let keys = Self.keys(path)
            byStem[keys.stem, default: []].append(file)
            byBase[keys.base, default: []].append(file)
        }
    }

    mutating func remove(_ file: TailedFile) {
        for path in file.indexed {
            let keys = Self.keys(path)
            Self.remove(file, keys.stem, &byStem)
            Self.remove(file, keys.base, &byBase)
        }
        file.indexed = []
    }

    private static func remove(_ file: TailedFile, _ key: String, _ table: inout [String: [TailedFile]]) {
        guard let index = table[key]?.firstIndex(where: { $0 === file }) else { return }
        table[key]!.remove(at: index)
        if table[key]!.isEmpty { table[key] = nil }
    }

    /// Those of which a file at the path may be a copy by its name, each once.
    func originals(of path: String) -> [TailedFile] {
        let (folder, name) = (folder(of: path), fileName(path))
        var found: [TailedFile] = []
        for index in name.indices.dropFirst() where RotationName.marks.contains(name[index]) {
            found += byStem[joined(folder, String(name[..<index]))] ?? []
        }
        if CompressedStream.Format.isExpected(name) {
            found += byBase[joined(folder, String(RotationName.base(name)))] ?? []
        }
        var seen: Set<ObjectIdentifier> = []
        return found.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }
}

/// The files of a folder, as they were in this turn.
struct FolderListing {
    /// In the order of their names' bytes.
    private let entries: [FolderEntry]
    private let compressed: [FolderEntry]
    private let byIdentity: [TailFileIdentity: FolderEntry]

    init(_ entries: [FolderEntry]) {
        self.entries = entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        compressed = self.entries.filter { CompressedStream.Format.isExpected($0.path) }
        byIdentity = Dictionary(self.entries.map { ($0.status.identity, $0) }) { first, _ in first }
    }

    func entry(_ identity: TailFileIdentity) -> FolderEntry? { byIdentity[identity] }

    /// Those that may be copies of a file at the path by their names.
    func copies(of path: String) -> [FolderEntry] {
        let (folder, name) = (folder(of: path), fileName(path))
        return Array(Self.those(entries, joined(folder, String(RotationName.stem(name)))))
            + Self.those(compressed, joined(folder, String(RotationName.base(name))))
    }

    private static func those(_ entries: [FolderEntry], _ prefix: String) -> ArraySlice<FolderEntry> {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path.utf8.lexicographicallyPrecedes(prefix.utf8) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        var end = low
        while end < entries.count, entries[end].path.utf8.starts(with: prefix.utf8) { end += 1 }
        return entries[low..<end]
    }
}
