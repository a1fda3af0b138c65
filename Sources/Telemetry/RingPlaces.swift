// The rings of a worker's child isolates: one sparse sealed memfd, made by the agent before the worker starts, with places for many rings of which only
// those that are used have pages. So no descriptor is passed while the worker runs, and what a killed child wrote is the agent's to read. Layout and
// protocol: docs/specs/record-format.md section 6; why: docs/adr/0007.
//
// A place's state is a word in the file's first page. To the agent it is hostile like all of the file: it decides when a place is looked at, and nothing
// else. What a place holds is read by a `RingReader`, as any ring.

internal import CLinux
internal import Glibc

/// The mapped table of places. The mapping may be used from any thread.
public final class RingPlaces: @unchecked Sendable {
    // @unchecked: all state is immutable but the foreign memory, whose words are accessed one at a time, with acquire and release.

    public static let magic: UInt32 = 0x4C50_5253
    public static let version: UInt32 = 1
    public static let countMax = 512
    /// Bytes of each ring's data area: a child writes less than the first isolate, and its memory counts for it.
    public static let capacityDefault = 1 << 20

    public enum State: UInt32, Sendable {
        /// Nobody's; all zeros.
        case free = 0
        /// A child isolate writes.
        case used
        /// Nobody writes any more; the agent is to take the rest.
        case ended
    }

    private enum Cell {
        static let magic = 0
        static let version = 4
        static let count = 8
        static let capacity = 12
        static let states = 64
    }

    private static let tableBytes = 4096

    public let fileDescriptor: Int32
    public let count: Int
    /// Bytes of each ring's data area.
    public let capacity: Int
    private let table: UnsafeMutableRawPointer

    /// Makes the file. Agent side.
    /// - Parameter count: at most `countMax`.
    public init(count: Int, capacity: Int = RingPlaces.capacityDefault) throws(RingError) {
        precondition((1...Self.countMax).contains(count), "\(count) ring places")
        precondition(RingMapping.capacityBounds.contains(capacity) && capacity & (capacity - 1) == 0, "\(capacity)")
        let descriptor = sl_memfd("sidelight-rings")
        guard descriptor >= 0 else { throw RingError("memfd_create", errno: errno) }
        let bytes = Self.tableBytes + count * (RingMapping.headerBytes + capacity)
        guard ftruncate(descriptor, off_t(bytes)) == 0, sl_memfd_seal_size(descriptor) == 0,
            let table = sl_shared_map(descriptor, Self.tableBytes)
        else {
            let code = errno
            close(descriptor)
            throw RingError("mapping the table of \(count) ring places", errno: code)
        }
        fileDescriptor = descriptor
        self.count = count
        self.capacity = capacity
        self.table = table
        table.storeBytes(of: Self.magic, toByteOffset: Cell.magic, as: UInt32.self)
        table.storeBytes(of: Self.version, toByteOffset: Cell.version, as: UInt32.self)
        table.storeBytes(of: UInt32(count), toByteOffset: Cell.count, as: UInt32.self)
        table.storeBytes(of: UInt32(capacity), toByteOffset: Cell.capacity, as: UInt32.self)
    }

    /// Maps the table behind an inherited descriptor, and owns it from then on. Worker side.
    public init(fileDescriptor descriptor: Int32) throws(RingError) {
        guard let table = sl_shared_map(descriptor, Self.tableBytes) else {
            throw RingError("mapping the table of ring places", errno: errno)
        }
        func word(_ offset: Int) -> UInt32 { table.load(fromByteOffset: offset, as: UInt32.self) }
        guard word(Cell.magic) == Self.magic, word(Cell.version) == Self.version else {
            munmap(table, Self.tableBytes)
            throw RingError(
                "the ring places have another version than \(Self.version); agent and worker must be of one release")
        }
        fileDescriptor = descriptor
        count = Int(word(Cell.count))
        capacity = Int(word(Cell.capacity))
        self.table = table
    }

    deinit {
        munmap(table, Self.tableBytes)
        close(fileDescriptor)
    }

    private func offset(of place: Int) -> Int { Self.tableBytes + place * (RingMapping.headerBytes + capacity) }

    /// A word that is no state counts as free.
    public func state(_ place: Int) -> State {
        State(rawValue: sl_load_acquire_u32(table + Cell.states + 4 * place)) ?? .free
    }

    private func set(_ state: State, _ place: Int) {
        sl_store_release_u32(table + Cell.states + 4 * place, state.rawValue)
    }

    /// Maps the ring of a place. Either side.
    /// - Parameter monotonicBase: of the process's first ring.
    public func ring(_ place: Int, monotonicBase: Double) throws(RingError) -> RingMapping {
        precondition((0..<count).contains(place), "ring place \(place) of \(count)")
        return try RingMapping(
            sharing: fileDescriptor, offset: offset(of: place), capacity: capacity, monotonicBase: monotonicBase)
    }

    // MARK: worker

    /// Takes a free place for a child: its ring, ready to be written; nil when none is free. One thread at a time in a process.
    /// - Parameter first: the process's first ring, whose clock all of them have.
    public func take(like first: RingMapping) throws(RingError) -> (place: Int, ring: RingMapping)? {
        guard let place = (0..<count).first(where: { state($0) == .free }) else { return nil }
        let ring = try ring(place, monotonicBase: first.monotonicBase)
        ring.prepare(like: first)
        set(.used, place)
        return (place, ring)
    }

    /// The child's last record is written.
    public func end(_ place: Int) { set(.ended, place) }

    // MARK: agent

    /// Gives a place that has ended and was read back, empty. False: the kernel does not, so what was read is still there and nobody may get it.
    public func free(_ place: Int) -> Bool {
        guard sl_memfd_forget(fileDescriptor, offset(of: place), RingMapping.headerBytes + capacity) == 0 else {
            return false
        }
        set(.free, place)
        return true
    }
}

extension RingMapping {
    /// Writes the header of an empty ring, with another's clock.
    fileprivate func prepare(like first: RingMapping) {
        baseAddress.storeBytes(of: Self.magic, toByteOffset: Cell.magic, as: UInt32.self)
        baseAddress.storeBytes(of: Self.version, toByteOffset: Cell.version, as: UInt32.self)
        baseAddress.storeBytes(of: UInt32(capacity), toByteOffset: Cell.capacity, as: UInt32.self)
        for cell in [Cell.monotonicBase, Cell.unixBaseMilliseconds, Cell.unixBaseNanoseconds] {
            let value = first.baseAddress.load(fromByteOffset: cell, as: Double.self)
            baseAddress.storeBytes(of: value, toByteOffset: cell, as: Double.self)
        }
        store(1, at: Cell.wakeAt)
    }
}
