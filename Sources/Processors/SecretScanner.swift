// Finds secrets in text, in one pass. Each pattern has four bytes that follow each other wherever it occurs (`eyJ?` of
// a JSON Web Token, `gh?_` of a GitHub token, `?` and three bytes of a parameter): a table says for each byte in which
// patterns it may be the first, second, third or fourth, as four groups of eight bits in one word. The scan looks each
// byte up once and joins the words of four neighbours; where a bit is left, the pattern's own code looks at the place.
// Text in which nothing is found costs the look-ups alone.
//
// Every look at a place is bounded by a constant, or by what it then masks, or by a run of bytes that no second look
// can begin in: the scan is linear, whatever the text.

internal import Configuration

/// What a secret is; its name is that of its count.
enum SecretKind: String, Sendable, CaseIterable {
    /// The value of an attribute with a well-known or a configured name.
    case key
    /// A payment card's number: a known issuer, its length, the check digit of ISO/IEC 7812.
    case card
    case email
    /// A JSON Web Token.
    case jwt
    /// After "Bearer", or a token of GitHub, GitLab or Slack, or a Google API key.
    case token
    /// The id of an AWS access key.
    case awsKey = "aws-key"
    /// A private key in PEM.
    case privateKey = "private-key"
    /// User and password of a URL, and the values of secret parameters of a query.
    case url

    init(_ pattern: Redaction.Pattern) {
        self =
            switch pattern {
            case .token: .token
            case .card: .card
            case .email: .email
            case .jwt: .jwt
            case .awsKey: .awsKey
            case .privateKey: .privateKey
            case .url: .url
            }
    }

    var index: Int {
        switch self {
        case .key: 0
        case .card: 1
        case .email: 2
        case .jwt: 3
        case .token: 4
        case .awsKey: 5
        case .privateKey: 6
        case .url: 7
        }
    }
}

final class SecretScanner {
    struct Match {
        let range: Range<Int>
        let kind: SecretKind
    }

    /// Bits of the groups. Two patterns may share one.
    private enum Bit {
        static let at: UInt32 = 1
        static let jwt: UInt32 = 2
        static let bearerOrPEM: UInt32 = 4
        static let upperA: UInt32 = 8
        static let gToken: UInt32 = 16
        static let slack: UInt32 = 32
        static let digits: UInt32 = 64
        static let query: UInt32 = 128
    }

    private let table: UnsafeMutablePointer<UInt32>
    /// A bit for each kind, by its index.
    private let kinds: UInt8
    private let names: SecretNames
    private let classes = ByteClass.table

    /// - Parameter names: of parameters in queries.
    init(_ kinds: Set<SecretKind>, names: SecretNames) {
        self.kinds = kinds.reduce(0) { $0 | 1 << UInt8($1.index) }
        self.names = names
        table = .allocate(capacity: 256)
        table.initialize(repeating: 0, count: 256)
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        let digits = "0123456789"
        let names = letters + digits + "_-.$"
        func add(_ bit: UInt32, _ first: String, _ second: String, _ third: String, _ fourth: String) {
            for (shift, bytes) in [(UInt32(0), first), (8, second), (16, third), (24, fourth)] {
                for byte in bytes.utf8 { table[Int(byte)] |= bit << shift }
            }
        }
        if kinds.contains(.email) || kinds.contains(.url) {
            add(Bit.at, "@", letters + digits + "[", "", "")
            for byte in 0..<256 { table[byte] |= Bit.at << 16 | Bit.at << 24 }
        }
        if kinds.contains(.jwt) { add(Bit.jwt, "e", "y", "J", letters + digits + "_-") }
        if kinds.contains(.token) {
            add(Bit.bearerOrPEM, "bB", "eE", "aA", "rR")
            add(Bit.gToken, "g", "hil", "pousrt", "_ha")
            add(Bit.slack, "x", "o", "x", letters)
            add(Bit.upperA, "A", "I", "z", "a")
        }
        if kinds.contains(.privateKey) { add(Bit.bearerOrPEM, "B", "E", "G", "I") }
        if kinds.contains(.awsKey) { add(Bit.upperA, "A", "KSBC", "IC", "A") }
        if kinds.contains(.card) {
            add(Bit.digits, "", "23456", digits, digits)
            for byte in 0..<256 where classes[byte] & ByteClass.word == 0 { table[byte] |= Bit.digits }
        }
        if kinds.contains(.url) {
            add(Bit.query, "?&;", letters + "_$", names, names + "=")
        }
    }

