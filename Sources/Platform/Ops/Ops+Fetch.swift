internal import Engine

extension PlatformOps {
    /// fetchStart(id, method, url, headers, body, followRedirects, timeoutMs): headers are name, value, name, value …; body bytes or null.
    /// fetchAbort(id): its answer is no longer wanted.
    static let fetch = [
        Op("fetchStart") {
            let call = OpCall($0, $1)
            do throws(JSFailure) {
                call.platform.host.startFetch(
                    FetchStart(
                        id: call.integer(0), method: call.string(1), url: call.string(2), headers: try headers(call, 3),
                        body: call.bytes(4).map { Array($0) } ?? [], followsRedirects: call.bool(5),
                        timeoutMilliseconds: call.integer(6)))
            } catch {
                call.rethrow(error)
            }
        },
        Op("fetchAbort") {
            let call = OpCall($0, $1)
            call.platform.host.abortFetch(call.integer(0))
        },
    ]

    private static func headers(_ call: OpCall, _ index: Int) throws(JSFailure) -> [(name: String, value: String)] {
        let list = call.value(index)
        let count = try call.realm.get("length", of: list).number
        guard count.isFinite else { return [] }
        var headers: [(name: String, value: String)] = []
        for pair in 0..<Int(count) / 2 {
            let name = try call.realm.get(String(2 * pair), of: list).text
            let value = try call.realm.get(String(2 * pair + 1), of: list).text
            headers.append((name, value))
        }
        return headers
    }
}
