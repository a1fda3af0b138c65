/// A user's pattern with what its matching needs: its groups' names where writers may read beyond them, and room for places.
final class PatternGroups {
    let pattern: LinePattern
    let keys: [Text?]
    let places: UnsafeMutablePointer<Int64>
    private let memory: UnsafeMutablePointer<UInt8>

    init(_ pattern: LinePattern) {
        self.pattern = pattern
        let size = pattern.groupNames.reduce(Text.slack) { $0 + ($1?.utf8.count ?? 0) }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        memory.initialize(repeating: 0, count: size)
        var used = 0
        keys = pattern.groupNames.map { name in
            guard let name else { return nil }
            let start = memory + used
            for byte in name.utf8 {
                memory[used] = byte
                used += 1
            }
            return Text(UnsafePointer(start), count: name.utf8.count)
        }
        places = .allocate(capacity: max(2 * pattern.groupNames.count, 1))
        self.memory = memory
    }

    deinit {
        memory.deallocate()
        places.deallocate()
    }
}
