/// What the lines that wait look like so far, and with it which line belongs to them. Only they decide, never what was given out before: a source read again from
/// any record's beginning gives the same records.
///
/// A frame (`    at f (a.js:1:2)`, `  File "a.py", line 1`, …) belongs to whatever plain line it follows. From then on the record is a stack trace, to which belongs what is
/// indented, and of what is not what the language's traces are known to have: `Caused by:`, closing brackets of V8's `[cause]` and `[errors]`, Python's last line,
/// Go's calls. An indented line that is no frame does not make a trace.
struct TraceState {
    enum Kind: UInt8 {
        /// No trace (yet).
        case none
        /// The last line is the head of an error, by its looks.
        case head
        /// Frames have come: V8, Java, .NET, Ruby.
        case frames
        /// After `Traceback (most recent call last):`; the error itself comes last.
        case python
        case pythonEnded
        case go
        case rust
        /// What Node prints before an error that nobody caught: place, source line, a caret.
        case nodePlace, nodeSource, nodeCaret
        /// .NET's console: a level and a category, and the message in lines of their own.
        case dotnet
    }

    var kind = Kind.none
    /// Whether the first line has been looked at.
    private(set) var isKnown = false
    /// The first line ends in a colon: Rust's panics have their message in the next.
    private var expectsMessage = false
    /// An empty line has come that only counts if the next line belongs here, too.
    var hasBlank = false
    /// Where in the text the error's own lines begin (its head, or Python's `Traceback`), and where its head ends.
    private(set) var headStart = 0
    private(set) var headEnd = 0
    private(set) var isTrace = false
    /// What Node prints before an error that nobody caught has come.
    private var hasCaret = false
    /// Where the last line begins.
    private(set) var lastStart = 0

    /// Looks at the first line, which is only done when another has come.
    mutating func begin(_ first: Text) {
        isKnown = true
        kind = Self.start(of: first)
        headEnd = first.count
        expectsMessage = first.end[-1] == UInt8(ascii: ":")
        isTrace = kind == .python || kind == .go || kind == .rust
    }

    /// Whether an empty line may be a part of what waits.
    var mayHaveBlank: Bool {
        switch kind {
        case .pythonEnded, .go, .nodeCaret, .frames, .python, .rust: true
        default: false
        }
    }

    enum Verdict {
        case belongs, separate
        /// It may be a further line of the error's message, which frames would show.
        case maybe
    }

    /// Whether the line belongs to what waits, which is `count` bytes so far; if it does, it has been taken note of.
    /// - Parameter isReport: whether the first line is a log's, of a warning or worse: then an error's head without a time of its own belongs to it.
    mutating func takes(_ line: Text, after count: Int, isReport: () -> Bool) -> Verdict {
        guard let next = next(line, isReport) else {
            return isHead && !TraceLine.beginsRecord(line) && Self.start(of: line) == .none ? .maybe : .separate
        }
        let start = count + (hasBlank ? 2 : 1)
        let wasTrace = isTrace
        switch next {
        case .frames where !wasTrace:
            isTrace = true
            // The line before the first frame is the error's head, with what there is of its message between.
            headStart = lastStart
            headEnd = count
        case .python where kind != .python && kind != .pythonEnded:
            isTrace = true
            headStart = start
            headEnd = start + line.count
        case .go where !wasTrace, .rust where !wasTrace, .head:
            headStart = start
            headEnd = start + line.count
            isTrace = isTrace || next != .head
        default: break
        }
        if kind == .nodeCaret { hasCaret = true }
        kind = next
        lastStart = start
        hasBlank = false
        return .belongs
    }

    /// Whether the trace is of an error that nobody caught and that ends the process, as its runtime tells it.
    /// - Parameter text: the record's.
    func isUncaught(_ text: Text) -> Bool {
        switch kind {
        case .rust: text.hasPrefix("thread '")
        case .go: text.hasPrefix("panic: ") || text.hasPrefix("fatal error: ")
        case .frames:
            hasCaret || text.hasPrefix("Exception in thread \"main\" ") || text.hasPrefix("Unhandled exception. ")
                || text.hasPrefix("Unhandled Exception: ")
        default: false
        }
    }

