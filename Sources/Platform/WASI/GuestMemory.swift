/// The memory of a WebAssembly instance as a host function sees it: every access is checked against its length. Little-endian, any alignment.
///
/// Good until the module runs again, which may make it grow and move.
struct GuestMemory {
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    /// Throws `fault` when the range is not all in it.
    func range(_ pointer: UInt32, _ length: Int) throws(WASIErrno) -> UnsafeMutableRawBufferPointer {
        guard length >= 0, Int(pointer) <= bytes.count, length <= bytes.count - Int(pointer) else { throw .fault }
        return UnsafeMutableRawBufferPointer(rebasing: bytes[Int(pointer)..<Int(pointer) + length])
    }

    func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ pointer: UInt32, as type: Value.Type
    ) throws(WASIErrno) -> Value {
        Value(littleEndian: try range(pointer, MemoryLayout<Value>.size).loadUnaligned(as: type))
    }

    func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at pointer: UInt32) throws(WASIErrno) {
        try range(pointer, MemoryLayout<Value>.size).storeBytes(of: value.littleEndian, as: Value.self)
    }

    /// A text of the guest: UTF-8 without NUL, of at most `lengthMax` bytes.
    func text(_ pointer: UInt32, _ length: UInt32, lengthMax: Int) throws(WASIErrno) -> String {
        let range = try range(pointer, Int(length))
        guard range.count <= lengthMax else { throw .nametoolong }
        guard !range.contains(0) else { throw .inval }
        guard let text = range.withMemoryRebound(to: UInt8.self, { String(validating: $0, as: UTF8.self) }) else {
            throw .ilseq
        }
        return text
    }
}

/// A struct in guest memory whose fields are written one by one, after its range has been checked.
struct GuestStruct {
    let bytes: UnsafeMutableRawBufferPointer

    /// - Parameter size: bytes; they become 0.
    init(_ memory: GuestMemory, _ pointer: UInt32, size: Int) throws(WASIErrno) {
        bytes = try memory.range(pointer, size)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    func set<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
}
