// Who a request is in its trace, decided before any JavaScript runs: ids, parent, and whether it is sampled.

internal import Glibc
internal import Telemetry
internal import Wire

/// Ids of a server span as they lie in memory: trace, span and parent span, in network order.
struct RequestIdentity {
    var traceHigh: UInt64 = 0
    var traceLow: UInt64 = 0
    var span: UInt64 = 0
    var parent: UInt64 = 0
    var isSampled = false
    var parentIsRemote = false

    static let byteCount = 32

    func store(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: traceHigh, as: UInt64.self)
        target.storeBytes(of: traceLow, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: span, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: parent, toByteOffset: 24, as: UInt64.self)
    }
}

/// Makes ids and takes decisions. <https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling>
struct RequestSampler {
    private enum Root {
        case always, never
        /// Sampled when the last 48 bits of what decides are below this.
        case below(UInt64)
    }

    private let root: Root
    private let isParentBased: Bool
    private var random = RandomWords()

    /// - Parameter configuration: the worker's.
    init(_ configuration: JSON) {
        let name = configuration["sampler"]?["name"]?.string ?? "parentbased_always_on"
        isParentBased = name.hasPrefix("parentbased_")
        let rootName = isParentBased ? String(name.dropFirst("parentbased_".count)) : name
        switch rootName {
        case "always_off": root = .never
        case "traceidratio":
            let ratio = min(max(configuration["sampler"]?["argument"]?.number ?? 1, 0), 1)
            root = .below(UInt64(ratio * 0x1p48))
        default: root = .always
        }
    }

    /// The identity of a request that says nothing of a caller.
    mutating func identity() -> RequestIdentity {
        var identity = RequestIdentity()
        identity.traceHigh = random.next()
        identity.traceLow = random.next() | 1 << 56
        identity.span = random.next() | 1 << 56
        identity.isSampled = decide(identity.traceLow)
        return identity
    }

    /// The identity of one whose caller's span is `parent`.
    mutating func identity(_ parent: SpanContext) -> RequestIdentity {
        var identity = RequestIdentity()
        identity.traceHigh = parent.traceID.high.bigEndian
        identity.traceLow = parent.traceID.low.bigEndian
        identity.span = random.next() | 1 << 56
        identity.parent = parent.spanID.value.bigEndian
        identity.parentIsRemote = true
        identity.isSampled = isParentBased ? parent.traceFlags & 1 != 0 : decide(identity.traceLow)
        return identity
    }

    /// - Parameter traceLow: the last eight bytes of the trace id, as in memory.
    private func decide(_ traceLow: UInt64) -> Bool {
        switch root {
        case .always: true
        case .never: false
        // The same 48 bits that 20_trace.js looks at.
        case .below(let threshold): UInt64(bigEndian: traceLow) >> 16 < threshold
        }
    }
}

/// xoshiro256++, seeded by the system. <https://prng.di.unimi.it>
struct RandomWords {
    private var state: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 1)

    init() { withUnsafeMutableBytes(of: &state) { arc4random_buf($0.baseAddress!, $0.count) } }

    mutating func next() -> UInt64 {
        let sum = state.0 &+ state.3
        let result = (sum << 23 | sum >> 41) &+ state.0
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }
}
