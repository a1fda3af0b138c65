// From an entry or an import() to a running module: resolve, load, compile, link, instantiate, evaluate.
// https://tc39.es/ecma262/#sec-modules
//
// Loading is synchronous, on the isolate's thread: the files are local and small, and a graph that is whole or not there at all has no
// half-loaded states. What a failed graph has brought in is dropped, so that a later import tries anew.
//
// All errors are JavaScript errors, since import() hands them to the program; those of static imports know their place in the importer.

internal import CodeCheck
internal import Engine
internal import Glibc
internal import Policy
internal import System

final class ModuleLoader {
    let realm: Realm
    private let internals: Internals
    private let files: FileSystem
    private let gate: PolicyGate
    private let clock: RingTime
    private let codeCache: CodeCacheStore?
    private let codeGate: CodeGate?
    private var resolver: ModuleResolver
    private var records: [ModuleKey: ModuleRecord] = [:]
    private(set) var sourceMaps: SourceMaps

    var limits = ModuleLimits()
    private var sourceBytes = 0

    /// Called when the first script with a source map is loaded.
    var onFirstSourceMap: () -> Void = {}
    private var hasSourceMap = false

    init(
        _ internals: Internals, files: FileSystem, gate: PolicyGate, clock: RingTime, codeCache: CodeCacheStore?,
        codeGate: CodeGate?
    ) throws(JSFailure) {
        self.internals = internals
        self.gate = gate
        self.files = files
        self.clock = clock
        self.codeCache = codeCache
        self.codeGate = codeGate
        realm = internals.realm
        let names = try internals.call("host.builtinNames").text.split(separator: "\n").map(String.init)
        resolver = ModuleResolver(files: files, builtins: Set(names))
        sourceMaps = SourceMaps(files: files)
    }

    // MARK: Entry

    /// - Parameter path: absolute.
    func readEntry(_ path: String) throws(EntryError) -> [UInt8] {
        switch files.kind(path) {
        case .directory: throw EntryError("cannot read '\(path)': it is a directory")
        case nil, .file, .other:
            do throws(FileError) {
                return try files.read(path)
            } catch {
                throw EntryError(
                    "cannot read '\(path)': \(error.reason)", isUnsigned: error.name == SignedFiles.refusal)
            }
        }
    }

    /// The file of a Worker's URL; throws the error that an import of it in `script` would.
    func file(ofURL url: String, from script: String) throws(JSFailure) -> ModuleFile {
        gate.hiddenPath = nil
        let resolved: ResolvedModule
        do throws(JSFailure) {
            resolved = try translated(script) { () throws(ResolutionError) in
                try resolver.resolve(url, from: script)
            }
        } catch {
            if let path = gate.hiddenPath { try permit(.module(path), nil) }
            throw error
        }
        guard case .file(let file) = resolved else { preconditionFailure("\(url) is no file") }
        try permit(.file(file), nil)
        return file
    }

    /// What a Worker's source is that its URL has.
    func inlineFormat(of file: ModuleFile, source: [UInt8], isModule: Bool) throws(JSFailure) -> ModuleFormat {
        try permit(.file(file), nil)
        return isModule ? .module : try formatBySyntax(source, name: file.name)
    }

    func readWorker(_ file: ModuleFile, from script: String) throws(JSFailure) -> [UInt8] {
        var timing = ModuleTiming()
        return try read(file, script, nil, &timing)
    }

    func entryFile(_ path: String) -> ModuleFile { ModuleFile(path: files.realPath(path) ?? path, suffix: "") }

    /// What the entry's file is: its name decides, then its package, then its source.
    func entryFormat(of file: ModuleFile, source: [UInt8]) throws(JSFailure) -> ModuleFormat {
        let type = try translated(file.path) { () throws(ResolutionError) in try resolver.moduleType(ofFile: file.path)
        }
        let format = ModuleFormat.of(file.path, type: type)
        return format == .either ? try formatBySyntax(source, name: file.name) : format
    }

