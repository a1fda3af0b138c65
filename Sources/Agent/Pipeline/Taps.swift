internal import Exporters
internal import Server
internal import Synchronization
internal import Telemetry
internal import Wire

/// Clients that watch what flows at a point of the pipelines. The server's thread only.
///
/// A client that reads too slowly misses items, and is told how many.
final class Taps: @unchecked Sendable {
    // @unchecked: of the server's thread.

    /// Where something flows: "otlp-http" as it came in there, "traces" as the processors of that pipeline let it go.
    struct Point: Hashable {
        enum Place { case receiver, pipeline }

        var place: Place
        var name: String
    }

    /// Clients at once.
    static let countMax = 16
    /// Bytes that may wait for a client before it misses items.
    private static let waitingBytesMax = 256 << 10

    private struct Tap {
        let number: Int
        /// Nil: what leaves all pipelines.
        let point: Point?
        let isJSON: Bool
        let stream: ResponseStream
        var missed = 0
    }

    private var taps: [Tap] = []
    private var next = 0

    var isEmpty: Bool { taps.isEmpty }

    /// False: there are as many as there may be.
    func add(_ responder: Responder, _ fields: ResponseFields, _ point: Point?, isJSON: Bool) -> Bool {
        guard taps.count < Self.countMax else { return false }
        next += 1
        let number = next
        let stream = responder.stream(200, fields) { [weak self] in self?.taps.removeAll { $0.number == number } }
        // It may have left before it is here to be removed.
        guard !stream.isOver else { return true }
        taps.append(Tap(number: number, point: point, isJSON: isJSON, stream: stream))
        return true
    }

    /// Shows what flows at a point. Only called when somebody watches, so it may cost something.
    func show(_ batches: [Batch], at place: Point.Place, _ name: String) {
        guard !batches.isEmpty else { return }
        for index in taps.indices {
            guard taps[index].point.map({ $0.place == place && $0.name == name }) ?? (place == .pipeline) else {
                continue
            }
            show(batches, &taps[index])
        }
    }

    private func show(_ batches: [Batch], _ tap: inout Tap) {
        let items = batches.reduce(0) { $0 + $1.items.count }
        guard tap.stream.bytesQueued < Self.waitingBytesMax else {
            tap.missed += items
            return
        }
        var text: [UInt8] = []
        if tap.missed > 0 {
            text += (tap.isJSON ? "{\"missed\":\(tap.missed)}\n" : "… \(tap.missed) not shown\n").utf8
        }
        if tap.isJSON || batches[0].signal == .metrics {
            text += OTLP.exportRequestJSON(batches: batches).bytes + [0x0A]
        } else {
            text += ConsoleText(batches).text.utf8
        }
        if tap.stream.write(text) { tap.missed = 0 } else { tap.missed += items }
    }

    /// The agent ends: so do the streams.
    func end() {
        for tap in taps { tap.stream.end() }
        taps = []
    }
}
