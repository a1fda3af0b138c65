internal import CodeCheck
internal import Engine
internal import Platform
internal import Wire

/// Acorn and the rules of the tree, in an isolate of their own that runs nothing else. Belongs to the thread that made it.
final class CodeParser {
    /// A tree takes about a hundred times the bytes of its text.
    private static let heapBytesMax = 1 << 30

    /// It cannot be made, or was stopped.
    struct Failure: Error {
        let message: String
    }

    /// For other threads, which may stop it.
    let handle: IsolateHandle
    private let realm: Realm
    private let function: Value

    /// Wrong patterns that are told; more are counted.
    private static let wrongPatternsMax = 20

    /// - Parameter stackBytes: of the thread's stack, what the isolate may use.
    init(_ options: CodeCheckOptions, stackBytes: Int) throws(Failure) {
        var isolateOptions = IsolateOptions()
        isolateOptions.heapBytesMax = Self.heapBytesMax
        isolateOptions.stackBytesMax = stackBytes
        guard let isolate = Isolate(isolateOptions) else { preconditionFailure("V8 made no isolate") }
        realm = Realm(isolate)
        handle = isolate.handle
        isolate.stayEntered()
        realm.allowEval(false, message: "the validator makes no code of texts")
        let wrong: JSONValue
        do throws(JSFailure) {
            let functions = try Self.load(realm)
            function = try realm.get("check", of: functions)
            let settings = Value.string(String(decoding: options.json, as: UTF8.self), in: isolate)
            wrong = try Self.json(realm.call(realm.get("configure", of: functions), [settings]))
        } catch {
            throw Failure(message: Self.sentence(error, isolate))
        }
        // The patterns were checked when they were read: what is wrong now is told as it is.
        guard case .array(let rows) = wrong, !rows.isEmpty else { return }
        let sentences = rows.map { row in
            guard case .array(let row) = row, row.count == 2 else { return "a pattern is wrong" }
            return "the pattern of \"\(row[0].string ?? "")\" is wrong: \(row[1].string ?? "")"
        }
        let told = sentences.prefix(Self.wrongPatternsMax).joined(separator: "; ")
        let left = sentences.count - Self.wrongPatternsMax
        throw Failure(message: left > 0 ? "\(told); and \(left) more" : told)
    }

    private static func load(_ realm: Realm) throws(JSFailure) -> Value {
        let sources = PlatformSources.check
        let acorn = realm.makeObject()
        let parser = try realm.compileFunction(
            body: sources.acorn, name: "sidelight:check/acorn.js", parameters: ["exports", "module"])
        try realm.call(parser, [acorn, realm.makeObject()])
        let make = try sources.rules.withUnsafeBufferPointer { (bytes) throws(JSFailure) in
            try realm.compileFunction(
                body: UnsafeRawBufferPointer(bytes), name: "sidelight:check", parameters: ["acorn"])
        }
        return try realm.call(make, [acorn])
    }

    /// - Throws: it was stopped, and is of no more use.
    func parse(_ source: [UInt8], _ kind: CodeKind) throws(Failure) -> JSONValue {
        let isolate = realm.isolate
        do throws(JSFailure) {
            let text = Value.string(String(decoding: source, as: UTF8.self), in: isolate)
            return Self.json(try realm.call(function, [text, Value.string(kind.rawValue, in: isolate)]))
        } catch {
            throw Failure(message: Self.sentence(error, isolate))
        }
    }

    private static func json(_ value: Value) -> JSONValue { (try? JSONValue(parsing: Array(value.text.utf8))) ?? .null }

    private static func sentence(_ failure: JSFailure, _ isolate: Isolate) -> String {
        switch failure {
        case .terminated where isolate.endReason == .heapLimit: "it takes more memory than a check may"
        case .terminated: "it takes longer than a check may"
        case .exception(let exception): "the validator failed: \(exception.name): \(exception.message)"
        }
    }
}
