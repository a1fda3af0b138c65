import Testing

@testable import Wire

/// What came of the bytes of one connection.
enum HTTP1Item: Equatable, CustomStringConvertible {
    case head(HTTP1Seen)
    case body([UInt8])
    case end
    case failure(HTTP1Failure)

    var description: String {
        switch self {
        case .head(let seen): "head \(seen)"
        case .body(let bytes): "body \(String(decoding: bytes, as: UTF8.self).debugDescription)"
        case .end: "end"
        case .failure(let failure): "\(failure.status) \(failure.rawValue)"
        }
    }
}

/// A head, taken out of the parser.
struct HTTP1Seen: Equatable {
    var text: [UInt8]
    var target: String
    var authority: String
    var method: HTTP1Method
    var version: HTTP1Version
    var body: HTTP1RequestBody
    var keepAlive: Bool
    var expectsContinue: Bool
    var wantsUpgrade: Bool
    var fields: [HTTP1Field: String] = [:]
    var repeated: Set<HTTP1Field> = []

    init(_ parser: borrowing HTTP1RequestParser) {
        let head = parser.head
        text = Array(parser.text)
        target = latin1(parser.bytes(at: head.target))
        authority = latin1(parser.bytes(at: head.targetAuthority))
        method = head.method
        version = head.version
        body = head.body
        keepAlive = head.keepAlive
        expectsContinue = head.expectsContinue
        wantsUpgrade = head.wantsUpgrade
        for field in HTTP1Field.allCases {
            if let value = parser.value(of: field) { fields[field] = latin1(value) }
            if head.isRepeated(field) { repeated.insert(field) }
        }
    }
}

/// One character a byte.
func latin1(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
}

/// One byte a character, all under U+0100.
func latin1Bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

/// A connection's buffer around a parser, as a server keeps it, with every promise of the events checked. The parser sees
/// memory of exactly the bytes' size, so that a sanitizer tells of a look beyond.
final class HTTP1Feed {
    var parser: HTTP1RequestParser
    var pending: [UInt8] = []
    var items: [HTTP1Item] = []

    init(limits: HTTP1Limits = HTTP1Limits()) { parser = HTTP1RequestParser(limits: limits) }

    var isIdle: Bool { parser.isIdle }

    var hasFailed: Bool {
        if case .failure = items.last { true } else { false }
    }

    /// Takes all events that these bytes complete. Content in pieces is put together.
    func receive(_ bytes: some Sequence<UInt8>) {
        pending.append(contentsOf: bytes)
        var position = 0
        let shown = UnsafeMutableRawBufferPointer.allocate(byteCount: pending.count, alignment: 1)
        defer { shown.deallocate() }
        shown.copyBytes(from: pending)
        while !hasFailed {
            let rest = UnsafeMutableRawBufferPointer.allocate(byteCount: shown.count - position, alignment: 1)
            defer { rest.deallocate() }
            rest.copyBytes(from: shown[position...])
            let event = parser.next(UnsafeRawBufferPointer(rest))
            precondition((0...rest.count).contains(event.consumed), "\(event) of \(rest.count) bytes")
            position += event.consumed
            switch event {
            case .needMore:
                pending.removeFirst(position)
                return
            case .head: items.append(.head(HTTP1Seen(parser)))
            case .body(let range, let consumed):
                precondition(!range.isEmpty && range.upperBound <= consumed, "body \(range) of \(consumed)")
                if case .body(let before) = items.last {
                    items[items.count - 1] = .body(before + rest[range])
                } else {
                    items.append(.body(Array(rest[range])))
                }
            case .end: items.append(.end)
            case .failure(let failure):
                items.append(.failure(failure))
                precondition(parser.next(UnsafeRawBufferPointer(rest)) == event, "a failure that does not last")
            }
        }
    }

    /// Whole, byte by byte or cut in two.
    static func items(of bytes: [UInt8], cut: Int? = nil, limits: HTTP1Limits = HTTP1Limits()) -> [HTTP1Item] {
        let feed = HTTP1Feed(limits: limits)
        feed.receive(bytes[..<(cut ?? bytes.count)])
        if let cut { feed.receive(bytes[cut...]) }
        return feed.items
    }

    static func dripFed(_ bytes: [UInt8], limits: HTTP1Limits = HTTP1Limits()) -> [HTTP1Item] {
        let feed = HTTP1Feed(limits: limits)
        for byte in bytes { feed.receive(CollectionOfOne(byte)) }
        return feed.items
    }
}
