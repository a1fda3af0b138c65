internal import Store
internal import Telemetry

/// What stands at the end of every way beside the exporters: the store, and whoever follows the logs. The server's thread.
struct WayEnd {
    let store: StoreWriter?
    let followers: LogFollowers

    func take(_ batches: [Batch]) {
        if !followers.isEmpty, batches.first?.signal == .logs { followers.show(batches) }
        guard let store else { return }
        for batch in batches { store.append(batch) }
    }
}
