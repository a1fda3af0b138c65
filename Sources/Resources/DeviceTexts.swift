// Lists of devices: /proc/net/dev, /proc/diskstats (Documentation/admin-guide/iostats.rst), /proc/PID/mountinfo.

/// What a network interface has moved.
public struct NetworkCounts: Equatable, Sendable {
    public struct Direction: Equatable, Sendable {
        public var bytes: UInt64 = 0
        public var packets: UInt64 = 0
        public var errors: UInt64 = 0
        public var dropped: UInt64 = 0
    }

    public var received = Direction()
    public var sent = Direction()

    /// A line of /proc/net/dev, after the name.
    init?(_ text: inout KernelText) {
        func direction(_ skipped: Int) -> Direction? {
            guard let bytes = text.number(), let packets = text.number(), let errors = text.number(),
                let dropped = text.number()
            else { return nil }
            for _ in 0..<skipped where text.number() == nil { return nil }
            return Direction(bytes: bytes, packets: packets, errors: errors, dropped: dropped)
        }
        guard let received = direction(4), let sent = direction(0) else { return nil }
        (self.received, self.sent) = (received, sent)
    }

    init() {}

    /// Whether this counts on from what was read before: else the interface is another one of the same name.
    func continues(_ before: NetworkCounts) -> Bool {
        received.bytes >= before.received.bytes && received.packets >= before.received.packets
            && sent.bytes >= before.sent.bytes && sent.packets >= before.sent.packets
    }
}

/// What a disk has done.
public struct DiskCounts: Equatable, Sendable {
    public struct Direction: Equatable, Sendable {
        public var operations: UInt64 = 0
        public var merged: UInt64 = 0
        public var bytes: UInt64 = 0
        /// Sum over all operations.
        public var milliseconds: UInt64 = 0
    }

    public var read = Direction()
    public var written = Direction()
    /// Time in which it had something to do.
    public var busyMilliseconds: UInt64 = 0

    /// /proc/diskstats counts in these, whatever the disk's are.
    static let sectorBytes: UInt64 = 512

    /// A line of /proc/diskstats, after the name.
    init?(_ text: inout KernelText) {
        func direction() -> Direction? {
            guard let operations = text.number(), let merged = text.number(), let sectors = text.number(),
                let time = text.number()
            else { return nil }
            let (bytes, isTooLarge) = sectors.multipliedReportingOverflow(by: Self.sectorBytes)
            return isTooLarge
                ? nil : Direction(operations: operations, merged: merged, bytes: bytes, milliseconds: time)
        }
        guard let read = direction(), let written = direction(), text.number() != nil, let busy = text.number() else {
            return nil
        }
        (self.read, self.written, busyMilliseconds) = (read, written, busy)
    }

    init() {}

    func continues(_ before: DiskCounts) -> Bool {
        read.operations >= before.read.operations && read.bytes >= before.read.bytes
            && written.operations >= before.written.operations && written.bytes >= before.written.bytes
    }
}

/// A line of mountinfo: what is mounted where.
struct MountLine {
    /// The part of the file system that is mounted.
    var root: UnsafeRawBufferPointer
    var mountPoint: UnsafeRawBufferPointer
    var options: UnsafeRawBufferPointer
    var type: UnsafeRawBufferPointer
    var source: UnsafeRawBufferPointer
    var superOptions: UnsafeRawBufferPointer
    /// Of the file system: major and minor number.
    var device: UnsafeRawBufferPointer

    init?(_ line: UnsafeRawBufferPointer) {
        var text = KernelText(line)
        guard text.number() != nil, text.number() != nil else { return nil }
        device = text.word()
        root = text.word()
        mountPoint = text.word()
        options = text.word()
        // Optional fields, up to a lone dash.
        while true {
            let word = text.word()
            if word.isEmpty { return nil }
            if word.isText("-") { break }
        }
        type = text.word()
        source = text.word()
        superOptions = text.word()
        guard !type.isEmpty, !mountPoint.isEmpty else { return nil }
    }

    /// A path with its `\040`s read. It allocates.
    static func path(_ bytes: UnsafeRawBufferPointer) -> String {
        var path: [UInt8] = []
        path.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\\"), at + 3 < bytes.count {
                let digits = bytes[(at + 1)...(at + 3)]
                if digits.allSatisfy({ (0x30...0x37).contains($0) }) {
                    let value = digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
                    path.append(UInt8(truncatingIfNeeded: value))
                    at += 4
                    continue
                }
            }
            path.append(bytes[at])
            at += 1
        }
        return String(decoding: path, as: UTF8.self)
    }

    /// Whether a word of a list with commas is this one.
    static func list(_ list: UnsafeRawBufferPointer, has word: StaticString) -> Bool {
        var start = 0
        while start <= list.count {
            let end = list[start...].firstIndex(of: UInt8(ascii: ",")) ?? list.count
            if UnsafeRawBufferPointer(rebasing: list[start..<end]).isText(word) { return true }
            start = end + 1
        }
        return false
    }
}
