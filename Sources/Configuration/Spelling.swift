/// Of what somebody typed and what there is.
public enum Spelling {
    /// The name that was probably meant; nil: none is near.
    public static func nearest(_ text: String, of names: [String]) -> String? {
        let near = names.map {
            (name: $0, distance: distance(Array(text.lowercased().utf8.prefix(64)), Array($0.utf8)))
        }
        .filter { $0.distance <= 2 && $0.distance < $0.name.utf8.count }
        let prefixed = names.filter { $0.hasPrefix(text.lowercased()) && !text.isEmpty }
        return near.min { $0.distance < $1.distance }?.name ?? (prefixed.count == 1 ? prefixed[0] : nil)
    }

    /// Letters to insert, delete or replace.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (place, other) in right.enumerated() {
                let cost = letter == other ? diagonal : min(diagonal, row[place], row[place + 1]) + 1
                diagonal = row[place + 1]
                row[place + 1] = cost
            }
        }
        return row[right.count]
    }
}
