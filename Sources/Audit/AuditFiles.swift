/// The folder of an audit log, as a seam for tests. Names are of files in it; nothing is ever followed through a symbolic link.
public protocol AuditFiles: AnyObject {
    /// Takes the folder for this process, waiting for who has it.
    func lock() throws(AuditFileError)
    func unlock()
    /// All regular files, in any order, with their sizes.
    func list() throws(AuditFileError) -> [String: Int]
    /// What the file has from there on, at most so many bytes; nil: there is no such file.
    func read(_ name: String, from offset: Int, bytesMax: Int) throws(AuditFileError) -> [UInt8]?
    /// Writes all of it there, making the file (0600) where it is missing. When it throws, some of it may be there.
    func write(_ name: String, _ bytes: [UInt8], at offset: Int) throws(AuditFileError)
    func truncate(_ name: String, to bytes: Int) throws(AuditFileError)
    /// What was written outlives a loss of power.
    func sync(_ name: String) throws(AuditFileError)
    /// The file has these bytes, or those of before, whatever happens meanwhile.
    func replace(_ name: String, with bytes: [UInt8], isPublic: Bool) throws(AuditFileError)
    func remove(_ name: String) throws(AuditFileError)
}

/// What a file of the log would not do.
public struct AuditFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The disk is full; it may not stay so.
    public let isNoSpace: Bool
    /// For people.
    public let description: String

    public init(_ description: String, isNoSpace: Bool = false) {
        self.description = description
        self.isNoSpace = isNoSpace
    }
}

/// What the files of a log are called.
enum AuditNames {
    static let head = "head.json"
    static let key = "key.pem"
    static let publicKey = "key.pub.pem"
    private static let ending = ".jsonl"

    /// A segment is called by the number of its first entry, so that names sort as entries do.
    static func segment(_ first: UInt64) -> String {
        let digits = String(first)
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits + ending
    }

    static func isSegment(_ name: String) -> Bool {
        name.hasSuffix(ending) && name.count == 20 + ending.count && name.dropLast(ending.count).allSatisfy(\.isNumber)
    }
}
