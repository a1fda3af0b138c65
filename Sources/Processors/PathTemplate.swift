/// Paths of URLs to names of low cardinality: parts that are ids become placeholders. The rules stand in
/// docs/processors.md.
enum PathTemplate {
    /// Longer names stay as they are.
    static let bytesMax = 4_096

    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
    ].map { Array($0.utf8) }
    private static let slash: UInt8 = 0x2F

    /// A span's name, if it is a path, or a method and a path or an HTTP URL; nil: it is none of them, or it does not
    /// change.
    static func name(_ name: UnsafeRawBufferPointer) -> [UInt8]? {
        guard name.count <= bytesMax, let start = pathStart(of: name) else { return nil }
        return template(name, pathAt: start)
    }

    /// A path, with or without a query; nil: it does not change.
    static func path(_ path: UnsafeRawBufferPointer) -> [UInt8]? {
        guard path.count <= bytesMax, path.first == slash else { return nil }
        return template(path, pathAt: 0)
    }

    /// Where the path of an `http:` or `https:` URL begins; its end where it has none, nil when it is no such URL.
    static func pathStart(ofURL text: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        for scheme in ["http://", "https://"] where has(scheme, text, start) {
            var position = start + scheme.utf8.count
            while position < text.count, ![slash, 0x3F, 0x23, 0x20].contains(text[position]) { position += 1 }
            return position
        }
        return nil
    }

    private static func has(_ prefix: String, _ text: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        text.count - start >= prefix.utf8.count && zip(text[start...], prefix.utf8).allSatisfy(==)
    }

    private static func pathStart(of name: UnsafeRawBufferPointer) -> Int? {
        guard let first = name.first else { return nil }
        if first == slash { return 0 }
        // Most names are sorted out by their first byte.
        guard first &- 0x41 < 26, let space = name.prefix(8).firstIndex(of: 0x20), space + 1 < name.count,
            methods.contains(where: { $0.count == space && $0.elementsEqual(name[..<space]) })
        else { return nil }
        return name[space + 1] == slash ? space + 1 : pathStart(ofURL: name, from: space + 1)
    }

    private static func template(_ text: UnsafeRawBufferPointer, pathAt start: Int) -> [UInt8]? {
        var end = start
        while end < text.count, text[end] != 0x3F, text[end] != 0x23, text[end] != 0x20 { end += 1 }
        // The query and the fragment go up to a space, behind which something else stands.
        var rest = end
        while rest < text.count, text[rest] != 0x20 { rest += 1 }
        var output: [UInt8] = []
        var copied = 0
        var position = start
        while position < end {
            guard text[position] != slash else {
                position += 1
                continue
            }
            var segmentEnd = position
            while segmentEnd < end, text[segmentEnd] != slash { segmentEnd += 1 }
            if let (placeholder, idEnd) = placeholder(text, position..<segmentEnd) {
                output += text[copied..<position]
                output += placeholder.utf8
                copied = idEnd
            }
            position = segmentEnd
        }
        guard copied > 0 || rest > end else { return nil }
        output += text[copied..<end]
        output += text[rest...]
        return output
    }

    /// What stands for a part of a path, and the end of what it stands for: a file name's suffix stays. Nil: the part
    /// stays.
    private static func placeholder(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> (String, Int)? {
        let first = text[range.lowerBound]
        // A template's own: {id}, :id, <id>, [id], *.
        if first == 0x7B || first == 0x3A || first == 0x3C || first == 0x5B || first == 0x2A { return nil }
        let whole = placeholderOfID(text, range).map { ($0, range.upperBound) }
        if let whole, whole.0 != "{id}" { return whole }
        var dot = range.upperBound - 1
        while dot > range.lowerBound, range.upperBound - dot <= 6, text[dot] != 0x2E { dot -= 1 }
        guard dot > range.lowerBound, text[dot] == 0x2E, dot + 1 < range.upperBound,
            text[dot + 1..<range.upperBound].allSatisfy({ ByteClass.table[Int($0)] & ByteClass.alphanumeric != 0 }),
            ByteClass.table[Int(text[dot + 1])] & ByteClass.letter != 0,
            let stem = placeholderOfID(text, range.lowerBound..<dot)
        else { return whole }
        return (stem, dot)
    }

    private static func placeholderOfID(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> String? {
        let classes = ByteClass.table
        var digits = 0
        var hex = 0
        var hyphens = 0
        var words = 0
        var digitRun = 0
        var longestDigitRun = 0
        var changes = 0
        var at: Int?
        var before: UInt8 = 0
        for position in range {
            let byte = text[position]
            let kind = classes[Int(byte)]
            if kind & ByteClass.digit != 0 {
                digits += 1
                digitRun += 1
                longestDigitRun = max(longestDigitRun, digitRun)
            } else {
                digitRun = 0
            }
            if kind & ByteClass.hex != 0 { hex += 1 }
            if byte == 0x2D { hyphens += 1 }
            if kind & ByteClass.base64URL != 0 { words += 1 }
            if kind & ByteClass.alphanumeric != 0, before & ByteClass.alphanumeric != 0,
                (kind ^ before) & ByteClass.digit != 0
            {
                changes += 1
            }
            if byte == 0x40
                || byte == 0x25 && position + 2 < range.upperBound && text[position + 1] == 0x34
                    && text[position + 2] == 0x30
            {
                at = position
            }
            before = kind
        }
        let count = range.count
        if let at, at > range.lowerBound, text[at..<range.upperBound].contains(0x2E) { return "{email}" }
        if digits == count { return "{id}" }
        if isDate(text, range) { return "{date}" }
        if count == 36, hyphens == 4, hex == 32 { return "{id}" }
        if hex == count, count >= 16 || count >= 8 && digits > 0 { return "{id}" }
        if words == count, count >= 16, changes >= 4 { return "{id}" }
        if longestDigitRun >= 5 { return "{id}" }
        return nil
    }

    /// YYYY-MM-DD, and what follows with a T.
    private static func isDate(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        guard range.count >= 10 else { return false }
        for index in 0..<10 {
            let byte = text[range.lowerBound + index]
            if index == 4 || index == 7 {
                guard byte == 0x2D else { return false }
            } else {
                guard byte &- 0x30 < 10 else { return false }
            }
        }
        return range.count == 10 || text[range.lowerBound + 10] == 0x54
    }
}