    private func formatBySyntax(_ source: [UInt8], name: String) throws(JSFailure) -> ModuleFormat {
        do throws(JSFailure) {
            try realm.checkScript(SourceText(source), name: name)
            return .script
        } catch {
            if case .exception(let exception) = error, Self.isModuleSyntax(exception) { return .module }
            throw error
        }
    }

    /// What V8 says of syntax that only modules have.
    private static func isModuleSyntax(_ exception: JSException) -> Bool {
        [
            "Cannot use import statement outside a module", "Unexpected token 'export'",
            "Cannot use 'import.meta' outside a module",
            "await is only valid in async functions and the top level bodies of modules",
        ].contains(exception.message)
    }

    /// Runs the entry as a classic script.
    func runScript(_ file: ModuleFile, source: [UInt8], loading: ModuleTiming.Step) throws(JSFailure) {
        try validate(source, .script, name: file.name)
        noteSourceMap(source, file)
        var timing = ModuleTiming()
        timing.load = loading
        timing.evaluate.start = clock.now()
        let result = Result { () throws(JSFailure) in try realm.runScript(SourceText(source), name: file.name) }
        timing.evaluate.end = clock.now()
        try report(
            specifier: file.specifier, url: file.url, timing, bytes: source.count, isCached: false,
            error: Self.thrown(by: result))
        _ = try result.get()
    }

    /// Loads the entry as a module with all it imports.
    func loadEntry(_ file: ModuleFile, source: [UInt8], loading: ModuleTiming.Step) throws(JSFailure) -> ModuleRecord {
        var timing = ModuleTiming()
        timing.load = loading
        return try loadGraph { () throws(JSFailure) in
            try compile(file, source, specifier: file.specifier, isMain: true, timing)
        }
    }

    // MARK: import()

    /// Loads what an import() asks for, with all it imports.
    func load(_ specifier: String, type: String, from importer: String) throws(JSFailure) -> ModuleRecord {
        try loadGraph { () throws(JSFailure) in
            try record(for: specifier, type: type, importer: importer, location: nil).record
        }
    }

    // MARK: Loading a graph

    private func loadGraph(_ makeRoot: () throws(JSFailure) -> ModuleRecord) throws(JSFailure) -> ModuleRecord {
        let before = records
        do throws(JSFailure) {
            let root = try makeRoot()
            if before[root.key] == nil {
                try linkAll(from: root)
                try root.module.instantiate()
            }
            return root
        } catch {
            records = before
            throw error
        }
    }

    private func linkAll(from root: ModuleRecord) throws(JSFailure) {
        var pending = [root]
        while let record = pending.popLast() {
            for (index, request) in record.module.requests.enumerated() {
                let location = JSException.Location(script: record.name, line: request.line, column: request.column)
                let (target, isNew) = try self.record(
                    for: request.specifier, type: request.type, importer: record.name, location: location)
                record.module.link(index, to: target.module)
                record.dependencies.append(target)
                if isNew { pending.append(target) }
            }
        }
    }

    /// The record of a specifier, made if it is not there yet.
    private func record(
        for specifier: String, type: String, importer: String, location: JSException.Location?
    ) throws(JSFailure) -> (record: ModuleRecord, isNew: Bool) {
        var timing = ModuleTiming()
        timing.resolve.start = clock.now()
        gate.hiddenPath = nil
        let key: ModuleKey
        do throws(JSFailure) {
            key = try translated(importer, location) { () throws(ResolutionError) in
                try self.key(of: specifier, type: type, importer: importer)
            }
        } catch {
            // Of a package, folders above the program's own are looked at in vain.
            if let path = gate.hiddenPath, resolver.namesFile(specifier) { try permit(.module(path), location) }
            throw error
        }
        timing.resolve.end = clock.now()
        if let known = records[key] { return (known, false) }
        try permit(key, location)
        try checkLimits(adding: 0, specifier, importer, location)
        switch key {
        case .builtin(let name): return (try makeBuiltin(name, timing), true)
        case .json(let file):
            let source = try read(file, type: "json", importer, location, &timing)
            return (try makeJSON(file, source, specifier: specifier, timing), true)
        case .wasm(let file):
            let source = try read(file, importer, location, &timing)
            return (try makeWasm(file, source, specifier: specifier, timing), true)
        case .file(let file):
            let source = try read(file, importer, location, &timing)
            try translated(importer, location) { () throws(ResolutionError) in
                try refuseCommonJS(file, source, importer)
            }
            return (try compile(file, source, specifier: specifier, isMain: false, timing), true)
        }
    }

