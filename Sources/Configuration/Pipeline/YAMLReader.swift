// YAML texts by libyaml's events. Not by its documents, nor by a library that makes a tree: from events all keys that stand twice can be told at once,
// aliases are counted before they are written out, and nothing is hashed or compared that an alias could have blown up.
//
// Bounds: `textBytesMax` at the door; `depthMax` levels and `nodesMax` values, each use of an alias counted with all that is in it, while reading. libyaml
// itself does not recurse and looks ahead by at most 1,024 characters of one line.

internal import CYAML

struct YAMLReader {
    static let textBytesMax = 1 << 20
    static let depthMax = 32
    static let nodesMax = 20_000
    static let keyBytesMax = 256
    private static let tagPrefix = "tag:yaml.org,2002:"

    struct Problem: Error, Equatable {
        var position: TextPosition
        var message: String
    }

    /// Problems that did not stand in the way of reading on.
    private(set) var problems: [Problem] = []

    private enum Frame {
        case list([YAMLNode])
        case mapping([YAMLNode.Entry], firsts: [String: TextPosition], key: Key?)
    }

    private struct Key {
        /// Nil: the pair is left out, with what belongs to it.
        var text: String?
        var position: TextPosition
    }

    private struct Level {
        var frame: Frame
        var position: TextPosition
        var anchor: String?
    }

    private var stack: [Level] = []
    private var anchors: [String: YAMLNode] = [:]
    private var nodes = 0
    private var root: YAMLNode?

    /// The one document of a text; nil when there is nothing in it.
    /// - Throws: what made it impossible to read on.
    static func read(_ bytes: [UInt8]) throws(Problem) -> (root: YAMLNode?, problems: [Problem]) {
        guard bytes.count <= textBytesMax else {
            throw Problem(
                position: TextPosition(line: 1, column: 1),
                message: "the file has \(bytes.count) bytes; at most \(textBytesMax) are read")
        }
        if let position = invalidUTF8(bytes) {
            throw Problem(position: position, message: "this is not UTF-8")
        }
        guard !bytes.isEmpty else { return (nil, []) }
        var reader = YAMLReader()
        try reader.run(bytes)
        return (reader.root, reader.problems)
    }

    // MARK: Events

