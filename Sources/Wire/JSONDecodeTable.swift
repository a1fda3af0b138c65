// The tables of JSONShape.swift as the reader of bulk JSON wants them: plain memory that is made once and never freed, names as words that
// are compared without a loop. In an object whose members come in the order of the table, as they do from all that write them by one
// themselves, each name costs one comparison.

import Telemetry

/// A member's name of at most 24 bytes as words; a longer one equals none.
struct JSONName: Equatable {
    private let length: Int
    private let head: UInt64
    private let middle: UInt64
    private let tail: UInt64

    static let bytesMax = 24

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) {
        let count = bytes.count
        length = count
        guard let base = bytes.baseAddress, count > 0 else {
            (head, middle, tail) = (0, 0, 0)
            return
        }
        if count >= 8 {
            head = base.loadUnaligned(as: UInt64.self)
            middle = count > 16 ? base.loadUnaligned(fromByteOffset: 8, as: UInt64.self) : 0
            tail = base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        } else if count >= 4 {
            head = UInt64(base.loadUnaligned(as: UInt32.self))
            middle = 0
            tail = UInt64(base.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        } else {
            head = UInt64(bytes[0])
            middle = UInt64(bytes[count / 2])
            tail = UInt64(bytes[count - 1])
        }
    }

    init(_ text: String) {
        self = Array(text.utf8).withUnsafeBytes { JSONName($0) }
        precondition(length <= Self.bytesMax, "a name of \(length) bytes: \(text)")
    }
}

extension JSONString {
    /// The string as a member's name.
    @inline(__always)
    func asName() throws(DecodeError) -> JSONName {
        guard bytes.count <= JSONName.bytesMax, !hasEscapes else { return try escapedName() }
        return JSONName(bytes)
    }

    @inline(never)
    private func escapedName() throws(DecodeError) -> JSONName {
        guard hasEscapes else { return JSONName(bytes) }
        return Array(try text().utf8).withUnsafeBytes { JSONName($0) }
    }
}

/// A message's fields.
struct JSONDecodeMessage {
    var fields: UnsafeMutablePointer<JSONDecodeField>
    var count: Int
    /// Its values count as a level of nesting.
    var isAnyValue: Bool

    /// The field of a name, looked for from `expected` on, which then is the place behind it.
    @inline(__always)
    func field(_ name: JSONName, _ expected: inout Int) -> UnsafeMutablePointer<JSONDecodeField>? {
        var index = expected
        for _ in 0..<count {
            if index >= count { index = 0 }
            if fields[index].name == name {
                expected = index &+ 1
                return fields + index
            }
            index &+= 1
        }
        return snakeCased(name)
    }

    /// Protobuf's JSON form lets the names of the .proto files pass as well.
    @inline(never)
    private func snakeCased(_ name: JSONName) -> UnsafeMutablePointer<JSONDecodeField>? {
        for index in 0..<count where fields[index].snakeCasedName == name { return fields + index }
        return nil
    }
}

struct JSONDecodeField {
    enum Kind: UInt8 {
        case string, bytes, traceID, spanID, bool, uint32, sint32, int64, uint64, fixed32, fixed64, sfixed64, double
        case enumeration, message
    }

    let name: JSONName
    let snakeCasedName: JSONName
    let number: UInt32
    /// Of the members of a oneof the same.
    let bit: UInt32
    let kind: Kind
    let isRepeated: Bool
    /// Written even if it is 0, false or "".
    let keepsDefault: Bool
    let enumeration: JSONEnumeration
    /// Of `kind` message.
    let message: UnsafeMutablePointer<JSONDecodeMessage>?

    fileprivate init(_ field: JSONField, bit: UInt32, message: UnsafeMutablePointer<JSONDecodeMessage>?) {
        name = JSONName(field.name)
        snakeCasedName = JSONName(
            field.name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) })
        number = field.number
        self.bit = bit
        isRepeated = field.isRepeated
        keepsDefault = field.isOneof || field.isOptional || field.isRepeated
        var enumeration = JSONEnumeration.spanKind
        switch field.type {
        case .string: kind = .string
        case .bytes: kind = .bytes
        case .traceID: kind = .traceID
        case .spanID: kind = .spanID
        case .bool: kind = .bool
        case .uint32: kind = .uint32
        case .sint32: kind = .sint32
        case .int64: kind = .int64
        case .uint64: kind = .uint64
        case .fixed32: kind = .fixed32
        case .fixed64: kind = .fixed64
        case .sfixed64: kind = .sfixed64
        case .double: kind = .double
        case .enumeration(let names):
            kind = .enumeration
            enumeration = names
        case .message: kind = .message
        }
        self.enumeration = enumeration
        self.message = message
    }
}

struct JSONDecodeTables: @unchecked Sendable {
    // Written by `init` only.
    private var messages: [JSONShape: UnsafeMutablePointer<JSONDecodeMessage>] = [:]

    static let all = JSONDecodeTables()

    subscript(shape: JSONShape) -> UnsafeMutablePointer<JSONDecodeMessage> {
        guard let message = messages[shape] else { preconditionFailure("no table of \(shape)") }
        return message
    }

    private init() {
        for signal in Signal.allCases { _ = add(.request(signal)) }
    }

    /// The message is known before its fields are, since an `AnyValue` may contain others.
    private mutating func add(_ shape: JSONShape) -> UnsafeMutablePointer<JSONDecodeMessage> {
        if let known = messages[shape] { return known }
        let message = UnsafeMutablePointer<JSONDecodeMessage>.allocate(capacity: 1)
        messages[shape] = message
        let fields = shape.fields
        let memory = UnsafeMutablePointer<JSONDecodeField>.allocate(capacity: fields.count)
        message.initialize(
            to: JSONDecodeMessage(fields: memory, count: fields.count, isAnyValue: shape == .anyValue))
        let oneofBit = fields.firstIndex { $0.isOneof } ?? 0
        for (index, field) in fields.enumerated() {
            var inner: UnsafeMutablePointer<JSONDecodeMessage>?
            if case .message(let shape) = field.type { inner = add(shape) }
            let bit = UInt32(1) << UInt32(field.isOneof ? oneofBit : index)
            (memory + index).initialize(to: JSONDecodeField(field, bit: bit, message: inner))
        }
        return message
    }
}
