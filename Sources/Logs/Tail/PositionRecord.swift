// The records of the file of places, docs/specs/positions-format.md.

internal import CLinux
internal import System

/// A record as the file has it.
enum PositionRecord {
    /// What an intent waits for: the queues' entries.
    struct Entry: Hashable {
        var queue: String
        var sequence: UInt64
    }

    /// Places that hold at once.
    case places([TailPlace], forgotten: [UInt64])
    /// Places that hold after a loss of power, too.
    case checkpoint([TailPlace], forgotten: [UInt64])
    /// Places that hold once the queues have the entries.
    case intent(mark: UInt64, [Entry], [TailPlace], forgotten: [UInt64])
    case commit(mark: UInt64)
    case abandon(mark: UInt64)

    /// A place a record at most, names at most.
    static let nameBytesMax = 1 << 16
}

/// What the file begins with.
struct PositionHeader: Hashable {
    static let magic: UInt64 = 0x0A53_4F50_4C49_4154  // "TAILPOS\n"
    static let version: UInt32 = 1

    /// Of the system when the file was made; another one means that the power was lost since.
    var boot: String
    /// Grows from file to file; seeds the checksums, so that nothing of an older file passes for a record of this one.
    var generation: UInt64
}

/// Writes them.
struct PositionWriter {
    private(set) var bytes: [UInt8] = []
    private let seed: UInt32

    init(generation: UInt64) { seed = UInt32(truncatingIfNeeded: generation) }

    mutating func header(_ header: PositionHeader) {
        number(PositionHeader.magic)
        frame { writer in
            writer.number(PositionHeader.version)
            writer.number(header.generation)
            writer.text(header.boot)
        }
    }

    mutating func record(_ record: PositionRecord) {
        frame { writer in
            switch record {
            case .places(let places, let forgotten):
                writer.number(UInt8(1))
                writer.list(places, forgotten)
            case .checkpoint(let places, let forgotten):
                writer.number(UInt8(2))
                writer.list(places, forgotten)
            case .intent(let mark, let entries, let places, let forgotten):
                writer.number(UInt8(3))
                writer.number(mark)
                writer.number(UInt32(entries.count))
                for entry in entries {
                    writer.text(entry.queue)
                    writer.number(entry.sequence)
                }
                writer.list(places, forgotten)
            case .commit(let mark):
                writer.number(UInt8(4))
                writer.number(mark)
            case .abandon(let mark):
                writer.number(UInt8(5))
                writer.number(mark)
            }
        }
    }

    /// Bytes of payload, their checksum, the payload. The header's checksum has no seed: it says which one the others have.
    private mutating func frame(_ body: (inout PositionWriter) -> Void) {
        let isHeader = bytes.count == MemoryLayout<UInt64>.size
        let start = bytes.count
        number(UInt32(0))
        number(UInt32(0))
        body(&self)
        let count = bytes.count - start - 8
        let checksum = bytes.withUnsafeBytes {
            sl_crc32c(isHeader ? 0 : seed, $0.baseAddress! + start + 8, count)
        }
        put(UInt32(count), at: start)
        put(checksum, at: start + 4)
    }

    private mutating func list(_ places: [TailPlace], _ forgotten: [UInt64]) {
        number(UInt32(places.count))
        for place in places {
            number(place.id)
            number(place.identity.device)
            number(place.identity.inode)
            number(UInt16(place.head.bytes))
            number(UInt8(place.isEnded ? 1 : 0))
            number(place.head.hash)
            number(place.resume.first)
            number(place.resume.second)
            text(place.path)
            text(place.target)
            text(place.source.path == place.path ? "" : place.source.path)
            text(place.source.receiver)
        }
        number(UInt32(forgotten.count))
        for id in forgotten { number(id) }
    }

    private mutating func number<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func put(_ number: UInt32, at offset: Int) {
        withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
    }

    private mutating func text(_ text: String) {
        let utf8 = text.utf8.prefix(PositionRecord.nameBytesMax - 1)
        number(UInt16(utf8.count))
        bytes.append(contentsOf: utf8)
    }
}

