internal import CICU
internal import Engine
internal import Glibc

// https://encoding.spec.whatwg.org/. V8's own strings are encoded by V8; CICU decodes.
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
            if call.returns(ascii: text) { return }
            decode(call, SL_UTF_8, text, state: nil, fatal: call.bool(1), last: true)
        },
        Op("decodeText") {
            let call = OpCall($0, $1)
            let encoding = call.integer(0, nan: -1)
            guard encoding >= 0, encoding < SL_ENCODING_COUNT.rawValue, let bytes = call.bytes(1) else {
                return call.returns("")
            }
            decode(
                call, sl_encoding(UInt32(encoding)), UnsafeRawBufferPointer(bytes), state: call.bytes(2),
                fatal: call.bool(3), last: call.bool(4))
        },
        Op("domainToASCII") { domain(OpCall($0, $1), toASCII: true) },
        Op("domainToUnicode") { domain(OpCall($0, $1), toASCII: false) },
    ]

    private static func decode(
        _ call: OpCall, _ encoding: sl_encoding, _ bytes: UnsafeRawBufferPointer, state: UnsafeMutableRawBufferPointer?,
        fatal: Bool, last: Bool
    ) {
        var kept = sl_decoder_state()
        let state = state.flatMap { $0.count >= MemoryLayout<sl_decoder_state>.size ? $0 : nil }
        if let state { kept = state.load(as: sl_decoder_state.self) }
        let input = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        // A short text goes over the stack.
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: sl_decode_units_max(bytes.count)) { units in
            let count = sl_decode(encoding, &kept, input, bytes.count, fatal, last, units.baseAddress!)
            if let state { state.storeBytes(of: kept, as: sl_decoder_state.self) }
            switch count {
            case 0...: call.returns(utf16: UnsafeMutableBufferPointer(rebasing: units[..<count]))
            case -1 where encoding == SL_UTF_8:
                call.throwError(
                    .type, "The encoded data was not valid for encoding utf-8",
                    code: "ERR_ENCODING_INVALID_ENCODED_DATA")
            case -1: call.returnsNull()
            default:
                call.throwError(
                    .error, "ICU's data has no table for this encoding; is libicu72 complete?", code: "ERR_NO_ICU")
            }
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
}
