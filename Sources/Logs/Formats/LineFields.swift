import Glibc

/// What has been found in a line. One a workspace; its memory is used again and again.
struct LineFields: ~Copyable {
    /// Of one line. A line that has more is a plain one.
    static let fieldsMax = 512
    private static let seenBits: UInt64 = 10

    /// Attributes to be.
    let fields: UnsafeMutablePointer<Field>
    private(set) var count = 0

    /// Unix nanoseconds; 0 unknown.
    var time: UInt64 = 0
    var severity: UInt8 = 0
    var severityText: Text
    var body: Field
    var hasBody = false
    /// Where a plain line's message begins, if something is before it that the record says elsewhere.
    var messageStart: UnsafePointer<UInt8>?
    var traceHigh: UInt64 = 0
    var traceLow: UInt64 = 0
    var spanID: UInt64 = 0
    var traceFlags: UInt8 = 0
    /// Of the exception that the record tells of, each empty where it is unknown.
    var exceptionType: Field
    var exceptionMessage: Field
    var exceptionStack: Field
    var hasException = false

    let keys = WellKnownKeys()
    let levels = LevelWords()
    var times = TimeReader()
    /// Where a field's key has been seen in the line, by the key's hash: the line's number and the field's.
    private let seen: UnsafeMutablePointer<UInt64>
    private var line: UInt64 = 0
    private let nothing: UnsafeMutablePointer<UInt8>

    init() {
        fields = .allocate(capacity: Self.fieldsMax)
        seen = .allocate(capacity: 1 << Int(Self.seenBits))
        seen.initialize(repeating: 0, count: 1 << Int(Self.seenBits))
        nothing = .allocate(capacity: Text.slack)
        nothing.initialize(repeating: 0, count: Text.slack)
        severityText = Text(nothing, count: 0)
        body = Field(key: severityText, value: severityText, kind: .text)
        exceptionType = body
        exceptionMessage = body
        exceptionStack = body
    }

    deinit {
        fields.deallocate()
        seen.deallocate()
        nothing.deallocate()
    }

    /// No text.
    var empty: Text { Text(nothing, count: 0) }

    @inline(__always)
    mutating func begin() {
        count = 0
        line &+= 1
        time = 0
        severity = 0
        severityText = empty
        hasBody = false
        traceHigh = 0
        traceLow = 0
        spanID = 0
        traceFlags = 0
        hasException = false
        messageStart = nil
    }

    mutating func beginException() {
        hasException = true
        let none = Field(key: empty, value: empty, kind: .text)
        exceptionType = none
        exceptionMessage = none
        exceptionStack = none
    }

    // MARK: attributes

    /// False when there are too many.
    @inline(__always)
    mutating func append(_ field: Field) -> Bool {
        guard count < Self.fieldsMax else { return false }
        fields[count] = field
        count &+= 1
        return true
    }

    /// Of fields with the same name the last one counts, as in JavaScript. `hash` is of `WellKnownKeys`.
    @inline(__always)
    mutating func appendOrReplace(_ field: Field, hash: UInt64) -> Bool {
        var slot = Int(truncatingIfNeeded: (hash >> 40) & (1 << Self.seenBits &- 1))
        while true {
            let entry = seen[slot]
            guard entry >> 16 == line else { break }
            let index = Int(truncatingIfNeeded: entry & 0xFFFF)
            if fields[index].key.equals(field.key), !fields[index].keyHasEscapes {
                fields[index] = field
                return true
            }
            slot = (slot &+ 1) & (1 << Int(Self.seenBits) &- 1)
        }
        seen[slot] = line << 16 | UInt64(truncatingIfNeeded: count)
        return append(field)
    }

    // MARK: roles