/// Reads them, as far as they are whole.
struct PositionReader {
    private let bytes: [UInt8]
    private var seed: UInt32 = 0
    /// Behind the last whole record.
    private(set) var offset = 0
    /// End of the record that is read.
    private var end = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The bytes are damaged, or of a later version.
    enum Failure: Error {
        case damaged
        case version(UInt32)
    }

    mutating func header() throws(Failure) -> PositionHeader {
        end = bytes.count
        guard try number(UInt64.self) == PositionHeader.magic else { throw .damaged }
        try enter()
        let version = try number(UInt32.self)
        guard version <= PositionHeader.version else { throw .version(version) }
        let generation = try number(UInt64.self)
        let boot = try text()
        seed = UInt32(truncatingIfNeeded: generation)
        offset = end
        return PositionHeader(boot: boot, generation: generation)
    }

    /// Nil: no further whole record begins here; `offset` stays where it is.
    mutating func next() -> PositionRecord? {
        let start = offset
        do throws(Failure) {
            end = bytes.count
            try enter()
            let record = try body()
            guard offset == end else { throw .damaged }
            return record
        } catch {
            offset = start
            return nil
        }
    }

    private mutating func enter() throws(Failure) {
        let count = Int(try number(UInt32.self))
        let checksum = try number(UInt32.self)
        guard count > 0, count <= bytes.count - offset else { throw .damaged }
        let start = offset
        let sum = bytes.withUnsafeBytes { sl_crc32c(seed, $0.baseAddress! + start, count) }
        guard sum == checksum else { throw .damaged }
        end = offset + count
    }

    private mutating func body() throws(Failure) -> PositionRecord {
        switch try number(UInt8.self) {
        case 1:
            let (places, forgotten) = try list()
            return .places(places, forgotten: forgotten)
        case 2:
            let (places, forgotten) = try list()
            return .checkpoint(places, forgotten: forgotten)
        case 3:
            let mark = try number(UInt64.self)
            var entries: [PositionRecord.Entry] = []
            for _ in 0..<(try number(UInt32.self)) {
                let queue = try text()
                entries.append(PositionRecord.Entry(queue: queue, sequence: try number(UInt64.self)))
            }
            let (places, forgotten) = try list()
            return .intent(mark: mark, entries, places, forgotten: forgotten)
        case 4: return .commit(mark: try number(UInt64.self))
        case 5: return .abandon(mark: try number(UInt64.self))
        default: throw .damaged
        }
    }

    private mutating func list() throws(Failure) -> ([TailPlace], [UInt64]) {
        var places: [TailPlace] = []
        for _ in 0..<(try number(UInt32.self)) { places.append(try place()) }
        var forgotten: [UInt64] = []
        for _ in 0..<(try number(UInt32.self)) { forgotten.append(try number(UInt64.self)) }
        return (places, forgotten)
    }

    private mutating func place() throws(Failure) -> TailPlace {
        let id = try number(UInt64.self)
        let identity = TailFileIdentity(device: try number(UInt64.self), inode: try number(UInt64.self))
        let headBytes = Int(try number(UInt16.self))
        let isEnded = try number(UInt8.self) != 0
        let head = HeadPrint(bytes: headBytes, hash: try number(UInt64.self))
        let resume = ResumePoint(first: try number(UInt64.self), second: try number(UInt64.self))
        let path = try text()
        let target = try text()
        let source = try text()
        let receiver = try text()
        // An offset beyond what the system can read at would end the process there.
        guard headBytes <= HeadPrint.bytesMax, resume.first <= UInt64(Int64.max), resume.second <= UInt64(Int64.max)
        else { throw .damaged }
        return TailPlace(
            id: id, identity: identity, head: head, resume: resume, isEnded: isEnded, path: path,
            target: target,
            source: LogSource(path: source.isEmpty ? path : source, receiver: receiver))
    }

    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(Failure) -> Number {
        let size = MemoryLayout<Number>.size
        guard end - offset >= size else { throw .damaged }
        let start = offset
        offset += size
        return bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Number.self))
        }
    }

    private mutating func text() throws(Failure) -> String {
        let count = Int(try number(UInt16.self))
        guard end - offset >= count else { throw .damaged }
        let start = offset
        offset += count
        return String(decoding: bytes[start..<start + count], as: UTF8.self)
    }
}
