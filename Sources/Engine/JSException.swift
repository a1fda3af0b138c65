internal import CV8

/// Why running JavaScript gave no result.
public enum JSFailure: Error {
    case exception(JSException)
    /// Execution was stopped from outside; see `Isolate.endReason`.
    case terminated

    init(_ error: UnsafeMutablePointer<sl_v8_exception>?, _ isolate: Isolate) {
        self = error.map { .exception(JSException(taking: $0, isolate)) } ?? .terminated
    }
}

/// A JavaScript exception as plain values.
public struct JSException: Error {
    /// One line of the stack, as V8 tells it.
    public struct Frame: Sendable, Hashable {
        public var function: String
        public var script: String
        /// 1-based; 0 unknown.
        public var line: Int
        public var column: Int
        public var isAsync: Bool
        public var isNative: Bool
        public var isEval: Bool
    }

    /// Where it was thrown, or where the syntax error stands.
    public struct Location: Sendable, Hashable {
        public var script: String
        /// 1-based; 0 unknown.
        public var line: Int
        public var column: Int
        public var endColumn: Int
        public var sourceLine: String

        public init(script: String, line: Int, column: Int, endColumn: Int = 0, sourceLine: String = "") {
            self.script = script
            self.line = line
            self.column = column
            self.endColumn = endColumn
            self.sourceLine = sourceLine
        }
    }

    /// "TypeError" and so on; empty when what was thrown is no error.
    public var name: String
    /// Without the name.
    public var message: String
    /// The `stack` property.
    public var stack: String
    public var location: Location
    public var frames: [Frame]
    /// The error's `cause`: none or one.
    public var cause: [JSException]
    /// Of an AggregateError.
    public var errors: [JSException]
    /// What was thrown. Nil for causes and the like.
    public var thrown: Value? { box?.value }

    private var box: ThrownValue?

    /// A value that the host throws on behalf of a script, at this place in it.
    public init(throwing value: Value, in realm: Realm, at location: Location? = nil) {
        self = realm.exception(from: value)
        if let location { self.location = location }
        box = ThrownValue(value: value)
    }

    init(taking raw: UnsafeMutablePointer<sl_v8_exception>, _ isolate: Isolate) {
        self.init(raw.pointee, isolate)
        sl_v8_exception_free(raw)
    }

    private init(_ raw: sl_v8_exception, _ isolate: Isolate) {
        name = String(raw.name)
        message = String(raw.message)
        stack = String(raw.stack)
        location = Location(
            script: String(raw.script), line: Int(raw.line), column: Int(raw.column), endColumn: Int(raw.end_column),
            sourceLine: String(raw.source_line))
        frames = UnsafeBufferPointer(start: raw.frames, count: raw.frame_count).map(Frame.init)
        cause = raw.cause.map { [JSException($0.pointee, isolate)] } ?? []
        errors = UnsafeBufferPointer(start: raw.errors, count: raw.error_count).compactMap { entry in
            entry.map { JSException($0.pointee, isolate) }
        }
        box = raw.value.map { ThrownValue(value: Value(copying: $0, isolate)) }
    }

    private struct ThrownValue: @unchecked Sendable {
        // @unchecked: `Error` must be Sendable, but this one is thrown and caught on the isolate's thread; Value traps elsewhere.
        let value: Value
    }
}

extension JSException.Frame {
    init(_ raw: sl_v8_frame) {
        function = String(raw.function)
        script = String(raw.script)
        line = Int(raw.line)
        column = Int(raw.column)
        isAsync = raw.is_async
        isNative = raw.is_native
        isEval = raw.is_eval
    }
}
