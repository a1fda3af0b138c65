internal import Telemetry

/// What was decided of the traces decided last, for their late spans. A ring: the oldest decision makes room.
struct DecidedTraces: ~Copyable {
    private struct Decision {
        var trace: TraceID
        var verdict: Verdict
    }

    private let capacity: Int
    private var ring: [Decision] = []
    private var next = 0
    private var index = HashIndex()

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    var count: Int { ring.count }

    @inline(__always)
    func verdict(_ trace: TraceID) -> Verdict? {
        let number = index.find(index.hash(trace.high, trace.low)) { ring[Int($0)].trace == trace }
        return number.map { ring[Int($0)].verdict }
    }

    /// Remembers the decision on a trace of which none is remembered.
    mutating func add(_ trace: TraceID, _ verdict: Verdict) {
        let decision = Decision(trace: trace, verdict: verdict)
        if ring.count < capacity {
            ring.append(decision)
        } else {
            let old = ring[next].trace
            index.remove(index.hash(old.high, old.low), UInt32(next))
            ring[next] = decision
        }
        index.insert(index.hash(trace.high, trace.low), UInt32(next))
        next = next + 1 == capacity ? 0 : next + 1
    }
}
