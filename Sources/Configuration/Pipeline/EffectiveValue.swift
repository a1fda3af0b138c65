/// A configuration as it came out: every setting with its value and where it comes from. For `config print`; without secrets.
public indirect enum EffectiveValue: Hashable, Sendable {
    case scalar(Scalar)
    case list([EffectiveValue])
    case mapping([Entry])

    public struct Scalar: Hashable, Sendable {
        /// "***" for a secret.
        public var text: String
        /// A number, a truth value, a size: not to be quoted, even if it looks like one.
        public var isBare: Bool
        public var origin: SettingOrigin
    }

    public struct Entry: Hashable, Sendable {
        public var key: String
        public var value: EffectiveValue
    }

    /// What is shown in place of a secret.
    public static let mask = "***"

    public subscript(key: String) -> EffectiveValue? {
        guard case .mapping(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }
}
