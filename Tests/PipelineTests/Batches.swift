import Telemetry

@testable import Pipeline

let millisecond: UInt64 = 1_000_000
let second: UInt64 = 1_000_000_000

/// Deterministic random numbers from a seed.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A batch whose items carry the given numbers as span ids and are `itemBytes` long each. The bytes are no OTLP: nothing in
/// the pipeline looks at them.
func batch(_ signal: Signal = .traces, ids: some Sequence<UInt64>, itemBytes: Int = 40) -> Batch {
    var batch = Batch(signal: signal, resource: Array("resource".utf8), scopes: [Batch.Scope(message: [])])
    for id in ids {
        batch.items.append(
            Batch.Item(
                offset: UInt32(batch.bytes.count), length: UInt32(itemBytes), scope: 0, status: 0, kind: 1,
                traceID: TraceID(high: 1, low: id), spanID: SpanID(id), parentSpanID: .invalid, start: 1, end: 2))
        batch.bytes += [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: itemBytes)
    }
    return batch
}

extension Batch {
    var ids: [UInt64] { items.map(\.spanID.value) }
}

extension Export {
    var ids: [UInt64] { batches.flatMap(\.ids) }
}
