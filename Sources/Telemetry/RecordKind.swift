/// Kinds of records in the ring. Record-format.md section 2.
public enum RecordKind: UInt8, Sendable, CaseIterable {
    case span = 1, string, spanStart, log, error, metricPoint, scope, instrument, finding
}

/// Limits of the record format. Record-format.md sections 2 and 4.
public enum RecordLimits {
    /// Bytes every record starts with: length, kind, flags.
    public static let headerBytes = 8
    public static let recordBytesMax = 1 << 20
    public static let stringIDMax: UInt32 = 16_383
    public static let stringBytesMax = 1024
    public static let stringTableBytesMax = 8 << 20
    public static let scopeIDMax: UInt32 = 1023
    public static let instrumentIDMax: UInt32 = 4095
    public static let openSpansMax = 65_536
    public static let nestingMax = 8
    /// `ref` of the empty string.
    public static let emptyRef: UInt32 = 0xFFFF_FFFF
}
