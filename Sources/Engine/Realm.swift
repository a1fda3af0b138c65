internal import CV8

/// A V8 context: one global object with its modules. Several may live in an isolate, isolated from each other.
public final class Realm {
    public let isolate: Isolate
    let raw: OpaquePointer
    private let owned: Bool
    private var opContexts: [OpContext] = []

    /// - Parameter fromSnapshot: the realm baked into the isolate's snapshot; call `installOps` on it before any of its functions. Else an empty one.
    public init(_ isolate: Isolate, fromSnapshot: Bool = false) {
        isolate.checkThread()
        self.isolate = isolate
        raw = sl_v8_realm_create(isolate.raw, fromSnapshot)
        owned = true
        isolate.register(self)
    }

    /// A realm that someone else owns and that outlives this object.
    init(borrowed realm: OpaquePointer) {
        isolate = Isolate(borrowed: sl_v8_realm_isolate(realm))
        raw = realm
        owned = false
    }

    deinit {
        guard owned, !isolate.isDisposed else { return }
        isolate.unregister(raw)
        sl_v8_realm_dispose(raw)
    }

    public var global: Value { Value(sl_v8_realm_global(raw), isolate) }

    /// Forbids or allows eval and `new Function`; forbidden, they throw an EvalError with this message.
    public func allowEval(_ allowed: Bool, message: String) { sl_v8_realm_allow_eval(raw, allowed, message) }

    /// Has the isolate's delegate asked before code is made of strings, in this realm, and of WebAssembly. Refused, they throw an EvalError with this message, or a
    /// CompileError.
    public func askBeforeCode(strings: Bool, wasm: Bool, message: String) {
        sl_v8_realm_ask_before_code(
            raw,
            { context, isWasm in
                let isolate = Unmanaged<Isolate>.fromOpaque(context!).takeUnretainedValue()
                return isolate.delegate?.allowsCode(isWasm: isWasm) ?? false
            }, Unmanaged.passUnretained(isolate).toOpaque(), strings, wasm, message)
    }

    // MARK: Values

    public func makeObject() -> Value { Value(sl_v8_value_object(raw), isolate) }

    /// A new ArrayBuffer with a copy of the bytes.
    public func makeBuffer(_ bytes: [UInt8]) -> Value {
        bytes.withUnsafeBytes { Value(sl_v8_value_buffer(raw, $0.baseAddress, $0.count), isolate) }
    }

    /// A new Uint8Array with a copy of the bytes.
    public func makeUint8Array(_ bytes: UnsafeRawBufferPointer) -> Value {
        Value(sl_v8_value_uint8_array(raw, bytes.baseAddress, bytes.count), isolate)
    }

    /// A Uint8Array of the first `shown` bytes of memory that is given back when no ArrayBuffer, in this isolate or another, has it any more.
    /// - Parameter release: on any thread.
    public func makeOwnedBytes(
        _ memory: UnsafeMutableRawBufferPointer, shown: Int,
        release: @convention(c) (_ memory: UnsafeMutableRawPointer, _ length: Int) -> Void
    ) -> Value {
        Value(sl_v8_value_owned_bytes(raw, memory.baseAddress!, memory.count, shown, release), isolate)
    }

    /// An ArrayBuffer over memory that outlives the isolate. It cannot be detached.
    public func makeExternalBuffer(_ memory: UnsafeMutableRawBufferPointer) -> Value {
        Value(sl_v8_value_external_buffer(raw, memory.baseAddress!, memory.count), isolate)
    }

    /// Own or inherited property; throws what its getter throws.
    public func get(_ key: String, of object: Value) throws(JSFailure) -> Value {
        var error: UnsafeMutablePointer<sl_v8_exception>?
        return try take(sl_v8_value_get(raw, object.raw, key, &error), error)
    }

    /// False when the object refuses.
    @discardableResult public func set(_ key: String, of object: Value, to value: Value) -> Bool {
        sl_v8_value_set(raw, object.raw, key, value.raw)
    }

    /// A copy by the HTML structured serialisation.
    public func clone(_ value: Value, transfer: Value? = nil) throws(JSFailure) -> Value {
        var error: UnsafeMutablePointer<sl_v8_exception>?
        return try take(sl_v8_value_clone(raw, value.raw, transfer?.raw, &error), error)
    }

    /// What a thrown value or rejection reason says about itself. Runs no user code but data properties.
    public func exception(from value: Value) -> JSException {
        JSException(taking: sl_v8_exception_from_value(raw, value.raw), isolate)
    }

    // MARK: Running

    /// Calls a function. Runs no microtasks.
    @discardableResult
    public func call(_ function: Value, receiver: Value? = nil, _ arguments: [Value] = []) throws(JSFailure) -> Value {
        isolate.checkThread()
        var error: UnsafeMutablePointer<sl_v8_exception>?
        let handles = arguments.map { $0.raw }
        let result = handles.withUnsafeBufferPointer {
            sl_v8_call(raw, function.raw, receiver?.raw, $0.baseAddress, $0.count, &error)
        }
        withExtendedLifetime(arguments) {}
        return try take(result, error)
    }

