/// One thing that a workload is about to do.
public enum Access: Hashable, Sendable {
    /// A request, before it is sent and at each redirect. Host as in a URL, scheme in lower case; of a WebSocket the method is GET, the scheme ws or wss.
    case connect(method: String, scheme: String, host: String, port: UInt16)
    /// The host that a request's `host` header names, where it is another than the URL's.
    case front(method: String, scheme: String, host: String, port: UInt16)
    /// A connection to what the host's name turned out to be.
    case reach(host: String, address: IPAddress, port: UInt16)
    /// Absolute, without "." and "..", links followed.
    case read(path: String)
    case write(path: String)
    case environment(String)
    /// The absolute path of a module's file, or the name of one that is built in.
    case module(String)
    case code, wasm, worker, preciseClock, random
    /// An algorithm's name, as in `AES-GCM`.
    case crypto(String)

    public var permission: Permission {
        switch self {
        case .connect, .front, .reach: .network
        case .read: .read
        case .write: .write
        case .environment: .environment
        case .module: .module
        case .code: .code
        case .wasm: .wasm
        case .worker: .worker
        case .preciseClock: .clock
        case .random: .random
        case .crypto: .crypto
        }
    }

    /// What it is about, for the attribute `sidelight.policy.target`: host:port, a path, a name; "" where there is nothing to name. What is printed at the end of `--audit` is made of
    /// these, so the first finding of each permission and target must get through, whatever the rate is.
    public var target: String {
        switch self {
        case .connect(_, _, let host, let port), .front(_, _, let host, let port), .reach(let host, _, let port):
            host.utf8.contains(UInt8(ascii: ":")) && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .read(let path), .write(let path): path
        case .environment(let name), .module(let name), .crypto(let name): name
        case .code, .wasm, .worker, .preciseClock, .random: ""
        }
    }
}
