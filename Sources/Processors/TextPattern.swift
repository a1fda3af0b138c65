internal import Glibc

/// A text with `*` for any bytes, none included, made ready to be compared with bytes. Time is in proportion to the
/// text's length for the usual forms, and to its length times the pattern's at worst.
struct TextPattern {
    private enum Form {
        case any
        case exact
        case prefix
        case suffix
        case contains
        /// What stands between the stars; the first piece is at the start, the last at the end.
        case pieces([[UInt8]])
    }

    private let form: Form
    private let literal: [UInt8]

    init(exact text: String) {
        form = .exact
        literal = Array(text.utf8)
    }

    init(glob text: String) {
        let pieces = text.utf8.split(separator: 0x2A, omittingEmptySubsequences: false).map { Array($0) }
        let inner = pieces.filter { !$0.isEmpty }
        switch (pieces.count, inner.count) {
        case (1, _): (form, literal) = (.exact, pieces[0])
        case (_, 0): (form, literal) = (.any, [])
        case (2, 1) where !pieces[0].isEmpty: (form, literal) = (.prefix, pieces[0])
        case (2, 1): (form, literal) = (.suffix, pieces[1])
        case (3, 1) where !pieces[1].isEmpty: (form, literal) = (.contains, pieces[1])
        default:
            (form, literal) = (
                .pieces([pieces[0]] + pieces[1..<pieces.count - 1].filter { !$0.isEmpty } + [pieces[pieces.count - 1]]),
                []
            )
        }
    }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        switch form {
        case .any: true
        case .exact: text.count == literal.count && Self.isEqual(text, 0, literal)
        case .prefix: text.count >= literal.count && Self.isEqual(text, 0, literal)
        case .suffix: text.count >= literal.count && Self.isEqual(text, text.count - literal.count, literal)
        case .contains: Self.find(literal, in: text, from: 0, to: text.count) != nil
        case .pieces(let pieces): Self.match(pieces, text)
        }
    }

    private static func match(_ pieces: [[UInt8]], _ text: UnsafeRawBufferPointer) -> Bool {
        let first = pieces[0]
        let last = pieces[pieces.count - 1]
        guard text.count >= first.count + last.count, isEqual(text, 0, first),
            isEqual(text, text.count - last.count, last)
        else {
            return false
        }
        // Each piece as early as it can be: what comes behind it then has the most room.
        var position = first.count
        for piece in pieces[1..<pieces.count - 1] {
            guard let found = find(piece, in: text, from: position, to: text.count - last.count) else { return false }
            position = found + piece.count
        }
        return true
    }

    @inline(__always)
    private static func isEqual(_ text: UnsafeRawBufferPointer, _ offset: Int, _ literal: [UInt8]) -> Bool {
        guard !literal.isEmpty else { return true }
        return literal.withUnsafeBytes { memcmp(text.baseAddress! + offset, $0.baseAddress!, $0.count) == 0 }
    }

    private static func find(_ literal: [UInt8], in text: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int?
    {
        guard end - start >= literal.count, let first = literal.first, let base = text.baseAddress else { return nil }
        let last = end - literal.count
        var position = start
        while position <= last {
            guard let found = memchr(base + position, Int32(first), last - position + 1) else { return nil }
            let offset = UnsafeRawPointer(found) - base
            if isEqual(text, offset, literal) { return offset }
            position = offset + 1
        }
        return nil
    }
}