    /// Takes the field for what its name says, if its value is one for that; false: it is an attribute like others.
    mutating func take(_ field: Field, as role: FieldRole) -> Bool {
        switch role {
        case .none: return false
        case .time: return time == 0 && takeTime(field)
        case .level: return severity == 0 && takeLevel(field)
        case .message:
            guard !hasBody, field.kind != .null else { return false }
            body = field
            hasBody = true
            return true
        case .traceID:
            guard field.kind == .text, let (high, low) = Self.traceID(field.value) else { return false }
            traceHigh = high
            traceLow = low
            return true
        case .spanID:
            guard spanID == 0, field.kind == .text, field.value.count == 16, let id = HexDigits.word(field.value.start),
                id != 0
            else {
                return false
            }
            spanID = id
            return true
        case .traceFlags: return takeFlags(field)
        case .traceParent: return field.kind == .text && takeTraceParent(field.value)
        case .googleTrace: return field.kind == .text && takeGoogleTrace(field.value)
        case .severityNumber:
            guard field.kind == .int, (1...24).contains(field.bits) else { return false }
            severity = UInt8(field.bits)
            return true
        case .stack, .exceptionType, .exceptionMessage, .error: return takeException(field, role)
        case .logObject:
            if field.kind == .json, let level = JSONScan.member("level", of: field.value), severity == 0 {
                _ = takeLevel(level)
            }
            return false
        case .traceObject:
            if field.kind == .json, let id = JSONScan.member("id", of: field.value) { _ = take(id, as: .traceID) }
            return false
        case .spanObject:
            if field.kind == .json, let id = JSONScan.member("id", of: field.value) { _ = take(id, as: .spanID) }
            return false
        case .attributes: return false
        case .fields:
            if field.kind == .json, !hasBody, let message = JSONScan.member("message", of: field.value) {
                _ = take(message, as: .message)
            }
            return false
        }
    }

    private mutating func takeTime(_ field: Field) -> Bool {
        let found: TimeReader.Found?
        switch field.kind {
        case .text:
            found =
                times.iso(field.value) ?? TimeReader.epoch(field.value) ?? times.apache(field.value)
        case .int, .double: found = TimeReader.epoch(field.value)
        case .json:
            // Log4j's `instant`.
            guard let seconds = JSONScan.member("epochSecond", of: field.value), seconds.kind == .int,
                seconds.bits < 1 << 33
            else { return false }
            let rest = JSONScan.member("nanoOfSecond", of: field.value)
            time = seconds.bits * 1_000_000_000 + (rest?.kind == .int ? min(rest?.bits ?? 0, 999_999_999) : 0)
            return true
        default: found = nil
        }
        guard let found, found.end == field.value.end else { return false }
        time = found.time
        return true
    }

    private mutating func takeLevel(_ field: Field) -> Bool {
        switch field.kind {
        case .text, .escapedText:
            let text = field.value
            let found = levels.level(text)
            if found != 0 {
                severity = found
                // Colours are not a part of it.
                severityText = field.kind == .text ? text : levels.letters(of: text)
                return true
            }
            guard text.count <= 3, let number = Int64(exactDigitsChecked: text) else { return false }
            severity = LevelWords.severity(number)
            severityText = text
        case .int:
            severity = LevelWords.severity(Int64(bitPattern: field.bits))
            severityText = field.value
        default: return false
        }
        return severity != 0
    }

    private mutating func takeFlags(_ field: Field) -> Bool {
        switch field.kind {
        case .int where field.bits <= 255: traceFlags = UInt8(field.bits)
        case .text where field.value.count == 2:
            let high = HexDigits.nibble(field.value.start[0])
            let low = HexDigits.nibble(field.value.start[1])
            guard high < 16, low < 16 else { return false }
            traceFlags = high << 4 | low
        default: return false
        }
        return true
    }

    /// Of 32 digits, or of 16 as old tracers have them; nil when it is none or zero.
    @inline(__always)
    static func traceID(_ text: Text) -> (high: UInt64, low: UInt64)? {
        if text.count == 32 {
            guard let high = HexDigits.word(text.start), let low = HexDigits.word(text.start + 16), high | low != 0
            else { return nil }
            return (high, low)
        }
        guard text.count == 16, let low = HexDigits.word(text.start), low != 0 else { return nil }
        return (0, low)
    }

