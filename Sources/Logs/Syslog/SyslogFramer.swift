// A stream of messages is cut in one of two ways (RFC 6587): each has its length in front of it ("octet counting"), or ends with a line feed or a NUL. Which one
// is seen from the first byte of each message, since one that has no length begins with "<". Messages that lie whole in what was read are not copied.

internal import Glibc

/// Cuts what comes over a connection into messages.
public struct SyslogFramer {
    private enum State {
        /// Before a message.
        case start
        /// In digits that may be a length; they are kept.
        case length(UInt64)
        /// In a message of which so many bytes are to come.
        case counted(UInt64)
        /// In a message that ends with its line.
        case line
    }

    /// A length of more digits is none.
    private static let digitsMax = 9
    private static let zero = UInt8(ascii: "0")

    private let bytesMax: Int
    private var state = State.start
    /// What has come of a message.
    private var kept: [UInt8] = []
    /// Bytes of it that did not fit.
    private var missing: UInt64 = 0

    /// Messages that were cut to the most they may have, and the bytes that are missing of them.
    public private(set) var cutMessages: UInt64 = 0
    public private(set) var cutBytes: UInt64 = 0

    /// - Parameter messageBytesMax: a longer one is cut there.
    public init(messageBytesMax: Int) { bytesMax = messageBytesMax }

    /// Bytes that are held.
    public var bytesHeld: Int { kept.capacity }

    /// Takes what was read; `message` gets each message that is whole with it, without what frames it.
    public mutating func take(_ bytes: UnsafeRawBufferPointer, _ message: (UnsafeRawBufferPointer) -> Void) {
        var rest = bytes[...]
        while let first = rest.first {
            switch state {
            case .start:
                if first == 0x0A || first == 0x0D || first == 0 || first == 0x20 {
                    rest = rest.dropFirst()
                } else {
                    state = first > Self.zero && first <= Self.zero + 9 ? .length(0) : .line
                }
            case .length(let value):
                if first &- Self.zero <= 9, kept.count < Self.digitsMax {
                    kept.append(first)
                    state = .length(value * 10 + UInt64(first - Self.zero))
                    rest = rest.dropFirst()
                } else if first == 0x20 {
                    kept.removeAll(keepingCapacity: true)
                    state = value > 0 ? .counted(value) : .start
                    rest = rest.dropFirst()
                } else {
                    // A line that begins with a number.
                    state = .line
                }
            case .counted(let left):
                let count = Int(min(left, UInt64(rest.count)))
                add(rest.prefix(count), isEnd: UInt64(count) == left, message)
                state = UInt64(count) == left ? .start : .counted(left - UInt64(count))
                rest = rest.dropFirst(count)
            case .line:
                let end = Self.lineEnd(rest)
                add(rest[rest.startIndex..<(end ?? rest.endIndex)], isEnd: end != nil, message)
                if end != nil { state = .start }
                rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...]
            }
        }
    }

    /// The stream has ended: what has come of a message that is not whole is one.
    public mutating func end(_ message: (UnsafeRawBufferPointer) -> Void) {
        if !kept.isEmpty { finish(message) }
        state = .start
    }

    private mutating func add(
        _ part: Slice<UnsafeRawBufferPointer>, isEnd: Bool, _ message: (UnsafeRawBufferPointer) -> Void
    ) {
        if isEnd, kept.isEmpty, missing == 0, part.count <= bytesMax {
            if !part.isEmpty { message(UnsafeRawBufferPointer(rebasing: part)) }
            return
        }
        let room = min(bytesMax - kept.count, part.count)
        kept.append(contentsOf: part.prefix(room))
        missing += UInt64(part.count - room)
        if isEnd { finish(message) }
    }

    private mutating func finish(_ message: (UnsafeRawBufferPointer) -> Void) {
        if missing > 0 {
            cutMessages += 1
            cutBytes += missing
            missing = 0
        }
        if !kept.isEmpty { kept.withUnsafeBytes(message) }
        kept.removeAll(keepingCapacity: kept.capacity <= 16 << 10)
    }

    private static func lineEnd(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let base = bytes.base.baseAddress else { return nil }
        let start = base + bytes.startIndex
        let newline = memchr(start, 0x0A, bytes.count)
        let count = newline.map { UnsafeRawPointer($0) - start } ?? bytes.count
        let nul = memchr(start, 0, count)
        return (nul ?? newline).map { UnsafeRawPointer($0) - base }
    }
}
