/// A variable that the program alone sees, and where its value comes from.
public struct SecretSource: Hashable, Sendable {
    public enum Place: Hashable, Sendable {
        /// All of a file, without the end of its last line.
        case file(String)
        /// A variable of the agent's, which the program then does not see by that name.
        case environment(String)
        /// A sealed file (`sidelight secret encrypt`), and the file of what it is sealed with; nil: `SIDELIGHT_PASSPHRASE`.
        case sealed(String, keyFile: String?, passphraseFile: String?)
    }

    public var name: String
    public var place: Place

    public init(name: String, place: Place) {
        self.name = name
        self.place = place
    }
}
