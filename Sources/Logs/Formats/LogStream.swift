import Glibc

/// One of the two streams of a source: a line that waits for those that belong to it, and a line of which pieces have come.
final class LogStream {
    /// Two buffers of a quiet stream are kept if they are no larger than this. Bytes.
    private static let keptMax = 4 << 10

    /// Encoded attributes of each record: of the source, of the stream, of the labels that Docker tells.
    private var attributes: UnsafeMutableBufferPointer<UInt8>
    private let sourceCount: Int
    private let streamCount: Int
    private var labelsCount = 0
    private var labels: [UInt8] = []

    /// Lines that begin before are given out: at the start, by what was kept of the last run.
    var place: UInt64
    /// The monotonic time when what waits is given out; nil: not known yet, since something came after the last turn.
    var deadline: UInt64?

    // MARK: the record that waits

    var isHeld = false
    /// In the lines that are being taken, or in `joined`.
    var text: Text
    var isOwned = false
    var start: UInt64 = 0
    var time: UInt64 = 0
    var observed: UInt64 = 0
    var trace = TraceState()
    private var lastStart = 0
    /// Bytes that did not fit.
    var cut = 0
    private var joined = GrowingText()

    /// Lines at the end of the text that may be the error's message.
    struct Maybe {
        /// Where it begins in the text, behind the end of the line before.
        var place: Int
        var start: UInt64
        var time: UInt64
        var observed: UInt64
    }
    private(set) var maybes: [Maybe] = []
    static let maybesMax = 16
    static let maybeBytesMax = 4 << 10

    // MARK: the line of which pieces have come

    var isPartial = false
    var partialStart: UInt64 = 0
    var partialTime: UInt64 = 0
    var partialCut = 0
    private var partial = GrowingText()

    /// - Parameters:
    ///   - source: encoded attributes of each record.
    ///   - stream: encoded attributes of a container's, further to them.
    init(attributes source: [UInt8], ofStream stream: [UInt8], place: UInt64) {
        attributes = .allocate(capacity: source.count + stream.count + Text.slack)
        attributes.initialize(repeating: 0)
        _ = attributes.update(fromContentsOf: source + stream)
        sourceCount = source.count
        streamCount = source.count + stream.count
        text = Text(UnsafePointer(attributes.baseAddress!), count: 0)
        self.place = place
    }

    deinit { attributes.deallocate() }

    /// Encoded attributes of a record; one of a container has a time of its runtime.
    func attributes(time: UInt64) -> Text {
        Text(UnsafePointer(attributes.baseAddress!), count: time == 0 ? sourceCount : streamCount + labelsCount)
    }

    // MARK: labels

    @inline(__always)
    func hasLabels(_ text: Text) -> Bool { text.count == labels.count && (text.isEmpty || hasSame(text)) }

    private func hasSame(_ text: Text) -> Bool {
        labels.withUnsafeBytes { memcmp($0.baseAddress!, text.start, text.count) == 0 }
    }