    private func permit(_ key: ModuleKey, _ location: JSException.Location?) throws(JSFailure) {
        switch key {
        case .builtin(let name): try permit(.module(name), location)
        // A text that becomes a program.
        case .file(let file) where file.isInline: try permit(.code, location)
        case .json(let file) where file.isInline: break
        case .file(let file), .json(let file), .wasm(let file): try permit(.module(file.path), location)
        }
    }

    /// Throws when the policy does not allow it, with the place in the importer.
    private func permit(_ access: Access, _ location: JSException.Location?) throws(JSFailure) {
        do throws(JSFailure) {
            try gate.check(access, access.permission)
        } catch {
            guard case .exception(let exception) = error, let thrown = exception.thrown else { throw error }
            throw .exception(JSException(throwing: thrown, in: realm, at: location))
        }
    }

    private func key(of specifier: String, type: String, importer: String) throws(ResolutionError) -> ModuleKey {
        guard type.isEmpty || type == "json" else {
            throw ResolutionError(
                .assertionUnsupported,
                "Import assertion type \"\(type)\" is unsupported, in the import of '\(specifier)' from \(importer)")
        }
        let isAbsolute = importer.hasPrefix("/") || ModuleFile.isInline(importer)
        let path = isAbsolute ? importer : FilePath.resolve("[host]", in: workingDirectory)
        switch try resolver.resolve(specifier, from: path) {
        case .builtin(let name):
            guard type.isEmpty else { throw assertionFailed(name, type, importer) }
            return .builtin(name)
        case .file(let file) where file.isInline: return type.isEmpty ? .file(file) : .json(file)
        case .file(let file):
            let format = ModuleFormat.of(file.path, type: try resolver.moduleType(ofFile: file.path))
            switch (format, type) {
            case (.json, "json"): return .json(file)
            case (.json, _):
                throw ResolutionError(
                    .assertionMissing,
                    "Module '\(file.path)' needs an import assertion of type \"json\", imported from \(importer)\nWrite: import … from '\(specifier)' with { type: 'json' }"
                )
            case (_, "json"): throw assertionFailed(file.path, type, importer)
            case (.unsupported(let reason), _):
                throw ResolutionError(.unknownExtension, "Cannot import '\(file.path)' from \(importer): \(reason)")
            case (.wasm, _): return .wasm(file)
            case (.script, _):
                throw ResolutionError(.commonJS, Self.commonJS(file.path, importer))
            case (.module, _), (.either, _): return .file(file)
            }
        }
    }

    private func assertionFailed(_ name: String, _ type: String, _ importer: String) -> ResolutionError {
        ResolutionError(.assertionFailed, "Module '\(name)' is not of type \"\(type)\", imported from \(importer)")
    }

    private static func commonJS(_ path: String, _ importer: String) -> String {
        "'\(path)' is a CommonJS module, imported from \(importer)\nOnly ES modules are supported: use the package's ES module build, or bundle it into one"
    }

    /// A `.js` file of no stated type that is CommonJS by all appearances. Run as a module it would fail with a riddle.
    private func refuseCommonJS(_ file: ModuleFile, _ source: [UInt8], _ importer: String) throws(ResolutionError) {
        guard file.path.hasSuffix(".js"), try resolver.moduleType(ofFile: file.path) == .unstated else { return }
        let has = { (text: StaticString) in source.contains(text) }
        guard has("module.exports") || has("exports.") || has("require("), !has("export "), !has("export{"),
            !has("import")
        else {
            return
        }
        throw ResolutionError(.commonJS, Self.commonJS(file.path, importer))
    }

    private var workingDirectory: String { files.realPath(".") ?? "/" }

    // MARK: Making records

