/// A value of a YAML text, and where it begins. What an alias stands for is written out, so a place may be that of the anchor.
struct YAMLNode {
    enum Value {
        /// Not quoted: may be a number, a truth value or nothing.
        case plain(String)
        case quoted(String)
        case list([YAMLNode])
        case mapping([Entry])
    }

    struct Entry {
        var key: String
        var keyPosition: TextPosition
        var value: YAMLNode
    }

    var value: Value
    var position: TextPosition
    /// Itself and all that is in it, each use of an alias counted.
    var size = 1
    /// Levels of lists and mappings; 0 for a scalar.
    var height = 0

    /// For messages: what it is, instead of what was expected.
    var kindName: String {
        switch value {
        case .plain, .quoted: "a single value"
        case .list: "a list"
        case .mapping: "a mapping of keys to values"
        }
    }
}
