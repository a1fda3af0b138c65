internal import Engine
internal import Linux
internal import System

/// Why a script cannot be used, for people: `redact.js:3:12: SyntaxError: …`.
struct ScriptError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    init(_ failure: JSFailure, file: String) {
        switch failure {
        case .terminated: description = "\(file): it was stopped while it was loaded: it has used up its heap"
        case .exception(let exception): description = Self.describe(exception, file: file)
        }
    }

    /// With the place in the script, if there is one, first.
    static func describe(_ exception: JSException, file: String) -> String {
        let name = exception.name.isEmpty ? "" : exception.name + ": "
        return "\(place(exception) ?? file): \(name)\(exception.message)"
    }

    private static func place(_ exception: JSException) -> String? {
        // What the platform throws for a script has its place in the script's own code.
        for frame in exception.frames where !isPlatform(frame.script) && frame.line > 0 {
            return "\(frame.script):\(frame.line):\(frame.column)"
        }
        let location = exception.location
        guard location.line > 0, !isPlatform(location.script) else { return nil }
        return "\(location.script):\(location.line):\(location.column)"
    }

    private static func isPlatform(_ script: String) -> Bool { script.isEmpty || script.hasPrefix("sidelight:") }
}

/// Reads a script and what it imports, by relative names alone.
struct ScriptModules {
    private static let modulesMax = 64
    private static let bytesMax = 4 << 20

    let realm: Realm
    private var modules: [String: Module] = [:]

    init(_ realm: Realm) { self.realm = realm }

    /// Runs the module in this file, and gives its default export.
    mutating func load(_ file: String) throws(ScriptError) -> Value {
        let entry = try module(file, importedBy: nil)
        do {
            try entry.instantiate()
            let promise = try entry.evaluate()
            realm.isolate.runMicrotasks()
            switch promise.promiseState {
            case .fulfilled: break
            case .rejected: throw JSFailure.exception(realm.exception(from: promise.promiseResult))
            case .pending:
                throw ScriptError("\(file): its top-level await waits for something that nothing here can bring")
            }
            return try realm.get("default", of: entry.namespace)
        } catch let failure as JSFailure {
            throw ScriptError(failure, file: file)
        } catch let error as ScriptError {
            throw error
        } catch {
            throw ScriptError("\(file): \(error)")
        }
    }

    private mutating func module(_ file: String, importedBy importer: String?) throws(ScriptError) -> Module {
        if let known = modules[file] { return known }
        let prefix = importer.map { "\($0): " } ?? ""
        guard modules.count < Self.modulesMax else {
            throw ScriptError("\(prefix)more than \(Self.modulesMax) modules are imported")
        }
        let source: [UInt8]
        do {
            source = try readFile(file, bytesMax: Self.bytesMax)
        } catch {
            throw ScriptError("\(prefix)\(file) cannot be read: \(error.reason)")
        }
        let module: Module
        do {
            module = try Module.compile(SourceText(source), name: file, in: realm)
        } catch {
            throw ScriptError(error, file: file)
        }
        modules[file] = module
        for (index, request) in module.requests.enumerated() {
            let place = "\(file):\(request.line):\(request.column)"
            guard request.type.isEmpty, let target = Self.resolve(request.specifier, from: file) else {
                throw ScriptError(
                    "\(place): \"\(request.specifier)\" cannot be imported: a script has its own files, by relative names such as \"./names.js\""
                )
            }
            module.link(index, to: try self.module(target, importedBy: place))
        }
        return module
    }

    /// Relative to the importing file; nil for what is no relative name.
    private static func resolve(_ specifier: String, from file: String) -> String? {
        guard specifier.hasPrefix("./") || specifier.hasPrefix("../") else { return nil }
        var parts = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()[...]
        for part in specifier.split(separator: "/") {
            switch part {
            case ".": break
            case ".." where !parts.isEmpty && parts.last != ".." && parts.last != "": parts.removeLast()
            default: parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }
}
