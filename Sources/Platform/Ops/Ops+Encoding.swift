internal import Engine

// UTF-8 as https://encoding.spec.whatwg.org/ has it. V8's own strings do the work; only decoding looks at the bytes first.
extension PlatformOps {
    /// encodeUtf8(text): a Uint8Array. encodeInto(text, u8): code units read * 2^32 + bytes written, or -1 when it does not fit whole.
    /// decodeUtf8(bytes, fatal, ignoreBOM): a string; a TypeError when fatal and malformed.
    static let encoding = [
        Op("encodeUtf8") {
            let call = OpCall($0, $1)
            call.withUTF8(0) { call.returns(call.realm.makeUint8Array($0)) }
        },
        Op("encodeInto") {
            let call = OpCall($0, $1)
            guard let target = call.bytes(1) else { return call.returns(0) }
            call.withUTF8(0) { text in
                let (read, written) = prefix(of: text, fitting: target.count)
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: text[..<written]))
                call.returns(Double(read) * 0x1p32 + Double(written))
            }
        },
        Op("decodeUtf8") {
            let call = OpCall($0, $1)
            guard let bytes = call.bytes(0) else { return call.returns("") }
            var text = UnsafeRawBufferPointer(bytes)
            if !call.bool(2), text.starts(with: [0xEF, 0xBB, 0xBF]) {
                text = UnsafeRawBufferPointer(rebasing: text[3...])
            }
            if call.bool(1), !isUTF8(text) {
                return call.throwError(
                    .type, "The encoded data was not valid for encoding utf-8",
                    code: "ERR_ENCODING_INVALID_ENCODED_DATA")
            }
            call.returns(utf8: text)
        },
    ]

    /// How many UTF-16 code units and bytes of whole characters fit.
    private static func prefix(of text: UnsafeRawBufferPointer, fitting capacity: Int) -> (read: Int, written: Int) {
        var read = 0
        var position = 0
        while position < text.count {
            let lead = text[position]
            let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
            guard position + length <= capacity else { break }
            position += length
            read += length == 4 ? 2 : 1
        }
        return (read, position)
    }

    private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.withMemoryRebound(to: UInt8.self) { String(validating: $0, as: UTF8.self) != nil }
    }
}
