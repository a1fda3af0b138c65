import Testing
import Wire

@Suite struct ProtobufTests {
    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 1 << 32, (1 << 63) - 1, 1 << 63, UInt64.max] as [UInt64])
    func varintComesBackAndHasItsShortestLength(value: UInt64) throws {
        let bytes = written { $0.putVarint(1, value) }
        #expect(bytes.count == 1 + Protobuf.varintSize(value))
        try read(bytes) { (reader) throws(DecodeError) in
            let field = try reader.next()
            #expect(field?.number == 1)
            #expect(try reader.varint() == value)
            #expect(try reader.next() == nil)
        }
    }

    @Test(arguments: [0, 1, 127, 128, 300, 16_383, 16_384, 20_000], [1, 2, 3])
    func messageHasTheShortestLengthWhateverWasGuessed(count: Int, lengthBytes: Int) {
        let body = [UInt8](repeating: 7, count: count)
        let direct = written { $0.putBytes(2, body) }
        let nested = written { writer in
            writer.message(2, lengthBytes: lengthBytes) { inner in body.withUnsafeBytes { inner.putRaw($0) } }
        }
        #expect(nested == direct)
    }

    @Test func truncatedWriterForgetsTheRest() {
        var writer = ProtobufWriter()
        writer.putVarint(1, 1)
        let kept = writer.count
        writer.putString(2, "gone")
        writer.truncate(to: kept)
        #expect(writer.takeBytes() == [0x08, 0x01])
        #expect(writer.count == 0)
    }

    @Test func paddedVarintIsRead() throws {
        try read([0x08, 0x81, 0x80, 0x00]) { (reader) throws(DecodeError) in
            _ = try reader.next()
            #expect(try reader.varint() == 1)
        }
    }

    @Test(arguments: [
        ("08 ff ff ff ff ff ff ff ff ff 02", "a varint has more than 64 bits, at byte 1"),
        ("08 80 80 80 80 80 80 80 80 80 80 00", "a varint has more than 64 bits, at byte 1"),
        ("08 80", "a field goes beyond the end of its message, at byte 1"),
        ("09 00 00", "a field goes beyond the end of its message, at byte 1"),
        ("0d 00", "a field goes beyond the end of its message, at byte 1"),
        ("0a 02 00", "a field goes beyond the end of its message, at byte 1"),
        ("0a ff ff ff ff ff ff ff ff ff 01", "a field goes beyond the end of its message, at byte 1"),
        ("00", "a field has number 0, a number over 2^29 or an unknown or obsolete wire type, at byte 0"),
        ("0b", "a field has number 0, a number over 2^29 or an unknown or obsolete wire type, at byte 0"),
        ("0c", "a field has number 0, a number over 2^29 or an unknown or obsolete wire type, at byte 0"),
        ("0f", "a field has number 0, a number over 2^29 or an unknown or obsolete wire type, at byte 0"),
        ("80 80 80 80 10", "a field has number 0, a number over 2^29 or an unknown or obsolete wire type, at byte 0"),
    ])
    func badBytesAreRefusedWithTheirPlace(input: String, complaint: String) {
        let input = bytes(hex: input.filter { $0 != " " })
        #expect(throws: DecodeError.self) { try skipAll(input) }
        do { try skipAll(input) } catch { #expect("\(error)" == complaint) }
    }

    private func skipAll(_ bytes: [UInt8]) throws(DecodeError) {
        try read(bytes) { (reader) throws(DecodeError) in
            while let field = try reader.next() { try reader.skip(field) }
        }
    }

    private func read(
        _ bytes: [UInt8], _ body: (inout ProtobufReader) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            var reader = ProtobufReader(UnsafeRawBufferPointer(bytes))
            try body(&reader)
        }
    }
}
