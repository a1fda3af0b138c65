extension JSONValue {
    /// Bytes as protobuf's JSON form has them, in base64; nil where they are none.
    public var bytes: [UInt8]? {
        guard case .string(let digits) = self else { return nil }
        var writer = ProtobufWriter(capacity: digits.utf8.count)
        let isBase64 = Array(digits.utf8).withUnsafeBytes { Base64.decode($0, into: &writer) }
        return isBase64 ? writer.takeBytes() : nil
    }
}
