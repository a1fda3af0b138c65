public import Telemetry

// KeyValue, AnyValue, Resource, InstrumentationScope.

extension OTLP {
    /// Writes each attribute as a `KeyValue` in `field`.
    public static func encode(attributes: Attributes, field: UInt32, into writer: inout ProtobufWriter) {
        for attribute in attributes {
            let keyValue = writer.begin(field)
            if !attribute.key.isEmpty { writer.putString(KeyValueField.key, attribute.key) }
            encode(value: attribute.value, field: KeyValueField.value, into: &writer)
            writer.end(keyValue)
        }
    }

    /// Writes the value as an `AnyValue` in `field`.
    public static func encode(value: AttributeValue, field: UInt32, into writer: inout ProtobufWriter) {
        let anyValue = writer.begin(field)
        switch value {
        case .empty: break
        case .string(let text): writer.putString(AnyValueField.string, text)
        case .bool(let flag): writer.putVarint(AnyValueField.bool, flag ? 1 : 0)
        case .int(let number): writer.putVarint(AnyValueField.int, UInt64(bitPattern: number))
        case .double(let number): writer.putDouble(AnyValueField.double, number)
        case .bytes(let bytes): writer.putBytes(AnyValueField.bytes, bytes)
        case .array(let elements):
            let array = writer.begin(AnyValueField.array)
            for element in elements { encode(value: element, field: AnyValueField.elements, into: &writer) }
            writer.end(array)
        case .map(let entries):
            let map = writer.begin(AnyValueField.map)
            encode(attributes: entries, field: AnyValueField.elements, into: &writer)
            writer.end(map)
        }
        writer.end(anyValue)
    }

    /// Writes the fields of a `Resource` message. The schema URL is a field of the parent.
    public static func encode(resource: Resource, into writer: inout ProtobufWriter) {
        encode(attributes: resource.attributes, field: ResourceField.attributes, into: &writer)
        putCount(ResourceField.droppedAttributesCount, resource.droppedAttributesCount, into: &writer)
    }

    /// Writes the fields of an `InstrumentationScope` message. The schema URL is a field of the parent.
    public static func encode(scope: InstrumentationScope, into writer: inout ProtobufWriter) {
        putText(ScopeField.name, scope.name, into: &writer)
        putText(ScopeField.version, scope.version, into: &writer)
        encode(attributes: scope.attributes, field: ScopeField.attributes, into: &writer)
        putCount(ScopeField.droppedAttributesCount, scope.droppedAttributesCount, into: &writer)
    }