    /// `00-` trace id `-` span id `-` flags.
    mutating func takeTraceParent(_ text: Text) -> Bool {
        let dash = UInt8(ascii: "-")
        guard text.count >= 55, text.start[2] == dash, text.start[35] == dash, text.start[52] == dash,
            let (high, low) = Self.traceID(Text(text.start + 3, count: 32)), let span = HexDigits.word(text.start + 36),
            span != 0
        else { return false }
        let flagsHigh = HexDigits.nibble(text.start[53])
        let flagsLow = HexDigits.nibble(text.start[54])
        guard flagsHigh < 16, flagsLow < 16 else { return false }
        traceHigh = high
        traceLow = low
        spanID = span
        traceFlags = flagsHigh << 4 | flagsLow
        return true
    }

    /// `projects/NAME/traces/ID`.
    private mutating func takeGoogleTrace(_ text: Text) -> Bool {
        guard text.count >= 32, let (high, low) = Self.traceID(Text(text.end - 32, text.end)) else { return false }
        traceHigh = high
        traceLow = low
        return true
    }

    private mutating func takeException(_ field: Field, _ role: FieldRole) -> Bool {
        switch (role, field.kind) {
        case (.error, .json):
            guard let stack = JSONScan.member("stack", of: field.value) else { return false }
            if !hasException { beginException() }
            exceptionStack = stack
            if let type = JSONScan.member("type", of: field.value) ?? JSONScan.member("name", of: field.value) {
                exceptionType = type
            }
            if let message = JSONScan.member("message", of: field.value) { exceptionMessage = message }
            // What else it says (a code, a cause) is an attribute.
            return false
        case (.error, _): return false
        case (.stack, .text), (.stack, .escapedText):
            if !hasException { beginException() }
            guard exceptionStack.value.isEmpty else { return false }
            exceptionStack = field
            if exceptionType.value.isEmpty { takeHead(ofStack: field) }
        case (.exceptionType, .text), (.exceptionType, .escapedText):
            if !hasException { beginException() }
            exceptionType = field
        case (.exceptionMessage, .text), (.exceptionMessage, .escapedText):
            if !hasException { beginException() }
            exceptionMessage = field
        default: return false
        }
        return true
    }
}

extension LineFields {
    /// What a stack's first line says; of Python's the last one.
    private mutating func takeHead(ofStack stack: Field) {
        let isEscaped = stack.kind == .escapedText
        var head = stack.value
        if head.hasPrefix("Traceback ") {
            var at = head.end
            while at > head.start,
                isEscaped
                    ? !(at[-1] == UInt8(ascii: "n") && at - head.start > 1 && at[-2] == UInt8(ascii: "\\"))
                    : at[-1] != 0x0A
            {
                at -= 1
            }
            head.start = at
        } else if isEscaped {
            var at = head.start
            while at < head.end, !(at[0] == UInt8(ascii: "\\") && at[1] == UInt8(ascii: "n")) {
                at += at[0] == UInt8(ascii: "\\") ? 2 : 1
            }
            head.end = min(at, head.end)
        } else {
            head.end = head.first(0x0A) ?? head.end
        }
        guard !head.isEmpty, let found = TraceLine.head(head) else { return }
        exceptionType.value = found.type
        exceptionMessage.value = found.message
        exceptionMessage.kind = stack.kind
    }
}

extension Int64 {
    /// Nil where it is not all digits, or none.
    init?(exactDigitsChecked text: Text) {
        guard !text.isEmpty, text.count <= 18 else { return nil }
        var value: Int64 = 0
        for place in text.start..<text.end {
            guard place.pointee.isDigit else { return nil }
            value = value * 10 + Int64(place.pointee - 0x30)
        }
        self = value
    }
}

extension Text {
    @inline(__always)
    func equals(_ other: Text) -> Bool {
        guard count == other.count else { return false }
        if count < 8 { return (word ^ other.word) << UInt64(truncatingIfNeeded: 64 &- 8 &* count) == 0 }
        return memcmp(start, other.start, count) == 0
    }
}
