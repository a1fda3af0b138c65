// Reads a log from its first entry to its last and says what is wrong: what was edited, cut out, put elsewhere, replaced, cut off at the end, or signed by
// somebody else. It has no secret: the chain and the public key tell.

public import Signing
internal import Telemetry

/// Something that should not be so.
public struct AuditProblem: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The content of an entry is not what its hash says.
        case edited
        /// Entries are missing in the middle, or at the beginning.
        case cut
        /// An entry stands where it does not belong.
        case reordered
        /// An entry follows another one than is there: that one was written anew.
        case replaced
        /// Entries are missing at the end.
        case truncated
        /// A line is no entry, and nobody has put on record that it was torn.
        case unreadable
        /// A signature is none of this key.
        case signature
        /// Nothing is signed, or the signed end is missing.
        case unsigned
        /// A process of ours found the log damaged and went on.
        case damaged
    }

    public var kind: Kind
    /// The file; empty: the whole log.
    public var segment: String
    /// From 1; 0: the whole file.
    public var line: Int
    /// As the entry says; 0: it says none.
    public var number: UInt64
    /// A sentence for people.
    public var text: String

    public var description: String {
        let place = segment.isEmpty ? "" : line > 0 ? "\(segment):\(line): " : "\(segment): "
        return "\(place)\(kind.rawValue): \(text)"
    }
}

/// What a log is.
public struct AuditVerdict: Sendable {
    public var entries = 0
    public var segments = 0
    /// 0: there is none.
    public var first: UInt64 = 0
    public var last: UInt64 = 0
    public var lastHash: Digest = .zero
    /// Unix nanoseconds.
    public var firstTime: UInt64 = 0
    public var lastTime: UInt64 = 0
    public var kinds: [AuditEvent.Kind: Int] = [:]
    /// Signatures in the chain, and the signed end.
    public var signatures = 0
    /// Entries after the signed end: who wrote them was killed before it signed them.
    public var unsigned = 0
    /// Of which it is on record that they stood after a signed end: the first of them. Who wrote them was killed, or had no key.
    public var late: [ClosedRange<UInt64>] = []
    /// Lines of which it is on record that they were not written whole, and one at the end of which it will be.
    public var torn = 0
    /// The first of them.
    public var problems: [AuditProblem] = []
    public var problemsTotal = 0

    public static let problemsMax = 100

    public var isSound: Bool { problemsTotal == 0 }
}

public struct AuditVerifier {
    private let key: PublicKey
    private let anchor: Anchor?
    private var verdict = AuditVerdict()
    private var head: AuditHead?
    /// Of the entry with the number of the signed end.
    private var hashAtHead: Digest?
    private var hashAtAnchor: Digest?
    private var expected: UInt64?
    private var previous = Digest.zero
    private var firstPrevious = Digest.zero
    /// What the latest removal says that the log begins with.
    private var removal: (number: UInt64, previous: String)?
    /// Lines that are no entries, of which nobody has said yet that they are torn.
    private var bad: [(problem: AuditProblem, sha256: String)] = []

    /// An entry that is known from elsewhere to have been in the log: against whoever puts an old log with its old end in place of it.
    public struct Anchor: Sendable {
        public var number: UInt64
        public var hash: Digest

        /// "1234:<64 hex digits>"
        public init?(_ text: String) {
            let parts = text.split(separator: ":")
            guard parts.count == 2, let number = UInt64(parts[0]), number > 0, let hash = Digest(hex: String(parts[1]))
            else { return nil }
            self.number = number
            self.hash = hash
        }
    }

    private init(_ key: PublicKey, _ anchor: Anchor?) {
        self.key = key
        self.anchor = anchor
    }

    /// The public key beside the log; nil: there is none.
    public static func ownKey(_ files: any AuditFiles) throws -> PublicKey? {
        guard let pem = try files.read(AuditNames.publicKey, from: 0, bytesMax: SigningKey.fileBytesMax) else {
            return nil
        }
        return try PublicKey(pem: pem)
    }

