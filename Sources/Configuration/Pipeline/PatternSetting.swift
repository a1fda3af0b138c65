/// A regular expression of the file and where it stands, for what is found out when it is compiled.
public struct PatternSetting: Hashable, Sendable {
    public var pattern: String
    public var position: FilePosition
    public var key: [String]

    /// What is wrong with it.
    public func problem(_ message: String) -> ConfigurationProblem {
        ConfigurationProblem("\(position): \(key.joined(separator: "."))", message, position: position, key: key)
    }
}
