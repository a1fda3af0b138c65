/// One mapping of the file, read by naming its keys: each call reads a value, checks it, and notes for `config print` what came out and where from. Keys that
/// no call named are errors of `finish`. The mapping need not be there: then all values keep what they are, and are noted as such.
struct FileSection {
    let loading: FileLoading
    /// Keys from the top of the file down to this mapping.
    let path: [String]
    /// Where its name stands, or itself where it has none. Nil: the mapping is not in the file.
    let position: TextPosition?
    /// Where values come from that the file does not give, by key.
    private let inherited: [String: SettingOrigin]
    private let inheritedByAll: SettingOrigin
    private var entries: [YAMLNode.Entry] = []
    private var known: [String] = []
    /// Not a mapping: that something is missing from it is no further error.
    private var isBroken = false
    private var origins: [String: SettingOrigin] = [:]
    private var effective: [EffectiveValue.Entry] = []

    /// - Parameters:
    ///   - node: The mapping; nil or nothing for an empty one.
    ///   - namePosition: Where its name stands.
    ///   - shorthand: The key that a single value in place of the mapping is for.
    ///   - inherited: Where values come from that the file does not give.
    init(
        _ loading: FileLoading, _ node: YAMLNode?, at namePosition: TextPosition? = nil, path: [String],
        shorthand: String? = nil,
        inherited: [String: SettingOrigin] = [:], inheritedByAll: SettingOrigin = .standard
    ) {
        self.loading = loading
        self.path = path
        self.inherited = inherited
        self.inheritedByAll = inheritedByAll
        position = namePosition ?? node?.position
        guard let node else { return }
        switch node.value {
        case .mapping(let entries): self.entries = entries
        case .plain(let text) where PlainScalar.isNull(text): break
        case .plain where shorthand != nil, .quoted where shorthand != nil:
            entries = [YAMLNode.Entry(key: shorthand!, keyPosition: node.position, value: node)]
        case .plain, .quoted, .list:
            isBroken = true
            loading.error(
                node.position, path,
                "expected a mapping of keys to values\(shorthand == nil ? "" : ", or a single value"), not \(node.kindName)"
            )
        }
    }

    /// Where this key is, or where its section is.
    func position(of key: String) -> TextPosition? {
        entries.first { $0.key == key }?.keyPosition ?? position
    }

    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// Where the value of a key came from, once it was read.
    func origin(of key: String) -> SettingOrigin { origins[key] ?? inherited[key] ?? inheritedByAll }

    var allOrigins: [String: SettingOrigin] { origins }

    func error(_ key: String, _ message: String) {
        guard !isBroken else { return }
        loading.error(whereabouts(key), path + [key], message)
    }

    /// Of the section as a whole.
    func error(_ message: String) {
        guard !isBroken else { return }
        guard let position else { return loading.error(inheritedByAll, path, message) }
        loading.error(position, path, message)
    }

    func warning(_ key: String, _ message: String) {
        loading.warning(whereabouts(key), path + [key], message)
    }

    /// Where to point at for what is wrong with a key: its value, or where that came from, or the section.
    private func whereabouts(_ key: String) -> SettingOrigin {
        if let origin = origins[key], origin != .standard { return origin }
        guard let position = position(of: key) else { return origin(of: key) }
        return .file(loading.filePosition(position), through: [])
    }

    // MARK: Single values

    /// - Parameters:
    ///   - flag: The flag that beats variable and file, and what it says.
    ///   - environment: The variable that beats the file.
    mutating func value<Value>(
        _ key: String, _ value: inout Value, _ kind: ScalarKind<Value>, flag: (name: String, text: String?)? = nil,
        environment: String? = nil
    ) {
        var optional: Value? = value
        self.optional(key, &optional, kind, flag: flag, environment: environment)
        value = optional ?? value
    }

    /// The same for one that need not have a value.
    mutating func optional<Value>(
        _ key: String, _ value: inout Value?, _ kind: ScalarKind<Value>, flag: (name: String, text: String?)? = nil,
        environment: String? = nil
    ) {
        var origin = inherited[key] ?? inheritedByAll
        // What the file says is checked even where it is beaten.
        if let (fileValue, fileOrigin) = read(key, kind) { (value, origin) = (fileValue, fileOrigin) }
        if let name = environment, let text = loading.environment[name]?.trimmed, !text.isEmpty {
            do throws(WrongValue) {
                (value, origin) = (try kind.parse(text), .environment(name))
            } catch {
                loading.warning(.environment(name), path + [key], "\"\(text)\" is ignored: it \(error.message)")
            }
        }
        if let flag, let text = flag.text {
            do throws(WrongValue) {
                (value, origin) = (try kind.parse(text), .flag(flag.name))
            } catch {
                loading.error(.flag(flag.name), path + [key], "\"\(text)\" \(error.message)")
            }
        }
        guard let value else { return }
        note(key, kind.show(value), isBare: kind.isBare, origin)
    }

