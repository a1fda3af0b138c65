import Glibc

/// What single lines of stack traces look like.
enum TraceLine {
    /// An indented line that only stack traces have.
    static func isFrame(_ line: Text) -> Bool {
        var at = line.start
        while at < line.end, at.pointee == 0x20 || at.pointee == 0x09 { at += 1 }
        let rest = Text(at, line.end)
        switch at.pointee {
        case UInt8(ascii: "a"): return rest.hasPrefix("at ")
        case UInt8(ascii: "F"): return rest.hasPrefix("File \"")
        case UInt8(ascii: "f"): return rest.hasPrefix("from ") && contains(rest, ":in ")
        case UInt8(ascii: "."): return rest.hasPrefix("... ") && at[4].isDigit
        case UInt8(ascii: "["):
            return rest.hasPrefix("[cause]: ") || rest.hasPrefix("[errors]: ") || rest.hasPrefix("[stack]: ")
        case UInt8(ascii: "C"): return rest.hasPrefix("Caused by: ")
        case UInt8(ascii: "S"): return rest.hasPrefix("Suppressed: ")
        case UInt8(ascii: "-"): return rest.hasPrefix("---> ") || rest.hasPrefix("--- End of ")
        case UInt8(ascii: "/"): return contains(rest, ".go:")
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            // Rust's `   0: std::panicking`, Ruby's `	1: from a.rb:1:in`.
            var end = at
            while end < line.end, end.pointee.isDigit { end += 1 }
            return Text(end, line.end).hasPrefix(": ") && (contains(rest, "::") || contains(rest, ": from "))
        default: return false
        }
    }

