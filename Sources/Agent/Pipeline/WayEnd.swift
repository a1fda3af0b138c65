internal import Store
internal import Telemetry

/// What stands at the end of every way beside the exporters: the store, whoever follows the logs, and the page of metrics. The server's thread.
struct WayEnd {
    let store: StoreWriter?
    let followers: LogFollowers
    let metrics: CurrentMetrics?

    func take(_ batches: [Batch]) {
        if !followers.isEmpty, batches.first?.signal == .logs { followers.show(batches) }
        if let metrics, batches.first?.signal == .metrics {
            for batch in batches { metrics.take(batch, source: .received) }
        }
        guard let store else { return }
        for batch in batches { store.append(batch) }
    }
}
