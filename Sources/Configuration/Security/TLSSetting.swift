/// The files of TLS that a file names, and where, for what is found out when they are read.
public struct TLSSetting: Hashable, Sendable {
    public var tls: SecurityConfiguration.TLS
    /// By the last part of the key.
    var positions: [String: FilePosition]

    /// What is wrong with one of them.
    /// - Parameter key: "cert", "key" or "client-ca".
    public func problem(_ key: String, _ message: String) -> ConfigurationProblem {
        let path = ["security", "tls", key]
        let name = path.joined(separator: ".")
        guard let position = positions[key] else { return ConfigurationProblem(name, message, key: path) }
        return ConfigurationProblem("\(position): \(name)", message, position: position, key: path)
    }
}
