/// One instance of a service, as a registry has it.
public struct FoundInstance: Hashable, Sendable {
    /// A name in lower case, or an address without brackets.
    public var host: String
    /// Never 0.
    public var port: UInt16
    /// Its share.
    public var weight: UInt16

    public init(host: String, port: UInt16, weight: UInt16 = 1) {
        self.host = host
        self.port = port
        self.weight = weight
    }
}

/// The instances that an answer has, in a stable order, each host and port once.
public struct FoundInstances: Hashable, Sendable {
    /// Those that are kept.
    public static let countMax = 256

    public private(set) var all: [FoundInstance] = []
    /// Entries with which nothing can be done: no port, no host, not what an entry is.
    public private(set) var unusable = 0

    /// What is read of one entry.
    struct Entry {
        var host = ""
        var port: UInt64 = 0
        var weight: UInt64 = 1
    }

    private var weights: [Place: UInt16] = [:]
    private struct Place: Hashable {
        var host: String
        var port: UInt16
    }

    mutating func add(_ entry: Entry) {
        let host = entry.host.lowercased()
        guard Self.isHost(host), let port = UInt16(exactly: entry.port), port > 0 else {
            unusable += 1
            return
        }
        // One that came back under another id while the old one has not expired is one.
        let place = Place(host: host, port: port)
        weights[place] = max(weights[place] ?? 0, UInt16(clamping: entry.weight))
    }

    mutating func addUnusable() { unusable += 1 }

    mutating func finish() {
        all = weights.map { FoundInstance(host: $0.host, port: $0.port, weight: $1) }
            .sorted { ($0.host, $0.port) < ($1.host, $1.port) }
        if all.count > Self.countMax { all.removeLast(all.count - Self.countMax) }
        weights = [:]
    }

    /// A name, an IPv4 address, or an IPv6 address without brackets, as far as its characters tell.
    private static func isHost(_ host: String) -> Bool {
        guard (1...253).contains(host.utf8.count) else { return false }
        let isIPv6 = host.utf8.contains(UInt8(ascii: ":"))
        return host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "."): true
            case UInt8(ascii: ":"): isIPv6
            case UInt8(ascii: "g")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"): !isIPv6
            default: false
            }
        }
    }
}

extension JSONTokens {
    static func withTokens(
        of text: [UInt8], _ body: (inout JSONTokens) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        try text.withUnsafeBufferPointer { (text) throws(DecodeError) in
            try withTokens(of: UnsafeRawBufferPointer(text), body)
        }
    }

    /// Calls `read` with each element of the list ahead. One that is not what was expected is passed over, and `skipped` is called.
    mutating func elements(
        _ read: (inout JSONTokens) throws(DecodeError) -> Void, skipped: () -> Void
    ) throws(DecodeError) {
        if try takeNull() { return }
        guard try enterArray() else { return }
        repeat {
            let start = position
            do throws(DecodeError) {
                try read(&self)
            } catch {
                position = start
                try skipValue()
                skipped()
            }
        } while try nextElement()
    }

    /// Calls `read` with the name of each member of the object ahead. It takes the value and returns true, or leaves it.
    mutating func members(
        _ read: (JSONString, inout JSONTokens) throws(DecodeError) -> Bool
    ) throws(DecodeError) {
        guard try enterObject() else { return }
        repeat {
            let name = try name()
            if try takeNull() { continue }
            if try !read(name, &self) { try skipValue() }
        } while try nextMember()
    }

    /// A number that is no integer from 0 on counts as 0.
    mutating func wholeNumber() throws(DecodeError) -> UInt64 { try number().uint64 ?? 0 }
}
