// Rules on attributes act one after the other, each on what the one before it left. To do that in one pass over the
// bytes, the walk only notes the attributes whose keys some rule names (mostly none or one); the rules run over these
// notes; then what has changed is written. All other attributes are never taken apart.

internal import Configuration
internal import Telemetry
internal import Wire

/// Compiled rules, and the notes of one message at a time.
struct AttributeProgram {
    /// More attributes of one message that rules name are a malformed message: keys have to be unique.
    static let entriesMax = 4_096

    private enum Operation {
        case add(Constant)
        case set(Constant)
        case rename([UInt8], to: [UInt8])
        case delete(TextPattern)
        case hash(TextPattern, ValueHash)
    }

    private struct Constant {
        let key: [UInt8]
        /// The `value` field of a `KeyValue`, frame included.
        let value: [UInt8]
    }

    private enum Key {
        case source(Range<Int>)
        case constant([UInt8])
    }

    private enum Value {
        /// The `value` field, frame included; empty: there is none.
        case source(Range<Int>)
        case constant([UInt8])
    }

    private struct Entry {
        /// The attribute's field; nil for one that was added.
        let field: FieldCursor?
        var key: Key
        var value: Value
        var isChanged = false
        var isDeleted = false
    }

    private let operations: [Operation]
    private let keys: KeySet
    /// Whether an attribute may be added to a message that has none a rule names.
    private let adds: Bool
    private var entries: [Entry] = []
    /// Attributes that were added, changed or deleted.
    private(set) var changes = 0

    var isEmpty: Bool { operations.isEmpty }

    init(_ actions: [AttributeAction]) throws(ProcessorError) {
        var exact: [String] = []
        var globs: [String] = []
        var adds = false
        var operations: [Operation] = []
        for action in actions {
            switch action {
            case .add(let key, let value):
                exact.append(key)
                adds = true
                operations.append(.add(Self.constant(key, value)))
            case .set(let key, let value):
                exact.append(key)
                adds = true
                operations.append(.set(Self.constant(key, value)))
            case .rename(let key, let to):
                exact += [key, to]
                operations.append(.rename(Array(key.utf8), to: Array(to.utf8)))
            case .delete(let key):
                if key.utf8.contains(0x2A) { globs.append(key) } else { exact.append(key) }
                operations.append(.delete(TextPattern(glob: key)))
            case .hash(let key, let salt):
                if key.utf8.contains(0x2A) { globs.append(key) } else { exact.append(key) }
                operations.append(.hash(TextPattern(glob: key), try ValueHash(salt: salt ?? "")))
            }
        }
        self.operations = operations
        self.adds = adds
        keys = KeySet(exact: exact, patterns: globs)
    }

    private static func constant(_ key: String, _ value: AttributeValue) -> Constant {
        var writer = ProtobufWriter(capacity: 256)
        OTLP.encode(value: value, field: 2, into: &writer)
        return Constant(key: Array(key.utf8), value: writer.takeBytes())
    }

    mutating func takeChanges() -> Int {
        defer { changes = 0 }
        return changes
    }

    // MARK: one message

    /// Runs the rules over the attributes of the message that the editor entered last. False: the message is malformed.
    mutating func run(_ fields: FieldCursor, attributes tag: UInt32, _ editor: inout Editor) -> Bool {
        var fields = fields
        while fields.next() {
            guard fields.tag == tag else { continue }
            guard note(fields) else { return false }
        }
        guard !fields.isBroken else { return false }
        guard adds || !entries.isEmpty else { return true }
        for operation in operations { apply(operation, fields) }
        write(tag >> 3, end: fields.end, &editor)
        entries.removeAll(keepingCapacity: true)
        return true
    }

    /// Forgets a message that was left half way.
    mutating func reset() { entries.removeAll(keepingCapacity: true) }

    @inline(__always)
    private mutating func note(_ field: FieldCursor) -> Bool {
        var parts = field.message
        guard parts.next(), parts.tag == Tag.KeyValue.key, !keys.contains(parts.bytes(parts.value)) else {
            return noteOdd(field)
        }
        // The usual attribute ends with its value; where more comes, another key may.
        guard parts.next() else { return !parts.isBroken }
        return parts.tag == Tag.KeyValue.value && parts.offset == parts.end || noteOdd(field)
    }

    /// An attribute whose parts may come in any order; of parts that come twice the last counts.
    private mutating func noteOdd(_ field: FieldCursor) -> Bool {
        var parts = field.message
        var key = 0..<0
        var value = 0..<0
        while parts.next() {
            switch parts.tag {
            case Tag.KeyValue.key: key = parts.value
            case Tag.KeyValue.value: value = parts.frame
            default: break
            }
        }
        guard !parts.isBroken else { return false }
        guard keys.contains(parts.bytes(key)) else { return true }
        return add(field, key, value)
    }

    private mutating func add(_ field: FieldCursor, _ key: Range<Int>, _ value: Range<Int>) -> Bool {
        guard entries.count < Self.entriesMax else { return false }
        entries.append(Entry(field: field, key: .source(key), value: .source(value)))
        return true
    }

    // MARK: rules

