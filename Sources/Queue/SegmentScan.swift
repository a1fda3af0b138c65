internal import Telemetry

/// Walks over a segment's frames, through a window of its file.
///
/// Resynchronisation: where no good frame begins, the scan goes on in steps of 8 bytes until one does, whose sequence is greater than the last one's and less than
/// the next segment's number. What lies between is damaged; what follows the last good frame is torn.
final class SegmentScan {
    /// Up to here the segment is good: after the last frame, or the header.
    private(set) var end = QueueFormat.headerBytes
    private(set) var damagedBytes = 0
    private(set) var damagedRegions = 0
    /// Of entries whose head was good and whose payload was not, between good ones.
    private(set) var damagedItems = SignalCounts()
    /// Their sequences, less the segment's number.
    private(set) var damagedDeltas: [UInt32] = []

    private let files: any QueueFiles
    private let file: QueueFile
    private let size: Int
    private let buffer: UnsafeMutableRawBufferPointer
    private var windowStart = 0
    private var windowCount = 0
    private var failures = 0

    private static let windowBytes = 4 << 10
    private static let windowBytesSearching = 64 << 10
    /// A disk may take seconds to find out that it cannot read: after so many the rest of the file is given up.
    private static let failuresMax = 8

    init(_ files: any QueueFiles, _ file: QueueFile, bytes: Int) {
        self.files = files
        self.file = file
        size = bytes
        buffer = .allocate(byteCount: Self.windowBytesSearching, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Gives the segment its entries. `verifying`: payloads, too.
    func run(_ segment: Segment, before next: UInt64, verifying: Bool) throws(QueueFileError) {
        var offset = QueueFormat.headerBytes
        var lost: [Entry] = []
        var least: UInt64 = 0
        while offset + QueueFormat.headBytes <= size {
            if let entry = try entry(at: offset, of: segment, from: least, before: next) {
                let frame = entry.frameBytes
                guard offset + frame <= size else {
                    lost.append(entry)
                    guard let found = try search(segment, from: offset + QueueFormat.alignment, least, next) else {
                        return
                    }
                    offset = found
                    continue
                }
                var isGood = true
                if verifying { isGood = try isIntact(entry, of: segment) }
                if isGood {
                    if offset > end {
                        damagedBytes += offset - end
                        damagedRegions += 1
                        for entry in lost { damagedItems[entry.signal] += Int(entry.items) }
                        damagedDeltas += lost.map(\.delta)
                    }
                    lost = []
                    segment.append(entry)
                    least = UInt64(entry.delta) + 1
                    offset += frame
                    end = offset
                    continue
                }
                lost.append(entry)
            }
            guard let found = try search(segment, from: offset + QueueFormat.alignment, least, next) else { return }
            offset = found
        }
    }

    private func entry(
        at offset: Int, of segment: Segment, from least: UInt64, before next: UInt64
    ) throws(QueueFileError) -> Entry? {
        guard let head = try bytes(at: offset, QueueFormat.headBytes),
            let entry = QueueFormat.entry(in: head, at: offset, number: segment.number, salt: segment.salt),
            UInt64(entry.delta) >= least, segment.number + UInt64(entry.delta) < next
        else { return nil }
        return entry
    }

    /// Where the next good head is.
    private func search(
        _ segment: Segment, from start: Int, _ least: UInt64, _ next: UInt64
    ) throws(QueueFileError) -> Int? {
        let marker = UInt32(truncatingIfNeeded: segment.salt).littleEndian
        var offset = start
        while offset + QueueFormat.headBytes <= size {
            guard let bytes = try window(at: offset, atLeast: QueueFormat.headBytes, wanted: Self.windowBytesSearching)
            else {
                if failures >= Self.failuresMax { return nil }
                offset = (offset / Self.windowBytes + 1) * Self.windowBytes
                continue
            }
            var place = 0
            var candidate: Int?
            while place + QueueFormat.headBytes <= bytes.count {
                if bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self) == marker {
                    candidate = place
                    break
                }
                place += QueueFormat.alignment
            }
            offset += candidate ?? place
            guard candidate != nil else { continue }
            if try entry(at: offset, of: segment, from: least, before: next) != nil { return offset }
            offset += QueueFormat.alignment
        }
        return nil
    }

    private func isIntact(_ entry: Entry, of segment: Segment) throws(QueueFileError) -> Bool {
        var sum = QueueFormat.headChecksum(of: entry, number: segment.number, salt: segment.salt)
        var offset = Int(entry.offset) + QueueFormat.headBytes
        var left = Int(entry.payloadBytes)
        while left > 0 {
            guard let bytes = try window(at: offset, atLeast: 1, wanted: Self.windowBytesSearching) else {
                return false
            }
            let count = min(left, bytes.count)
            sum = QueueFormat.checksum(sum, bytes.baseAddress!, count)
            offset += count
            left -= count
        }
        return sum == entry.payloadChecksum
    }

    /// Nothing but zeros: a file whose size reached the disk and whose contents did not.
    func isZero() -> Bool {
        var offset = 0
        while offset < size {
            do throws(QueueFileError) {
                guard let bytes = try window(at: offset, atLeast: 1, wanted: Self.windowBytesSearching) else {
                    return false
                }
                if bytes.contains(where: { $0 != 0 }) { return false }
                offset += bytes.count
            } catch {
                return false
            }
        }
        return true
    }

    /// Bytes of the file, valid until the next call; nil where they cannot be read.
    func bytes(at offset: Int, _ count: Int) throws(QueueFileError) -> UnsafeRawBufferPointer? {
        try window(at: offset, atLeast: count, wanted: Self.windowBytes).map {
            UnsafeRawBufferPointer(rebasing: $0[..<count])
        }
    }

    /// What the window holds from an offset on, reading it anew where it has too little.
    private func window(
        at offset: Int, atLeast count: Int, wanted: Int
    ) throws(QueueFileError) -> UnsafeRawBufferPointer? {
        if offset < windowStart || offset + count > windowStart + windowCount {
            guard offset + count <= size, failures < Self.failuresMax else { return nil }
            windowStart = offset
            windowCount = 0
            do throws(QueueFileError) {
                windowCount = try files.read(
                    file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(wanted, size - offset)]),
                    at: offset)
            } catch {
                guard error.kind == .damaged else { throw error }
                failures += 1
                return nil
            }
            guard windowCount >= count else { return nil }
        }
        return UnsafeRawBufferPointer(rebasing: buffer[(offset - windowStart)..<windowCount])
    }
}