    /// The bytes of a `Resource` message, as `Batch.resource` wants them.
    public static func message(_ resource: Resource) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 512)
        encode(resource: resource, into: &writer)
        return writer.takeBytes()
    }

    /// The scope as `Batch.scopes` wants it.
    public static func message(_ scope: InstrumentationScope) -> Batch.Scope {
        var writer = ProtobufWriter(capacity: 256)
        encode(scope: scope, into: &writer)
        return Batch.Scope(message: writer.takeBytes(), schemaURL: scope.schemaURL)
    }

    // MARK: decode

    /// Decodes a `Resource` message.
    public static func decodeResource(_ bytes: [UInt8], schemaURL: String = "") throws(DecodeError) -> Resource {
        try decoding(bytes) { (reader) throws(DecodeError) in
            var resource = Resource(schemaURL: schemaURL)
            while let field = try reader.next() {
                switch (field.number, field.type) {
                case (ResourceField.attributes, .lengthDelimited):
                    resource.attributes.append(try decodeAttribute(reader.message()))
                case (ResourceField.droppedAttributesCount, .varint):
                    resource.droppedAttributesCount = try reader.varint32()
                default: try reader.skip(field)
                }
            }
            return resource
        }
    }

    /// Decodes an `InstrumentationScope` message.
    public static func decodeScope(_ bytes: [UInt8], schemaURL: String = "") throws(DecodeError) -> InstrumentationScope
    {
        try decoding(bytes) { (reader) throws(DecodeError) in
            var scope = InstrumentationScope(schemaURL: schemaURL)
            while let field = try reader.next() {
                switch (field.number, field.type) {
                case (ScopeField.name, .lengthDelimited): scope.name = try reader.string()
                case (ScopeField.version, .lengthDelimited): scope.version = try reader.string()
                case (ScopeField.attributes, .lengthDelimited):
                    scope.attributes.append(try decodeAttribute(reader.message()))
                case (ScopeField.droppedAttributesCount, .varint): scope.droppedAttributesCount = try reader.varint32()
                default: try reader.skip(field)
                }
            }
            return scope
        }
    }

    /// Runs `body` with a reader of the array's bytes.
    static func decoding<Value>(
        _ bytes: [UInt8], _ body: (inout ProtobufReader) throws(DecodeError) -> Value
    ) throws(DecodeError) -> Value {
        try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            var reader = ProtobufReader(UnsafeRawBufferPointer(bytes))
            return try body(&reader)
        }
    }

    static func decodeAttribute(_ reader: consuming ProtobufReader, depth: Int = 0) throws(DecodeError) -> Attribute {
        var attribute = Attribute("", .empty)
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (KeyValueField.key, .lengthDelimited): attribute.key = try reader.string()
            case (KeyValueField.value, .lengthDelimited):
                attribute.value = try decodeValue(reader.message(), depth: depth)
            default: try reader.skip(field)
            }
        }
        return attribute
    }

    static func decodeValue(_ reader: consuming ProtobufReader, depth: Int = 0) throws(DecodeError) -> AttributeValue {
        guard depth < valueDepthMax else { throw .nestedTooDeep(at: reader.offset) }
        var value = AttributeValue.empty
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (AnyValueField.string, .lengthDelimited): value = .string(try reader.string())
            case (AnyValueField.bool, .varint): value = .bool(try reader.varint() != 0)
            case (AnyValueField.int, .varint): value = .int(Int64(bitPattern: try reader.varint()))
            case (AnyValueField.double, .fixed64): value = .double(try reader.double())
            case (AnyValueField.array, .lengthDelimited):
                value = .array(try decodeArray(reader.message(), depth: depth + 1))
            case (AnyValueField.map, .lengthDelimited): value = .map(try decodeMap(reader.message(), depth: depth + 1))
            case (AnyValueField.bytes, .lengthDelimited): value = .bytes(Array(try reader.bytes()))
            default: try reader.skip(field)
            }
        }
        return value
    }

    private static func decodeArray(
        _ reader: consuming ProtobufReader, depth: Int
    ) throws(DecodeError) -> [AttributeValue] {
        var elements: [AttributeValue] = []
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (AnyValueField.elements, .lengthDelimited):
                elements.append(try decodeValue(reader.message(), depth: depth))
            default: try reader.skip(field)
            }
        }
        return elements
    }

    private static func decodeMap(_ reader: consuming ProtobufReader, depth: Int) throws(DecodeError) -> Attributes {
        var entries: Attributes = []
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (AnyValueField.elements, .lengthDelimited):
                entries.append(try decodeAttribute(reader.message(), depth: depth))
            default: try reader.skip(field)
            }
        }
        return entries
    }

    // MARK: fields that are left out when they have the default value

    @inline(__always)
    static func putText(_ field: UInt32, _ text: String, into writer: inout ProtobufWriter) {
        if !text.isEmpty { writer.putString(field, text) }
    }

    @inline(__always)
    static func putCount(_ field: UInt32, _ count: UInt32, into writer: inout ProtobufWriter) {
        if count != 0 { writer.putVarint(field, UInt64(count)) }
    }

    @inline(__always)
    static func putTime(_ field: UInt32, _ time: UInt64, into writer: inout ProtobufWriter) {
        if time != 0 { writer.putFixed64(field, time) }
    }

    // MARK: ids

    @inline(__always)
    static func put(_ field: UInt32, _ id: TraceID, into writer: inout ProtobufWriter) {
        writer.ensureCapacity(ProtobufWriter.tagBytesMax + 17)
        writer.storeTag(field, .lengthDelimited)
        writer.storeByte(16)
        writer.storeFixed64(id.high.byteSwapped)
        writer.storeFixed64(id.low.byteSwapped)
    }

    @inline(__always)
    static func put(_ field: UInt32, _ id: SpanID, into writer: inout ProtobufWriter) {
        writer.ensureCapacity(ProtobufWriter.tagBytesMax + 9)
        writer.storeTag(field, .lengthDelimited)
        writer.storeByte(8)
        writer.storeFixed64(id.value.byteSwapped)
    }

    /// An id of 16 bytes, or none at all (`.invalid`).
    @inline(__always)
    static func traceID(_ reader: inout ProtobufReader) throws(DecodeError) -> TraceID {
        let start = reader.offset
        let bytes = try reader.bytes()
        if bytes.isEmpty { return .invalid }
        guard bytes.count == 16 else { throw .badIDLength(at: start) }
        return TraceID(high: bigEndian(bytes, 0), low: bigEndian(bytes, 8))
    }

    /// An id of 8 bytes, or none at all (`.invalid`).
    @inline(__always)
    static func spanID(_ reader: inout ProtobufReader) throws(DecodeError) -> SpanID {
        let start = reader.offset
        let bytes = try reader.bytes()
        if bytes.isEmpty { return .invalid }
        guard bytes.count == 8 else { throw .badIDLength(at: start) }
        return SpanID(bigEndian(bytes, 0))
    }

    @inline(__always)
    private static func bigEndian(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
