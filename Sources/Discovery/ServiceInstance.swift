/// One instance of a service, as registries know it.
public struct ServiceInstance: Hashable, Sendable {
    public static let nameBytesMax = 128
    /// Of `meta`: which process has registered it. What a crashed one has left is told from another's by it.
    public static let processKey = "sidelight-process"

    /// Letters, digits, "-", "." and "_": see `fitting`.
    public var name: String
    /// Of the same bytes; one instance's own among all of its service.
    public var id: String
    /// An IP address or a name.
    public var address: String
    public var port: UInt16
    public var tags: [String]
    public var meta: [String: String]
    /// Its share of the requests, beside the others'.
    public var weight: UInt16

    public init(
        name: String, id: String, address: String, port: UInt16, tags: [String] = [], meta: [String: String] = [:],
        weight: UInt16 = 1
    ) {
        self.name = name
        self.id = id
        self.address = address
        self.port = port
        self.tags = tags
        self.meta = meta
        self.weight = weight
    }

    public var process: String? { meta[Self.processKey] }

    /// "10.0.0.1:80", "[::1]:80".
    public var place: String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }

    /// The text with "-" for each byte that is not fit for a name or id: they are parts of URLs, keys and names of DNS. At most `nameBytesMax` bytes, at least one.
    public static func fitting(_ text: String) -> String {
        let bytes = text.utf8.prefix(nameBytesMax).map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: byte
            default: UInt8(ascii: "-")
            }
        }
        // "." and ".." would lead elsewhere in a path.
        let isDots = bytes.allSatisfy { $0 == UInt8(ascii: ".") }
        return isDots ? "-" : String(decoding: bytes, as: UTF8.self)
    }
}

/// How an instance is, in Consul's words.
public struct InstanceHealth: Hashable, Sendable {
    public enum Status: String, Sendable, CaseIterable {
        case passing, warning, critical
    }

    /// Of `output`.
    public static let outputBytesMax = 512

    public var status: Status
    /// For people.
    public let output: String

    public init(_ status: Status, _ output: String = "") {
        self.status = status
        self.output =
            output.utf8.count <= Self.outputBytesMax
            ? output : String(decoding: output.utf8.prefix(Self.outputBytesMax), as: UTF8.self)
    }
}

/// Whose an id is in a registry.
public enum IDClaim: Hashable, Sendable {
    /// Nobody's, ours, or left by one that was where we are.
    case ours
    /// Of one that is elsewhere.
    case taken

    /// - Parameter wasOurs: This process has registered it before.
    public init(of holder: ServiceInstance?, for instance: ServiceInstance, wasOurs: Bool) {
        guard let holder, holder.process == nil || holder.process != instance.process else {
            self = .ours
            return
        }
        // Two can be at one place only one after the other; but whoever came after us, while we live, is somewhere that only looks the same.
        let isSamePlace = holder.address == instance.address && holder.port == instance.port
        self = isSamePlace && !wasOurs ? .ours : .taken
    }
}