    deinit { table.deallocate() }

    /// The first secret at or behind `start`. Matches rise and do not overlap when the next search starts at the end of
    /// the last.
    @inline(__always)
    func first(in text: UnsafeRawBufferPointer, from start: Int) -> Match? {
        let count = text.count
        // The shortest of all is an address: a@b.cd.
        guard count &- start >= 6 else { return nil }
        return find(text.baseAddress!.assumingMemoryBound(to: UInt8.self), count, start)
    }

    private func find(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Match? {
        let table = UnsafePointer(table)
        var position = start
        if position == 0 {
            // What begins at a border, at the border that the text's start is.
            if searches(.card), text[0] &- 0x32 < 5, let match = card(text, count, 0) { return match }
        }
        var w0 = table[Int(text[position])]
        var w1 = table[Int(text[position &+ 1])]
        var w2 = table[Int(text[position &+ 2])]
        while position &+ 7 <= count {
            let w3 = table[Int(text[position &+ 3])]
            let w4 = table[Int(text[position &+ 4])]
            let w5 = table[Int(text[position &+ 5])]
            let w6 = table[Int(text[position &+ 6])]
            let s0 = w0 & w1 >> 8 & w2 >> 16 & w3 >> 24
            let s1 = w1 & w2 >> 8 & w3 >> 16 & w4 >> 24
            let s2 = w2 & w3 >> 8 & w4 >> 16 & w5 >> 24
            let s3 = w3 & w4 >> 8 & w5 >> 16 & w6 >> 24
            if _slowPath((s0 | s1 | s2 | s3) & 0xFF != 0) {
                if let match = look(s0, text, count, position, start) { return match }
                if let match = look(s1, text, count, position &+ 1, start) { return match }
                if let match = look(s2, text, count, position &+ 2, start) { return match }
                if let match = look(s3, text, count, position &+ 3, start) { return match }
            }
            w0 = w4
            w1 = w5
            w2 = w6
            position &+= 4
        }
        while position &+ 4 <= count {
            let word =
                table[Int(text[position])] & table[Int(text[position &+ 1])] >> 8 & table[Int(text[position &+ 2])]
                >> 16
                & table[Int(text[position &+ 3])] >> 24
            if word & 0xFF != 0, let match = look(word, text, count, position, start) { return match }
            position &+= 1
        }
        return nil
    }

    private func searches(_ kind: SecretKind) -> Bool { kinds & 1 << UInt8(kind.index) != 0 }

    @inline(__always)
    private func look(
        _ bits: UInt32, _ text: UnsafePointer<UInt8>, _ count: Int, _ position: Int, _ start: Int
    ) -> Match? {
        bits & 0xFF == 0 ? nil : lookClosely(bits, text, count, position, start)
    }

    /// The patterns of `bits` at a place.
    @inline(never)
    private func lookClosely(
        _ bits: UInt32, _ text: UnsafePointer<UInt8>, _ count: Int, _ position: Int, _ start: Int
    ) -> Match? {
        if bits & Bit.digits != 0, let match = card(text, count, position + 1) { return match }
        if bits & Bit.at != 0 {
            if searches(.url), let match = userInformation(text, count, position, start) { return match }
            if searches(.email), let match = email(text, count, position, start) { return match }
        }
        if bits & Bit.query != 0, let match = parameter(text, count, position + 1) { return match }
        if bits & Bit.jwt != 0, let match = jwt(text, count, position) { return match }
        if bits & Bit.bearerOrPEM != 0 {
            if text[position + 1] == 0x45, text[position + 2] == 0x47 {
                if searches(.privateKey), let match = pem(text, count, position, start) { return match }
            } else if searches(.token), let match = bearer(text, count, position) {
                return match
            }
        }
        if bits & Bit.upperA != 0, let match = upperA(text, count, position) { return match }
        if bits & (Bit.gToken | Bit.slack) != 0, let match = prefixedToken(text, count, position) { return match }
        return nil
    }

    /// Finds parameters in a query that begins without a question mark, at its first name.
    func firstParameter(in text: UnsafeRawBufferPointer) -> Match? {
        guard searches(.url), let base = text.baseAddress else { return nil }
        return parameter(base.assumingMemoryBound(to: UInt8.self), text.count, 0)
    }

    // MARK: helpers

    /// The end of the run of bytes of a class that begins at `start`, at most `limit` bytes on.
    @inline(__always)
    private func run(
        _ kind: UInt8, _ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int, limit: Int = .max
    ) -> Int {
        var end = start
        let last = limit < count &- start ? start &+ limit : count
        while end < last, classes[Int(text[end])] & kind != 0 { end &+= 1 }
        return end
    }

    /// Whether the byte at a place is of a class; false beyond the ends.
    @inline(__always)
    private func has(_ kind: UInt8, _ text: UnsafePointer<UInt8>, _ count: Int, _ position: Int) -> Bool {
        position >= 0 && position < count && classes[Int(text[position])] & kind != 0
    }

    private func begins(_ prefix: StaticString, _ text: UnsafePointer<UInt8>, _ count: Int, _ position: Int) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard count - position >= length else { return false }
        for index in 0..<length where text[position + index] != prefix.utf8Start[index] { return false }
        return true
    }

