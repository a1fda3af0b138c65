/// When an export is formed and how much may wait.
public struct BatchLimits: Sendable, Hashable {
    /// What gives way when the queue is full.
    public enum OverflowPolicy: String, Sendable, CaseIterable {
        case dropNewest = "newest"
        case dropOldest = "oldest"
    }

    /// Items of one export. Large exports cost the least per item; a backend's usual body limit (4 MiB) is far away.
    public var exportItemsMax = 8_192
    /// Bytes of memory of one export, about the size of its OTLP body plus 64 bytes an item.
    public var exportBytesMax = 3 << 20
    /// How long an item waits for company. Nanoseconds.
    public var ageMaxNanoseconds: UInt64 = 200_000_000
    /// Nothing waits for company while nothing is in flight: a quick backend gets each batch at once, a slow one gets what came meanwhile.
    public var sendsWhenIdle = false
    /// Items held in all: waiting, in flight, between two tries. `Int.max`: bytes alone decide.
    public var queueItemsMax = Int.max
    /// Bytes held in all. 64 MiB carry 5,000 spans a second of 350 bytes through 30 seconds without a backend.
    public var queueBytesMax = 64 << 20
    public var overflow = OverflowPolicy.dropNewest
    /// Exports in flight at once. Their encoded bodies come on top of `queueBytesMax`.
    public var inFlightMax = 4
    /// In flight at once, where they are several exports: what a kill makes arrive twice.
    public var inFlightItemsMax = 8_192
    public var inFlightBytesMax = 3 << 20

    /// A backend that takes nothing older than what it has (Prometheus): nothing overtakes what failed.
    public var keepsOrder = false

    /// For encodings with room for one resource only (Jaeger's): an export ends where the resource changes.
    public var oneResourcePerExport = false

    public init() {}
}
