internal import Wire

extension MetricTable {
    /// Exemplars of one series at most.
    private static let exemplarsMax = 32

    /// The latest of each bucket; of what has no bounds, the latest ones. In the order of their values.
    mutating func keep(_ exemplars: [Prometheus.Exemplar], _ index: Int) {
        var kept = series[index].exemplars
        for exemplar in exemplars.suffix(Self.exemplarsMax) {
            let new = SeriesExemplar(
                value: exemplar.value, time: exemplar.time, labels: LabelText.bytes(PrometheusLabels(exemplar)))
            guard !new.labels.isEmpty, !new.value.isNaN else { continue }
            let bounds: [Double]? =
                switch series[index].value {
                case .histogram(let histogram): histogram.bounds.bounds
                case .exponential: nil
                case .number, .summary: []
                }
            if let bounds {
                func bucket(_ value: Double) -> Int { bounds.firstIndex { value <= $0 } ?? bounds.count }
                let own = bucket(new.value)
                kept.removeAll { bucket($0.value) == own }
            } else if kept.count >= Self.exemplarsMax,
                let oldest = kept.indices.min(by: { kept[$0].time < kept[$1].time })
            {
                kept.remove(at: oldest)
            }
            kept.insert(new, at: kept.firstIndex { $0.value > new.value } ?? kept.count)
        }
        if kept.count > Self.exemplarsMax { kept.removeFirst(kept.count - Self.exemplarsMax) }
        bytes += kept.reduce(0) { $0 + $1.bytes } - series[index].exemplars.reduce(0) { $0 + $1.bytes }
        series[index].exemplars = kept
    }
}
