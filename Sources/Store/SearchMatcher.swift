import Glibc
public import Telemetry
import Wire

/// Says whether a search is true of a log record. Use one from one thread at a time.
///
/// All words of the search, one pattern behind the other, are bits of one state, which each word of a text moves on (the Shift-And method of Baeza-Yates and Gonnet):
/// what is looked through is read once, and nothing is allocated.
public final class SearchMatcher {
    private let query: SearchQuery
    private let count: Int
    /// `Words.bytesMax` bytes each.
    private let words: UnsafeMutableRawBufferPointer
    private var lengths: [Int] = []
    /// Bits of words at which patterns begin, at which they end, and of last words that may go on.
    private var starts: UInt64 = 0
    private var ends: [UInt64] = []
    private var prefixes: UInt64 = 0
    private var allEnds: UInt64 = 0

    /// How far patterns have come within the text under way, and which were found in the record.
    private var state: UInt64 = 0
    private var found: UInt64 = 0

    public init(_ query: SearchQuery) {
        self.query = query
        let all = query.patterns.flatMap(\.words)
        count = all.count
        words = .allocate(byteCount: max(1, all.count) * Words.bytesMax, alignment: 8)
        for (index, word) in all.enumerated() {
            UnsafeMutableRawBufferPointer(rebasing: words[(index * Words.bytesMax)...]).copyBytes(from: word)
            lengths.append(word.count)
        }
        var bit: UInt64 = 1
        for pattern in query.patterns {
            starts |= bit
            bit <<= UInt64(pattern.words.count - 1)
            ends.append(bit)
            allEnds |= bit
            if pattern.isPrefix { prefixes |= bit }
            bit <<= 1
        }
    }

    deinit { words.deallocate() }

    public func matches(_ record: LogRecord) -> Bool {
        found = 0
        LogTexts.forEach(record, look)
        return holds(query.root)
    }

    /// The same of a `LogRecord` message.
    func matches(_ message: consuming ProtobufReader) -> Bool {
        found = 0
        LogTexts.forEach(message, look)
        return holds(query.root)
    }

    private func look(_ text: UnsafeRawBufferPointer) {
        guard found != allEnds else { return }
        state = 0
        Words.forEach(text) { word in
            var mask: UInt64 = 0
            for index in 0..<count where isEqual(index, word) { mask |= 1 << UInt64(index) }
            state = ((state << 1) & ~starts | starts) & mask
            found |= state & allEnds
        }
    }

    @inline(__always)
    private func isEqual(_ index: Int, _ word: UnsafeRawBufferPointer) -> Bool {
        let length = lengths[index]
        guard word.count == length || word.count > length && prefixes & 1 << UInt64(index) != 0 else { return false }
        return memcmp(words.baseAddress! + index * Words.bytesMax, word.baseAddress!, length) == 0
    }

    private func holds(_ node: SearchQuery.Node) -> Bool {
        switch node {
        case .pattern(let index): found & ends[index] != 0
        case .all(let nodes): nodes.allSatisfy(holds)
        case .any(let nodes): nodes.contains(where: holds)
        case .not(let node): !holds(node)
        }
    }
}
