internal import CV8

/// A native function that JavaScript sees on the `ops` object.
public struct Op: Sendable {
    public typealias Callback =
        @Sendable @convention(c) (_ context: UnsafeMutableRawPointer?, _ arguments: OpaquePointer) -> Void

    public let name: String
    public let callback: Callback

    /// - Parameter callback: makes an `OpCall` of its two arguments, first thing.
    public init(_ name: String, _ callback: @escaping Callback) {
        self.name = name
        self.callback = callback
    }

    /// Registers ops for the process. Call once, before the first isolate: a snapshot refers to ops by their order.
    public static func register(_ ops: [Op]) {
        for op in ops {
            let added = sl_v8_op_register(op.name, op.callback)
            precondition(added, "op \(op.name) is registered twice, or the table is full")
        }
    }
}

/// What ops get at: made by `Realm.installOps`, kept by the realm.
final class OpContext {
    unowned let realm: Realm
    let host: AnyObject

    init(realm: Realm, host: AnyObject) {
        self.realm = realm
        self.host = host
    }
}

/// One call of an op: its arguments and result. Valid until the op returns.
public struct OpCall {
    private let context: OpContext
    private let raw: OpaquePointer

    public init(_ context: UnsafeMutableRawPointer?, _ arguments: OpaquePointer) {
        guard let context else { preconditionFailure("an op was called while the snapshot is made") }
        self.context = Unmanaged<OpContext>.fromOpaque(context).takeUnretainedValue()
        raw = arguments
    }

    public var realm: Realm { context.realm }
    public var isolate: Isolate { context.realm.isolate }

    /// What `Realm.installOps` was given.
    public func host<Host: AnyObject>(as type: Host.Type) -> Host { unsafeDowncast(context.host, to: type) }

    // MARK: Arguments

    public var count: Int { sl_v8_args_count(raw) }
    /// NaN when it is not a number.
    public func number(_ index: Int) -> Double { sl_v8_args_number(raw, index) }
    /// A number as a whole one, clamped; `nan` when it is not a number.
    public func integer(_ index: Int, nan: Int = 0) -> Int {
        let number = sl_v8_args_number(raw, index)
        return number.isNaN ? nan : Int(max(-0x1p53, min(0x1p53, number)))
    }
    /// The low 64 bits of a BigInt; a number without its fraction, clamped; 0 of anything else.
    public func int64(_ index: Int) -> Int64 { sl_v8_args_int64(raw, index) }
    public func bool(_ index: Int) -> Bool { sl_v8_args_bool(raw, index) }
    /// ToString of primitives; empty for objects.
    public func string(_ index: Int) -> String { String(taking: sl_v8_args_string(raw, index)) }
    public func value(_ index: Int) -> Value { Value(sl_v8_args_value(raw, index), isolate) }
    public func isNullOrUndefined(_ index: Int) -> Bool {
        let type = sl_v8_args_type(raw, index)
        return type == SL_V8_UNDEFINED || type == SL_V8_NULL
    }

