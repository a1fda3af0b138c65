internal import Signing
internal import Telemetry

/// Finds the last entry of a log, and what is wrong about the end.
struct AuditEndFinder {
    private let now: UInt64
    private(set) var entry: AuditEntry?
    private(set) var findings: [AuditEvent] = []
    /// The last line of the last segment has no end.
    private(set) var isOpen = false
    /// Of the last segment, by their number.
    private var hashes: [UInt64: Digest] = [:]
    private var isFirstSegment = true

    init(now: UInt64) { self.now = now }

    var isFound: Bool { entry != nil }

    /// The last segment first.
    mutating func look(at bytes: [UInt8], of segment: String) {
        var bad: [AuditEvent] = []
        if isFirstSegment { isOpen = !bytes.isEmpty && bytes.last != UInt8(ascii: "\n") }
        isFirstSegment = false
        var end = bytes.last == UInt8(ascii: "\n") ? bytes.count - 1 : bytes.count
        while end > 0 {
            let start = bytes[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            let line = bytes[start..<end]
            if let found = try? AuditEntry(line: line) {
                if entry == nil { entry = found }
                hashes[found.number] = found.hash
                // The signed end is seldom further back.
                if hashes.count > 64 { break }
            } else if entry == nil {
                bad.append(
                    AuditTear.canBe(line)
                        ? AuditTear.event(of: line, in: segment, at: start, time: now)
                        : damage("\(segment) had \(line.count) bytes that are no entry, nor the beginning of one"))
            }
            end = start - 1
        }
        findings.insert(contentsOf: bad.reversed(), at: 0)
    }

    /// With the end that was signed last.
    mutating func compare(_ head: [UInt8]?, _ key: PublicKey) {
        guard let head else {
            if let entry { find("the signed end (head.json) is missing; the log ends with entry \(entry.number)") }
            return
        }
        guard let head = AuditHead(head), head.key != key || head.isSigned(by: key) else {
            return find("the signed end (head.json) is not what was signed")
        }
        let last = entry?.number ?? 0
        if head.key != key {
            find("the signed end (head.json) has another key, \(head.key.id), and entry \(head.number)")
        }
        if head.number > last {
            find(
                "entries were cut off: the signed end is entry \(head.number), the log ends with entry \(last)",
                [Attribute("head", .int(Int64(clamping: head.number))), Attribute("headHash", .string(head.hash.hex))])
        } else if let hash = hashes[head.number], hash != head.hash {
            find(
                "entry \(head.number) is another than was signed",
                [Attribute("head", .int(Int64(clamping: head.number))), Attribute("headHash", .string(head.hash.hex))])
        } else if head.number < last {
            findings.append(AuditLate.event((head.number + 1)...last, time: now))
        }
    }

    private mutating func find(_ reason: String, _ attributes: Attributes = []) {
        findings.append(damage(reason, attributes))
    }

    private func damage(_ reason: String, _ attributes: Attributes = []) -> AuditEvent {
        AuditEvent(
            .integrity, time: now, action: AuditDamage.action, outcome: AuditDamage.outcome, reason: reason,
            attributes: attributes)
    }
}

/// That the end of the log was not what it should have been when somebody went on with it.
enum AuditDamage {
    static let action = "open", outcome = "damaged"

    static func isOne(_ event: AuditEvent) -> Bool {
        event.kind == .integrity && event.action == action && event.outcome == outcome
    }
}

/// That entries stood after the signed end when somebody went on with the log: who wrote them was killed before it signed them, or had no key. What comes
/// next signs them as well, so it says which they are.
enum AuditLate {
    static let action = "unsigned", outcome = "found"

    static func event(_ numbers: ClosedRange<UInt64>, time: UInt64) -> AuditEvent {
        AuditEvent(
            .integrity, time: time, action: action, outcome: outcome,
            reason: "entries \(numbers.lowerBound) to \(numbers.upperBound) stood after the signed end",
            attributes: [
                Attribute("firstSeq", .int(Int64(clamping: numbers.lowerBound))),
                Attribute("lastSeq", .int(Int64(clamping: numbers.upperBound))),
            ])
    }

