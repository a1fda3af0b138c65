/// What a stack trace says, in the form that Sidelight's workers record (V8's, and behind it lines that begin with `[errors][N]: ` for members of an AggregateError and
/// `[cause]: ` for causes), and in those of Java and Python.
public struct ErrorStack: Sendable, Equatable {
    /// An error that another one names.
    public struct Other: Sendable, Equatable {
        public enum Relation: String, Sendable {
            case cause
            /// Of an AggregateError.
            case member
        }

        public var relation: Relation
        public var headline: String
        public var frames: [String]
    }

    /// Lines that are looked at, and bytes: to find the ends of lines takes thirty times what reading does.
    static let linesMax = 1_000
    static let bytesMax = 64 << 10

    /// Without indentation, those of the program and of the platform.
    public private(set) var frames: [String] = []
    public private(set) var others: [Other] = []

    public init(_ text: String) {
        for line in Self.lines(text).prefix(Self.linesMax) {
            let line = line.drop(while: \.isWhitespace)
            if let other = Self.other(line) {
                others.append(other)
            } else if Self.isFrame(line) {
                if others.isEmpty {
                    frames.append(String(line))
                } else {
                    others[others.count - 1].frames.append(String(line))
                }
            }
        }
    }

    /// What a log record says whose text is all that there is: a line, or, as in files of logs, a stack trace with it. Python has the line at the end of its trace.
    static func told(by body: String) -> (message: String, stack: String) {
        let lines = lines(body)
        guard lines.count > 1 else { return (body, "") }
        let python = lines.firstIndex { $0.hasPrefix("Traceback (most recent call last)") }
        let after = python.map { lines[($0 + 1)...] }?.first { $0.first?.isWhitespace == false }
        return (String(after ?? lines[0]), body)
    }

    private static func lines(_ text: String) -> [Substring] {
        let text = text.utf8.count > bytesMax ? String(decoding: text.utf8.prefix(bytesMax), as: UTF8.self) : text
        return text.split(maxSplits: linesMax, whereSeparator: \.isNewline)
    }

    private static func other(_ line: Substring) -> Other? {
        for mark in ["[cause]: ", "Caused by: "] where line.hasPrefix(mark) {
            return Other(relation: .cause, headline: String(line.dropFirst(mark.count)), frames: [])
        }
        guard line.hasPrefix("[errors]["), let end = line.firstRange(of: "]: ") else { return nil }
        return Other(relation: .member, headline: String(line[end.upperBound...]), frames: [])
    }

    private static func isFrame(_ line: Substring) -> Bool { line.hasPrefix("at ") || line.hasPrefix("File \"") }

    /// Frames of the program, or all where there are none of it.
    public static func own(_ frames: [String]) -> [String] {
        let own = frames.filter { frame in
            !["node:", "sidelight:", "/node_modules/"].contains { frame.contains($0) }
        }
        return own.isEmpty ? frames : own
    }
}

/// What makes errors the same although numbers and names in them differ.
enum ErrorFingerprint {
    /// Of a message, bytes that count.
    static let messageBytesMax = 512
    static let framesMax = 3

    /// 16 hex digits.
    static func text(type: String, message: String, stack: ErrorStack) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ text: String) {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            // Keeps "a" + "b" from being "ab".
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        add(type)
        add(normal(message))
        for frame in ErrorStack.own(stack.frames).prefix(framesMax) { add(place(frame)) }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The first line, with `#` for words that have a digit in them (numbers, ids, addresses) and `…` for what is in quotes.
    static func normal(_ message: String) -> String {
        var out: [UInt8] = []
        var word: [UInt8] = []
        func flush() {
            // Of numbers one behind the other, as in an address, there is one sign.
            if !word.contains(where: { 0x30...0x39 ~= $0 }) {
                out += word
            } else if out.last != UInt8(ascii: "#") {
                out.append(UInt8(ascii: "#"))
            }
            word = []
        }
        let bytes = Array(message.utf8.prefix(messageBytesMax))
        var index = 0
        while index < bytes.count, bytes[index] != 0x0A {
            let byte = bytes[index]
            index += 1
            let isLetter =
                0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || byte >= 0x80
                || byte == UInt8(ascii: "_")
            // Within numbers and ids.
            let joins = [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":")].contains(byte)
            if isLetter || joins && !word.isEmpty && index < bytes.count && isLetterOrDigit(bytes[index]) {
                word.append(byte)
                continue
            }
            let isQuote = [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`")].contains(byte)
            // An apostrophe within a word opens nothing.
            let opens = isQuote && word.isEmpty
            flush()
            if opens, let end = bytes[index...].firstIndex(of: byte), !bytes[index..<end].contains(0x0A) {
                out += "…".utf8
                index = end + 1
            } else {
                out.append(byte)
            }
        }
        flush()
        return String(decoding: out, as: UTF8.self)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte
    }

    /// A frame without line and column: `at f (src/app.ts:3:14)` is `at f (src/app.ts)`.
    static func place(_ frame: String) -> String {
        var out: [UInt8] = []
        var bytes = Array(frame.utf8)[...]
        if let range = frame.firstRange(of: "\", line ") {
            // Python: `File "app.py", line 3, in f`.
            let rest = frame[range.upperBound...].drop { $0.isNumber }
            return String(frame[..<range.lowerBound]) + rest
        }
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: ":"), let next = bytes.first, 0x30...0x39 ~= next {
                bytes = bytes.drop { 0x30...0x39 ~= $0 }
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