    private mutating func apply(_ operation: Operation, _ fields: FieldCursor) {
        switch operation {
        case .add(let constant):
            if !entries.contains(where: { has($0, constant.key, fields) }) { append(constant) }
        case .set(let constant):
            var isThere = false
            for index in entries.indices where has(entries[index], constant.key, fields) {
                entries[index].value = .constant(constant.value)
                entries[index].isChanged = true
                isThere = true
            }
            if !isThere { append(constant) }
        case .rename(let key, let to):
            guard key != to, entries.contains(where: { has($0, key, fields) }) else { return }
            for index in entries.indices {
                if has(entries[index], to, fields) {
                    entries[index].isDeleted = true
                } else if has(entries[index], key, fields) {
                    entries[index].key = .constant(to)
                    entries[index].isChanged = true
                }
            }
        case .delete(let pattern):
            for index in entries.indices where !entries[index].isDeleted && matches(entries[index], pattern, fields) {
                entries[index].isDeleted = true
            }
        case .hash(let pattern, let hash):
            for index in entries.indices where !entries[index].isDeleted && matches(entries[index], pattern, fields) {
                guard let value = hashed(entries[index].value, hash, fields) else { continue }
                entries[index].value = .constant(value)
                entries[index].isChanged = true
            }
        }
    }

    private mutating func append(_ constant: Constant) {
        entries.append(
            Entry(field: nil, key: .constant(constant.key), value: .constant(constant.value), isChanged: true))
    }

    private func has(_ entry: Entry, _ key: [UInt8], _ fields: FieldCursor) -> Bool {
        guard !entry.isDeleted else { return false }
        switch entry.key {
        case .source(let range): return key.isEqual(to: fields.bytes(range))
        case .constant(let bytes): return bytes == key
        }
    }

    private func matches(_ entry: Entry, _ pattern: TextPattern, _ fields: FieldCursor) -> Bool {
        switch entry.key {
        case .source(let range): pattern.matches(fields.bytes(range))
        case .constant(let bytes): bytes.withUnsafeBytes { pattern.matches($0) }
        }
    }

    /// The `value` field with the hash of a value: of a text's and of bytes' content, of a number's and a truth value's
    /// text, of a list's encoding. Nil where there is no value.
    private func hashed(_ value: Value, _ hash: ValueHash, _ fields: FieldCursor) -> [UInt8]? {
        let digits: [UInt8]?
        switch value {
        case .source(let range): digits = Self.content(FieldCursor(fields.base, range)) { hash.hex($0) }
        case .constant(let bytes):
            digits = bytes.withUnsafeBytes { Self.content(FieldCursor($0.baseAddress!, 0..<$0.count)) { hash.hex($0) } }
        }
        guard let digits else { return nil }
        var writer = ProtobufWriter(capacity: 128)
        writer.message(2) { $0.putBytes(1, digits) }
        return writer.takeBytes()
    }

    /// Calls `body` with what stands for the value behind the cursor as bytes.
    private static func content(_ field: FieldCursor, _ body: (UnsafeRawBufferPointer) -> [UInt8]) -> [UInt8]? {
        var field = field
        guard field.next() else { return nil }
        return AnyValueText.withContent(field.message, body)
    }

    // MARK: output

    private mutating func write(_ field: UInt32, end: Int, _ editor: inout Editor) {
        for entry in entries {
            guard let cursor = entry.field else { continue }
            if entry.isDeleted {
                editor.cut(cursor.frame)
                changes += 1
            } else if entry.isChanged {
                editor.enter(cursor)
                editor.cut(cursor.value)
                put(entry, cursor, &editor)
                editor.leave()
                changes += 1
            }
        }
        for entry in entries where entry.field == nil && !entry.isDeleted {
            editor.cut(end..<end)
            let mark = editor.writer.begin(field)
            put(entry, nil, &editor)
            editor.writer.end(mark)
            changes += 1
        }
    }

    private func put(_ entry: Entry, _ cursor: FieldCursor?, _ editor: inout Editor) {
        switch entry.key {
        case .source(let range): if let cursor { editor.writer.putBytes(1, cursor.bytes(range)) }
        case .constant(let bytes): editor.writer.putBytes(1, bytes)
        }
        switch entry.value {
        case .source(let range): if let cursor { editor.writer.putRaw(cursor.bytes(range)) }
        case .constant(let bytes): bytes.withUnsafeBytes { editor.writer.putRaw($0) }
        }
    }
}

/// A value as text, for rules that compare or hash it.
enum AnyValueText {
    /// Calls `body` with the content of the `AnyValue` whose fields begin at the cursor; nil when it is empty or
    /// malformed.
    static func withContent<Result>(_ value: FieldCursor, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        var fields = value
        var last: FieldCursor?
        while fields.next() { last = fields }
        guard !fields.isBroken, let last else { return nil }
        func text(_ text: String) -> Result {
            var text = text
            return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
        }
        switch last.tag {
        case Tag.AnyValue.string, Tag.AnyValue.bytes: return body(last.bytes(last.value))
        case Tag.AnyValue.bool: return text(last.varintValue != 0 ? "true" : "false")
        case Tag.AnyValue.int: return text(String(Int64(bitPattern: last.varintValue)))
        case Tag.AnyValue.double: return text("\(Double(bitPattern: last.fixed64Value))")
        case Tag.AnyValue.array, Tag.AnyValue.map: return body(last.bytes(last.value))
        default: return nil
        }
    }
}
