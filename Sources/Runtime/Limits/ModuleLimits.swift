/// What an isolate may load of modules, its entry and built-in ones included.
struct ModuleLimits {
    /// Nil: no limit.
    var count: Int?
    var bytes: Int?

    /// What is exceeded when there is so much already; nil: nothing.
    /// - Parameters:
    ///   - name: as in `--limit`.
    ///   - sentence: for people.
    func exceeded(count: Int, bytes: Int) -> (name: String, sentence: String)? {
        if let limit = self.count, count > limit { return ("modules", "too many modules: the limit is \(limit)") }
        if let limit = self.bytes, bytes > limit {
            return ("module-bytes", "the sources of the modules are too large: the limit is \(limit) bytes together")
        }
        return nil
    }
}
