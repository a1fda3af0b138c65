/// A place in a text: lines and columns from 1. Columns are Unicode scalars.
struct TextPosition: Hashable, Sendable, Comparable {
    var line: Int
    var column: Int

    static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A place in a configuration file.
public struct FilePosition: Hashable, Sendable, CustomStringConvertible {
    /// As it was named on the command line.
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars.
    public var column: Int

    public var description: String { "\(file):\(line):\(column)" }
}

/// Where the value of a setting comes from.
public enum SettingOrigin: Hashable, Sendable, CustomStringConvertible {
    /// Nobody said anything.
    case standard
    /// `through`: the variables ("${NAME}") and files that the value was taken from.
    case file(FilePosition, through: [String])
    /// The variable's name.
    case environment(String)
    /// "--admin".
    case flag(String)

    public var description: String {
        switch self {
        case .standard: "default"
        case .file(let position, let through): ([position.description] + through).joined(separator: ", ")
        case .environment(let name): name
        case .flag(let name): name
        }
    }
}
