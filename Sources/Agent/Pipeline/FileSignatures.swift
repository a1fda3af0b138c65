internal import Linux

/// Tells when files have changed, by what the file system says of them. A change is told when it has lasted from one look to the next, since editors write files
/// in steps.
struct FileSignatures: Sendable {
    let paths: [String]
    private var known: [FileIdentity?]
    private var seen: [FileIdentity?]

    init(_ paths: [String]) {
        self.paths = paths
        known = paths.map(FileIdentity.init(path:))
        seen = known
    }

    /// Once for each change.
    mutating func haveChanged() -> Bool {
        let now = paths.map(FileIdentity.init(path:))
        defer { seen = now }
        guard now != known, now == seen else { return false }
        known = now
        return true
    }
}
