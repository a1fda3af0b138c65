internal import CoreMetrics
internal import SidelightMetrics

/// What the agent's components record by swift-metrics, beside what they count.
enum ComponentMetrics {
    static let exportDuration = "sidelight.export.duration"
    static let pageDuration = "sidelight.metrics.page.duration"

    static func make(_ service: String) -> SidelightMetrics {
        SidelightMetrics(
            service: service,
            descriptions: [
                exportDuration: "How long backends took to answer requests of an exporter.",
                pageDuration: "How long the page of metrics took to make.",
            ])
    }
}

extension SidelightMetrics {
    /// How long an exporter's backend takes.
    func exportTimer(_ exporter: String) -> CoreMetrics.Timer {
        CoreMetrics.Timer(label: ComponentMetrics.exportDuration, dimensions: [("exporter", exporter)], factory: self)
    }
}
