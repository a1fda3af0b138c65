internal import Engine
internal import Glibc

/// What files a program consists of, for `sidelight sign`: all is loaded and linked, and nothing runs. Static imports are followed; what else belongs to it is
/// named by the caller.
extension Workload {
    func list(_ entry: String, _ others: [String], to descriptor: Int32) throws(JSFailure) {
        for (index, path) in ([entry] + others).enumerated() {
            let source: [UInt8]
            do {
                source = try loader.readEntry(path)
            } catch {
                return machine.end(.entryUnreadable(reason: error.description))
            }
            let file = loader.entryFile(path)
            // What is included need not be a module at all.
            guard index == 0 || [".js", ".mjs"].contains(FilePath.fileExtension(of: path)) else { continue }
            switch try loader.entryFormat(of: file, source: source) {
            case .module, .either: _ = try loader.loadEntry(file, source: source, loading: ModuleTiming.Step())
            case .script, .wasm, .json, .unsupported: break
            }
        }
        let text = Array((recorder?.paths ?? []).map { $0 + "\0" }.joined().utf8)
        guard write(descriptor, text, text.count) == text.count else {
            return machine.end(.internalError("the list of files cannot be written"))
        }
        machine.end(.completed(code: 0))
    }
}
