internal import CodeCheck
public import Configuration

extension CodeCheckConfiguration {
    /// Rules that are turned off or given a level, and that there are none of; a sentence each.
    public var unknownRules: [String] {
        let known = CodeRule.all.map(\.id) + rules.map(\.id)
        let named = off.map { ("off", $0) } + levels.keys.sorted().map { ("levels", $0) }
        return named.filter { !known.contains($0.1) }.map { key, name in
            let nearest = Spelling.nearest(name, of: known).map { "; did you mean \"\($0)\"?" } ?? ""
            return "\(key): there is no rule \"\(String(name.prefix(64)))\"\(nearest)"
        }
    }
}
