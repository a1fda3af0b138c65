/// The one file in which the places of tailed files are kept, as a seam: `LinuxPositionFiles` is the real one, tests have one that crashes. Its owner calls it from
/// one thread at a time, except `sync`, which may run beside `append`.
public protocol PositionFiles: AnyObject, Sendable {
    /// For messages.
    var path: String { get }

    /// All of the file; empty when there is none.
    func contents() throws(PositionFileError) -> [UInt8]
    /// Writes at the end, in one call where the system takes the bytes at once. When it fails, any part of them may have been written.
    func append(_ bytes: [UInt8]) throws(PositionFileError)
    /// Cuts what lies behind.
    func truncate(to bytes: Int) throws(PositionFileError)
    /// What was appended survives a loss of power (fdatasync).
    func sync() throws(PositionFileError)
    /// Puts a new file in the place of the old one, as a whole and so that it survives a loss of power. When it fails either of them is there.
    func replace(with bytes: [UInt8]) throws(PositionFileError)
}

/// What the system said to an operation on the file of places.
public struct PositionFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, with the name it was tried on.
    public let call: String
    /// The system's words.
    public let reason: String

    public init(_ call: String, reason: String) {
        self.call = call
        self.reason = reason
    }

    public var description: String { "\(call): \(reason)" }
}
