internal import Telemetry

/// Attributes that the user chose for series: the item's, else its resource's; and the service that it is of.
struct ChosenAttributes {
    private let keys: [[UInt8]]
    /// Of the batch, each with its frame.
    private var resourceValues: [[UInt8]?]
    /// Of the item.
    private var found: [Range<Int>?]
    /// `service.name`, as `KeptAttributes` has it.
    private(set) var service: [UInt8] = []
    /// A resource that has the service's name alone.
    private(set) var resource: [UInt8] = []

    init(_ keys: [String]) {
        self.keys = keys.map { Array($0.utf8) }
        resourceValues = Array(repeating: nil, count: keys.count)
        found = Array(repeating: nil, count: keys.count)
    }

    /// What is the same for all items of a batch.
    mutating func prepare(_ batch: borrowing Batch) {
        service = KeptAttributes.text("service.name", "unknown_service")
        for number in resourceValues.indices { resourceValues[number] = nil }
        batch.resource.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var fields = FieldCursor(base, 0..<bytes.count)
            while fields.next() {
                guard fields.tag == Tag.Resource.attributes, let key = KeptAttributes.key(of: fields) else { continue }
                if key.elementsEqual("service.name".utf8) { service = KeptAttributes.frame(fields.bytes(fields.value)) }
                for (number, wanted) in keys.enumerated() where wanted.isEqual(to: key) {
                    resourceValues[number] = KeptAttributes.frame(fields.bytes(fields.value))
                }
            }
        }
        // A resource's attributes are field 1.
        resource = service
        resource[0] = UInt8(Tag.Resource.attributes)
    }

    /// Before an item's first attribute.
    @inline(__always)
    mutating func begin() {
        for number in found.indices { found[number] = nil }
    }

    /// - Parameter attribute: stands at one of the item's.
    @inline(__always)
    mutating func look(_ attribute: FieldCursor) {
        guard !keys.isEmpty, let key = KeptAttributes.key(of: attribute) else { return }
        for number in 0..<keys.count where keys[number].isEqual(to: key) { found[number] = attribute.value }
    }

    /// Bytes of the service and the values, about.
    var length: Int {
        var length = service.count
        for number in 0..<keys.count { length += found[number]?.count ?? resourceValues[number]?.count ?? 0 }
        return length
    }

    /// Adds those that are there, but for the service.
    /// - Parameter fields: of the item.
    func append(of fields: FieldCursor, to key: inout [UInt8]) {
        for number in 0..<keys.count {
            if let range = found[number] {
                KeptAttributes.append(frame: fields.bytes(range), to: &key)
            } else if let value = resourceValues[number] {
                key.append(contentsOf: value)
            }
        }
    }
}