    /// The last line is an error's head, and no frame has come.
    var isHead: Bool { kind == .head && !isTrace }

    /// What the record is with the line; nil if the line is not a part of it.
    private func next(_ line: Text, _ isReport: () -> Bool) -> Kind? {
        let byte = line.start.pointee
        if byte == 0x20 || byte == 0x09 { return indented(line) }
        if hasBlank { return afterBlank(line) }
        switch kind {
        case .python:
            // Another `Traceback` begins its own record; anything else is the error.
            return TraceLine.isLogLine(line) ? nil : .pythonEnded
        case .go: return TraceLine.isGo(line) ? .go : nil
        case .rust:
            let isMessage = lastStart == 0 && expectsMessage
            return isMessage || line.hasPrefix("note: ") || line.hasPrefix("stack backtrace:") ? .rust : nil
        case .nodePlace: return .nodeSource
        case .head, .frames:
            if line.hasPrefix("Caused by: ") || line.hasPrefix("--- End of ") || line.hasPrefix("[cause]: ") {
                return .frames
            }
            if isTrace, TraceLine.closes(line) { return .frames }
            return nil
        case .none:
            guard lastStart == 0, let report = report(line), isReport() else { return nil }
            return report
        case .pythonEnded, .nodeSource, .nodeCaret, .dotnet: return nil
        }
    }

    private func indented(_ line: Text) -> Kind? {
        let kind = kind
        switch kind {
        case .none, .head: return TraceLine.isFrame(line) ? .frames : nil
        case .nodePlace: return .nodeSource
        case .nodeSource: return TraceLine.isCaret(line) ? .nodeCaret : nil
        case .nodeCaret: return TraceLine.isFrame(line) ? .frames : nil
        case .pythonEnded: return .pythonEnded
        case .dotnet: return TraceLine.isFrame(line) ? .frames : line.hasPrefix("      ") ? .dotnet : nil
        case .frames, .python, .go, .rust: return kind
        }
    }

    private func afterBlank(_ line: Text) -> Kind? {
        switch kind {
        case .pythonEnded, .python:
            return line.hasPrefix("During handling of the above exception")
                || line.hasPrefix("The above exception was the direct cause")
                || line.hasPrefix("Traceback (most recent call last):") ? .python : nil
        case .go: return line.hasPrefix("goroutine ") ? .go : nil
        case .nodeCaret: return TraceLine.head(line) != nil ? .head : nil
        case .frames: return line.hasPrefix("Node.js v") ? .frames : nil
        default: return nil
        }
    }

    /// What loggers of Python, Go, Java and .NET write behind their line. JavaScript's write an error into the line; one that stands alone is another record.
    private func report(_ line: Text) -> Kind? {
        if line.hasPrefix("Traceback (most recent call last):") { return .python }
        if line.hasPrefix("goroutine ") { return .go }
        guard let head = TraceLine.head(line, firstWordOnly: true), head.type.first(UInt8(ascii: ".")) != nil else {
            return nil
        }
        return .head
    }

    private static func start(of line: Text) -> Kind {
        switch line.start.pointee {
        case UInt8(ascii: "T") where line.hasPrefix("Traceback (most recent call last):"): .python
        case UInt8(ascii: "p") where line.hasPrefix("panic: "), UInt8(ascii: "f") where line.hasPrefix("fatal error: "),
            UInt8(ascii: "g") where line.hasPrefix("goroutine "):
            .go
        case UInt8(ascii: "t") where line.hasPrefix("thread '") && TraceLine.contains(line, "panicked at "): .rust
        case UInt8(ascii: "/") where TraceLine.isPlace(line),
            UInt8(ascii: "f") where line.hasPrefix("file:") && TraceLine.isPlace(line),
            UInt8(ascii: "n") where line.hasPrefix("node:") && TraceLine.isPlace(line):
            .nodePlace
        case UInt8(ascii: "a")...UInt8(ascii: "w")
        where line.count > 6 && line.start[4] == UInt8(ascii: ":") && TraceLine.isDotnet(line): .dotnet
        default: TraceLine.isHead(line) ? .head : .none
        }
    }
}
