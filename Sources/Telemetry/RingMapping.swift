// The shared memory between a worker and the agent; layout and rules: docs/specs/record-format.md.
//
// Whoever holds the mapping may be reading bytes the other side is changing at that moment. So the agent never looks at data
// in place: `RingReader` copies first. The header's cells are accessed one word at a time, with acquire and release.

internal import CLinux
internal import Glibc

/// Why a ring cannot be made or mapped.
public struct RingError: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ call: String, errno code: Int32) { description = "\(call): \(String(cString: strerror(code)))" }
    init(_ description: String) { self.description = description }

    /// All places of `RingPlaces` are taken.
    public static let noPlace = RingError("no ring place is free")
}

/// The mapped ring. Both ends hold one; the cells may be used from any thread, the data only by the one reader or writer.
public final class RingMapping: @unchecked Sendable {
    // @unchecked: all state is immutable but the foreign memory, which is accessed as the header comment says.

    public static let magic: UInt32 = 0x474E_5253
    public static let version: UInt32 = 1
    public static let headerBytes = 4096
    public static let capacityDefault = 4 << 20
    public static let capacityBounds = (64 << 10)...(1 << 30)

    /// Offsets of the header's cells, bytes.
    public enum Cell {
        public static let magic = 0
        public static let version = 4
        public static let capacity = 8
        public static let monotonicBase = 16
        public static let unixBaseMilliseconds = 24
        public static let unixBaseNanoseconds = 32
        public static let head = 64
        public static let tail = 128
        public static let wakeAt = 132
        public static let dropped = 192
        public static let clock = 256
        public static let deathCode = 512
        public static let deathLength = 516
        public static let deathMessage = 520
        public static let fence = 1544
        public static let findings = 2048
    }

    public static let deathMessageBytesMax = 1024

    public let fileDescriptor: Int32
    /// Whether the descriptor is closed with the mapping: not of a ring that shares its file with others.
    private let ownsDescriptor: Bool
    /// Bytes of the data area.
    public let capacity: Int
    /// Start of the header; the data follows at `headerBytes`, twice.
    public let baseAddress: UnsafeMutableRawPointer
    /// CLOCK_MONOTONIC at ring time 0, nanoseconds.
    public let monotonicBase: Double

    /// Header and both copies of the data.
    public var byteCount: Int { Self.headerBytes + 2 * capacity }
    /// First copy of the data.
    public var data: UnsafeMutableRawPointer { baseAddress + Self.headerBytes }

    /// Makes a new ring in a sealed memfd. Agent side.
    /// - Parameter capacity: bytes; a power of two in `capacityBounds`.
    public init(capacity: Int = RingMapping.capacityDefault) throws(RingError) {
        precondition(Self.capacityBounds.contains(capacity) && capacity & (capacity - 1) == 0, "ring capacity \(capacity)")
        let descriptor = sl_memfd("sidelight-ring")
        guard descriptor >= 0 else { throw RingError("memfd_create", errno: errno) }
        guard ftruncate(descriptor, off_t(Self.headerBytes + capacity)) == 0, sl_memfd_seal_size(descriptor) == 0,
            let base = sl_ring_map(descriptor, 0, Self.headerBytes, capacity)
        else {
            let code = errno
            close(descriptor)
            throw RingError("mapping a ring of \(capacity) bytes", errno: code)
        }
        let monotonic = sl_clock_nanoseconds(CLOCK_MONOTONIC)
        let unix = sl_clock_nanoseconds(CLOCK_REALTIME)
        fileDescriptor = descriptor
        ownsDescriptor = true
        self.capacity = capacity
        baseAddress = base
        monotonicBase = Double(monotonic)
        base.storeBytes(of: Self.magic, toByteOffset: Cell.magic, as: UInt32.self)
        base.storeBytes(of: Self.version, toByteOffset: Cell.version, as: UInt32.self)
        base.storeBytes(of: UInt32(capacity), toByteOffset: Cell.capacity, as: UInt32.self)
        base.storeBytes(of: monotonicBase, toByteOffset: Cell.monotonicBase, as: Double.self)
        base.storeBytes(of: Double(unix / 1_000_000), toByteOffset: Cell.unixBaseMilliseconds, as: Double.self)
        base.storeBytes(of: Double(unix % 1_000_000), toByteOffset: Cell.unixBaseNanoseconds, as: Double.self)
        store(1, at: Cell.wakeAt)
    }

