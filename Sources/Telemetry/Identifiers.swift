/// A trace id: 16 bytes, all zero means none. Kept as two integers so that comparing and hashing cost nothing;
/// `high` holds the first eight bytes in network order.
/// W3C Trace Context, section 3.2.2.3 <https://www.w3.org/TR/trace-context/#trace-id>.
public struct TraceID: Hashable, Sendable, Comparable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static let invalid = TraceID(high: 0, low: 0)

    public var isValid: Bool { high | low != 0 }

    /// 32 lowercase hex digits.
    public var hex: String { high.hex16 + low.hex16 }

    /// Parses exactly 32 hex digits of either case; 16 digits give a 64-bit id as Zipkin and old Jaeger clients send.
    public init?(hex: some StringProtocol) {
        let digits = Array(hex.utf8)
        if digits.count == 32 {
            guard let high = UInt64(hexDigits: digits[..<16]), let low = UInt64(hexDigits: digits[16...]) else { return nil }
            self.init(high: high, low: low)
        } else {
            guard digits.count == 16, let low = UInt64(hexDigits: digits[...]) else { return nil }
            self.init(high: 0, low: low)
        }
    }

    /// 16 bytes in network order; nil when the count is another.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.init(high: UInt64(bigEndian: bytes.prefix(8)), low: UInt64(bigEndian: bytes.dropFirst(8)))
    }

    /// 16 bytes in network order.
    public var bytes: [UInt8] { high.bigEndianBytes + low.bigEndianBytes }

    public static func < (left: TraceID, right: TraceID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// A span id: 8 bytes, zero means none. W3C Trace Context, section 3.2.2.4.
public struct SpanID: Hashable, Sendable, Comparable {
    public var value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public static let invalid = SpanID(0)

    public var isValid: Bool { value != 0 }

    /// 16 lowercase hex digits.
    public var hex: String { value.hex16 }

    /// Parses exactly 16 hex digits of either case.
    public init?(hex: some StringProtocol) {
        let digits = Array(hex.utf8)
        guard digits.count == 16, let value = UInt64(hexDigits: digits[...]) else { return nil }
        self.init(value)
    }

    /// 8 bytes in network order; nil when the count is another.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 8 else { return nil }
        self.init(UInt64(bigEndian: bytes))
    }

    public var bytes: [UInt8] { value.bigEndianBytes }

    public static func < (left: SpanID, right: SpanID) -> Bool { left.value < right.value }
}

extension TraceID: CustomStringConvertible { public var description: String { hex } }
extension SpanID: CustomStringConvertible { public var description: String { hex } }

extension UInt64 {
    fileprivate var hex16: String {
        String(unsafeUninitializedCapacity: 16) { digits in
            var rest = self
            for index in (0..<16).reversed() {
                let nibble = UInt8(truncatingIfNeeded: rest & 15)
                digits[index] = nibble < 10 ? 48 + nibble : 87 + nibble
                rest >>= 4
            }
            return 16
        }
    }

    fileprivate init?(hexDigits: ArraySlice<UInt8>) {
        var value: UInt64 = 0
        for digit in hexDigits {
            let nibble: UInt8
            switch digit {
            case 48...57: nibble = digit - 48
            case 97...102: nibble = digit - 87
            case 65...70: nibble = digit - 55
            default: return nil
            }
            value = value << 4 | UInt64(nibble)
        }
        self = value
    }

    fileprivate init(bigEndian bytes: some Collection<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    fileprivate var bigEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) } }
}
