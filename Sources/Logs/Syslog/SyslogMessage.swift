/// A syslog message, its parts where they stand in it: RFC 5424, or RFC 3164 as it is found, of which everything but the text may be missing.
struct SyslogMessage {
    /// Facility times 8 and severity; nil: it has none.
    var priority: UInt8?
    /// 1 of RFC 5424; 0 of anything else.
    var version: UInt64 = 0
    /// Unix nanoseconds; 0 unknown.
    var time: UInt64 = 0
    // Empty where there is none.
    var host: Text
    var application: Text
    var process: Text
    var messageID: Text
    /// The elements, their brackets included.
    var data: Text
    var text: Text
    /// It has no header that is known.
    var isPlain = false

    /// Of a host's name, and of a process's. Bytes; what is longer is none.
    private static let nameBytesMax = 255
    /// Of an application's name in RFC 3164. Bytes.
    private static let tagBytesMax = 128
    private static let space = UInt8(ascii: " ")

    /// - Parameter observed: Unix nanoseconds; of times without a year the nearest to it is meant.
    init(_ message: Text, _ times: inout TimeReader, observed: UInt64) {
        let none = Text(message.start, count: 0)
        host = none
        application = none
        process = none
        messageID = none
        data = none
        text = message
        let start = readPriority(message)
        guard priority == nil || !readStandard(Text(start, message.end), &times) else { return }
        readTraditional(Text(start, message.end), &times, observed: observed)
    }

    /// `<34>`; returns what follows it.
    private mutating func readPriority(_ message: Text) -> UnsafePointer<UInt8> {
        guard message.count >= 3, message.start.pointee == UInt8(ascii: "<") else { return message.start }
        var place = message.start + 1
        var value = 0
        while place < message.end, place.pointee.isDigit, place - message.start <= 3 {
            value = value * 10 + Int(place.pointee - 0x30)
            place += 1
        }
        guard place < message.end, place.pointee == UInt8(ascii: ">"), place > message.start + 1, value <= 191 else {
            return message.start
        }
        priority = UInt8(value)
        return place + 1
    }

    // MARK: RFC 5424

    /// False, and nothing is changed, when its header is another one.
    private mutating func readStandard(_ message: Text, _ times: inout TimeReader) -> Bool {
        var place = message.start
        var version: UInt64 = 0
        while place < message.end, place.pointee.isDigit, place - message.start < 3 {
            version = version * 10 + UInt64(place.pointee - 0x30)
            place += 1
        }
        guard version > 0, place < message.end, place.pointee == Self.space else { return false }
        place += 1
        guard let stamp = Self.word(&place, message.end), let host = Self.word(&place, message.end),
            let application = Self.word(&place, message.end), let process = Self.word(&place, message.end),
            let messageID = Self.word(&place, message.end)
        else { return false }
        var time: UInt64 = 0
        if !Self.isNil(stamp) {
            guard let found = times.iso(stamp), found.end == stamp.end else { return false }
            time = found.time
        }
        self.version = version
        self.time = time
        self.host = Self.value(host)
        self.application = Self.value(application)
        self.process = Self.value(process)
        self.messageID = Self.value(messageID)
        readData(Text(place, message.end))
        return true
    }

    /// The structured data, and the text behind it. Data that is malformed is text.
    private mutating func readData(_ rest: Text) {
        text = rest
        if rest.count >= 1, rest.start.pointee == UInt8(ascii: "-"), rest.count == 1 || rest.start[1] == Self.space {
            text.start += min(2, rest.count)
        } else if let end = SyslogData.end(rest) {
            data = Text(rest.start, end)
            text.start = end
            if text.start < text.end { text.start += 1 }
        } else if !rest.isEmpty {
            isPlain = true
        }
        // The byte order mark says that it is UTF-8, which all is here.
        if text.hasPrefix("\u{FEFF}") { text.start += 3 }
    }

    /// Up to the next space, which is passed; nil: there is none, or the word is empty or too long.
    private static func word(_ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Text? {
        let rest = Text(place, end)
        guard let space = rest.first(space), space > place, space - place <= nameBytesMax else { return nil }
        let word = Text(place, space)
        place = space + 1
        return word
    }

    private static func isNil(_ word: Text) -> Bool { word.count == 1 && word.start.pointee == UInt8(ascii: "-") }
    private static func value(_ word: Text) -> Text { isNil(word) ? Text(word.start, count: 0) : word }

    // MARK: RFC 3164

    private mutating func readTraditional(_ message: Text, _ times: inout TimeReader, observed: UInt64) {
        var rest = message
        // Cisco's clocks say so when they are not set.
        if let first = rest.first, first == UInt8(ascii: "*") || first == UInt8(ascii: ".") { rest.start += 1 }
        guard let found = times.syslog(rest, observed: observed) ?? times.iso(rest) else {
            text = message
            isPlain = !readTag(message) && priority == nil
            return
        }
        time = found.time
        rest.start = found.end
        if rest.first == UInt8(ascii: ":") { rest.start += 1 }
        rest = rest.withoutSpaces
        text = rest
        // A program of the same machine says no host.
        guard !readTag(rest) else { return }
        guard let space = rest.first(Self.space), space - rest.start <= Self.nameBytesMax else { return }
        host = Text(rest.start, space)
        text = Text(space, rest.end).withoutSpaces
        _ = readTag(text)
    }

    /// `name:`, `name[12]:` or `name[12]`, and the text behind it. False, and nothing is changed: there is none.
    private mutating func readTag(_ rest: Text) -> Bool {
        var place = rest.start
        while place < rest.end, place - rest.start <= Self.tagBytesMax, Self.isOfTag(place.pointee) { place += 1 }
        guard place > rest.start, place - rest.start <= Self.tagBytesMax, place < rest.end else { return false }
        let name = Text(rest.start, place)
        var process = Text(place, count: 0)
        if place.pointee == UInt8(ascii: "[") {
            guard let end = Text(place, rest.end).first(UInt8(ascii: "]")), end - place <= Self.tagBytesMax else {
                return false
            }
            process = Text(place + 1, end)
            place = end + 1
            if place < rest.end, place.pointee == UInt8(ascii: ":") { place += 1 }
        } else {
            guard place.pointee == UInt8(ascii: ":") else { return false }
            place += 1
        }
        // "http://…" is no name.
        guard place == rest.end || place.pointee == Self.space else { return false }
        application = name
        self.process = process
        text = Text(min(place + 1, rest.end), rest.end)
        return true
    }

    /// What is printed, and ends no name.
    @inline(__always)
    private static func isOfTag(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: ":") && byte != UInt8(ascii: "[")
            && byte != UInt8(ascii: "]")
    }
}

extension Text {
    fileprivate var first: UInt8? { start < end ? start.pointee : nil }

    /// Without those at its start.
    fileprivate var withoutSpaces: Text {
        var text = self
        while text.first == 0x20 { text.start += 1 }
        return text
    }
}
