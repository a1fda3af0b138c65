// Bytes are rewritten in one pass, from left to right, and only from the first change on.
//
// The editor knows how far the source has been copied to the output (`copied`). A change at a place first copies what
// lies before it, then writes what stands there now, and goes on behind it. Protobuf's messages begin with their
// length, so what is open around a change has to be written anew, too: the walker says which messages it has entered
// (`enter`, `leave`), and the first change in one opens it in the output; `leave` then puts the length in its place. A
// message that is left without a change was never opened, and goes out with the copy of its surroundings.
//
// Between two items of a batch nothing is open, and `position(of:)` tells where a byte of the source is in the output.

internal import Telemetry
internal import Wire

/// Rewrites protobuf messages; see above. One for a chain of processors, on one thread.
struct Editor: ~Copyable {
    /// An item, an event, and for each of 32 levels of values a list, its entry and the entry's value.
    static let depthMax = 128
    /// A batch that would become longer loses items.
    static let outputBytesMax = 256 << 20

    private struct Frame {
        let start: Int
        let body: Int
        let end: Int
        let field: UInt32
        var mark: ProtobufWriter.Mark?
    }

    private var source: UnsafeRawPointer
    private var copied = 0
    private(set) var hasChanged = false
    private let frames: UnsafeMutablePointer<Frame>
    private var depth = 0
    private var opened = 0
    var writer: ProtobufWriter

    /// Memory that the output may keep for the next batch.
    private static let keptBytesMax = 1 << 20

    init() {
        source = UnsafeRawPointer(bitPattern: 16)!
        frames = .allocate(capacity: Self.depthMax)
        writer = ProtobufWriter(capacity: 4096)
    }

    deinit { frames.deallocate() }

    /// Begins with a source, whose memory outlives `finish`.
    mutating func begin(_ base: UnsafeRawPointer) {
        source = base
        copied = 0
        hasChanged = false
        depth = 0
        opened = 0
        writer.truncate(to: 0)
    }

    /// The output, with the source copied up to `end`.
    mutating func finish(at end: Int) -> [UInt8] {
        precondition(depth == 0, "finish with \(depth) open messages")
        flush(to: end)
        let bytes = writer.takeBytes()
        if bytes.count > Self.keptBytesMax { writer = ProtobufWriter(capacity: 4096) }
        return bytes
    }

    // MARK: the walk

    /// The walk goes into the message that the cursor is at.
    @inline(__always)
    mutating func enter(_ field: borrowing FieldCursor) {
        precondition(depth < Self.depthMax, "messages nest deeper than \(Self.depthMax)")
        (frames + depth).initialize(
            to: Frame(start: field.start, body: field.body, end: field.offset, field: field.number, mark: nil))
        depth &+= 1
    }

    /// The walk leaves the message it entered last.
    @inline(__always)
    mutating func leave() {
        depth &-= 1
        if opened > depth { close() }
    }

    private mutating func close() {
        flush(to: frames[depth].end)
        writer.end(frames[depth].mark!)
        opened = depth
    }

    // MARK: changes

    /// What lies in `range` is left out; what is put into `writer` then stands in its place. An empty range inserts.
    /// Ranges come in rising order and lie in the message that was entered last.
    mutating func cut(_ range: Range<Int>) {
        hasChanged = true
        while opened < depth {
            let frame = frames[opened]
            flush(to: frame.start)
            let lengthBytes = min(max(Protobuf.varintSize(UInt64(frame.end - frame.body)), 1), 5)
            frames[opened].mark = writer.begin(frame.field, lengthBytes: lengthBytes)
            copied = frame.body
            opened += 1
        }
        flush(to: range.lowerBound)
        copied = range.upperBound
    }

    private mutating func flush(to end: Int) {
        precondition(end >= copied, "a change at \(end), before \(copied)")
        writer.putRaw(UnsafeRawBufferPointer(start: source + copied, count: end - copied))
        copied = end
    }

    // MARK: items

    /// Where a byte of the source is in the output. Only while nothing is entered.
    @inline(__always)
    func position(of offset: Int) -> Int { writer.count &+ (offset &- copied) }

    struct State {
        fileprivate let count: Int
        fileprivate let copied: Int
        fileprivate let hasChanged: Bool
    }

    /// Between two items.
    @inline(__always)
    var state: State { State(count: writer.count, copied: copied, hasChanged: hasChanged) }

    /// Takes back what was changed since.
    mutating func restore(_ state: State) {
        writer.truncate(to: state.count)
        copied = state.copied
        hasChanged = state.hasChanged
        depth = 0
        opened = 0
    }
}