    /// Which they are; nil: the entry is about something else.
    static func numbers(_ event: AuditEvent) -> ClosedRange<UInt64>? {
        guard event.kind == .integrity, event.action == action, event.outcome == outcome,
            case .int(let first) = event.attributes["firstSeq"], case .int(let last) = event.attributes["lastSeq"],
            first > 0, first <= last
        else { return nil }
        return UInt64(first)...UInt64(last)
    }
}

/// That a line was not written whole: who wrote it was killed, or the power was lost. It stays, and the entry after it says what it was.
enum AuditTear {
    static let action = "recover", outcome = "torn"

    /// Whether it is what a writer leaves: the beginning of an entry, or what the file system has of one after a loss of power.
    static func canBe(_ line: ArraySlice<UInt8>) -> Bool {
        let start = AuditEntry.lineStart.utf8.prefix(line.count)
        return !line.isEmpty && (line.starts(with: start) || line.allSatisfy { $0 == 0 })
    }

    static func event(of line: ArraySlice<UInt8>, in segment: String, at offset: Int, time: UInt64) -> AuditEvent {
        AuditEvent(
            .integrity, time: time, action: action, target: segment, outcome: outcome,
            reason: "an entry of which \(line.count) bytes had been written",
            attributes: [
                Attribute("bytes", .int(Int64(line.count))), Attribute("offset", .int(Int64(offset))),
                Attribute("sha256", .string(Digest(of: Array(line)).hex)),
            ])
    }

    /// What the torn line was; nil: the entry is about something else.
    static func digest(_ event: AuditEvent) -> String? {
        guard event.kind == .integrity, event.action == action, event.outcome == outcome else { return nil }
        return event.attributes["sha256"]?.string
    }
}

/// That old segments were removed since there were more than there may be. It is signed: else whoever can append a line could say so of segments that he has
/// removed.
enum AuditRemoval {
    static let action = "remove"

    private static func message(
        _ number: UInt64, _ previous: Digest, _ first: Int64, _ firstPrevious: String
    ) -> [UInt8] {
        Array("sidelight audit remove v1\n\(number)\n\(previous.hex)\n\(first)\n\(firstPrevious)\n".utf8)
    }

    /// As the entry of that number.
    /// - Parameter entry: The first that stays.
    static func event(
        _ number: UInt64, previous: Digest, before entry: AuditEntry, time: UInt64, _ key: SigningKey
    ) throws(SigningError) -> AuditEvent {
        let (first, firstPrevious) = (Int64(clamping: entry.number), entry.previous.hex)
        let signature = try key.sign(message(number, previous, first, firstPrevious))
        return AuditEvent(
            .integrity, time: time, action: action, outcome: "done",
            reason: "the segments before entry \(entry.number) were removed, as there are more than are kept",
            attributes: [
                Attribute("firstSeq", .int(first)), Attribute("firstPrev", .string(firstPrevious)),
                Attribute(AuditSeal.signatureName, .string(signature.hex)),
            ])
    }

    static func isOne(_ event: AuditEvent) -> Bool { event.kind == .integrity && event.action == action }

    /// The first entry that stays, and the hash before it; nil: the entry does not say, or is not signed.
    static func first(_ entry: AuditEntry, _ key: PublicKey) -> (number: UInt64, previous: String)? {
        let attributes = entry.event.attributes
        guard isOne(entry.event), case .int(let number) = attributes["firstSeq"],
            let previous = attributes["firstPrev"]?.string,
            let signature = attributes[AuditSeal.signatureName]?.string.flatMap({ Signature(hex: $0) }),
            key.isValid(signature, of: message(entry.number, entry.previous, number, previous))
        else { return nil }
        return (UInt64(clamping: number), previous)
    }
}
