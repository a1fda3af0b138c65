import CRE2

/// A regular expression of a user (RE2's syntax): found in time proportional to the line, whatever either is.
public final class LinePattern: Sendable {
    /// Bytes that a pattern and its matching may take.
    public static let memoryMax: Int64 = 8 << 20
    public struct Invalid: Error, CustomStringConvertible {
        public var description: String
    }

    /// The pattern as it was given.
    public let source: String
    /// By group, from the first; nil for one without a name.
    public let groupNames: [String?]
    // RE2 locks what its matching shares.
    private nonisolated(unsafe) let matcher: OpaquePointer

    public init(_ source: String) throws(Invalid) {
        guard !source.isEmpty else { throw Invalid(description: "it is empty") }
        var copy = Self.withNamesAsRE2HasThem(source)
        var why = [CChar](repeating: 0, count: 256)
        let made = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in
                chars.baseAddress.flatMap { sl_re2_new($0, chars.count, Self.memoryMax, &why, why.count) }
            }
        }
        guard let made else {
            let text = why.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw Invalid(description: String(decoding: text, as: UTF8.self))
        }
        let names = (0..<Int(sl_re2_group_count(made))).map { index in
            sl_re2_group_name(made, Int32(index + 1)).map { String(cString: $0) }
        }
        let named = names.compactMap(\.self)
        guard Set(named).count == named.count else {
            sl_re2_free(made)
            throw Invalid(description: "two groups have the same name")
        }
        self.source = source
        matcher = made
        groupNames = names
    }

    deinit { sl_re2_free(matcher) }

    /// `(?<name>` as others write it is `(?P<name>` before RE2 of 2023.
    private static func withNamesAsRE2HasThem(_ source: String) -> String {
        var bytes: [UInt8] = []
        var (isEscaped, isInClass) = (false, false)
        let text = Array(source.utf8)
        for (index, byte) in text.enumerated() {
            bytes.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if isInClass {
                isInClass = byte != UInt8(ascii: "]")
            } else if byte == UInt8(ascii: "[") {
                isInClass = true
            } else if byte == UInt8(ascii: "?"), index > 0, text[index - 1] == UInt8(ascii: "("),
                index + 2 < text.count, text[index + 1] == UInt8(ascii: "<"), text[index + 2] != UInt8(ascii: "="),
                text[index + 2] != UInt8(ascii: "!")
            {
                bytes.append(UInt8(ascii: "P"))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func matches(_ text: Text) -> Bool { sl_re2_match(matcher, text.start, text.count, nil, 0) }

    /// `places` has room for a start and an end of each group; both are -1 for a group that took no part.
    func groups(of text: Text, into places: UnsafeMutablePointer<Int64>) -> Bool {
        sl_re2_match(matcher, text.start, text.count, places, Int32(groupNames.count))
    }
}
