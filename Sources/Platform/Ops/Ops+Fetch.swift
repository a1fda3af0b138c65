internal import Engine

extension PlatformOps {
    /// fetchStart(id, method, url, headers, body, isUpgrade): headers are `name:value` and a line feed each, one string; body bytes, null for none, true
    /// for one that is pushed; with isUpgrade what is pushed are bytes of another protocol, for an answer of 101. False: too many are under way.
    /// Throws what the policy refuses.
    /// fetchWrite(id, bytes): more of a pushed body. False: wait for `internal.fetch.drained(id)`. fetchClose(id): it is complete.
    /// fetchResume(id, byteCount): so much of the response was consumed.
    /// fetchAbort(id): nothing more is to come.
    /// fetchEnded(nanoseconds, method, isHTTPS, status, version, port, host, errorType): what `FetchEnd` has. True: it is counted.
    static let fetch = [
        Op("fetchStart") {
            let call = OpCall($0, $1)
            let body: FetchStart.Body =
                if let bytes = call.bytes(4) {
                    .whole(Array(bytes))
                } else {
                    call.bool(5) ? .upgraded : call.bool(4) ? .pushed : .none
                }
            let fetch = FetchStart(
                id: call.integer(0), method: call.string(1), url: call.string(2), headers: latin1(call, 3), body: body)
            do throws(JSFailure) {
                call.returns(try call.platform.host.startFetch(fetch))
            } catch {
                call.rethrow(error)
            }
        },
        Op("fetchWrite") {
            let call = OpCall($0, $1)
            call.returns(call.platform.host.writeFetch(call.integer(0), call.bytes(1).map { Array($0) } ?? []))
        },
        Op("fetchClose") {
            let call = OpCall($0, $1)
            call.platform.host.closeFetch(call.integer(0))
        },
        Op("fetchResume") {
            let call = OpCall($0, $1)
            call.platform.host.resumeFetch(call.integer(0), byteCount: call.integer(1))
        },
        Op("fetchAbort") {
            let call = OpCall($0, $1)
            call.platform.host.abortFetch(call.integer(0))
        },
        Op("fetchEnded") {
            let call = OpCall($0, $1)
            let end = FetchEnd(
                nanoseconds: call.number(0), method: UInt8(clamping: call.integer(1)), isHTTPS: call.bool(2),
                status: UInt16(clamping: call.integer(3)), version: UInt8(clamping: call.integer(4)),
                port: UInt16(clamping: call.integer(5)))
            call.returns(call.platform.host.fetchEnded(end, call))
        },
    ]

    /// A string of characters up to U+00FF, a byte each.
    private static func latin1(_ call: OpCall, _ index: Int) -> [UInt8] {
        call.withUTF8(index) { utf8 in
            guard utf8.contains(where: { $0 >= 0x80 }) else { return Array(utf8) }
            return String(decoding: utf8, as: UTF8.self).unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        }
    }
}