    /// - Parameter encoded: attributes that the labels are.
    func set(_ text: Text, encoded: [UInt8]) {
        labels = [UInt8](UnsafeBufferPointer(start: text.start, count: text.count))
        let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: streamCount + encoded.count + Text.slack)
        larger.initialize(repeating: 0)
        larger.baseAddress!.update(from: attributes.baseAddress!, count: streamCount)
        for (index, byte) in encoded.enumerated() { larger[streamCount + index] = byte }
        labelsCount = encoded.count
        attributes.deallocate()
        attributes = larger
    }

    /// Where the first line begins that has not been given out; nil: nothing waits.
    var waiting: UInt64? { isHeld ? start : isPartial ? partialStart : nil }

    // MARK: holding

    /// - Parameter stays: the text stays where it is until `own`.
    @inline(__always)
    func hold(_ line: Text, stays: Bool, start: UInt64, time: UInt64, observed: UInt64) {
        isHeld = true
        isOwned = false
        text = line
        self.start = start
        self.time = time
        self.observed = observed
        trace = TraceState()
        lastStart = 0
        cut = 0
        deadline = nil
        if !stays { own() }
    }

    /// Copies what waits out of memory that is about to go.
    func own() {
        guard isHeld, !isOwned else { return }
        joined.set(text)
        text = joined.text
        isOwned = true
    }

    /// Adds a line to what waits, as far as there is room; the rest is counted in `cut`.
    func append(_ line: Text, max: Int) {
        own()
        lastStart = joined.count + 1
        let room = max - joined.count - 1
        if cut > 0 || room < 1 {
            cut += line.count + 1
        } else {
            let part = line.prefix(room)
            joined.append(0x0A)
            joined.append(part)
            cut = line.count - part.count
        }
        text = joined.text
        deadline = nil
    }

    /// Adds a line that may belong to what waits. False when there is no room for such.
    func appendMaybe(_ line: Text, start: UInt64, time: UInt64, observed: UInt64, max: Int) -> Bool {
        let first = maybes.first?.place ?? text.count + 1
        guard maybes.count < Self.maybesMax, text.count + 1 + line.count - first <= Self.maybeBytesMax,
            text.count + 1 + line.count <= max, cut == 0
        else { return false }
        maybes.append(Maybe(place: text.count + 1, start: start, time: time, observed: observed))
        append(line, max: max)
        return true
    }

    /// They do belong to it.
    func keepMaybes() { maybes.removeAll(keepingCapacity: true) }

    /// They do not: the text ends before them. Returns them; what they point to is `kept`.
    func takeMaybes(into kept: inout ScratchMemory) -> [(Text, Maybe)] {
        guard let first = maybes.first else { return [] }
        let whole = kept.copy(text)
        let ends = maybes.dropFirst().map { $0.place - 1 } + [whole.count]
        let lines = zip(maybes, ends).map { maybe, end in (Text(whole.start + maybe.place, whole.start + end), maybe) }
        text.end = text.start + (first.place - 1)
        maybes.removeAll()
        return lines
    }

    /// The line that came last; a part of it, if the record is full.
    var lastLine: Text { Text(text.start + min(lastStart, text.count), text.end) }

    func drop() {
        isHeld = false
        joined.shrink(to: Self.keptMax)
    }

    // MARK: pieces

    func appendPartial(_ piece: Text, max: Int) {
        let part = partialCut > 0 ? Text(piece.start, count: 0) : piece.prefix(Swift.max(max - partial.count, 0))
        partial.append(part)
        partialCut += piece.count - part.count
        deadline = nil
    }

    /// The line that the pieces make, until `dropPartial`.
    var partialText: Text { partial.text }

    func dropPartial() {
        isPartial = false
        partialCut = 0
        partial.shrink(to: Self.keptMax)
    }
}

/// A text that grows, with `Text.slack` readable bytes behind it.
struct GrowingText: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private(set) var count = 0

    deinit { base?.deallocate() }

    /// Of what has been appended; there must have been something.
    var text: Text { Text(UnsafePointer(base!), count: count) }

    private mutating func reserve(_ extra: Int) {
        guard count + extra > capacity || base == nil else { return }
        capacity = max(count + extra, capacity * 2, 512)
        let new = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Text.slack)
        new.initialize(repeating: 0, count: capacity + Text.slack)
        if let base {
            new.update(from: base, count: count)
            base.deallocate()
        }
        base = new
    }

    mutating func set(_ text: Text) {
        count = 0
        append(text)
    }

    mutating func append(_ text: Text) {
        reserve(text.count)
        memcpy(base! + count, text.start, text.count)
        count += text.count
    }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        base![count] = byte
        count += 1
    }

    mutating func shrink(to kept: Int) {
        count = 0
        guard capacity > kept else { return }
        base?.deallocate()
        base = nil
        capacity = 0
    }
}
