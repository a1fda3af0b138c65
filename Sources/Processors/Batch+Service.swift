internal import Telemetry

extension Batch {
    /// As SDKs call one that says nothing of it.
    private static let unknownService = "unknown_service"

    /// `service.name` of the resource.
    var service: String {
        resource.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Self.unknownService }
            var fields = FieldCursor(base, 0..<bytes.count)
            while fields.next() {
                guard fields.tag == Tag.Resource.attributes, let (key, value) = fields.keyAndValue,
                    key.elementsEqual("service.name".utf8), var text = value
                else { continue }
                while text.next() {
                    guard text.tag == Tag.AnyValue.string else { continue }
                    return String(decoding: text.bytes(text.value), as: UTF8.self)
                }
            }
            return Self.unknownService
        }
    }
}
