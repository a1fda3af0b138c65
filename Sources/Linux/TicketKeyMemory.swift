// Keys that a server's TLS session tickets are sealed with, shared by all its workers: a ticket that one has made works in any other, and in
// those that come after it.
//
// The agent makes the keys and owns the memory; a worker can only read it. A new key comes every hour and overwrites the oldest, so a
// key that is stolen opens what was recorded in the last hours and nothing before.
//
//     0: u32 generation, from 1    64 + 128 × (generation mod 4): u8[16] name, u8[32] key of the MAC, u8[32] key of the cipher
//
// Three generations are in use. The fourth place is the one that is written next, so no reader looks at what is being written.

internal import CLinux
internal import Glibc

/// The mapped memory. `rotate` is one thread's, reading is anybody's.
public final class TicketKeyMemory: @unchecked Sendable {
    // @unchecked: all state is immutable but the foreign memory, which is accessed as the header comment says.

    /// How long new tickets are made with one key; they are taken until two more keys have come.
    public static let rotationNanoseconds: UInt64 = 3_600_000_000_000
    public static let nameBytes = 16
    public static let keyBytes = 32

    private static let byteCount = 4096
    private static let places: UInt32 = 4
    private static let inUse: UInt32 = 3

    /// One key. Copied out of the memory; whoever has it forgets it soon.
    public struct Key: Sendable {
        public let name: [UInt8]
        public let mac: [UInt8]
        public let cipher: [UInt8]
        /// Not the newest: who shows a ticket of it gets a new one.
        public let isOld: Bool
    }

    public let fileDescriptor: Int32
    private let base: UnsafeRawPointer
    /// Nil: may not be written.
    private let room: UnsafeMutableRawPointer?

    /// Makes the memory, with a first key. Agent side.
    public init() throws(SystemCallError) {
        let descriptor = sl_memfd("sidelight-tickets")
        guard descriptor >= 0 else { throw SystemCallError("memfd_create", errno: errno) }
        guard ftruncate(descriptor, off_t(Self.byteCount)) == 0, let room = sl_shared_map(descriptor, Self.byteCount),
            sl_memfd_seal_writes(descriptor) == 0
        else {
            let code = errno
            close(descriptor)
            throw SystemCallError("mapping the ticket keys", errno: code)
        }
        fileDescriptor = descriptor
        self.room = room
        base = UnsafeRawPointer(room)
        sl_keep_out_of_dumps(base, Self.byteCount)
        rotate()
    }

    /// Maps what is behind an inherited descriptor, and owns that. Worker side.
    public init(fileDescriptor descriptor: Int32) throws(SystemCallError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemCallError("fstat of the ticket keys", errno: errno) }
        guard Int(status.st_size) == Self.byteCount, let base = sl_shared_view(descriptor, Self.byteCount) else {
            throw SystemCallError("mapping the ticket keys", errno: EINVAL)
        }
        fileDescriptor = descriptor
        self.base = base
        room = nil
        sl_keep_out_of_dumps(base, Self.byteCount)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: base), Self.byteCount)
        close(fileDescriptor)
    }

    private static func offset(_ generation: UInt32) -> Int { 64 + 128 * Int(generation % places) }

    /// A new key for new tickets. Agent side.
    public func rotate() {
        guard let room else { preconditionFailure("ticket keys are made by the agent") }
        let generation = sl_load_acquire_u32(base) + 1
        arc4random_buf(room + Self.offset(generation), Self.nameBytes + 2 * Self.keyBytes)
        sl_store_release_u32(room, generation)
    }

    /// The key for new tickets.
    public func newest() -> Key { key(sl_load_acquire_u32(base), isOld: false) }

    /// The key a ticket was made with; nil: none of those in use.
    /// - Parameter name: `nameBytes` bytes.
    public func find(_ name: UnsafeRawPointer) -> Key? {
        let newest = sl_load_acquire_u32(base)
        for age in 0..<Self.inUse where age < newest {
            let generation = newest - age
            if memcmp(base + Self.offset(generation), name, Self.nameBytes) == 0 {
                return key(generation, isOld: age > 0)
            }
        }
        return nil
    }

    private func key(_ generation: UInt32, isOld: Bool) -> Key {
        let at = base + Self.offset(generation)
        func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
            Array(UnsafeRawBufferPointer(start: at + offset, count: count))
        }
        return Key(
            name: bytes(0, Self.nameBytes), mac: bytes(Self.nameBytes, Self.keyBytes),
            cipher: bytes(Self.nameBytes + Self.keyBytes, Self.keyBytes), isOld: isOld)
    }
}