    private mutating func run(_ bytes: [UInt8]) throws(Problem) {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { preconditionFailure("no memory for a YAML parser") }
        defer { yaml_parser_delete(&parser) }
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        let failure: Problem? = bytes.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            do throws(Problem) {
                var hasDocument = false
                while true {
                    var event = yaml_event_t()
                    guard yaml_parser_parse(&parser, &event) == 1 else { throw Self.problem(of: parser, bytes) }
                    defer { yaml_event_delete(&event) }
                    if event.type == YAML_STREAM_END_EVENT { return nil }
                    if event.type == YAML_DOCUMENT_START_EVENT {
                        guard !hasDocument else {
                            throw Problem(
                                position: TextPosition(event.start_mark),
                                message: "a second document begins here; the file may hold only one")
                        }
                        hasDocument = true
                    }
                    try take(event)
                }
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private mutating func take(_ event: yaml_event_t) throws(Problem) {
        let position = TextPosition(event.start_mark)
        switch event.type {
        case YAML_ALIAS_EVENT:
            let name = String(yaml: event.data.alias.anchor) ?? ""
            guard let node = anchors[name] else {
                throw Problem(position: position, message: "there is no anchor \"&\(name)\" before this alias")
            }
            try add(node, at: position)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            checkTag(scalar.tag, position)
            let tag = String(yaml: scalar.tag)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && tag != "!" && tag != Self.tagPrefix + "str"
            let node = YAMLNode(value: isPlain ? .plain(text) : .quoted(text), position: position)
            if let anchor = String(yaml: scalar.anchor) { anchors[anchor] = node }
            try add(node, at: position)
        case YAML_SEQUENCE_START_EVENT:
            checkTag(event.data.sequence_start.tag, position)
            try open(.list([]), position, anchor: String(yaml: event.data.sequence_start.anchor))
        case YAML_MAPPING_START_EVENT:
            checkTag(event.data.mapping_start.tag, position)
            try open(
                .mapping([], firsts: [:], key: nil), position, anchor: String(yaml: event.data.mapping_start.anchor))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: try close()
        default: break
        }
    }

    // MARK: Tree

    private mutating func open(_ frame: Frame, _ position: TextPosition, anchor: String?) throws(Problem) {
        guard stack.count < Self.depthMax else { throw Self.tooDeep(position) }
        stack.append(Level(frame: frame, position: position, anchor: anchor))
    }

    private mutating func close() throws(Problem) {
        let level = stack.removeLast()
        var node: YAMLNode
        switch level.frame {
        case .list(let elements):
            node = YAMLNode(value: .list(elements), position: level.position)
            node.measure(elements)
        case .mapping(let entries, _, _):
            node = YAMLNode(value: .mapping(entries), position: level.position)
            node.measure(entries.lazy.map(\.value))
        }
        if let anchor = level.anchor { anchors[anchor] = node }
        // What is in it was counted when it was added.
        try attach(node, at: level.position, counting: 1)
    }

    private mutating func add(_ node: YAMLNode, at position: TextPosition) throws(Problem) {
        guard stack.count + node.height <= Self.depthMax else { throw Self.tooDeep(position) }
        try attach(node, at: position, counting: node.size)
    }

    private mutating func attach(_ node: YAMLNode, at position: TextPosition, counting count: Int) throws(Problem) {
        nodes += count
        guard nodes <= Self.nodesMax else {
            throw Problem(
                position: position,
                message: "there are more than \(Self.nodesMax) values up to here, each use of an alias counted")
        }
        guard var level = stack.popLast() else {
            root = node
            return
        }
        switch level.frame {
        case .list(var elements):
            level.frame = .list([])  // so that the elements are not copied
            elements.append(node)
            level.frame = .list(elements)
        case .mapping(var entries, var firsts, let key):
            level.frame = .list([])
            if let key {
                if let text = key.text {
                    entries.append(YAMLNode.Entry(key: text, keyPosition: key.position, value: node))
                }
                level.frame = .mapping(entries, firsts: firsts, key: nil)
            } else {
                let key = self.key(node, at: position, &firsts)
                level.frame = .mapping(entries, firsts: firsts, key: key)
            }
        }
        stack.append(level)
    }

    private mutating func key(
        _ node: YAMLNode, at position: TextPosition, _ firsts: inout [String: TextPosition]
    ) -> Key {
        let text: String
        switch node.value {
        case .plain(let plain): text = plain
        case .quoted(let quoted): text = quoted
        case .list, .mapping:
            problems.append(
                Problem(position: position, message: "a key has to be a single value, not \(node.kindName)"))
            return Key(text: nil, position: position)
        }
        guard text.utf8.count <= Self.keyBytesMax else {
            problems.append(
                Problem(position: position, message: "a key of more than \(Self.keyBytesMax) bytes"))
            return Key(text: nil, position: position)
        }
        if let first = firsts[text] {
            problems.append(
                Problem(
                    position: position,
                    message: "the key \"\(text)\" stands twice; the first is at line \(first.line)"))
            return Key(text: nil, position: position)
        }
        firsts[text] = position
        return Key(text: text, position: position)
    }

    /// The standard tags say what a value is anyway; others would ask for something that is not done.
    private mutating func checkTag(_ tag: UnsafeMutablePointer<yaml_char_t>?, _ position: TextPosition) {
        guard let tag = String(yaml: tag), tag != "!" else { return }
        let standard = ["str", "int", "float", "bool", "null", "seq", "map"].map { Self.tagPrefix + $0 }
        guard !standard.contains(tag) else { return }
        problems.append(Problem(position: position, message: "the tag \"\(tag)\" has no meaning here"))
    }

    private static func tooDeep(_ position: TextPosition) -> Problem {
        Problem(position: position, message: "lists and mappings are more than \(depthMax) levels deep here")
    }

    // MARK: Errors

    private static func problem(of parser: yaml_parser_t, _ bytes: [UInt8]) -> Problem {
        let what = parser.problem.map { String(cString: $0) } ?? "no memory"
        if parser.error == YAML_READER_ERROR {
            let position = position(ofByte: Int(clamping: parser.problem_offset), in: bytes)
            return Problem(position: position, message: "this is no YAML: \(what)")
        }
        let position = TextPosition(parser.problem_mark)
        var message = "this is no YAML: \(what)"
        if let context = parser.context {
            message += " \(String(cString: context)) (from line \(parser.context_mark.line + 1))"
        }
        let index = Int(clamping: parser.problem_mark.index)
        if what.contains("cannot start any token") {
            let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
            let character = scalars.dropFirst(index).first
            switch character {
            case "\t": message += "; indent with spaces, not with tabs"
            case let character?: message += "; put quotes around a value that begins with \(String(character))"
            case nil: break
            }
        } else if what.contains("mapping values are not allowed") {
            message += "; put quotes around a value with \": \" in it"
        }
        return Problem(position: position, message: message)
    }

    /// The first byte that is no UTF-8; nil: all of it is.
    private static func invalidUTF8(_ bytes: [UInt8]) -> TextPosition? {
        var codec = UTF8()
        var iterator = bytes.makeIterator()
        var position = TextPosition(line: 1, column: 1)
        while true {
            switch codec.decode(&iterator) {
            case .emptyInput: return nil
            case .error: return position
            case .scalarValue("\n"): position = TextPosition(line: position.line + 1, column: 1)
            case .scalarValue: position.column += 1
            }
        }
    }

    private static func position(ofByte offset: Int, in bytes: [UInt8]) -> TextPosition {
        let before = bytes.prefix(offset)
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        // Bytes that begin a character.
        let column = bytes[lineStart..<before.endIndex].count { $0 & 0xC0 != 0x80 } + 1
        return TextPosition(line: before.count { $0 == 0x0A } + 1, column: column)
    }
}

extension TextPosition {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }
}

extension YAMLNode {
    fileprivate mutating func measure(_ children: some Sequence<YAMLNode>) {
        for child in children {
            size += child.size
            height = max(height, child.height)
        }
        height += 1
    }
}

extension String {
    fileprivate init?(yaml text: UnsafeMutablePointer<yaml_char_t>?) {
        guard let text else { return nil }
        self.init(decodingCString: text, as: UTF8.self)
    }
}