    // MARK: addresses and URLs

    static let localBytesMax = 64
    static let domainBytesMax = 253

    private func email(_ text: UnsafePointer<UInt8>, _ count: Int, _ at: Int, _ floor: Int) -> Match? {
        var local = at
        while local > floor, at - local <= Self.localBytesMax, has(ByteClass.local, text, count, local - 1) {
            local -= 1
        }
        while local < at, text[local] == 0x2E { local += 1 }
        guard local < at, at - local <= Self.localBytesMax, text[at - 1] != 0x2E else { return nil }
        // Labels, until something else than a letter, a digit, a hyphen or a dot.
        var end = at + 1
        var labels = 0
        var numericLabels = 0
        var lastIsName = false
        while end - at <= Self.domainBytesMax {
            let label = run(ByteClass.alphanumeric | ByteClass.hyphen, text, count, end, limit: 64)
            guard label > end else { break }
            let isNumeric = run(ByteClass.digit, text, count, end, limit: 64) == label
            let isName = label - end >= 2 && run(ByteClass.letter, text, count, end, limit: 64) == label
            labels += 1
            numericLabels += isNumeric ? 1 : 0
            lastIsName = isName
            end = label
            guard end + 1 < count, text[end] == 0x2E, has(ByteClass.alphanumeric, text, count, end + 1) else { break }
            end += 1
        }
        // name@4.17.21.tgz is a version, no address.
        guard labels >= 2, lastIsName, numericLabels < 2 else { return nil }
        return Match(range: local..<end, kind: .email)
    }

    static let userInformationBytesMax = 512

    /// What stands between `://` and `@`.
    private func userInformation(_ text: UnsafePointer<UInt8>, _ count: Int, _ at: Int, _ floor: Int) -> Match? {
        var start = at
        while start > floor, at - start <= Self.userInformationBytesMax {
            let byte = text[start - 1]
            guard byte != 0x2F else { break }
            guard byte > 0x20, byte != 0x22, byte != 0x27, byte != 0x3F, byte != 0x23, byte != 0x40 else { return nil }
            start -= 1
        }
        guard start < at, start - 3 >= floor, text[start - 1] == 0x2F, text[start - 2] == 0x2F, text[start - 3] == 0x3A
        else {
            return nil
        }
        // A password may hold an @ of its own; the host begins behind the last.
        var end = at
        var next = at + 1
        while next < count, next - at <= Self.userInformationBytesMax, text[next] != 0x2F, text[next] != 0x3F,
            text[next] != 0x23,
            classes[Int(text[next])] & ByteClass.valueEnd == 0
        {
            if text[next] == 0x40 { end = next }
            next += 1
        }
        return Match(range: start..<end, kind: .url)
    }

    static let parameterNameBytesMax = 64

