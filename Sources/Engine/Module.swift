internal import CV8

/// An ES module of one realm.
public final class Module {
    /// One `import … from` of a module.
    public struct Request: Sendable {
        public let specifier: String
        /// The `type` import assertion, or empty.
        public let type: String
        /// 1-based; 0 unknown.
        public let line: Int
        public let column: Int
    }

    public let realm: Realm
    private let raw: OpaquePointer

    private init(_ raw: OpaquePointer, _ realm: Realm) {
        self.raw = raw
        self.realm = realm
    }

    deinit { sl_v8_module_release(raw) }

    /// - Parameter name: path or URL for stack frames and as the referrer of `import()`.
    public static func compile(
        _ source: SourceText, name: String, cache: CodeCache? = nil, in realm: Realm
    ) throws(JSFailure) -> Module {
        realm.isolate.checkThread()
        var error: UnsafeMutablePointer<sl_v8_exception>?
        let module = source.withChars { chars, count in
            CodeCache.withRaw(cache) { sl_v8_module_compile(realm.raw, chars, count, name, $0, &error) }
        }
        guard let module else { throw JSFailure(error, realm.isolate) }
        return Module(module, realm)
    }

    /// A module whose exports are the named properties of an object.
    public static func synthetic(name: String, exports: [String], of object: Value, in realm: Realm) -> Module {
        let names = exports.map { $0.utf8CString }
        var pointers: [UnsafePointer<CChar>] = []
        pointers.reserveCapacity(names.count)
        func descend(_ index: Int) -> OpaquePointer {
            if index == names.count {
                return pointers.withUnsafeBufferPointer {
                    sl_v8_module_synthetic(realm.raw, name, $0.baseAddress, $0.count, object.raw)
                }
            }
            return names[index].withUnsafeBufferPointer {
                pointers.append($0.baseAddress!)
                return descend(index + 1)
            }
        }
        return Module(descend(0), realm)
    }

    public var requests: [Request] {
        (0..<sl_v8_module_request_count(raw)).map { index in
            let request = sl_v8_module_request_at(raw, index)
            return Request(
                specifier: String(taking: request.specifier), type: String(taking: request.type),
                line: Int(request.line), column: Int(request.column))
        }
    }

    /// Says what request `index` resolved to. All must be linked before `instantiate`; cycles are welcome.
    public func link(_ index: Int, to target: Module) { sl_v8_module_link(raw, index, target.raw) }

    /// Binds imports to exports in the whole graph. Throws a SyntaxError for a name that is not exported.
    public func instantiate() throws(JSFailure) {
        var error: UnsafeMutablePointer<sl_v8_exception>?
        if !sl_v8_module_instantiate(raw, &error) { throw JSFailure(error, realm.isolate) }
    }

    /// Runs it and what it imports. The promise settles when all top-level awaits have.
    public func evaluate() throws(JSFailure) -> Value {
        realm.isolate.checkThread()
        var error: UnsafeMutablePointer<sl_v8_exception>?
        return try realm.take(sl_v8_module_evaluate(raw, &error), error)
    }

    public var namespace: Value { Value(sl_v8_module_namespace(raw), realm.isolate) }

    /// Sets `import.meta`.
    public func setMeta(url: String, filename: String?, dirname: String?, main: Bool) {
        sl_v8_module_set_meta(raw, url, filename, dirname, main)
    }

    /// For the next time this source is compiled; best taken after evaluation. Nil when V8 has none.
    public func makeCodeCache() -> [UInt8]? { [UInt8](taking: sl_v8_module_cache(raw)) }
}