    /// Maps the ring behind an inherited descriptor, and owns it from then on. Worker side.
    public init(fileDescriptor descriptor: Int32) throws(RingError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw RingError("fstat of the ring", errno: errno) }
        let capacity = Int(status.st_size) - Self.headerBytes
        guard Self.capacityBounds.contains(capacity), capacity & (capacity - 1) == 0 else {
            throw RingError("descriptor \(descriptor) is no ring: its size is \(status.st_size) bytes")
        }
        guard let base = sl_ring_map(descriptor, 0, Self.headerBytes, capacity) else {
            throw RingError("mapping the ring", errno: errno)
        }
        guard base.load(fromByteOffset: Cell.magic, as: UInt32.self) == Self.magic,
            base.load(fromByteOffset: Cell.version, as: UInt32.self) == Self.version,
            base.load(fromByteOffset: Cell.capacity, as: UInt32.self) == UInt32(capacity)
        else {
            munmap(base, Self.headerBytes + 2 * capacity)
            throw RingError("the ring has another version than \(Self.version); agent and worker must be of one release")
        }
        fileDescriptor = descriptor
        ownsDescriptor = true
        self.capacity = capacity
        baseAddress = base
        monotonicBase = base.load(fromByteOffset: Cell.monotonicBase, as: Double.self)
    }

    /// Maps one of several rings in a file, which stays somebody else's. Nothing of its bytes is looked at. Either side.
    /// - Parameters:
    ///   - offset: of its header in the file, bytes.
    ///   - monotonicBase: CLOCK_MONOTONIC at ring time 0, nanoseconds; that of the process's first ring.
    init(sharing descriptor: Int32, offset: Int, capacity: Int, monotonicBase: Double) throws(RingError) {
        guard let base = sl_ring_map(descriptor, offset, Self.headerBytes, capacity) else {
            throw RingError("mapping a ring of \(capacity) bytes", errno: errno)
        }
        fileDescriptor = descriptor
        ownsDescriptor = false
        self.capacity = capacity
        baseAddress = base
        self.monotonicBase = monotonicBase
    }

    deinit {
        munmap(baseAddress, byteCount)
        if ownsDescriptor { close(fileDescriptor) }
    }

    /// Acquire load of a u32 cell.
    @inlinable public func load(_ offset: Int) -> UInt32 { loadAcquire(baseAddress + offset) }
    /// Release store to a u32 cell.
    @inlinable public func store(_ value: UInt32, at offset: Int) { storeRelease(baseAddress + offset, value) }

    @usableFromInline func loadAcquire(_ at: UnsafeMutableRawPointer) -> UInt32 { sl_load_acquire_u32(at) }
    @usableFromInline func storeRelease(_ at: UnsafeMutableRawPointer, _ value: UInt32) { sl_store_release_u32(at, value) }

    /// The fence that the worker has said it is in; nil: it has not said so yet.
    public var fence: FenceLayers? {
        let raw = load(Cell.fence)
        return raw & Self.fenceIsTold == 0 ? nil : FenceLayers(rawValue: raw & ~Self.fenceIsTold)
    }

    /// Worker side.
    public func tellFence(_ layers: FenceLayers) { store(layers.rawValue | Self.fenceIsTold, at: Cell.fence) }

    private static let fenceIsTold: UInt32 = 1 << 31

    /// What the worker left when it ended itself, made safe to print; nil when it left nothing.
    public var deathNote: (code: DeathCode, message: String)? {
        let raw = load(Cell.deathCode)
        guard raw != 0 else { return nil }
        let length = min(Int(load(Cell.deathLength)), Self.deathMessageBytesMax)
        let message = String(
            decoding: UnsafeRawBufferPointer(start: baseAddress + Cell.deathMessage, count: length), as: UTF8.self)
        return (DeathCode(rawValue: raw) ?? .internal, message)
    }

    /// Leaves a note. No allocation: may be called while the process is dying. Worker side.
    public func writeDeathNote(_ code: DeathCode, _ message: UnsafeRawBufferPointer) {
        guard load(Cell.deathCode) == 0 else { return }
        let length = min(message.count, Self.deathMessageBytesMax)
        if length > 0, let bytes = message.baseAddress { memcpy(baseAddress + Cell.deathMessage, bytes, length) }
        store(UInt32(length), at: Cell.deathLength)
        store(code.rawValue, at: Cell.deathCode)
    }
}

/// Why a worker ended itself. Record-format.md section 5.
public enum DeathCode: UInt32, Sendable {
    case fatal = 1, heapLimit, cpuLimit, wallLimit, `internal`
    /// It did not come to run or to serve: the entry cannot be read, or its code failed on the way.
    case start
    /// The program called `process.exit`, in a worker that serves.
    case exit
    case memoryLimit, loopBlockLimit, promiseLimit, cpuWindowLimit, residentLimit
    /// It asked the kernel for what nobody in the fence may have; the message is the call's name.
    case fence = 16
}
