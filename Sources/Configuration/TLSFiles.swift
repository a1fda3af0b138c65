/// Where a server's certificate and key are: `--tls-cert` and `--tls-key`. PEM files.
public struct TLSFiles: Hashable, Sendable {
    /// The server's own certificate first, then those that lead to the root.
    public var certificate: String
    public var key: String

    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}