    private func read(
        _ file: ModuleFile, type: String = "", _ importer: String, _ location: JSException.Location?,
        _ timing: inout ModuleTiming
    ) throws(JSFailure) -> [UInt8] {
        timing.load.start = clock.now()
        if file.isInline {
            // By its media type: of JavaScript, or of JSON where that is asked for.
            let source = try internals.call("host.inlineSource", [internals.string(file.url), internals.string(type)])
            timing.load.end = clock.now()
            let bytes = source.bytes ?? []
            try checkLimits(adding: bytes.count, file.specifier, importer, location)
            return bytes
        }
        let source: [UInt8]
        do throws(FileError) {
            source = try files.read(file.path)
        } catch {
            let reason = "Cannot read module '\(file.path)' imported from \(importer): \(error.reason)"
            if error.name == SignedFiles.refusal { throw try unsigned(file.path, reason, location) }
            source = try translated(importer, location) { () throws(ResolutionError) -> [UInt8] in
                throw ResolutionError(.unreadable, reason)
            }
        }
        timing.load.end = clock.now()
        try checkLimits(adding: source.count, file.specifier, importer, location)
        return source
    }

    /// A file that is not what somebody has signed: a violation.
    private func unsigned(
        _ path: String, _ reason: String, _ location: JSException.Location?
    ) throws(JSFailure) -> JSFailure {
        try noteUnsigned(path, reason)
        let value = try internals.call("findings.refusal", [internals.string("module"), internals.string(reason)])
        return .exception(JSException(throwing: value, in: realm, at: location))
    }

    func noteUnsigned(_ path: String, _ reason: String) throws(JSFailure) {
        let texts = ["violation", "module", "signature", path, reason]
        try internals.call("findings.note", texts.map(internals.string))
    }

    /// Throws a refusal if the policy has code checked and this does not pass.
    func validate(_ source: [UInt8], _ kind: CodeKind, name: String) throws(JSFailure) {
        guard let codeGate, let refusal = codeGate.refusal(of: source, kind, name: name) else { return }
        let finding = [codeGate.isAudited ? "audit" : "violation", "module", refusal.rule, name, refusal.reason]
        try internals.call("findings.note", finding.map(internals.string))
        guard !codeGate.isAudited else { return }
        try internals.call("findings.refuse", ["module", refusal.reason].map(internals.string))
    }

    /// Throws when one module more, or its source, is too much.
    private func checkLimits(
        adding bytes: Int, _ specifier: String, _ importer: String, _ location: JSException.Location?
    ) throws(JSFailure) {
        sourceBytes += bytes
        guard let (name, sentence) = limits.exceeded(count: records.count + 1, bytes: sourceBytes) else { return }
        try internals.call(
            "limits.reached", [name, "exceededModules", sentence].map(internals.string))
        try translated(importer, location) { () throws(ResolutionError) -> Void in
            throw ResolutionError(
                .limitExceeded, "Cannot load '\(specifier)' imported from \(importer): \(sentence)")
        }
    }

    private func compile(
        _ file: ModuleFile, _ source: [UInt8], specifier: String, isMain: Bool, _ timing: ModuleTiming
    ) throws(JSFailure) -> ModuleRecord {
        try validate(source, .module, name: file.name)
        var timing = timing
        let isCacheable = codeCache != nil && !file.isInline
        let cacheKey = isCacheable ? CodeCacheStore.key(path: file.path, source: source) : nil
        let cache = cacheKey.flatMap { codeCache?.read($0) }
        noteSourceMap(source, file)
        timing.compile.start = clock.now()
        let result = Result { () throws(JSFailure) in try parse(source, name: file.name, cache) }
        timing.compile.end = clock.now()
        let isCached = cache.map { !$0.rejected } ?? false
        if let error = Self.thrown(by: result) {
            try report(
                specifier: specifier, url: file.url, timing, bytes: source.count, isCached: isCached, error: error)
        }
        let module = try result.get()
        module.setMeta(
            url: file.url, filename: file.isInline ? nil : file.path,
            dirname: file.isInline ? nil : FilePath.directory(of: file.path), main: isMain)
        return add(
            ModuleRecord(
                .file(file), name: file.name, specifier: specifier, module: module, timing: timing,
                sourceBytes: source.count,
                isCached: isCached, cacheKey: cacheKey))
    }

