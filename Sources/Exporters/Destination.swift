import Pipeline

/// Where an exporter's exports go: `HTTPDestination` or `ConsoleDestination`.
protocol Destination: Sendable {
    /// Sends and calls `completion` exactly once, on any thread, possibly before it returns. Must not block.
    func send(_ export: Export, completion: @escaping @Sendable (ExportResult) -> Void)
}
