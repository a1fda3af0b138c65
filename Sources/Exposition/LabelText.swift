// Labels as they stand in a line, `name="value",…`, are made once for each series and copied at each scrape.

internal import Wire

enum LabelText {
    /// U+FFFD. A zero byte is the end of the text to Prometheus' parser, wherever it stands.
    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Names that are none by Prometheus' first rules stand in quotation marks.
    static func bytes(_ labels: PrometheusLabels) -> [UInt8] {
        var bytes: [UInt8] = []
        for pair in labels.pairs {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
            if isName(pair.name, allowsColon: false) {
                bytes += pair.name.utf8
            } else {
                bytes.append(UInt8(ascii: "\""))
                append(pair.name, to: &bytes)
                bytes.append(UInt8(ascii: "\""))
            }
            bytes.append(UInt8(ascii: "="))
            bytes.append(UInt8(ascii: "\""))
            append(pair.value, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        return bytes
    }

    /// What stands between quotation marks.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0: bytes += replacement
            default: bytes.append(byte)
            }
        }
    }

    /// The text of a HELP line. OpenMetrics escapes quotation marks, too.
    static func help(_ text: String, isOpenMetrics: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += [byte, byte]
            case UInt8(ascii: "\"") where isOpenMetrics: bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0: bytes += replacement
            default: bytes.append(byte)
            }
        }
        return bytes
    }

    /// Whether it needs no quotation marks: letters, digits and underscores, and no digit first.
    static func isName(_ text: String, allowsColon: Bool) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            case UInt8(ascii: ":"): allowsColon
            default: false
            }
        }
    }

    /// Writes each label of `bytes` as a message `LabelPair` in field 1.
    static func putPairs(_ bytes: [UInt8], into writer: inout ProtobufWriter) {
        bytes.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                let pair = writer.begin(1)
                if bytes[position] == UInt8(ascii: "\"") {
                    putQuoted(1, bytes, &position, into: &writer)
                } else {
                    let start = position
                    while bytes[position] != UInt8(ascii: "=") { position += 1 }
                    writer.putBytes(1, UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
                }
                // The equals sign.
                position += 1
                putQuoted(2, bytes, &position, into: &writer)
                writer.end(pair)
                // The comma.
                position += 1
            }
        }
    }

    private static func putQuoted(
        _ field: UInt32, _ bytes: UnsafeRawBufferPointer, _ position: inout Int, into writer: inout ProtobufWriter
    ) {
        let start = position + 1
        var end = start
        var hasEscapes = false
        while bytes[end] != UInt8(ascii: "\"") {
            if bytes[end] == UInt8(ascii: "\\") {
                hasEscapes = true
                end += 1
            }
            end += 1
        }
        position = end + 1
        let text = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        guard hasEscapes else { return writer.putBytes(field, text) }
        var plain: [UInt8] = []
        var isEscaped = false
        for byte in text {
            if isEscaped {
                plain.append(byte == UInt8(ascii: "n") ? 0x0A : byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                plain.append(byte)
            }
        }
        writer.putBytes(field, plain)
    }
}
