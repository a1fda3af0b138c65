// What the agent and the worker of a JavaScript processor share; layout and rules: docs/specs/script-memory.md.
//
// A slot is an input area, which the agent writes, and an output area, which the worker writes. The worker may write anything at any time, so the agent copies what it
// reads before it looks at it, and never reads what it wrote itself.

internal import CLinux
internal import Glibc

/// Why the memory of a script cannot be made or mapped.
public struct ScriptMemoryError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// The mapped memory; its bytes are the holder's affair.
public final class ScriptMemory: @unchecked Sendable {
    // @unchecked: all state is immutable but the foreign memory, which is accessed as the header comment says.

    /// Batches that can be with the worker.
    public static let slots = 4
    /// Bytes of the two areas of a slot.
    public static let inputBytes = 1 << 20
    public static let outputBytes = 2 << 20
    public static let slotBytes = inputBytes + outputBytes
    public static let byteCount = slots * slotBytes

    /// Items of a batch; also the most groups and scopes it can have.
    public static let itemsMax = 512

    /// Offsets in an input area, bytes. Numbers are 32 bits, little-endian; offsets in tables count from the start of the memory.
    public enum Input {
        /// Items, groups, scopes: how many.
        public static let counts = 0
        /// Offset and length of the message, scope, group.
        public static let items = 64
        public static let itemBytes = 16
        /// Signal, offset and length of the resource, 0.
        public static let groups = items + itemsMax * itemBytes
        public static let groupBytes = 16
        /// Offset and length.
        public static let scopes = groups + itemsMax * groupBytes
        public static let scopeBytes = 8
        public static let data = scopes + itemsMax * scopeBytes
        /// Bytes of resources, scopes and items together.
        public static let dataBytes = inputBytes - data
    }

    /// Offsets in an output area, bytes.
    public enum Output {
        /// Verdict; of a replaced item the offset of its message from the start of the area, and its length; 0.
        public static let resultBytes = 16
        public static let data = itemsMax * resultBytes
    }

    /// What has become of an item.
    public enum Verdict: UInt32, Sendable, CaseIterable {
        /// The worker did not get to it.
        case none
        case keep, drop, replace
        /// The script threw.
        case threw
        /// It had no room in the output area.
        case tooLarge
        /// It is no OTLP.
        case malformed
    }

    /// The first byte of a packet from the worker.
    public enum Packet: UInt8, Sendable {
        /// The script is loaded; then the signals that it has functions for, as bits (1 traces, 2 logs, 4 metrics).
        case loaded = 0x53
        /// It is not; then why, as text.
        case notLoaded = 0x46
        /// A batch is done; then its slot, and an `End`.
        case result = 0x52
        /// A line of the script's; then its severity number, and text.
        case line = 0x4C
        /// What the script threw, as text.
        case exception = 0x45
    }

    /// How the script's run over a batch ended.
    public enum End: UInt8, Sendable {
        case done
        /// It had used up its CPU time.
        case cpu
        /// It had used up its heap; the worker ends itself.
        case heap
    }

    /// Bytes of a packet.
    public static let packetBytesMax = 4096
    /// With it the worker ends when V8 has no memory left.
    public static let heapExitCode: Int32 = 71

    public let fileDescriptor: Int32
    private let ownsDescriptor: Bool
    public let baseAddress: UnsafeMutableRawPointer

    /// Makes it, in a memfd whose size is sealed. Agent side.
    public init() throws(ScriptMemoryError) {
        let descriptor = sl_memfd("sidelight-script")
        guard descriptor >= 0 else { throw Self.error("memfd_create") }
        guard ftruncate(descriptor, off_t(Self.byteCount)) == 0, sl_memfd_seal_size(descriptor) == 0,
            let base = sl_shared_map(descriptor, Self.byteCount)
        else {
            let error = Self.error("mapping \(Self.byteCount) bytes")
            close(descriptor)
            throw error
        }
        fileDescriptor = descriptor
        ownsDescriptor = true
        baseAddress = base
        sl_keep_out_of_dumps(base, Self.byteCount)
    }

    /// Maps what the agent has made. Worker side; the descriptor stays the caller's.
    public init(fileDescriptor: Int32) throws(ScriptMemoryError) {
        let size = lseek(fileDescriptor, 0, SEEK_END)
        guard size == Self.byteCount else {
            throw ScriptMemoryError(description: "the script's memory has \(size) bytes instead of \(Self.byteCount)")
        }
        guard let base = sl_shared_map(fileDescriptor, Self.byteCount) else { throw Self.error("mmap") }
        self.fileDescriptor = fileDescriptor
        ownsDescriptor = false
        baseAddress = base
    }

    deinit {
        munmap(baseAddress, Self.byteCount)
        if ownsDescriptor { close(fileDescriptor) }
    }

    /// Where the areas of a slot begin, bytes from the start of the memory.
    public static func input(_ slot: Int) -> Int { slot * slotBytes }
    public static func output(_ slot: Int) -> Int { slot * slotBytes + inputBytes }

    private static func error(_ call: String) -> ScriptMemoryError {
        ScriptMemoryError(description: "\(call): \(String(cString: strerror(errno)))")
    }
}
