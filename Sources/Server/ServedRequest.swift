internal import CLinux
internal import Glibc
public import Wire

/// A whole request. It and all that it shows live for the one call of `RequestHandler.handle`; nothing is copied unless it is asked for.
public struct ServedRequest: ~Copyable {
    enum Body {
        case none
        /// In the server's read buffer.
        case inPlace(UnsafeRawBufferPointer)
        case collected([UInt8])
    }

    public let method: HTTP1Method
    public let isHTTP2: Bool
    /// The listener that it came to, as `Server.listen` counts them.
    public let listener: Int

    /// Who sends it: the name of its token or of its certificate. Nil: nobody was asked.
    public let client: String?

    private let methodBytes: UnsafeRawBufferPointer
    /// Path and query.
    private let target: UnsafeRawBufferPointer
    private let pathCount: Int
    /// `name LF value LF …`, names in lower case.
    private let fields: UnsafeRawBufferPointer
    private let descriptor: Int32
    private let content: Body

    init(
        method: HTTP1Method, methodBytes: UnsafeRawBufferPointer, target: UnsafeRawBufferPointer,
        fields: UnsafeRawBufferPointer, isHTTP2: Bool, listener: Int, descriptor: Int32, client: String?,
        body: consuming Body
    ) {
        self.client = client
        self.method = method
        self.methodBytes = methodBytes
        self.target = target
        self.fields = fields
        self.isHTTP2 = isHTTP2
        self.listener = listener
        self.descriptor = descriptor
        content = body
        pathCount = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
    }

    public var methodText: String { String(decoding: methodBytes, as: UTF8.self) }

    /// The target up to its query, percent-encoded as it came. `/` at least, or `*`.
    public var path: String { String(decoding: target[..<pathCount], as: UTF8.self) }

    /// What follows the question mark; empty when there is none.
    public var query: String { String(decoding: target.dropFirst(pathCount + 1), as: UTF8.self) }

    /// The query's fields, decoded, in their order.
    public var queryFields: [(name: String, value: String)] {
        target.dropFirst(pathCount + 1).split(separator: UInt8(ascii: "&")).map { field in
            let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (PercentEncoding.formDecoded(parts[0]), parts.count > 1 ? PercentEncoding.formDecoded(parts[1]) : "")
        }
    }

    /// Whether the path is this one, without making a string of it.
    @inline(__always)
    public func pathIs(_ literal: StaticString) -> Bool {
        pathCount == literal.utf8CodeUnitCount && memcmp(target.baseAddress!, literal.utf8Start, pathCount) == 0
    }

    /// The value of the first line of that name, without white space around it; bytes that are not UTF-8 become U+FFFD.
    /// `name` is in lower case.
    public func header(_ name: StaticString) -> String? {
        headerBytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same without a copy.
    @inline(__always)
    public func headerBytes(_ name: StaticString) -> UnsafeRawBufferPointer? { FieldText.value(of: name, in: fields) }

    /// Whether several lines have that name: who is before this server may have looked at another one of them.
    func isRepeated(_ name: StaticString) -> Bool { FieldText.isRepeated(name, in: fields) }

    /// The other end's address as numbers; empty for a socket in the file system.
    public var peer: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 96) { text in
            sl_peer_text(descriptor, text.baseAddress!, text.count)
            return String(cString: text.baseAddress!)
        }
    }

    public var bodyCount: Int {
        switch content {
        case .none: 0
        case .inPlace(let bytes): bytes.count
        case .collected(let bytes): bytes.count
        }
    }

    /// The body, decoded from its Content-Encoding, where it lies.
    public func withBody<R, E: Error>(_ read: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        switch content {
        case .none: return try read(UnsafeRawBufferPointer(start: nil, count: 0))
        case .inPlace(let bytes): return try read(bytes)
        case .collected(let bytes):
            let span = bytes.span
            return try span.withUnsafeBytes { (bytes) throws(E) in try read(bytes) }
        }
    }

    /// The body as an array; copied when it lies in the read buffer. Who keeps it beyond the call takes its bytes from the memory budget.
    public var body: [UInt8] {
        switch content {
        case .none: []
        case .inPlace(let bytes): [UInt8](bytes)
        case .collected(let bytes): bytes
        }
    }
}

/// Fields as the HTTP/1.1 parser writes them down: `name LF value LF …`.
enum FieldText {
    /// Whether there is more than one line with that lower-case name.
    static func isRepeated(_ name: StaticString, in fields: UnsafeRawBufferPointer) -> Bool {
        guard let first = value(of: name, in: fields), let start = first.baseAddress, let base = fields.baseAddress
        else { return false }
        let next = start - base + first.count + 1
        return next < fields.count && value(of: name, in: UnsafeRawBufferPointer(rebasing: fields[next...])) != nil
    }

    /// The value of the first line with that lower-case name.
    static func value(of name: StaticString, in fields: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard var position = fields.baseAddress else { return nil }
        let end = position + fields.count
        let wanted = name.utf8CodeUnitCount
        while position < end {
            guard let nameEnd = memchr(position, 0x0A, end - position),
                let valueEnd = memchr(nameEnd + 1, 0x0A, end - (UnsafeRawPointer(nameEnd) + 1))
            else { return nil }
            let value = UnsafeRawPointer(nameEnd) + 1
            if UnsafeRawPointer(nameEnd) - position == wanted, memcmp(position, name.utf8Start, wanted) == 0 {
                return UnsafeRawBufferPointer(start: value, count: UnsafeRawPointer(valueEnd) - value)
            }
            position = UnsafeRawPointer(valueEnd) + 1
        }
        return nil
    }
}
