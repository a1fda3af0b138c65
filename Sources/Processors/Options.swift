public struct Normalization: Hashable, Sendable {
    public enum Queries: String, Sendable, CaseIterable { case keep, remove }

    /// Ids, numbers and hashes in the names of spans become placeholders.
    public var spanNames = true
    /// `url.template` is made of the URL's path where there is none.
    public var urlTemplate = false
    /// What happens to the queries of URLs in attributes.
    public var queries = Queries.keep

    public init() {}
}

/// What is over is dropped and counted in the item.
public struct ItemLimits: Hashable, Sendable {
    public var attributes = 128
    /// Bytes of a text value.
    public var attributeBytes = 4_096
    public var events = 128
    public var links = 128

    public init() {}
}

/// Decides by the trace's id alone, so that all spans of a trace go the same way.
public enum HeadSampling: Hashable, Sendable {
    case always
    case never
    /// From 0 to 1.
    case ratio(Double)
    /// Traces a second at most.
    case rate(perSecond: Double)
}
