/// "key1=value1,key2=value2" with percent-encoding, as in `OTEL_RESOURCE_ATTRIBUTES` and
/// `OTEL_EXPORTER_OTLP_HEADERS`: W3C Baggage without properties.
/// <https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable>
enum KeyValueList {
    struct Failure: Error {
        var message: String
    }

    /// The pairs in their order; a repeated key keeps its place and takes the later value. All or nothing, as the
    /// specification asks.
    static func parse(_ text: String) throws(Failure) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        // Messages tell an element by its number: what it says may be a secret.
        for (number, element) in text.split(separator: ",").enumerated().map({ ($0 + 1, $1) }) {
            let element = String(element).trimmed
            if element.isEmpty { continue }
            guard let equals = element.firstIndex(of: "=") else {
                throw Failure(message: "element \(number) has no \"=\"")
            }
            let key = String(element[..<equals]).trimmed
            guard !key.isEmpty else { throw Failure(message: "element \(number) has no key") }
            guard let decodedKey = percentDecoded(key),
                let value = percentDecoded(String(element[element.index(after: equals)...]).trimmed)
            else { throw Failure(message: "element \(number) is not percent-encoded UTF-8") }
            if let index = pairs.firstIndex(where: { $0.key == decodedKey }) {
                pairs[index].value = value
            } else {
                pairs.append((decodedKey, value))
            }
        }
        return pairs
    }

    /// Nil for a "%" without two hex digits, and for bytes that are no UTF-8.
    static func percentDecoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}
