/// Why a record is rejected. `rawValue` is fit for a metric label.
public enum RecordError: String, Error, Sendable, CaseIterable {
    case truncated, time, reference, type, range, nesting, utf8, ids, overflow
    case unknownKind = "unknown_kind"
    case tableFull = "table_full"
}

/// Walks over the bytes of one record, a private copy of what the worker wrote. Every access is checked; nothing is believed.
/// Record-format.md section 2.
struct RecordCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        self.bytes = bytes
        self.position = position
    }

    @inline(__always)
    mutating func take<Value: BitwiseCopyable>(_: Value.Type) throws(RecordError) -> Value {
        let size = MemoryLayout<Value>.size
        guard bytes.count &- position >= size else { throw .truncated }
        defer { position &+= size }
        return bytes.loadUnaligned(fromByteOffset: position, as: Value.self)
    }

    /// `count` bytes and the filler after them.
    @inline(__always)
    mutating func padded(_ count: Int) throws(RecordError) -> UnsafeRawBufferPointer {
        guard count >= 0, bytes.count &- position >= count else { throw .truncated }
        let range = UnsafeRawBufferPointer(rebasing: bytes[position..<position &+ count])
        // A record's length is a multiple of 8, so rounding up cannot pass the end.
        position = (position &+ count &+ 7) & ~7
        return range
    }

    /// Text of a known length.
    @inline(__always)
    mutating func text(_ count: Int) throws(RecordError) -> UnsafeRawBufferPointer {
        let text = try padded(count)
        guard text.isUTF8 else { throw .utf8 }
        return text
    }

    /// An inline string: length, zero, bytes.
    @inline(__always)
    mutating func inlineText() throws(RecordError) -> UnsafeRawBufferPointer {
        let count = try take(UInt32.self)
        _ = try take(UInt32.self)
        return try text(Int(count))
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are UTF-8. Eight at a time while they are ASCII, which is nearly always.
    @inline(__always)
    var isUTF8: Bool {
        var position = 0
        var high: UInt64 = 0
        while count &- position >= 8 {
            high |= loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position &+= 8
        }
        var rest: UInt8 = 0
        while position < count {
            rest |= self[position]
            position &+= 1
        }
        return _fastPath((high & 0x8080_8080_8080_8080) == 0 && rest < 0x80) ? true : isNonASCIIUTF8
    }

    @inline(never)
    private var isNonASCIIUTF8: Bool { String(validating: self.bindMemory(to: UInt8.self), as: UTF8.self) != nil }
}
