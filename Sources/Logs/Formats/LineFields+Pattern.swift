extension LineFields {
    /// Takes the named groups of a user's pattern: what a name says if it says something (`time`, `level`, `message`, …), an attribute otherwise. False when it does not fit.
    /// - Parameters:
    ///   - keys: the groups' names, nil for groups without one.
    ///   - places: room for two places a group.
    mutating func pattern(
        _ line: Text, _ pattern: LinePattern, keys: [Text?], places: UnsafeMutablePointer<Int64>
    ) -> Bool {
        guard pattern.groups(of: line, into: places) else { return false }
        begin()
        for index in 0..<keys.count {
            let start = places[2 * index]
            guard let key = keys[index], start >= 0 else { continue }
            var field = Field(
                key: key, value: Text(line.start + Int(start), line.start + Int(places[2 * index + 1])), kind: .text)
            let role = self.keys.role(key)
            if role != .none, take(field, as: role) { continue }
            Self.takeType(&field)
            guard append(field) else { return false }
        }
        return true
    }
}