    /// The value of a secret parameter whose name begins at `start`.
    private func parameter(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Match? {
        var end = start
        while end < count, end - start <= Self.parameterNameBytesMax {
            let byte = text[end]
            if byte == 0x3D { break }
            guard classes[Int(byte)] & ByteClass.base64URL != 0 || byte == 0x2E || byte == 0x24 else { return nil }
            end += 1
        }
        guard end > start, end < count, text[end] == 0x3D,
            names.contains(UnsafeRawBufferPointer(start: text + start, count: end - start))
        else { return nil }
        var value = end + 1
        while value < count, classes[Int(text[value])] & ByteClass.valueEnd == 0 { value += 1 }
        guard value > end + 1 else { return nil }
        return Match(range: end + 1..<value, kind: .url)
    }

    // MARK: tokens

    private func jwt(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Match? {
        guard !has(ByteClass.base64URL, text, count, start - 1) else { return nil }
        let header = run(ByteClass.base64URL, text, count, start)
        guard header - start >= 10, header < count, text[header] == 0x2E, begins("eyJ", text, count, header + 1) else {
            return nil
        }
        var end = run(ByteClass.base64URL, text, count, header + 1)
        guard end < count, text[end] == 0x2E else { return nil }
        // The signature; it is empty where nobody signed.
        end = run(ByteClass.base64URL, text, count, end + 1)
        return Match(range: start..<end, kind: .jwt)
    }

    static let bearerBytesMin = 8

    private func bearer(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Match? {
        guard !has(ByteClass.word, text, count, start - 1), count - start >= 7 + Self.bearerBytesMin else { return nil }
        let word: StaticString = "bearer"
        for index in 0..<6 where ByteClass.lowercased(text[start + index]) != word.utf8Start[index] { return nil }
        var token = start + 6
        while token < count, token - start < 16, text[token] == 0x20 || text[token] == 0x3A || text[token] == 0x3D {
            token += 1
        }
        if token == start + 6, begins("%20", text, count, token) { token += 3 }
        guard token > start + 6 else { return nil }
        let end = run(ByteClass.token, text, count, token)
        // "bearer of bad news" holds no digit.
        guard end - token >= Self.bearerBytesMin else { return nil }
        for index in token..<end where has(ByteClass.digit, text, count, index) {
            return Match(range: token..<end, kind: .token)
        }
        return nil
    }

    private func upperA(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Match? {
        guard !has(ByteClass.word, text, count, start - 1) else { return nil }
        if searches(.awsKey) {
            let isKey =
                begins("AKIA", text, count, start) || begins("ASIA", text, count, start)
                || begins("ABIA", text, count, start)
                || begins("ACCA", text, count, start)
            if isKey {
                let end = run(ByteClass.word, text, count, start, limit: 21)
                var isUpper = end - start == 20
                for index in start..<end where text[index] &- 0x61 < 26 || text[index] == 0x5F { isUpper = false }
                if isUpper { return Match(range: start..<end, kind: .awsKey) }
            }
        }
        if searches(.token), begins("AIza", text, count, start) {
            let end = run(ByteClass.base64URL, text, count, start, limit: 40)
            if end - start == 39 { return Match(range: start..<end, kind: .token) }
        }
        return nil
    }

    private func prefixedToken(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Match? {
        guard !has(ByteClass.word, text, count, start - 1) else { return nil }
        func tail(_ prefix: Int, _ kind: UInt8, least: Int) -> Match? {
            let end = run(kind, text, count, start + prefix)
            return end - start - prefix >= least ? Match(range: start..<end, kind: .token) : nil
        }
        switch text[start + 1] {
        case 0x68:  // ghp_ and its kin
            guard start + 4 < count, text[start + 3] == 0x5F else { return nil }
            return tail(4, ByteClass.word, least: 30)
        case 0x69: return begins("github_pat_", text, count, start) ? tail(11, ByteClass.word, least: 22) : nil
        case 0x6C: return begins("glpat-", text, count, start) ? tail(6, ByteClass.base64URL, least: 20) : nil
        default:  // xoxb- and its kin
            guard begins("xox", text, count, start), start + 5 < count, has(ByteClass.letter, text, count, start + 3),
                text[start + 4] == 0x2D
            else { return nil }
            return tail(5, ByteClass.base64URL, least: 10)
        }
    }

    /// From the first dashes to the last; to the end of the text where the end was cut off.
    private func pem(_ text: UnsafePointer<UInt8>, _ count: Int, _ begin: Int, _ floor: Int) -> Match? {
        let start = begin - 5
        guard start >= floor, begins("-----BEGIN ", text, count, start) else { return nil }
        let label = begin + 6
        var labelEnd = label
        while labelEnd < count, labelEnd - label < 48, text[labelEnd] == 0x20 || text[labelEnd] &- 0x41 < 26 {
            labelEnd += 1
        }
        guard begins("-----", text, count, labelEnd) else { return nil }
        var isPrivate = false
        for index in label..<labelEnd where begins("PRIVATE KEY", text, labelEnd, index) { isPrivate = true }
        guard isPrivate else { return nil }
        var end = labelEnd + 5
        while end < count {
            if text[end] == 0x2D, begins("-----END ", text, count, end) {
                var closing = end + 9
                while closing < count, closing - end < 64, text[closing] != 0x2D { closing += 1 }
                while closing < count, closing - end < 72, text[closing] == 0x2D { closing += 1 }
                return Match(range: start..<closing, kind: .privateKey)
            }
            end += 1
        }
        return Match(range: start..<count, kind: .privateKey)
    }

    // MARK: cards

    /// A number that begins at `start`: 13 to 19 digits without a break, or groups of four (American Express: 4, 6, 5;
    /// Diners Club: 4, 6, 4) with one space or hyphen between them. What goes on as a word, a decimal, a UUID or a
    /// longer number is none.
    private func card(_ text: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Match? {
        guard !isJoined(text, count, start - 1, start - 2) else { return nil }
        // Four digits come first in all of them.
        guard run(ByteClass.digit, text, count, start, limit: 4) - start == 4 else { return nil }
        var digits: (low: UInt64, count: Int, groups: UInt64) = (0, 0, 0)
        var end = start
        var separator: UInt8 = 0
        while true {
            let group = run(ByteClass.digit, text, count, end, limit: 20)
            let length = group - end
            guard length > 0, digits.count + length <= 19 else { return nil }
            for index in end..<group { digits.low = digits.low &* 10 &+ UInt64(text[index] & 15) }
            digits.count += length
            digits.groups = digits.groups << 8 | UInt64(length)
            end = group
            guard end + 1 < count, text[end] == 0x20 || text[end] == 0x2D, separator == 0 || text[end] == separator,
                has(ByteClass.digit, text, count, end + 1)
            else { break }
            // With spaces, what comes after a whole number is another word.
            if text[end] == 0x20, digits.count >= 13, Self.isCard(digits) { break }
            separator = text[end]
            end += 1
        }
        guard !isJoined(text, count, end, end + 1), Self.isCard(digits) else { return nil }
        return Match(range: start..<end, kind: .card)
    }

    /// Whether the byte at `near` joins a number to what is behind it, at `far`.
    private func isJoined(_ text: UnsafePointer<UInt8>, _ count: Int, _ near: Int, _ far: Int) -> Bool {
        guard near >= 0, near < count else { return false }
        if classes[Int(text[near])] & ByteClass.word != 0 || text[near] == 0x2B { return true }
        return (text[near] == 0x2D || text[near] == 0x2E) && has(ByteClass.alphanumeric, text, count, far)
    }

    private static func isCard(_ digits: (low: UInt64, count: Int, groups: UInt64)) -> Bool {
        switch digits.groups {
        case 13...19, 0x0404_0404, 0x04_0404_0403, 0x04_0605, 0x04_0604: break
        default: return false
        }
        guard isIssued(digits.low, digits.count) else { return false }
        var rest = digits.low
        var sum: UInt64 = 0
        for position in 0..<digits.count {
            let digit = rest % 10
            rest /= 10
            sum += position % 2 == 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9
        }
        return sum % 10 == 0
    }

    /// Whether an issuer gives out numbers that begin like this, of this length.
    private static func isIssued(_ number: UInt64, _ count: Int) -> Bool {
        var head = number
        for _ in 0..<count - 4 { head /= 10 }
        switch (head, count) {
        case (4000...4999, 13), (4000...4999, 16), (4000...4999, 19): return true  // Visa
        case (5100...5599, 16), (2221...2720, 16): return true  // Mastercard
        case (3400...3499, 15), (3700...3799, 15): return true  // American Express
        case (3000...3059, 14), (3600...3699, 14), (3800...3999, 14): return true  // Diners Club
        case (6011, 16...19), (6440...6599, 16...19): return true  // Discover
        case (3528...3589, 16...19): return true  // JCB
        case (6200...6299, 16...19): return true  // UnionPay
        case (5000...5099, 16), (5600...6999, 16): return true  // Maestro
        default: return false
        }
    }
}
