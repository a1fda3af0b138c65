internal import CLinux
internal import System

/// What one client may take, over all listeners of a server. A client is an IPv4 address, or the upper 64 bits of an IPv6 address: nobody has fewer.
public struct ClientLimits: Sendable, Equatable {
    /// Connections at a time of an address that is not this machine's own, where `connectionsMax` says nothing.
    public static let foreignConnectionsMax = 256

    /// Connections at a time; one more is accepted and closed. Nil: `foreignConnectionsMax` for other machines, and no limit for this one.
    public var connectionsMax: Int?
    /// Requests a second, and as many at once; more are answered with 429. Nil: no limit.
    public var requestsPerSecond: Int?
    /// Bytes received a second, on average; while more came, requests are answered with 429. Nil: no limit.
    public var bytesPerSecond: Int?

    public init() {}
}

/// Who is connected. On the server's thread.
struct ClientTable {
    /// Addresses that are remembered beside those that are connected: who leaves and comes again starts no new account.
    private static let rememberedMax = 4_096

    private struct Key: Hashable {
        var high: UInt64
        var low: UInt64

        /// 127.0.0.0/8 as it is mapped into IPv6, and ::1.
        var isLoopback: Bool {
            high == 0 && (low == 1 || low >> 24 == 0xFFFF_7F)
        }
    }

    private let limits: ClientLimits
    private var clients: [Key: Client] = [:]

    init(_ limits: ClientLimits) { self.limits = limits }

    enum Arrival {
        case welcome(Client?)
        /// It has as many connections as it may have.
        case tooMany
    }

    /// A connection came.
    mutating func arrive(_ descriptor: Int32, now: UInt64) -> Arrival {
        var key = Key(high: 0, low: 0)
        guard sl_peer_key(descriptor, &key.high, &key.low) else { return .welcome(nil) }
        let most = limits.connectionsMax ?? (key.isLoopback ? .max : ClientLimits.foreignConnectionsMax)
        if most == .max, limits.requestsPerSecond == nil, limits.bytesPerSecond == nil { return .welcome(nil) }
        let client: Client
        if let known = clients[key] {
            client = known
        } else {
            if clients.count >= Self.rememberedMax { clients = clients.filter { $0.value.connections > 0 } }
            client = Client(limits, now: now)
            clients[key] = client
        }
        guard client.connections < most else { return .tooMany }
        client.connections += 1
        return .welcome(client)
    }
}

/// The account of one client.
final class Client {
    fileprivate(set) var connections = 0
    private var requests: TokenBucket?
    private let bytesPerSecond: Int?
    /// Bytes that may still come; less than none: so many too many came.
    private var bytesLeft: Int
    private var bytesFilled: UInt64

    fileprivate init(_ limits: ClientLimits, now: UInt64) {
        requests = limits.requestsPerSecond.map { TokenBucket(burst: $0, perSecond: $0, now: now) }
        bytesPerSecond = limits.bytesPerSecond
        bytesLeft = limits.bytesPerSecond ?? 0
        bytesFilled = now
    }

    func left() { connections -= 1 }

    func received(_ count: Int) { bytesLeft -= count }

    /// A request begins: nil, or after how many seconds it may come again.
    func secondsToWait(now: UInt64) -> Int? {
        if let perSecond = bytesPerSecond {
            let milliseconds = Int(min(now &- bytesFilled, 3_600_000_000_000) / 1_000_000)
            if milliseconds > 0 {
                bytesLeft = min(perSecond, bytesLeft + perSecond * milliseconds / 1_000)
                bytesFilled = now
            }
            if bytesLeft < 0 { return -bytesLeft / perSecond + 1 }
        }
        return requests?.take(now: now) == false ? 1 : nil
    }
}