    private mutating func read<Value>(_ key: String, _ kind: ScalarKind<Value>) -> (Value, SettingOrigin)? {
        guard let entry = entry(key), let text = text(entry) else { return nil }
        do {
            return (try kind.parse(text.text), text.origin)
        } catch {
            loading.error(entry.value.position, path + [key], "\"\(text.text.shown)\" \(error.message)")
            return nil
        }
    }

    /// A value that is not nothing; nil, and reported, otherwise.
    private func text(_ entry: YAMLNode.Entry) -> FileLoading.Text? {
        guard let text = loading.scalar(entry.value, path + [entry.key]) else { return nil }
        guard !text.isNull else {
            loading.error(entry.value.position, path + [entry.key], "it has no value")
            return nil
        }
        return text
    }

    /// Text that may be shown to nobody: as it stands, or `{file: path}`. Nil, and reported, where there is none to use.
    mutating func secret(_ key: String) -> String? {
        guard let entry = entry(key) else { return nil }
        let keyPath = path + [key]
        if case .mapping = entry.value.value {
            var section = FileSection(loading, entry.value, path: keyPath)
            var file: String?
            section.optional("file", &file, .path)
            section.finish()
            guard let file else {
                if !section.has("file") {
                    loading.error(entry.value.position, keyPath, "expected a value, or {file: PATH}")
                }
                return nil
            }
            guard let text = loading.secret(file: file, entry.value.position, keyPath) else { return nil }
            note(
                key, EffectiveValue.mask, isBare: false,
                .file(loading.filePosition(entry.value.position), through: [file]))
            return text
        }
        guard let text = text(entry) else { return nil }
        guard !text.text.isEmpty else {
            loading.error(entry.value.position, keyPath, "it is empty")
            return nil
        }
        note(key, EffectiveValue.mask, isBare: false, text.origin)
        return text.text
    }

    // MARK: Lists

    /// A list of single values; one value may stand for a list of one. False: it is not all there, for some of it is wrong.
    @discardableResult
    mutating func list<Value: Hashable>(
        _ key: String, _ value: inout [Value], _ kind: ScalarKind<Value>, isShownEmpty: Bool = false
    ) -> Bool {
        var origin = inherited[key] ?? inheritedByAll
        let errors = loading.problems.errors.count
        if let entry = entry(key) {
            let keyPath = path + [key]
            origin = .file(loading.filePosition(entry.value.position), through: [])
            value = []
            for node in elements(entry.value, keyPath) {
                guard let text = loading.scalar(node, keyPath) else { continue }
                do {
                    let element = try kind.parse(text.text)
                    if value.contains(element) {
                        loading.error(node.position, keyPath, "\"\(text.text.shown)\" stands twice in the list")
                    } else {
                        value.append(element)
                    }
                } catch {
                    loading.error(node.position, keyPath, "\"\(text.text.shown)\" \(error.message)")
                }
            }
        }
        let isWhole = loading.problems.errors.count == errors
        guard !value.isEmpty || isShownEmpty || has(key) else { return isWhole }
        origins[key] = origin
        put(
            key,
            .list(
                value.map {
                    .scalar(EffectiveValue.Scalar(text: kind.show($0), isBare: kind.isBare, origin: origin))
                }))
        return isWhole
    }

    /// The elements of a list, or the one that stands for it.
    private func elements(_ node: YAMLNode, _ path: [String]) -> [YAMLNode] {
        switch node.value {
        case .list(let elements): return elements
        case .plain(let text) where PlainScalar.isNull(text): return []
        case .plain, .quoted: return [node]
        case .mapping:
            loading.error(node.position, path, "expected a list, not \(node.kindName)")
            return []
        }
    }

