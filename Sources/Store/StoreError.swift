/// Why the store cannot be used. The message is for people: it names the path, the reason and what to do.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A small fixed set, fit for a metric's label.
    public enum Code: String, Sendable, CaseIterable {
        /// There is no store in the directory (readers only; a writer makes one).
        case missing
        /// The directory or file cannot be made, opened or written.
        case unwritable
        /// The file cannot be read.
        case unreadable
        /// Not an SQLite database, or a damaged one.
        case corrupt
        /// Written by a newer version of Sidelight.
        case newerVersion = "newer_version"
        /// A database, but of another program.
        case foreign
        /// Another process held the lock for longer than the timeout.
        case busy
        case diskFull = "disk_full"
        case failed
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
