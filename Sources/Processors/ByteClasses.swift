/// What kinds of byte there are, for scanners: one look-up tells all.
enum ByteClass {
    static let digit: UInt8 = 1
    /// A ... Z, a ... z.
    static let letter: UInt8 = 2
    static let alphanumeric: UInt8 = 3
    /// `_`, and `-` (base64url).
    static let underscore: UInt8 = 4
    static let hyphen: UInt8 = 8
    /// In the local part of an e-mail address: `.`, `%`, `+` beside the above.
    static let localMark: UInt8 = 16
    /// In a token of RFC 6750: `~`, `+`, `/`, `=`, `.` beside the above.
    static let tokenMark: UInt8 = 32
    /// Ends a value in a query: white space, quotes, brackets, `&`, `;`, `#`, `,`, controls.
    static let valueEnd: UInt8 = 64
    /// 0 ... 9, a ... f, A ... F.
    static let hex: UInt8 = 128

    static let word = alphanumeric | underscore
    static let base64URL = alphanumeric | underscore | hyphen
    static let local = base64URL | localMark
    static let token = base64URL | tokenMark

    /// 256 entries that live as long as the process.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        // Written once, before anybody reads it.
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: 0, count: 256)
        func add(_ bytes: String, _ kind: UInt8) { for byte in bytes.utf8 { table[Int(byte)] |= kind } }
        add("0123456789", digit | hex)
        add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", letter)
        add("abcdefABCDEF", hex)
        add("_", underscore)
        add("-", hyphen)
        add(".%+", localMark)
        add("~+/=.", tokenMark)
        add(" \"'<>()[]{}&;#,\\`|\u{7F}", valueEnd)
        for byte in 0..<0x20 { table[byte] |= valueEnd }
        return UnsafePointer(table)
    }()

    /// A ... Z become a ... z.
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
