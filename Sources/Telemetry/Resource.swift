/// Who made the telemetry. OTLP `Resource` with its schema URL.
public struct Resource: Hashable, Sendable {
    public var attributes: Attributes
    public var droppedAttributesCount: UInt32
    public var schemaURL: String

    public init(attributes: Attributes = [], droppedAttributesCount: UInt32 = 0, schemaURL: String = "") {
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.schemaURL = schemaURL
    }

    /// `service.name`, or "unknown_service" as the resource specification says.
    public var serviceName: String { attributes["service.name"]?.string ?? "unknown_service" }
}

/// The library that made a span, log or metric. OTLP `InstrumentationScope` with its schema URL.
public struct InstrumentationScope: Hashable, Sendable {
    public var name: String
    public var version: String
    public var attributes: Attributes
    public var droppedAttributesCount: UInt32
    public var schemaURL: String

    public init(
        name: String = "", version: String = "", attributes: Attributes = [], droppedAttributesCount: UInt32 = 0,
        schemaURL: String = ""
    ) {
        self.name = name
        self.version = version
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.schemaURL = schemaURL
    }
}
