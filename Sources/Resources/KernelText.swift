// Text of the kernel, read where it lies: no string, no array, nothing is allocated. What is no number, or too large for one, is nil and never a trap: in a container
// a file of /proc may be anybody's (lxcfs, gVisor), and in a test it is hostile.

/// A place in a text, and what is read from there on.
struct KernelText {
    let bytes: UnsafeRawBufferPointer
    private(set) var at: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        at = 0
    }

    var isAtEnd: Bool { at >= bytes.count }

    /// The rest of this line, and over to the next; nil at the end.
    @inline(__always)
    mutating func line() -> UnsafeRawBufferPointer? {
        guard at < bytes.count else { return nil }
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { at &+= 1 }
        let line = UnsafeRawBufferPointer(rebasing: bytes[start..<at])
        at &+= 1
        return line
    }

    @inline(__always)
    mutating func skipBlanks() {
        while at < bytes.count, bytes[at] == UInt8(ascii: " ") || bytes[at] == UInt8(ascii: "\t") { at &+= 1 }
    }

    /// What stands up to the next blank or the end of the line; empty at the end.
    @inline(__always)
    mutating func word() -> UnsafeRawBufferPointer {
        skipBlanks()
        let start = at
        while at < bytes.count, bytes[at] > UInt8(ascii: " ") { at &+= 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<at])
    }

    /// What stands up to this byte, which is skipped; nil, and nothing is read, where it does not come.
    @inline(__always)
    mutating func text(upTo end: UInt8) -> UnsafeRawBufferPointer? {
        var stop = at
        while stop < bytes.count, bytes[stop] != end { stop &+= 1 }
        guard stop < bytes.count else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: bytes[at..<stop])
        at = stop + 1
        return text
    }

    /// The next number, after blanks; nil, and the place is not moved past what is there, where no digit comes.
    @inline(__always)
    mutating func number() -> UInt64? {
        skipBlanks()
        let start = at
        var value: UInt64 = 0
        var isTooLarge = false
        while at < bytes.count {
            let digit = bytes[at] &- 0x30
            guard digit < 10 else { break }
            let (tenfold, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = tenfold.addingReportingOverflow(UInt64(digit))
            isTooLarge = isTooLarge || first || second
            value = sum
            at &+= 1
        }
        return at > start && !isTooLarge ? value : nil
    }

    /// The same for one with a sign.
    @inline(__always)
    mutating func signedNumber() -> Int64? {
        skipBlanks()
        let isNegative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
        if isNegative { at &+= 1 }
        guard let value = number(), value <= UInt64(Int64.max) else { return nil }
        return isNegative ? -Int64(value) : Int64(value)
    }

    /// A number such as 12.34.
    @inline(__always)
    mutating func decimal() -> Double? {
        guard let whole = number() else { return nil }
        guard at < bytes.count, bytes[at] == UInt8(ascii: ".") else { return Double(whole) }
        at &+= 1
        guard at < bytes.count, bytes[at] &- 0x30 < 10 else { return Double(whole) }
        let start = at
        guard let fraction = number(), at - start <= 18 else { return Double(whole) }
        var scale = 1.0
        for _ in start..<at { scale *= 10 }
        return Double(whole) + Double(fraction) / scale
    }

    /// Over a byte that has to come.
    @inline(__always)
    mutating func skip(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at &+= 1
        return true
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func isText(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }

    @inline(__always)
    func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where self[index] != text.utf8Start[index] { return false }
        return true
    }

    @inline(__always)
    func isText(_ text: [UInt8]) -> Bool {
        guard count == text.count else { return false }
        for index in 0..<count where self[index] != text[index] { return false }
        return true
    }

    /// The whole of it as a number: `max` and everything else that is none is nil.
    var number: UInt64? {
        var text = KernelText(self)
        guard let value = text.number() else { return nil }
        text.skipBlanks()
        return text.isAtEnd || text.skip(UInt8(ascii: "\n")) ? value : nil
    }

    /// Lines `KEY VALUE` or `KEY: VALUE kB`; others are passed over.
    @inline(__always)
    func pairs(_ body: (_ key: UnsafeRawBufferPointer, _ value: UInt64) -> Void) {
        var text = KernelText(self)
        while let line = text.line() {
            var rest = KernelText(line)
            var key = rest.word()
            if key.last == UInt8(ascii: ":") { key = UnsafeRawBufferPointer(rebasing: key.dropLast()) }
            if !key.isEmpty, let value = rest.number() { body(key, value) }
        }
    }
}

extension Optional<UInt64> {
    /// Kibibytes as bytes; too many are no figure.
    @inline(__always)
    static func kibibytes(_ value: UInt64) -> UInt64? {
        let (bytes, isTooLarge) = value.multipliedReportingOverflow(by: 1024)
        return isTooLarge ? nil : bytes
    }
}
