/// Makes of a log line what lines of its kind have in common: numbers, ids, addresses, paths and quoted texts become signs.
enum PatternMask {
    /// Of a line, bytes that are looked at; only its first line counts.
    static let bytesMax = 2_048

    /// The line with signs (`<num>`, `<id>`, `<ip>`, `<path>`, `<str>`) and single blanks.
    static func mask(_ text: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        var line = UnsafeRawBufferPointer(rebasing: text.prefix(bytesMax))
        if let end = line.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
            line = UnsafeRawBufferPointer(rebasing: line[..<end])
        }
        var index = 0
        while index < line.count {
            let byte = line[index]
            if byte == 0x20 || byte == 0x09 {
                if let last = out.last, last != 0x20 { out.append(0x20) }
                index += 1
            } else if isPart(byte) {
                let end = pieceEnd(line, index)
                put(UnsafeRawBufferPointer(rebasing: line[index..<end]), into: &out)
                index = end
            } else if isQuote(byte), !isAfterPart(line, index), let end = line[(index + 1)...].firstIndex(of: byte) {
                out += "<str>".utf8
                index = end + 1
            } else if byte == UInt8(ascii: "/"), !isAfterPart(line, index) {
                let end = line[index...].firstIndex { $0 <= 0x20 || ",;()[]{}\"'<>|".utf8.contains($0) } ?? line.count
                if end - index > 1 { out += "<path>".utf8 } else { out.append(byte) }
                index = end
            } else {
                out.append(byte)
                index += 1
            }
        }
        if out.last == 0x20 { out.removeLast() }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
    private static func isHexLetter(_ byte: UInt8) -> Bool { 0x41...0x46 ~= byte || 0x61...0x66 ~= byte }
    private static func isLetter(_ byte: UInt8) -> Bool { 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || byte >= 0x80 }
    private static func isPart(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) || byte == UInt8(ascii: "_") }
    private static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`")
    }

    private static func isAfterPart(_ line: UnsafeRawBufferPointer, _ index: Int) -> Bool {
        index > 0 && isPart(line[index - 1])
    }

    /// Letters and digits, and what joins them: `-` and `.`; `:` within numbers, times and addresses, not behind a name.
    private static func pieceEnd(_ line: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var index = start
        var isNumeric = true
        while index < line.count {
            let byte = line[index]
            if isPart(byte) {
                if !isDigit(byte), !isHexLetter(byte) { isNumeric = false }
            } else {
                let joins =
                    byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") && isNumeric
                guard joins, index + 1 < line.count, isPart(line[index + 1]) else { return index }
            }
            index += 1
        }
        return index
    }

    private static func put(_ piece: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        guard piece.contains(where: isDigit) else { return out.append(contentsOf: piece) }
        var dots = 0
        var colons = 0
        var letters = 0
        var runs = 0
        var isHex = true
        var wasDigit = false
        for byte in piece {
            if isDigit(byte) {
                if !wasDigit { runs += 1 }
                wasDigit = true
                continue
            }
            wasDigit = false
            if byte == UInt8(ascii: ".") { dots += 1 }
            if byte == UInt8(ascii: ":") { colons += 1 }
            if isLetter(byte) || byte == UInt8(ascii: "_") {
                letters += 1
                if !isHexLetter(byte) { isHex = false }
            }
        }
        // An amount with its unit: 12ms, 1.5GB.
        let unit = piece.reversed().prefix(while: isLetter).count
        let isAmount = isDigit(piece[0]) && letters == unit && unit <= 3
        // With a port or without.
        if letters == 0, dots == 3, runs == 4 + colons {
            out += "<ip>".utf8
        } else if isHex, colons >= 2, letters > 0 || colons > 3 {
            out += "<ip>".utf8
        } else if isHex, letters > 0, piece.count >= 8 {
            out += "<id>".utf8
        } else if letters == 0 || isAmount {
            out += "<num>".utf8
        } else if piece.starts(with: "0x".utf8) || runs > 1 {
            out += "<id>".utf8
        } else {
            // A name with a number: worker-12.
            var isIn = false
            for byte in piece {
                if !isDigit(byte) {
                    out.append(byte)
                } else if !isIn {
                    out += "<num>".utf8
                }
                isIn = isDigit(byte)
            }
        }
    }
}
