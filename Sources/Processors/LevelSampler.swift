// How much of what is logged is kept depends on how bad it is. Records of a trace are chosen by its id, as its spans are, so those of a trace that is kept are
// kept together and by every agent alike; records without one are chosen by chance.

internal import Configuration
internal import Telemetry

final class LevelSampleStage: Stage {
    let dropReason = ProcessorDropReason.unsampled
    let ruleNames = LevelSampling.Level.allCases.map { "\($0)" }
    private let general: LevelThresholds
    private let services: [(name: TextPattern, thresholds: LevelThresholds)]
    private var edit: LevelSampleEdit

    /// - Parameter seed: of what is chosen by chance.
    init(_ sampling: LevelSampling, seed: UInt64 = .random(in: .min ... .max)) {
        general = LevelThresholds(sampling.shares)
        services = sampling.services.map { service in
            (
                TextPattern(glob: service.service),
                LevelThresholds(sampling.shares.merging(service.shares) { $1 })
            )
        }
        edit = LevelSampleEdit(thresholds: general, random: seed)
    }

    func process(_ batch: inout Batch, _ editor: inout Editor, _ context: inout StageContext) {
        guard batch.signal == .logs else { return }
        edit.thresholds = thresholds(batch)
        guard !edit.thresholds.keepAll else { return }
        editor.editItems(of: &batch, &edit, &context.tally)
    }

    private func thresholds(_ batch: borrowing Batch) -> LevelThresholds {
        guard !services.isEmpty else { return general }
        var service = batch.service
        return service.withUTF8 { name in
            services.first { $0.name.matches(UnsafeRawBufferPointer(name)) }?.thresholds ?? general
        }
    }
}

/// Of each level, the randomness from which on a record is kept.
private struct LevelThresholds {
    private let byLevel: [UInt64]
    let keepAll: Bool

    init(_ shares: [LevelSampling.Level: Double]) {
        byLevel = LevelSampling.Level.allCases.map { TraceRandomness.threshold(shares[$0] ?? 1) }
        keepAll = byLevel.allSatisfy { $0 == 0 }
    }

    subscript(_ level: Int) -> UInt64 {
        @inline(__always) get { byLevel[level] }
    }
}

private struct LevelSampleEdit: ItemEdit {
    var thresholds: LevelThresholds
    /// Of SplitMix64.
    private var state: UInt64

    init(thresholds: LevelThresholds, random: UInt64) {
        self.thresholds = thresholds
        state = random
    }

    mutating func edit(_ item: Batch.Item, _ fields: FieldCursor, _ editor: inout Editor) -> ItemFate {
        // A record that does not say how severe it is is kept.
        guard (1...24).contains(item.status) else { return .keep }
        let level = Int(item.status - 1) / 4
        let threshold = thresholds[level]
        guard threshold > 0 else { return .keep }
        let randomness = item.traceID.isValid ? TraceRandomness.of(item.traceID) : next() & (TraceRandomness.range - 1)
        return randomness >= threshold ? .keep : .drop(rule: level)
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
