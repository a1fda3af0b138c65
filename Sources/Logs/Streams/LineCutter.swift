internal import Glibc

/// Cuts what comes out of a stream into whole lines for a sink, and makes it UTF-8. Lines that lie whole in what was read are not copied.
public struct LineCutter {
    /// A line is given out when it has so many bytes; the rest of it is missing.
    private let lineBytesMax: Int
    /// The beginning of a line.
    private var kept: [UInt8] = []
    /// In the rest of a line that was given out.
    private var isSkipping = false
    /// Of what was given out.
    private var offset: UInt64 = 0

    public private(set) var bytes: UInt64 = 0
    public private(set) var cutLines: UInt64 = 0
    public private(set) var cutBytes: UInt64 = 0
    /// Pieces in which something was no UTF-8.
    public private(set) var replaced: UInt64 = 0

    public init(lineBytesMax: Int) { self.lineBytesMax = lineBytesMax }

    /// - Parameter observed: Unix nanoseconds.
    public mutating func take(_ bytes: UnsafeRawBufferPointer, _ sink: any LineSink, observed: UInt64) {
        self.bytes += UInt64(bytes.count)
        var rest = bytes
        if isSkipping {
            guard let end = Self.firstEnd(rest) else {
                cutBytes += UInt64(rest.count)
                return
            }
            cutBytes += UInt64(end - 1)
            isSkipping = false
            rest = Self.after(rest, end)
        }
        if !kept.isEmpty {
            let end = Self.firstEnd(rest)
            keep(UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)]), isWhole: end != nil, sink, observed)
            guard let end else { return }
            rest = Self.after(rest, end)
        }
        let whole = Self.lastEnd(rest)
        if whole > 0 { give(UnsafeRawBufferPointer(rebasing: rest[..<whole]), sink, observed) }
        if whole < rest.count { keep(Self.after(rest, whole), isWhole: false, sink, observed) }
    }

    /// The stream has ended. Its last line may lack its end.
    public mutating func end(_ sink: any LineSink, observed: UInt64) {
        endLine(sink, observed: observed)
        sink.end(observed: observed)
    }

    /// Who wrote is gone, and others may come: what comes next is another line.
    public mutating func endLine(_ sink: any LineSink, observed: UInt64) {
        isSkipping = false
        guard !kept.isEmpty else { return }
        kept.append(0x0A)
        giveKept(sink, observed)
    }

    /// - Parameter isWhole: the line ends with it.
    private mutating func keep(
        _ part: UnsafeRawBufferPointer, isWhole: Bool, _ sink: any LineSink, _ observed: UInt64
    ) {
        let room = lineBytesMax - kept.count
        if part.count <= room {
            kept.append(contentsOf: part)
            if isWhole { giveKept(sink, observed) }
            return
        }
        kept.append(contentsOf: part.prefix(room))
        kept.append(0x0A)
        cutLines += 1
        cutBytes += UInt64(part.count - room - (isWhole ? 1 : 0))
        giveKept(sink, observed)
        isSkipping = !isWhole
    }

    private mutating func giveKept(_ sink: any LineSink, _ observed: UInt64) {
        let line = kept
        kept.removeAll(keepingCapacity: kept.capacity <= 64 << 10)
        line.withUnsafeBytes { give($0, sink, observed) }
    }

    private mutating func give(_ lines: UnsafeRawBufferPointer, _ sink: any LineSink, _ observed: UInt64) {
        if lines.isUTF8 { return hand(lines, sink, observed) }
        replaced += 1
        var repaired = String(decoding: lines, as: UTF8.self)
        repaired.withUTF8 { hand(UnsafeRawBufferPointer($0), sink, observed) }
    }

    private mutating func hand(_ lines: UnsafeRawBufferPointer, _ sink: any LineSink, _ observed: UInt64) {
        sink.take(lines, at: offset, sourceBytes: UInt64(lines.count), observed: observed)
        offset += UInt64(lines.count)
    }

    // MARK: bytes

    /// Behind the first line feed.
    private static func firstEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, let found = memchr(base, 0x0A, bytes.count) else { return nil }
        return UnsafeRawPointer(found) - base + 1
    }

    /// Behind the last line feed; 0: there is none.
    private static func lastEnd(_ bytes: UnsafeRawBufferPointer) -> Int {
        var end = bytes.count
        while end > 0, bytes[end - 1] != 0x0A { end -= 1 }
        return end
    }

    private static func after(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[offset...])
    }
}

extension UnsafeRawBufferPointer {
    var isUTF8: Bool {
        var offset = 0
        while offset + 8 <= count, loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
            offset += 8
        }
        let rest = UnsafeRawBufferPointer(rebasing: self[offset...]).bindMemory(to: UInt8.self)
        return rest.allSatisfy { $0 < 0x80 } || String(validating: rest, as: UTF8.self) != nil
    }
}
