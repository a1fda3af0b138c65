internal import Engine

/// The functions of the platform's `internal` object that the host calls; each is looked up once.
final class Internals {
    private struct Function {
        let function: Value
        let receiver: Value
    }

    let realm: Realm
    private let root: Value
    private var functions: [String: Function] = [:]

    init(_ root: Value, in realm: Realm) {
        self.root = root
        self.realm = realm
    }

    /// Calls `internal.` + path. That it is not there is an error of the platform.
    @discardableResult func call(_ path: String, _ arguments: [Value] = []) throws(JSFailure) -> Value {
        guard let function = try find(path) else { preconditionFailure("internal.\(path) is no function") }
        return try realm.call(function.function, receiver: function.receiver, arguments)
    }

    func property(_ path: String) throws(JSFailure) -> Value { try walk(path).value }

    private func find(_ path: String) throws(JSFailure) -> Function? {
        if let known = functions[path] { return known }
        let (receiver, value) = try walk(path)
        guard value.kind == .function else { return nil }
        let function = Function(function: value, receiver: receiver)
        functions[path] = function
        return function
    }

    private func walk(_ path: String) throws(JSFailure) -> (receiver: Value, value: Value) {
        var receiver = root
        var value = root
        for name in path.split(separator: ".") {
            receiver = value
            value = try realm.get(String(name), of: receiver)
        }
        return (receiver, value)
    }

    // MARK: Values

    func string(_ text: String) -> Value { Value.string(text, in: realm.isolate) }
    func number(_ number: Double) -> Value { Value.number(number, in: realm.isolate) }
    func null() -> Value { Value.null(in: realm.isolate) }
}
