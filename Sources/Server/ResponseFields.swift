/// Header lines of a response, made once and used for many: `name: value CRLF …`, names in lower case. Content-length, date and what concerns the connection
/// are the server's.
public struct ResponseFields: Sendable, Hashable {
    let lines: [UInt8]

    public static let none = ResponseFields(lines: [])

    private init(lines: [UInt8]) { self.lines = lines }

    /// Traps for a name that is no lower-case token. Characters that may not stand in a value become spaces.
    public init(_ fields: KeyValuePairs<StaticString, String>) {
        var lines: [UInt8] = []
        for (name, value) in fields { Self.append(name, value, to: &lines) }
        self.lines = lines
    }

    /// These lines and one more.
    public func adding(_ name: StaticString, _ value: String) -> ResponseFields {
        var lines = lines
        Self.append(name, value, to: &lines)
        return ResponseFields(lines: lines)
    }

    /// These lines and others.
    public func adding(_ others: ResponseFields) -> ResponseFields {
        others.lines.isEmpty ? self : ResponseFields(lines: lines + others.lines)
    }

    private static func append(_ name: StaticString, _ value: String, to lines: inout [UInt8]) {
        name.withUTF8Buffer { name in
            precondition(
                !name.isEmpty
                    && name.allSatisfy { $0 == 0x2D || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) },
                "a header's name is in lower case")
            lines += name
        }
        lines += [0x3A, 0x20]
        lines += value.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        lines += [0x0D, 0x0A]
    }

    /// Each line's name and value, where they lie in `lines`.
    static func forEach(
        in lines: UnsafeRawBufferPointer,
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void
    ) {
        var start = 0
        while start < lines.count {
            var colon = start
            while lines[colon] != 0x3A { colon += 1 }
            var end = colon + 2
            while lines[end] != 0x0D { end += 1 }
            body(
                UnsafeRawBufferPointer(rebasing: lines[start..<colon]),
                UnsafeRawBufferPointer(rebasing: lines[(colon + 2)..<end]))
            start = end + 2
        }
    }
}