    /// Verifies all of it. `each` is called with every entry that can be read and its line, in the order they stand in, sound or not.
    public static func verify(
        _ files: any AuditFiles, key: PublicKey, anchor: Anchor? = nil,
        each: (AuditEntry, _ line: ArraySlice<UInt8>) -> Void = { _, _ in }
    ) throws(AuditFileError) -> AuditVerdict {
        do throws(SigningError) {
            try CryptoLibrary.require()
        } catch {
            throw AuditFileError(error.description)
        }
        // What others append afterwards is not looked at: sizes and end are of one moment.
        try files.lock()
        let sizes: [String: Int]
        let head: [UInt8]?
        do {
            defer { files.unlock() }
            sizes = try files.list().filter { AuditNames.isSegment($0.key) }
            head = try files.read(AuditNames.head, from: 0, bytesMax: AuditHead.bytesMax + 1)
        }
        var verifier = AuditVerifier(key, anchor)
        verifier.begin(head, hasSegments: !sizes.isEmpty)
        let names = sizes.keys.sorted()
        for name in names {
            let bytes = try files.read(name, from: 0, bytesMax: sizes[name]!) ?? []
            verifier.take(bytes, of: name, isLast: name == names.last, each)
        }
        return verifier.end()
    }

    // MARK: The signed end

    private mutating func begin(_ bytes: [UInt8]?, hasSegments: Bool) {
        guard let bytes else {
            if hasSegments { report(.unsigned, text: "the signed end (head.json) is missing") }
            return
        }
        guard let head = AuditHead(bytes) else {
            return report(.signature, text: "head.json is no signed end")
        }
        guard head.isSigned(by: key) else {
            return report(.signature, text: "head.json is not signed by \(key.id)")
        }
        self.head = head
        verdict.signatures += 1
    }

    // MARK: Lines

