// Which kinds of log lines there are, by the method of Drain (He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017): lines
// are masked and cut into tokens; a tree of fixed depth (number of tokens, first token) leads to a few patterns; the most similar one takes the line, and tokens in which
// they differ become `<*>`. Where none is similar enough, the line is a pattern of its own.

/// Sorts lines into patterns. Everything in it is bounded.
struct PatternMiner {
    static let patternsMax = 2_000
    /// Of a line; what is behind counts as one more.
    static let tokensMax = 64
    /// Patterns that a line is compared with.
    static let leafMax = 100
    /// Lines whose pattern is remembered by what they are when masked.
    static let rememberedMax = 65_536
    /// The part of tokens that are to be the same; less where there are many that begin alike.
    static let similarity = 0.7
    static let similarityAmongMany = 0.5
    static let manyMin = 16

    static let wildcard = "<*>"

    struct Pattern {
        fileprivate var hashes: [UInt64]
        fileprivate(set) var tokens: [String]

        var text: String { tokens.joined(separator: " ") }
    }

    private struct Leaf: Hashable {
        var count: Int
        /// 0: any.
        var first: UInt64
    }

    private(set) var patterns: [Pattern] = []
    private var leaves: [Leaf: [Int]] = [:]
    private var remembered: [UInt64: Int] = [:]

    /// The pattern that takes a masked line; nil: there are too many.
    mutating func pattern(of masked: [UInt8]) -> Int? {
        let line = Self.hash(masked[...])
        if let known = remembered[line] { return known }
        var pieces = masked.split(separator: 0x20, maxSplits: Self.tokensMax)
        let isCut = pieces.count > Self.tokensMax
        if isCut { pieces.removeLast() }
        var hashes = pieces.map { Self.hash($0) }
        if isCut { hashes.append(Self.hash([0x2E][...])) }
        guard let found = find(hashes) ?? add(hashes, pieces, isCut: isCut) else { return nil }
        if remembered.count >= Self.rememberedMax { remembered.removeAll(keepingCapacity: true) }
        remembered[line] = found
        return found
    }

    /// The leaf of its beginning, and the one of any beginning.
    private static func leaves(_ hashes: [UInt64]) -> [Leaf] {
        [Leaf(count: hashes.count, first: hashes.first ?? 0), Leaf(count: hashes.count, first: 0)]
    }

    private mutating func find(_ hashes: [UInt64]) -> Int? {
        for leaf in Self.leaves(hashes) {
            guard let members = leaves[leaf] else { continue }
            var best: (index: Int, same: Int)?
            for index in members {
                let same = Self.same(patterns[index].hashes, hashes)
                if same > best?.same ?? -1 { best = (index, same) }
            }
            let needed = members.count < Self.manyMin ? Self.similarity : Self.similarityAmongMany
            guard let best, Double(best.same) >= needed * Double(hashes.count) else { continue }
            generalize(best.index, hashes)
            return best.index
        }
        return nil
    }

    private static func same(_ left: [UInt64], _ right: [UInt64]) -> Int {
        var same = 0
        for index in left.indices where left[index] == right[index] { same += 1 }
        return same
    }

    private mutating func generalize(_ index: Int, _ hashes: [UInt64]) {
        for place in hashes.indices where patterns[index].hashes[place] != hashes[place] {
            // 0 is no token's.
            patterns[index].hashes[place] = 0
            patterns[index].tokens[place] = Self.wildcard
        }
    }

    private mutating func add(_ hashes: [UInt64], _ pieces: [ArraySlice<UInt8>], isCut: Bool) -> Int? {
        guard patterns.count < Self.patternsMax,
            let leaf = Self.leaves(hashes).first(where: { leaves[$0]?.count ?? 0 < Self.leafMax })
        else { return nil }
        let tokens = pieces.map { String(decoding: $0, as: UTF8.self) } + (isCut ? ["…"] : [])
        leaves[leaf, default: []].append(patterns.count)
        patterns.append(Pattern(hashes: hashes, tokens: tokens))
        return patterns.count - 1
    }

    /// FNV-1a; never 0.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return max(hash, 1)
    }
}