    /// A list of mappings.
    mutating func sections(_ key: String, countMax: Int, _ body: (inout FileSection) -> Void) {
        guard let entry = entry(key) else { return }
        let keyPath = path + [key]
        guard case .list(let elements) = entry.value.value else {
            loading.error(entry.value.position, keyPath, "expected a list of mappings, not \(entry.value.kindName)")
            return
        }
        if elements.count > countMax {
            loading.error(entry.value.position, keyPath, "there are \(elements.count); at most \(countMax) are taken")
        }
        var values: [EffectiveValue] = []
        for (index, node) in elements.prefix(countMax).enumerated() {
            let elementPath = path + ["\(key)[\(index)]"]
            guard case .mapping = node.value else {
                loading.error(node.position, elementPath, "expected a mapping of keys to values, not \(node.kindName)")
                continue
            }
            var section = FileSection(loading, node, path: elementPath)
            body(&section)
            values.append(section.finish())
        }
        put(key, .list(values))
    }

    // MARK: Sections

    /// A mapping in this one.
    /// - Parameter shorthand: The key that a single value in place of the mapping is for.
    mutating func section(
        _ key: String, shorthand: String? = nil, inherited: [String: SettingOrigin] = [:],
        _ body: (inout FileSection) -> Void
    ) {
        let entry = entry(key)
        let node = entry?.value
        var section = FileSection(
            loading, node, at: entry?.keyPosition, path: path + [key], shorthand: shorthand, inherited: inherited,
            inheritedByAll: self.inherited[key] ?? inheritedByAll)
        body(&section)
        origins[key] = node.map { .file(loading.filePosition($0.position), through: []) }
        let value = section.finish()
        if value != .mapping([]) || node != nil { put(key, value) }
    }

    /// A mapping whose keys are names that the user chose. `body` gets each with where it stands and its node, and returns what came out.
    mutating func named(
        _ key: String, countMax: Int, _ body: (String, TextPosition, YAMLNode) -> EffectiveValue?
    ) -> [EffectiveValue.Entry] {
        guard let entry = entry(key) else { return [] }
        let keyPath = path + [key]
        switch entry.value.value {
        case .mapping(let entries):
            if entries.count > countMax {
                loading.error(
                    entry.value.position, keyPath, "there are \(entries.count); at most \(countMax) are taken")
            }
            return entries.prefix(countMax).compactMap { entry in
                body(entry.key, entry.keyPosition, entry.value).map { EffectiveValue.Entry(key: entry.key, value: $0) }
            }
        case .plain(let text) where PlainScalar.isNull(text): return []
        case .plain, .quoted, .list:
            loading.error(
                entry.value.position, keyPath, "expected a mapping of names to settings, not \(entry.value.kindName)")
            return []
        }
    }

    // MARK: Other forms

    /// The node of a key, for values that have several forms.
    mutating func node(_ key: String) -> YAMLNode? { entry(key)?.value }

    /// Notes a value that another way than `value` has read.
    mutating func note(_ key: String, _ text: String, isBare: Bool = false, _ origin: SettingOrigin) {
        origins[key] = origin
        put(key, .scalar(EffectiveValue.Scalar(text: text, isBare: isBare, origin: origin)))
    }

    mutating func put(_ key: String, _ value: EffectiveValue) {
        effective.append(EffectiveValue.Entry(key: key, value: value))
    }

    /// Every key that there is, once, in the order of the file.
    var keys: [String] { entries.map(\.key) }

    /// Reports keys that nobody asked for, and returns what came out.
    @discardableResult
    mutating func finish() -> EffectiveValue {
        for entry in entries where !known.contains(entry.key) {
            let nearest = Spelling.nearest(entry.key, of: known).map { "; did you mean \"\($0)\"?" } ?? "."
            let there =
                known.isEmpty
                ? "no keys are allowed here"
                : "There \(known.count == 1 ? "is" : "are"): \(known.joined(separator: ", "))"
            loading.error(
                entry.keyPosition, path + [entry.key], "there is no such key\(nearest) \(there)")
        }
        return .mapping(effective)
    }

    private mutating func entry(_ key: String) -> YAMLNode.Entry? {
        if !known.contains(key) { known.append(key) }
        return entries.first { $0.key == key }
    }
}

extension String {
    /// What is quoted of a value in a message: not too much, and no password of a URL.
    var shown: String {
        var text = self
        if let start = text.firstRange(of: "://")?.upperBound, let at = text[start...].firstIndex(of: "@") {
            text.replaceSubrange(start..<at, with: EffectiveValue.mask)
        }
        return text.count > 80 ? String(text.prefix(79)) + "…" : text
    }
}