    /// Nothing but closing brackets and what may stand around them, as after V8's `[cause]`.
    static func closes(_ line: Text) -> Bool {
        guard line.count <= 16, line.start.pointee == UInt8(ascii: "}") || line.start.pointee == UInt8(ascii: "]")
        else { return false }
        for place in line.start..<line.end {
            switch place.pointee {
            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: "{"), 0x20: continue
            default: return false
            }
        }
        return true
    }

    static func isCaret(_ line: Text) -> Bool {
        var hasCaret = false
        for place in line.start..<line.end {
            switch place.pointee {
            case UInt8(ascii: "^"): hasCaret = true
            case 0x20, 0x09, UInt8(ascii: "~"): continue
            default: return false
            }
        }
        return hasCaret
    }

    /// `/app/index.js:3`, and nothing else.
    static func isPlace(_ line: Text) -> Bool {
        var at = line.end
        while at > line.start, at[-1].isDigit { at -= 1 }
        guard at < line.end, at > line.start, at[-1] == UInt8(ascii: ":"), line.count <= 1_024 else { return false }
        return line.first(0x20) == nil
    }

    /// The lines of Go's report that are not indented: states, goroutines, calls.
    static func isGo(_ line: Text) -> Bool {
        let last = line.end[-1]
        return last == UInt8(ascii: ")") && line.first(UInt8(ascii: "(")) != nil && !isLogLine(line)
            || line.hasPrefix("created by ")
            || line.hasPrefix("goroutine ") || line.hasPrefix("[signal ") || line.hasPrefix("exit status ")
            || line.hasPrefix("panic: ")
            || line.hasPrefix("runtime: ") || line.hasPrefix("[recovered]") || line.hasPrefix("runtime stack:")
    }

    /// Begins with a time or a bracket or brace, as the next record would.
    static func isLogLine(_ line: Text) -> Bool {
        let first = line.start.pointee
        return first.isDigit || first == UInt8(ascii: "[") || first == UInt8(ascii: "{") || first == UInt8(ascii: "<")
    }

    /// Begins with a time, a bracket or a brace: never a further line of a message.
    static func beginsRecord(_ line: Text) -> Bool {
        guard line.start.pointee.isDigit else { return isLogLine(line) }
        let (third, fifth) = (line.start[2], line.start[4])
        return fifth == UInt8(ascii: "-") || fifth == UInt8(ascii: "/") || third == UInt8(ascii: ":")
            || third == UInt8(ascii: "/")
            || line.count >= 10 && line.start[5].isDigit && line.start[9].isDigit
    }

    static func contains(_ line: Text, _ word: StaticString) -> Bool { find(line, word) != nil }

    private static func find(_ line: Text, _ word: StaticString) -> UnsafePointer<UInt8>? {
        let first = word.utf8Start.pointee
        var rest = line
        while let place = rest.first(first) {
            rest.start = place
            if rest.hasPrefix(word) { return place }
            rest.start = place + 1
        }
        return nil
    }

    /// `info: Category[0]`, as .NET's console writer begins.
    static func isDotnet(_ line: Text) -> Bool {
        guard line.end[-1] == UInt8(ascii: "]"), line.start[5] == 0x20 else { return false }
        return switch UInt32(truncatingIfNeeded: line.word) {
        case 0x6563_7274, 0x6775_6264, 0x6F66_6E69, 0x6E72_6177, 0x6C69_6166, 0x7469_7263: true
        default: false
        }
    }

    // MARK: heads

    /// What an error's head names.
    struct Head {
        var type: Text
        var message: Text
    }

    /// Whether the line's first word is an error's name, followed as one is.
    @inline(__always)
    static func isHead(_ line: Text) -> Bool {
        guard line.start.pointee.isLetter else { return false }
        return head(Text(line.start, line.end), firstWordOnly: true) != nil
    }

    /// Bytes of a line in which a type may begin.
    private static let headBytesMax = 512

    /// `TypeError: x is not a function`, `java.lang.IllegalStateException: x`, `Error [CODE]: x`, with or without a text before; nil where no word of the line is
    /// the name of an error.
    static func head(_ line: Text, firstWordOnly: Bool = false) -> Head? {
        let end = Text(line.start, line.end).prefix(headBytesMax).end
        var at = line.start
        while at < end {
            // A word of an identifier's letters, dots within.
            guard at.pointee.isLetter else {
                at += 1
                continue
            }
            let start = at
            while at < line.end,
                at.pointee.isLetter || at.pointee.isDigit || at.pointee == UInt8(ascii: ".")
                    || at.pointee == UInt8(ascii: "_")
                    || at.pointee == UInt8(ascii: "$")
            {
                at += 1
            }
            let word = Text(start, at)
            guard isErrorName(word) else {
                if firstWordOnly { return nil }
                continue
            }
            if at == line.end { return Head(type: word, message: Text(at, at)) }
            if Text(at, line.end).hasPrefix(": ") { return Head(type: word, message: Text(at + 2, line.end)) }
            if at.pointee == UInt8(ascii: ":"), at + 1 == line.end {
                return Head(type: word, message: Text(line.end, line.end))
            }
            // Node's codes: `Error [ERR_X]: message`.
            if Text(at, line.end).hasPrefix(" ["), let close = Text(at, line.end).first(UInt8(ascii: "]")),
                Text(close, line.end).hasPrefix("]: ")
            {
                return Head(type: word, message: Text(close + 3, line.end))
            }
            // `AggregateError {` and its kin, as `util.inspect` has an error without a stack.
            if start == line.start, Text(at, line.end).equals(" {") {
                return Head(type: word, message: Text(line.end, line.end))
            }
        }
        return nil
    }

    @inline(__always)
    private static func isErrorName(_ word: Text) -> Bool {
        guard word.count >= 5 else { return false }
        let tail = (word.end - 5)
        let isError = tail[0] | 0x20 == UInt8(ascii: "e") && Text(tail + 1, count: 4).equals("rror")
        // "error: x" is a level, "Error: x" is V8's.
        if isError {
            return word.count > 5
                ? word.start.pointee != UInt8(ascii: "e") || word.count > 8 : tail[0] == UInt8(ascii: "E")
        }
        return word.count >= 9 && Text(word.end - 9, count: 9).equals("Exception") && word.count > 9
    }

    /// A line that begins with a name as classes have it, of an error that is not called one: `ValidationFailed: x`, Python's `KeyboardInterrupt`.
    static func named(_ head: Text) -> Head? {
        let text = head.trimmed()
        guard !text.isEmpty, text.start.pointee.isLetter else { return nil }
        var at = text.start
        var isClass = at.pointee & 0x20 == 0
        while at < text.end,
            at.pointee.isLetter || at.pointee.isDigit || at.pointee == UInt8(ascii: ".")
                || at.pointee == UInt8(ascii: "_")
        {
            if at.pointee == UInt8(ascii: ".") { isClass = true }
            at += 1
        }
        guard isClass else { return nil }
        if at == text.end { return Head(type: text, message: Text(at, at)) }
        guard Text(at, text.end).hasPrefix(": ") else { return nil }
        return Head(type: Text(text.start, at), message: Text(at + 2, text.end))
    }

    /// What the first lines of reports that name no type say: Go's and Rust's panics, and Ruby's errors, whose type comes last.
    static func report(_ head: Text, of text: Text) -> (type: Text, message: Text)? {
        if head.hasPrefix("panic: ") { return (Text(head.start, count: 5), Text(head.start + 7, head.end)) }
        if head.hasPrefix("fatal error: ") { return (Text(head.start, count: 11), Text(head.start + 13, head.end)) }
        if let place = find(head, "panicked at ") {
            let type = Text(place, count: 5)
            // Since Rust 1.73 the message has a line of its own.
            guard head.end[-1] == UInt8(ascii: ":"), head.end < text.end else {
                return (type, Text(place + 12, head.end))
            }
            let rest = Text(head.end + 1, text.end)
            return (type, Text(rest.start, rest.first(0x0A) ?? rest.end))
        }
        guard head.end[-1] == UInt8(ascii: ")"), let colon = find(head, ": ") else { return nil }
        var open = head.end - 1
        while open > colon, open.pointee != UInt8(ascii: "(") { open -= 1 }
        guard open > colon + 2 else { return nil }
        return (Text(open + 1, head.end - 1), Text(colon + 2, open - 1))
    }
}