    /// UTF-8 of a string argument, in place until the closure returns.
    public func withUTF8<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let string = sl_v8_args_string(raw, index)
        defer { sl_v8_string_free(string) }
        return try body(UnsafeRawBufferPointer(start: string.bytes, count: string.length))
    }

    /// The bytes of an ArrayBuffer or view, in place, valid until JavaScript runs again; nil when it is none.
    public func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer? {
        var start: UnsafeMutablePointer<UInt8>?
        var length = 0
        guard sl_v8_args_bytes(raw, index, &start, &length) else { return nil }
        return UnsafeMutableRawBufferPointer(start: start, count: length)
    }

    /// Writes a string argument's UTF-8; how many bytes, or -1 when there is no room.
    public func writeUTF8(_ index: Int, to target: UnsafeMutableRawBufferPointer) -> Int {
        guard let start = target.baseAddress else { return -1 }
        return sl_v8_args_write_utf8(raw, index, start, target.count)
    }

    /// Writes as many whole characters of a string argument as fit, as UTF-8: how many UTF-16 units they are, and how many bytes.
    public func writeUTF8Prefix(_ index: Int, to target: UnsafeMutableRawBufferPointer) -> (units: Int, bytes: Int) {
        guard let start = target.baseAddress else { return (0, 0) }
        var units = 0
        let bytes = sl_v8_args_write_utf8_prefix(raw, index, start, target.count, &units)
        return (units, bytes)
    }

    /// Bytes that a string argument's UTF-8 can have at most; 0 when it is no string.
    public func utf8Max(_ index: Int) -> Int { sl_v8_args_utf8_max(raw, index) }

    /// What an object is by V8's own knowledge; the numbers are those of `sl_v8_brand`, 0 for all that has no name there.
    public func brand(_ index: Int) -> Int { Int(sl_v8_args_brand(raw, index).rawValue) }

    public func isString(_ index: Int) -> Bool { sl_v8_args_type(raw, index) == SL_V8_STRING }

    /// Writes a string argument's units as Latin-1; how many, or -1: no string, no room, or units over 255.
    public func writeLatin1(_ index: Int, to target: UnsafeMutableRawBufferPointer) -> Int {
        guard let start = target.baseAddress else { return -1 }
        return sl_v8_args_write_latin1(raw, index, start, target.count)
    }

    // MARK: Messages

    /// Serializes an argument, and moves what the array at `transfer` lists. Nil: JavaScript has an exception pending; return from the op right after.
    /// - Parameter refuse: the argument that has a function to refuse objects with (`sl_v8_args_write_message`).
    public func writeMessage(_ value: Int, transfer: Int, refuse: Int) -> Message? {
        sl_v8_args_write_message(raw, value, transfer, refuse).map(Message.init)
    }

    /// Makes what a message says the result. A message that moves memory is read once. False: as above.
    /// - Parameters:
    ///   - objects: the argument that has an array of host objects for those transferred.
    ///   - revived: the argument that has an array to add serializable objects to, each with its payload.
    @discardableResult public func returns(_ message: Message, objects: Int, revived: Int) -> Bool {
        sl_v8_args_return_message(raw, message.raw, objects, revived)
    }

    /// Makes a new serializable object the result (`sl_v8_args_return_serializable`).
    public func returnsSerializable(prototype: Int, payload: Int) {
        sl_v8_args_return_serializable(raw, prototype, payload)
    }

    /// Makes a new host object the result: messages know it by its number.
    public func returnsHostObject(_ number: Int) { sl_v8_args_return_host_object(raw, Double(number)) }

    // MARK: Result

    public func returns(_ number: Double) { sl_v8_args_return_number(raw, number) }
    public func returns(_ flag: Bool) { sl_v8_args_return_bool(raw, flag) }
    public func returns(_ value: Value) { sl_v8_args_return_value(raw, value.raw) }
    public func returnsNull() { sl_v8_args_return_null(raw) }

    public func returns(_ text: String) {
        var text = text
        text.withUTF8 { returns(utf8: UnsafeRawBufferPointer($0)) }
    }

    public func returns(utf8: UnsafeRawBufferPointer) {
        sl_v8_args_return_string(raw, utf8.baseAddress?.assumingMemoryBound(to: CChar.self) ?? noBytes, utf8.count)
    }

    /// False: it is not ASCII, and no result.
    public func returns(ascii: UnsafeRawBufferPointer) -> Bool {
        sl_v8_args_return_ascii(raw, ascii.baseAddress?.assumingMemoryBound(to: CChar.self) ?? noBytes, ascii.count)
    }

    /// What a proxy, promise, iterator or weak collection holds, as an array of two; null for anything else (`sl_v8_args_return_inside`).
    public func returnsInside(of index: Int) { sl_v8_args_return_inside(raw, index) }

    /// Has V8 keep an object's properties in a dictionary, until it is a prototype again (`sl_v8_args_make_slow`).
    public func makeSlow(_ index: Int) { sl_v8_args_make_slow(raw, index) }

    /// The UTF-8 of a string argument, as a new Uint8Array.
    public func returnsUTF8(of index: Int) { sl_v8_args_return_utf8_of(raw, index) }

    /// UTF-16 units; they are overwritten.
    public func returns(utf16: UnsafeMutableBufferPointer<UInt16>) {
        sl_v8_args_return_utf16(raw, utf16.baseAddress, utf16.count)
    }

    /// Throws an error of this kind into JavaScript; return from the op right after.
    public func throwError(_ kind: ErrorKind, _ message: String, code: String? = nil) {
        var message = message
        message.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                sl_v8_args_throw(raw, kind.rawValue, $0.baseAddress ?? noBytes, $0.count, code)
            }
        }
    }

    /// Throws again what a call inside the op has thrown.
    public func rethrow(_ failure: JSFailure) {
        if case .exception(let exception) = failure, let thrown = exception.thrown {
            sl_v8_args_throw_value(raw, thrown.raw)
        }
    }
}

/// Constructors of JavaScript errors.
public enum ErrorKind: String, Sendable {
    case error = "Error", type = "TypeError", range = "RangeError", syntax = "SyntaxError"
}
