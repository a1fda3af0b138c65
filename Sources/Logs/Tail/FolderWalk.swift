internal import System

/// The files that a receiver's patterns mean.
struct PathRules {
    let include: [PathPattern]
    let exclude: [PathPattern]

    init(_ settings: TailSettings) {
        include = settings.include.flatMap(PathPattern.all)
        exclude = settings.exclude.flatMap(PathPattern.all)
    }

    func excludes(_ path: String) -> Bool {
        !exclude.isEmpty && exclude.contains { $0.matches(path) || $0.matchesName(fileName(path)) }
    }

    func matches(_ path: String) -> Bool { include.contains { $0.matches(path) } && !excludes(path) }
}

/// One look at all that the patterns mean. Bounded by names looked at and by depth, so that a link to a folder above costs no more.
struct FolderWalk {
    private let files: any TailFiles
    private var entriesLeft: Int
    private(set) var leftOut: UInt64 = 0
    /// Folders that were looked into, or would have been.
    private(set) var folders: Set<String> = []
    /// Files, each once, in the order of the patterns.
    private(set) var found: [(path: String, status: TailFileStatus)] = []
    private var seen: Set<String> = []

    static let depthMax = 24

    init(_ files: any TailFiles, entriesMax: Int) {
        self.files = files
        entriesLeft = entriesMax
    }

    /// What is new among the files of these rules.
    mutating func look(_ rules: PathRules) -> [(path: String, status: TailFileStatus)] {
        found = []
        for pattern in rules.include {
            visit(pattern.isAbsolute ? "/" : "", pattern.parts[...], depth: 0, rules)
        }
        return found.sorted { $0.path < $1.path }
    }

    private mutating func visit(_ folder: String, _ parts: ArraySlice<PathPattern.Part>, depth: Int, _ rules: PathRules)
    {
        guard depth < Self.depthMax else {
            leftOut += 1
            return
        }
        guard let part = parts.first else { return }
        let rest = parts.dropFirst()
        switch part {
        case .literal(let name):
            let path = joined(folder, name)
            if rest.isEmpty {
                folders.insert(folder)
                consider(path, rules)
            } else {
                visit(path, rest, depth: depth + 1, rules)
            }
        case .name(let tokens):
            for (name, kind) in entries(folder) where PathPattern.matches(tokens, name) {
                let path = joined(folder, name)
                if rest.isEmpty {
                    if kind != .folder && kind != .other { consider(path, rules) }
                } else if isFolder(path, kind) {
                    visit(path, rest, depth: depth + 1, rules)
                }
            }
        case .folders:
            visit(folder, rest, depth: depth + 1, rules)
            // Links are not followed here: they lead in circles.
            for (name, kind) in entries(folder) where kind == .folder && !name.hasPrefix(".") {
                visit(joined(folder, name), parts, depth: depth + 1, rules)
            }
        }
    }

    private func isFolder(_ path: String, _ kind: TailEntryKind) -> Bool {
        kind == .folder || kind == .link && files.status(path)?.kind == .folder
    }

    private mutating func entries(_ folder: String) -> [(String, TailEntryKind)] {
        var entries: [(String, TailEntryKind)] = []
        folders.insert(folder)
        let most = entriesLeft
        var isCut = false
        _ = files.list(folder) { name, kind in
            guard entries.count < most else {
                isCut = true
                return false
            }
            entries.append((name, kind))
            return true
        }
        entriesLeft -= entries.count
        if isCut { leftOut += 1 }
        return entries
    }

    private mutating func consider(_ path: String, _ rules: PathRules) {
        if let index = seen.firstIndex(of: path) {
            // Names of two files that are one to Swift, which takes é for e and an accent.
            if !seen[index].utf8.elementsEqual(path.utf8) { leftOut += 1 }
            return
        }
        guard !rules.excludes(path) else { return }
        guard let status = files.status(path) else {
            // A name that is no UTF-8 cannot be opened by what was made of it.
            if path.unicodeScalars.contains("\u{FFFD}") { leftOut += 1 }
            return
        }
        guard status.kind == .file else { return }
        seen.insert(path)
        found.append((path, status))
    }
}

func joined(_ folder: String, _ name: String) -> String {
    folder.isEmpty ? name : folder == "/" ? "/\(name)" : "\(folder)/\(name)"
}

func fileName(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
}

/// "" for a name in the process's folder.
func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
}
