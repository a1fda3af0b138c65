import Pipeline

/// Where an exporter's exports go: `HTTPDestination`, `GRPCDestination`, `FileDestination` or `ConsoleDestination`.
protocol Destination: Sendable {
    /// Sends and calls `completion` exactly once, on any thread, possibly before it returns. Must not block.
    func send(_ export: Export, completion: @escaping @Sendable (ExportResult) -> Void)
    /// Nothing more is sent: lets go of what another exporter may want to have. Any thread; must not block.
    func close()
}

extension Destination {
    func close() {}
}