    /// Calls function(number, text) for the hot path, then runs the microtasks: nothing is allocated here but the string. `text` is Latin-1.
    public func call(_ function: Value, _ number: Int, latin1 text: UnsafeRawBufferPointer) throws(JSFailure) {
        isolate.checkThread()
        var error: UnsafeMutablePointer<sl_v8_exception>?
        let bytes = text.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard sl_v8_call_text(raw, function.raw, Double(number), bytes, text.count, &error) else {
            throw JSFailure(error, isolate)
        }
    }

    /// Calls a function of up to three numbers. Runs no microtasks.
    public func call(_ function: Value, numbers first: Double, _ second: Double = 0, _ third: Double = 0) throws(JSFailure) {
        isolate.checkThread()
        var error: UnsafeMutablePointer<sl_v8_exception>?
        let isDone = withUnsafeTemporaryAllocation(of: Double.self, capacity: 3) { numbers in
            numbers[0] = first
            numbers[1] = second
            numbers[2] = third
            return sl_v8_call_numbers(raw, function.raw, numbers.baseAddress, 3, &error)
        }
        guard isDone else { throw JSFailure(error, isolate) }
    }

    /// Compiles and runs a classic script. Its completion value, and whether V8 took the code cache.
    /// - Parameter name: URL or path for stack frames and `import()`.
    @discardableResult
    public func runScript(_ source: SourceText, name: String, cache: CodeCache? = nil) throws(JSFailure) -> Value {
        isolate.checkThread()
        var error: UnsafeMutablePointer<sl_v8_exception>?
        let result = source.withChars { chars, count in
            CodeCache.withRaw(cache) { sl_v8_script_run(raw, chars, count, name, $0, &error) }
        }
        return try take(result, error)
    }

    /// Whether the source parses as a classic script; throws its SyntaxError if not.
    public func checkScript(_ source: SourceText, name: String) throws(JSFailure) {
        var error: UnsafeMutablePointer<sl_v8_exception>?
        let parses = source.withChars { chars, count in sl_v8_script_check(raw, chars, count, name, &error) }
        if !parses { throw JSFailure(error, isolate) }
    }

    /// A function with this body and these parameters, in the realm's global scope.
    public func compileFunction(
        body: UnsafeRawBufferPointer, name: String, parameters: [StaticString], cache: CodeCache? = nil
    ) throws(JSFailure) -> Value {
        var error: UnsafeMutablePointer<sl_v8_exception>?
        let names = parameters.map { UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self) }
        let source = body.baseAddress!.assumingMemoryBound(to: CChar.self)
        let function = names.withUnsafeBufferPointer { names in
            CodeCache.withRaw(cache) {
                sl_v8_function_compile(raw, source, body.count, name, names.baseAddress, names.count, $0, &error)
            }
        }
        return try take(function, error)
    }

    /// Compiled code of what `compileFunction` made and of the functions within it that were compiled since; nil when V8 has none.
    public func codeCache(of function: Value) -> CodeCache? {
        [UInt8](taking: sl_v8_function_cache(raw, function.raw)).map(CodeCache.init)
    }

    // MARK: Dynamic import

    public func resolveImport(_ token: UInt64, namespace: Value) { sl_v8_import_resolve(raw, token, namespace.raw) }
    public func rejectImport(_ token: UInt64, reason: Value) { sl_v8_import_reject(raw, token, reason.raw) }

    // MARK: Ops

    /// An object with a function for every registered op.
    /// - Parameter host: what the ops get as `OpCall.host`; kept as long as the realm. Nil: no op may be called (while a snapshot is made).
    public func installOps(host: AnyObject?) -> Value {
        var context: UnsafeMutableRawPointer?
        if let host {
            let box = OpContext(realm: self, host: host)
            opContexts.append(box)
            context = Unmanaged.passUnretained(box).toOpaque()
        }
        return Value(sl_v8_realm_install_ops(raw, context), isolate)
    }

    func take(_ value: OpaquePointer?, _ error: UnsafeMutablePointer<sl_v8_exception>?) throws(JSFailure) -> Value {
        guard let value else { throw JSFailure(error, isolate) }
        return Value(value, isolate)
    }
}

/// Source text as UTF-8, without a copy on its way to V8.
public struct SourceText {
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }

    func withChars<R>(_ body: (UnsafePointer<CChar>, Int) -> R) -> R {
        bytes.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self) ?? noBytes, $0.count) }
    }
}

/// Source texts that are part of the program: V8 reads them where they are, and a snapshot refers to them.
public enum StaticTexts {
    /// Makes one known, of Latin-1. Before the first isolate, in the same order in every process: a snapshot refers to them by it.
    public static func register(_ text: UnsafeRawBufferPointer) {
        let isAdded = sl_v8_text_register(text.baseAddress!.assumingMemoryBound(to: CChar.self), text.count)
        precondition(isAdded, "a source text is empty, or there are too many")
    }
}

/// What an earlier compilation of the same source left behind, to compile faster. V8 refuses one that does not fit.
public final class CodeCache {
    public let bytes: [UInt8]
    /// Set by the compilation it was passed to.
    public private(set) var rejected = false

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func withRaw<R>(_ cache: CodeCache?, _ body: (UnsafeMutablePointer<sl_v8_code_cache>?) -> R) -> R {
        guard let cache else { return body(nil) }
        return cache.bytes.withUnsafeBufferPointer { bytes in
            var raw = sl_v8_code_cache(bytes: bytes.baseAddress, length: bytes.count, rejected: false)
            defer { cache.rejected = raw.rejected }
            return body(&raw)
        }
    }
}
