/// Of what somebody typed and what there is.
public enum Spelling {
    /// The name that was probably meant; nil: none is near.
    public static func nearest(_ text: String, of names: [String]) -> String? {
        let typed = Array(text.lowercased().utf8.prefix(64))
        let near = names.map { (name: $0, distance: distance(typed, Array($0.utf8))) }
            // One slip in a short name, two in a longer one: anything is near "cors" otherwise.
            .filter { $0.distance <= ($0.name.utf8.count < 6 ? 1 : 2) && $0.distance < $0.name.utf8.count }
        let prefixed = names.filter { $0.hasPrefix(text.lowercased()) && !text.isEmpty }
        return near.min { $0.distance < $1.distance }?.name ?? (prefixed.count == 1 ? prefixed[0] : nil)
    }

    /// Letters to insert, delete, replace, or exchange with the next one.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before = Array(0...right.count)
        var row = before
        for (index, letter) in left.enumerated() {
            var next = row
            next[0] = index + 1
            for (place, other) in right.enumerated() {
                next[place + 1] = letter == other ? row[place] : min(row[place], next[place], row[place + 1]) + 1
                if index > 0, place > 0, letter == right[place - 1], other == left[index - 1] {
                    next[place + 1] = min(next[place + 1], before[place - 1] + 1)
                }
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}