    private func parse(_ source: [UInt8], name: String, _ cache: CodeCache?) throws(JSFailure) -> Module {
        var text = source
        for _ in 0..<ImportAttributes.rewritesMax {
            do throws(JSFailure) {
                return try Module.compile(SourceText(text), name: name, cache: cache, in: realm)
            } catch {
                guard case .exception(let exception) = error,
                    let rewritten = ImportAttributes.rewritten(text, after: exception)
                else { throw error }
                text = rewritten
            }
        }
        return try Module.compile(SourceText(text), name: name, cache: cache, in: realm)
    }

    private func makeJSON(
        _ file: ModuleFile, _ source: [UInt8], specifier: String, _ timing: ModuleTiming
    ) throws(JSFailure) -> ModuleRecord {
        try makeDefault(.json(file), file, source, specifier: specifier, timing) { () throws(JSFailure) in
            let text = source.starts(with: [0xEF, 0xBB, 0xBF]) ? source[3...] : source[...]
            let arguments = [internals.string(String(decoding: text, as: UTF8.self)), internals.string(file.path)]
            return try internals.call("host.parseJSON", arguments)
        }
    }

    /// Its default export is the `WebAssembly.Module`, as Workers have it.
    private func makeWasm(
        _ file: ModuleFile, _ source: [UInt8], specifier: String, _ timing: ModuleTiming
    ) throws(JSFailure) -> ModuleRecord {
        try validate(source, .either, name: file.name)
        return try makeDefault(.wasm(file), file, source, specifier: specifier, timing) { () throws(JSFailure) in
            let bytes = source.withUnsafeBytes { realm.makeUint8Array($0) }
            return try internals.call("host.compileWasm", [bytes, internals.string(file.path)])
        }
    }

    /// A module that is no JavaScript: it has a default export, which `exports` makes.
    private func makeDefault(
        _ key: ModuleKey, _ file: ModuleFile, _ source: [UInt8], specifier: String, _ timing: ModuleTiming,
        exports: () throws(JSFailure) -> Value
    ) throws(JSFailure) -> ModuleRecord {
        var timing = timing
        timing.compile.start = clock.now()
        let module = Module.synthetic(name: file.name, exports: ["default"], of: try exports(), in: realm)
        timing.compile.end = clock.now()
        return add(
            ModuleRecord(
                key, name: file.name, specifier: specifier, module: module, timing: timing, sourceBytes: source.count))
    }

    private func makeBuiltin(_ name: String, _ timing: ModuleTiming) throws(JSFailure) -> ModuleRecord {
        let exports = try internals.call("builtin", [internals.string(name)])
        let names = try internals.call("host.builtinExports", [internals.string(name)]).text.split(separator: "\n").map(
            String.init)
        let module = Module.synthetic(name: name, exports: names, of: exports, in: realm)
        return add(ModuleRecord(.builtin(name), name: name, specifier: name, module: module, timing: timing))
    }

    private func add(_ record: ModuleRecord) -> ModuleRecord {
        records[record.key] = record
        return record
    }

    private func noteSourceMap(_ source: [UInt8], _ file: ModuleFile) {
        guard !file.isInline, sourceMaps.add(source, name: file.name, path: file.path), !hasSourceMap else { return }
        hasSourceMap = true
        onFirstSourceMap()
    }

    // MARK: Evaluation

    /// Runs a loaded graph as far as it has not run. The promise of the whole.
    /// - Parameter pending: called with what waits at a top-level await.
    func evaluate(_ root: ModuleRecord, pending: (ModuleRecord) throws(JSFailure) -> Void) throws(JSFailure) -> Value {
        if let evaluation = root.evaluation { return evaluation }
        for group in EvaluationOrder.groups(from: root) {
            let first = group[0]
            first.timing.evaluate.start = clock.now()
            let promise = try first.module.evaluate()
            for member in group { member.evaluation = promise }
            switch promise.promiseState {
            case .pending: try pending(first)
            case .fulfilled: try evaluated(first, error: nil)
            case .rejected:
                try evaluated(first, error: promise.promiseResult)
                // What imports it fails with the same error, without running.
                let whole = try root.module.evaluate()
                root.evaluation = whole
                return whole
            }
            for member in group.dropFirst() { try report(member, error: nil) }
        }
        return root.evaluation!
    }

