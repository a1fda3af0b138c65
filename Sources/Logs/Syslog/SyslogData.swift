/// Reads the structured data of a message of RFC 5424, section 6.3: elements of an id and parameters, `[id name="value" …]`.
struct SyslogData {
    struct Parameter {
        var id: Text
        var name: Text
        /// Between the quotes.
        var value: Text
        /// There are backslashes before quotes, brackets or backslashes.
        var hasEscapes: Bool
    }

    /// Of an id, and of a parameter's name; the RFC allows 32. Bytes.
    static let nameBytesMax = 64
    /// In one message.
    static let parametersMax = 256

    /// What is read next.
    private(set) var place: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var id: Text
    /// It is none, or not one that is read here.
    private(set) var isBroken = false

    init(_ text: Text) {
        place = text.start
        end = text.end
        id = Text(text.start, count: 0)
    }

    /// Where the elements end that the text begins with; nil: it begins with none, or there is too much in them.
    static func end(_ text: Text) -> UnsafePointer<UInt8>? {
        var reader = SyslogData(text)
        var count = 0
        // What the names take where they are written, each in full.
        var written = 0
        while let parameter = reader.next() {
            count += 1
            written += parameter.id.count + parameter.name.count + 24
        }
        guard !reader.isBroken, reader.place > text.start, count <= parametersMax,
            written <= 4 * (reader.place - text.start) + 2_000,
            reader.place == text.end || reader.place.pointee == UInt8(ascii: " ")
        else { return nil }
        return reader.place
    }

    /// Nil at the end, and where it is broken.
    mutating func next() -> Parameter? {
        while place < end {
            if id.isEmpty {
                guard place.pointee == UInt8(ascii: "[") else { return nil }
                place += 1
                guard let name = name() else { return broken() }
                id = name
            }
            guard place < end else { return broken() }
            if place.pointee == UInt8(ascii: "]") {
                place += 1
                id = Text(place, count: 0)
                continue
            }
            guard place.pointee == UInt8(ascii: " ") else { return broken() }
            while place < end, place.pointee == UInt8(ascii: " ") { place += 1 }
            // Some leave a space before the bracket.
            if place < end, place.pointee == UInt8(ascii: "]") { continue }
            guard let name = name(), end - place >= 2, place.pointee == UInt8(ascii: "="),
                place[1] == UInt8(ascii: "\"")
            else { return broken() }
            place += 2
            return value(of: name)
        }
        return id.isEmpty ? nil : broken()
    }

    private mutating func value(of name: Text) -> Parameter? {
        let start = place
        var hasEscapes = false
        while place < end {
            if place.pointee == UInt8(ascii: "\"") {
                let value = Text(start, place)
                place += 1
                return Parameter(id: id, name: name, value: value, hasEscapes: hasEscapes)
            }
            if place.pointee == UInt8(ascii: "\\"), end - place >= 2 {
                hasEscapes = true
                place += 1
            }
            place += 1
        }
        return broken()
    }

    /// What is printed but for `=`, `]`, `"` and the space.
    private mutating func name() -> Text? {
        let start = place
        while place < end, place.pointee > 0x20, place.pointee != 0x7F, place.pointee != UInt8(ascii: "="),
            place.pointee != UInt8(ascii: "]"), place.pointee != UInt8(ascii: "\"")
        {
            place += 1
        }
        guard place > start, place - start <= Self.nameBytesMax else { return nil }
        return Text(start, place)
    }

    private mutating func broken() -> Parameter? {
        isBroken = true
        place = end
        return nil
    }

    /// Takes the backslashes out that stand before quotes, brackets and backslashes. In place: a value only becomes shorter.
    static func unescape(_ value: Text) -> Text {
        let base = UnsafeMutablePointer(mutating: value.start)
        var (from, to) = (0, 0)
        while from < value.count {
            if base[from] == UInt8(ascii: "\\"), from + 1 < value.count {
                let next = base[from + 1]
                if next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") || next == UInt8(ascii: "]") { from += 1 }
            }
            base[to] = base[from]
            from += 1
            to += 1
        }
        return Text(value.start, count: to)
    }
}
