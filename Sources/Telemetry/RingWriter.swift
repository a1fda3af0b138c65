internal import CLinux
internal import Glibc

/// The native producer's end of a ring: for records that the worker's own code writes, on the thread whose JavaScript writes too.
/// The JavaScript end is `Platform/js/20_trace.js`; both keep `head` in the shared cell and nowhere else.
public struct RingWriter: ~Copyable {
    public let mapping: RingMapping

    public init(_ mapping: RingMapping) { self.mapping = mapping }

    /// Publishes one record, header included (`count` a multiple of 8). False: no room; it is counted as dropped.
    @discardableResult
    public mutating func write(_ record: UnsafeRawBufferPointer) -> Bool {
        precondition(record.count >= RecordLimits.headerBytes && record.count & 7 == 0, "record of \(record.count) bytes")
        let head = mapping.load(RingMapping.Cell.head)
        let used = Int(head &- mapping.load(RingMapping.Cell.tail))
        guard record.count <= mapping.capacity - used, record.count <= min(mapping.capacity / 4, RecordLimits.recordBytesMax) else {
            let cell = RingMapping.Cell.dropped + 4 * Int(record[4] & 15)
            mapping.store(mapping.load(cell) &+ 1, at: cell)
            return false
        }
        memcpy(mapping.data + Int(head) & (mapping.capacity - 1), record.baseAddress!, record.count)
        // A full fence after the store: the producer looks at wakeAt next, and must not see it from before.
        sl_exchange_u32(mapping.baseAddress + RingMapping.Cell.head, head &+ UInt32(record.count))
        return true
    }

    /// Whether the consumer asked to be woken by now.
    public var wakeIsDue: Bool {
        Int32(bitPattern: mapping.load(RingMapping.Cell.head) &- mapping.load(RingMapping.Cell.wakeAt)) >= 0
    }
}