    /// Evaluation of a module has come to its end.
    func evaluated(_ record: ModuleRecord, error: Value?) throws(JSFailure) {
        record.timing.evaluate.end = clock.now()
        try report(record, error: error)
    }

    /// Modules whose top-level await has not settled, with the line of it where there is only one that it can be.
    var unsettled: [String] {
        records.values.filter { $0.evaluation?.promiseState == .pending }.map { record in
            awaitLine(of: record).map { "\(record.name):\($0)" } ?? record.name
        }.sorted()
    }

    /// The only line, from 1, that has the word. V8 10.2 does not say where a module waits.
    private func awaitLine(of record: ModuleRecord) -> Int? {
        guard case .file(let file) = record.key, let source = try? files.read(file.path) else { return nil }
        var found: Int?
        for (index, line) in String(decoding: source, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() where line.contains("await") {
            guard found == nil else { return nil }
            found = index + 1
        }
        return found
    }

    // MARK: After the run

    /// Keeps compiled code on disk for the next run.
    func writeCodeCache() {
        guard let codeCache else { return }
        var entries: [(key: String, bytes: [UInt8])] = []
        for record in records.values where !record.isCached && record.evaluation != nil {
            if let key = record.cacheKey, let bytes = record.module.makeCodeCache() { entries.append((key, bytes)) }
        }
        codeCache.write(entries)
    }

    // MARK: Spans

    /// Whether spans of modules are wanted.
    var isTraced = false

    private func report(_ record: ModuleRecord, error: Value?) throws(JSFailure) {
        // A built-in costs nothing to load, and is in every program.
        if case .builtin = record.key { return }
        try report(
            specifier: record.specifier, url: record.url, record.timing, bytes: record.sourceBytes,
            isCached: record.isCached,
            error: error)
    }

    private func report(
        specifier: String, url: String, _ timing: ModuleTiming, bytes: Int, isCached: Bool, error: Value?
    ) throws(JSFailure) {
        guard isTraced else { return }
        var arguments = [internals.string(specifier), internals.string(url)]
        for step in [timing.resolve, timing.load, timing.compile, timing.evaluate] {
            arguments += [internals.number(step.start), internals.number(step.end)]
        }
        arguments += [internals.number(Double(bytes)), Value.bool(isCached, in: realm.isolate)]
        if let error { arguments.append(error) }
        try internals.call("host.moduleLoaded", arguments)
    }

    private static func thrown<Success>(by result: Result<Success, JSFailure>) -> Value? {
        guard case .failure(.exception(let exception)) = result else { return nil }
        return exception.thrown
    }

    // MARK: Errors

    private func translated<Success>(
        _ importer: String, _ location: JSException.Location? = nil, _ body: () throws(ResolutionError) -> Success
    ) throws(JSFailure) -> Success {
        do throws(ResolutionError) {
            return try body()
        } catch {
            let value = try internals.call(
                "host.makeError",
                [internals.string("Error"), internals.string(error.message), internals.string(error.code.rawValue)])
            throw .exception(JSException(throwing: value, in: realm, at: location))
        }
    }
}

/// The entry cannot be run.
struct EntryError: Error, CustomStringConvertible {
    let description: String
    /// It is not what somebody has signed.
    let isUnsigned: Bool

    init(_ description: String, isUnsigned: Bool = false) {
        self.description = description
        self.isUnsigned = isUnsigned
    }
}

extension [UInt8] {
    /// Whether these bytes occur in it.
    fileprivate func contains(_ text: StaticString) -> Bool {
        withUnsafeBytes { bytes in
            let length = text.utf8CodeUnitCount
            var rest = bytes[...]
            while rest.count >= length, let found = rest.firstIndex(of: text.utf8Start.pointee),
                found + length <= bytes.count
            {
                if memcmp(bytes.baseAddress! + found, text.utf8Start, length) == 0 { return true }
                rest = bytes[(found + 1)...]
            }
            return false
        }
    }
}
