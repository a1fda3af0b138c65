internal import Glibc

/// Keys of attributes that some rule asks for, compared as bytes. What no rule asks for is mostly told by its length.
struct KeySet {
    /// Sorted by length; `starts[n]` is the first of length n, the last group holds all of 255 bytes and more.
    private var exact: [[UInt8]] = []
    private var starts = [Int](repeating: 0, count: 257)
    private var patterns: [TextPattern] = []

    var isEmpty: Bool { exact.isEmpty && patterns.isEmpty }

    init(exact keys: some Sequence<String>, patterns globs: some Sequence<String> = []) {
        exact = Set(keys.map { Array($0.utf8) }).sorted { $0.count < $1.count }
        for length in 0...256 { starts[length] = exact.firstIndex { min($0.count, 255) >= length } ?? exact.count }
        patterns = globs.map { TextPattern(glob: $0) }
    }

    @inline(__always)
    func contains(_ key: UnsafeRawBufferPointer) -> Bool {
        let length = min(key.count, 255)
        let start = starts[length]
        let end = starts[length &+ 1]
        return start < end && isExact(key, start..<end) || !patterns.isEmpty && isMatched(key)
    }

    private func isExact(_ key: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        for index in range where exact[index].isEqual(to: key) { return true }
        return false
    }

    private func isMatched(_ key: UnsafeRawBufferPointer) -> Bool { patterns.contains { $0.matches(key) } }
}

extension [UInt8] {
    @inline(__always)
    func isEqual(to bytes: UnsafeRawBufferPointer) -> Bool {
        guard count == bytes.count else { return false }
        guard let other = bytes.baseAddress else { return true }
        return withUnsafeBytes { $0.isEmpty || memcmp($0.baseAddress!, other, $0.count) == 0 }
    }
}
