internal import CCrypto

/// A SHA-256 digest, FIPS 180-4.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    public static let bytesCount = 32

    /// 32 of them.
    public let bytes: [UInt8]

    public static let zero = Digest(bytes: [UInt8](repeating: 0, count: bytesCount))

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Of these bytes. Traps where there is no libcrypto: `CryptoLibrary.require` says so before.
    public init(of content: UnsafeRawBufferPointer) {
        precondition(sl_crypto_problem() == nil, "libcrypto is not there")
        bytes = [UInt8](unsafeUninitializedCapacity: Self.bytesCount) { room, count in
            sl_crypto_sha256(content.baseAddress, content.count, room.baseAddress!)
            count = Self.bytesCount
        }
    }

    /// The same.
    public init(of content: [UInt8]) { self = content.withUnsafeBytes { Digest(of: $0) } }

    /// From 64 hex digits in lower case.
    public init?(hex: String) {
        guard hex.utf8.count == 2 * Self.bytesCount, let bytes = [UInt8](lowercaseHex: hex) else { return nil }
        self.bytes = bytes
    }

    public var hex: String { bytes.hex }
    public var description: String { hex }
}

extension [UInt8] {
    /// Two lowercase digits a byte.
    public var hex: String {
        String(unsafeUninitializedCapacity: 2 * count) { digits in
            for (index, byte) in self.enumerated() {
                digits[2 * index] = Self.digit(byte >> 4)
                digits[2 * index + 1] = Self.digit(byte & 15)
            }
            return 2 * count
        }
    }

    /// Nil: an odd count of digits, or something else among them.
    public init?(lowercaseHex text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.nibble(digits[index]), let low = Self.nibble(digits[index + 1]) else { return nil }
            append(high << 4 | low)
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 + nibble : 87 + nibble }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        default: nil
        }
    }
}