    private mutating func take(
        _ bytes: [UInt8], of segment: String, isLast: Bool, _ each: (AuditEntry, ArraySlice<UInt8>) -> Void
    ) {
        verdict.segments += 1
        var start = 0
        var line = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
            line += 1
            take(bytes[start..<(end ?? bytes.count)], segment, line, isOpen: end == nil && isLast, each)
            start = (end ?? bytes.count) + 1
        }
    }

    private mutating func take(
        _ line: ArraySlice<UInt8>, _ segment: String, _ number: Int, isOpen: Bool,
        _ each: (AuditEntry, ArraySlice<UInt8>) -> Void
    ) {
        do throws(AuditEntry.LineProblem) {
            let entry = try AuditEntry(line: line)
            each(entry, line)
            take(entry, segment, number)
        } catch {
            if isOpen {
                // Whoever writes next puts it on record.
                verdict.torn += 1
                return
            }
            switch error {
            case .edited(let entry):
                each(entry, line)
                // A torn line has no hash at its end, so this is none.
                report(
                    .edited, segment, number, entry.number,
                    text: "the content of entry \(entry.number) is not what was written")
                count(entry)
                follow(entry)
            case .unreadable:
                let problem = AuditProblem(
                    kind: .unreadable, segment: segment, line: number, number: 0,
                    text: "\(line.count) bytes that are no entry")
                bad.append((problem, Digest(of: Array(line)).hex))
                if bad.count > 64 { reportBad() }
            }
        }
    }

    private mutating func take(_ entry: AuditEntry, _ segment: String, _ line: Int) {
        count(entry)
        check(entry, segment, line)
        if let digest = AuditTear.digest(entry.event), let index = bad.firstIndex(where: { $0.sha256 == digest }) {
            bad.remove(at: index)
            verdict.torn += 1
        } else if !bad.isEmpty, !AuditDamage.isOne(entry.event) {
            reportBad()
        }
        if AuditDamage.isOne(entry.event) {
            report(.damaged, segment, line, entry.number, text: "found at that time: \(entry.event.reason)")
        }
        if let numbers = AuditLate.numbers(entry.event), verdict.late.count < AuditVerdict.problemsMax {
            verdict.late.append(numbers)
        }
        if let removal = AuditRemoval.first(entry, key) {
            self.removal = removal
        } else if AuditRemoval.isOne(entry.event) {
            report(
                .signature, segment, line, entry.number,
                text: "entry \(entry.number) says that entries were removed, and is not signed by \(key.id)")
        }
        switch AuditSeal.isGood(entry, key) {
        case true?: verdict.signatures += 1
        case false?:
            report(
                .signature, segment, line, entry.number,
                text: "the signature of entry \(entry.number) is none of \(key.id)")
        case nil: break
        }
        follow(entry)
    }

    private mutating func check(_ entry: AuditEntry, _ segment: String, _ line: Int) {
        guard let expected else { return }
        if entry.previous == previous, entry.number == expected { return }
        if entry.number > expected {
            let missing = entry.number - expected
            report(
                .cut, segment, line, entry.number,
                text: missing == 1
                    ? "entry \(expected) is missing"
                    : "\(missing) entries are missing, from \(expected) to \(entry.number - 1)")
        } else if entry.number < expected {
            report(
                .reordered, segment, line, entry.number, text: "entry \(entry.number) stands where \(expected) belongs")
        } else {
            report(
                .replaced, segment, line, entry.number,
                text: "entry \(entry.number) follows another entry \(expected - 1) than the one that is there")
        }
    }

    private mutating func count(_ entry: AuditEntry) {
        if expected == nil {
            verdict.first = entry.number
            verdict.firstTime = entry.event.time
            firstPrevious = entry.previous
        }
        verdict.entries += 1
        verdict.last = max(verdict.last, entry.number)
        verdict.lastTime = entry.event.time
        verdict.kinds[entry.event.kind, default: 0] += 1
        if entry.number == head?.number { hashAtHead = entry.hash }
        if entry.number == anchor?.number { hashAtAnchor = entry.hash }
    }

    private mutating func follow(_ entry: AuditEntry) {
        previous = entry.hash
        expected = entry.number &+ 1
        verdict.lastHash = entry.hash
    }

    // MARK: The end

    private mutating func end() -> AuditVerdict {
        reportBad()
        checkBeginning()
        if let head {
            if head.number > verdict.last {
                let missing = head.number - verdict.last
                report(
                    .truncated,
                    text:
                        "\(missing) \(missing == 1 ? "entry is" : "entries are") missing at the end: entry \(head.number) was signed, the log ends with \(verdict.last)"
                )
            } else if hashAtHead != head.hash {
                report(.replaced, text: "entry \(head.number) is not the one that was signed")
            } else {
                verdict.unsigned = Int(clamping: verdict.last - head.number)
            }
        }
        if let anchor, hashAtAnchor != anchor.hash {
            report(
                hashAtAnchor == nil ? .truncated : .replaced,
                text: "entry \(anchor.number) with the hash that it is known to have is not in the log")
        }
        return verdict
    }

    /// A log begins with entry 1, or where a removal of old segments says.
    private mutating func checkBeginning() {
        guard verdict.entries > 0 else { return }
        if verdict.first == 1, firstPrevious == .zero { return }
        if let removal, removal.number == verdict.first, removal.previous == firstPrevious.hex { return }
        report(
            .cut,
            text:
                "entries before \(verdict.first) are missing at the beginning, and it is not on record that they were removed"
        )
    }

    private mutating func reportBad() {
        for (problem, _) in bad { report(problem) }
        bad = []
    }

    private mutating func report(
        _ kind: AuditProblem.Kind, _ segment: String = "", _ line: Int = 0, _ number: UInt64 = 0, text: String
    ) {
        report(AuditProblem(kind: kind, segment: segment, line: line, number: number, text: text))
    }

    private mutating func report(_ problem: AuditProblem) {
        verdict.problemsTotal += 1
        if verdict.problems.count < AuditVerdict.problemsMax { verdict.problems.append(problem) }
    }
}
