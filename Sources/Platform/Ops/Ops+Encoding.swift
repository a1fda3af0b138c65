internal import CICU
internal import Engine
internal import Glibc

// https://encoding.spec.whatwg.org/. UTF-8: V8's own strings do the work; only decoding looks at the bytes first. All
// else is CICU's.
extension PlatformOps {
    /// encodeUtf8(text): a Uint8Array. encodeInto(text, u8): code units read * 2^32 + bytes written.
    /// decodeUtf8(bytes, fatal, ignoreBOM): a string; a TypeError when fatal and malformed.
    /// decodeText(encoding, bytes, state, fatal, last): a string, null when fatal and malformed. `encoding` as in CICU.h;
    /// `state`: an ArrayBuffer of 8 bytes, first all 0, that belongs to the stream; undefined when there is but one
    /// piece. A byte order mark is a character here.
    /// domainToASCII(domain): null for failure. domainToUnicode(domain).
    static let encoding = [
        Op("encodeUtf8") { OpCall($0, $1).returnsUTF8(of: 0) },
        Op("encodeInto") {
            let call = OpCall($0, $1)
            guard let target = call.bytes(1) else { return call.returns(0) }
            let (read, written) = call.writeUTF8Prefix(0, to: target)
            call.returns(Double(read) * 0x1p32 + Double(written))
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
        Op("decodeText") {
            let call = OpCall($0, $1)
            let encoding = call.integer(0, nan: -1)
            guard encoding >= 0, encoding < SL_ENCODING_COUNT.rawValue, let bytes = call.bytes(1) else {
                return call.returns("")
            }
            decode(call, sl_encoding(UInt32(encoding)), UnsafeRawBufferPointer(bytes), state: call.bytes(2))
        },
        Op("domainToASCII") { domain(OpCall($0, $1), toASCII: true) },
        Op("domainToUnicode") { domain(OpCall($0, $1), toASCII: false) },
    ]

    private static func decode(
        _ call: OpCall, _ encoding: sl_encoding, _ bytes: UnsafeRawBufferPointer, state: UnsafeMutableRawBufferPointer?
    ) {
        let capacity = sl_decode_units_max(bytes.count)
        let units = UnsafeMutablePointer<UInt16>.allocate(capacity: capacity)
        defer { units.deallocate() }
        var kept = sl_decoder_state()
        if let state, state.count >= MemoryLayout.size(ofValue: kept) { kept = state.load(as: sl_decoder_state.self) }
        let input = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let count = sl_decode(encoding, &kept, input, bytes.count, call.bool(3), call.bool(4), units)
        if let state, state.count >= MemoryLayout.size(ofValue: kept) {
            state.storeBytes(of: kept, as: sl_decoder_state.self)
        }
        switch count {
        case 0...: call.returns(utf16: UnsafeMutableBufferPointer(start: units, count: count))
        case -1: call.returnsNull()
        default:
            call.throwError(
                .error, "ICU's data has no table for this encoding; is libicu72 complete?", code: "ERR_NO_ICU")
        }
    }

    private static func domain(_ call: OpCall, toASCII: Bool) {
        call.withUTF8(0) { domain in
            var length = 0
            let start = domain.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard let start, let result = sl_domain(start, domain.count, toASCII, &length) else {
                return call.returnsNull()
            }
            defer { free(result) }
            call.returns(utf8: UnsafeRawBufferPointer(start: result, count: length))
        }
    }

    private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.withMemoryRebound(to: UInt8.self) { String(validating: $0, as: UTF8.self) != nil }
    }
}
