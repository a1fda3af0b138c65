internal import CV8

/// A strong handle to a JavaScript value. Bound to its isolate's thread.
public final class Value {
    public enum Kind: Sendable {
        case undefined, null, bool, number, bigint, string, symbol, function, array, bytes, promise, object
    }

    public enum PromiseState: Sendable {
        case pending, fulfilled, rejected
    }

    public let isolate: Isolate
    let raw: OpaquePointer

    /// Takes over the handle.
    init(_ raw: OpaquePointer, _ isolate: Isolate) {
        self.raw = raw
        self.isolate = isolate
    }

    /// A second handle to the value behind a borrowed one.
    convenience init(copying raw: OpaquePointer, _ isolate: Isolate) {
        self.init(sl_v8_value_copy(isolate.raw, raw), isolate)
    }

    deinit {
        if !isolate.isDisposed { isolate.checkThread() }
        sl_v8_value_release(raw)
    }

    // MARK: Making

    public static func undefined(in isolate: Isolate) -> Value { Value(sl_v8_value_undefined(isolate.raw), isolate) }
    public static func null(in isolate: Isolate) -> Value { Value(sl_v8_value_null(isolate.raw), isolate) }
    public static func bool(_ flag: Bool, in isolate: Isolate) -> Value {
        Value(sl_v8_value_bool(isolate.raw, flag), isolate)
    }
    public static func number(_ number: Double, in isolate: Isolate) -> Value {
        Value(sl_v8_value_number(isolate.raw, number), isolate)
    }

    public static func string(_ text: String, in isolate: Isolate) -> Value {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                Value(sl_v8_value_string(isolate.raw, $0.baseAddress ?? noBytes, $0.count), isolate)
            }
        }
    }

    // MARK: Reading

    public var kind: Kind {
        switch sl_v8_value_type(isolate.raw, raw) {
        case SL_V8_UNDEFINED: .undefined
        case SL_V8_NULL: .null
        case SL_V8_BOOL: .bool
        case SL_V8_NUMBER: .number
        case SL_V8_BIGINT: .bigint
        case SL_V8_STRING: .string
        case SL_V8_SYMBOL: .symbol
        case SL_V8_FUNCTION: .function
        case SL_V8_ARRAY: .array
        case SL_V8_BYTES: .bytes
        case SL_V8_PROMISE: .promise
        default: .object
        }
    }

    /// As text, without calling user code: strings, numbers, a symbol's description, "Error: message" for errors, "[object]" otherwise.
    public var text: String { String(taking: sl_v8_value_utf8(isolate.raw, raw)) }
    /// NaN unless it is a number.
    public var number: Double { sl_v8_value_to_number(isolate.raw, raw) }
    /// Truthiness.
    public var isTrue: Bool { sl_v8_value_to_bool(isolate.raw, raw) }

    /// A copy of the bytes of an ArrayBuffer or view; nil when it is none, or detached.
    public var bytes: [UInt8]? {
        var start: UnsafeMutablePointer<UInt8>?
        var length = 0
        guard sl_v8_value_bytes(isolate.raw, raw, &start, &length) else { return nil }
        return Array(UnsafeBufferPointer(start: start, count: length))
    }

    /// State of a promise. The value must be one.
    public var promiseState: PromiseState {
        switch sl_v8_promise_state_of(isolate.raw, raw) {
        case SL_V8_FULFILLED: .fulfilled
        case SL_V8_REJECTED: .rejected
        default: .pending
        }
    }

    /// What a settled promise holds; undefined while it is pending.
    public var promiseResult: Value { Value(sl_v8_promise_result(isolate.raw, raw), isolate) }
}

/// A non-null pointer for empty strings.
var noBytes: UnsafePointer<CChar> {
    let empty: StaticString = ""
    return UnsafeRawPointer(empty.utf8Start).assumingMemoryBound(to: CChar.self)
}
