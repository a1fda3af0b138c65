/// What reader and writer of protobuf share. <https://protobuf.dev/programming-guides/encoding/>.
public enum Protobuf {
    /// The wire types in use; 3 and 4 (groups) are obsolete and refused.
    public enum WireType: UInt8, Sendable {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    /// Bytes of a value as a varint: 1 ... 10.
    @inline(__always)
    public static func varintSize(_ value: UInt64) -> Int {
        (70 &- (value | 1).leadingZeroBitCount) / 7
    }
}
