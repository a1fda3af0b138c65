/// How a file is read, told by its name and the package.json above it.
enum ModuleFormat: Hashable {
    case module
    /// A classic script, which only the entry can be.
    case script
    /// `.js` without a `type`: a module where it is imported; as the entry, what its source is.
    case either
    case json
    /// As the entry a WASI command, else a `WebAssembly.Module`.
    case wasm
    /// With what to do about it.
    case unsupported(reason: String)

    static func of(_ path: String, type: PackageManifest.ModuleType) -> ModuleFormat {
        switch FilePath.fileExtension(of: path) {
        case ".mjs": .module
        case ".cjs": .script
        case ".js", "":
            switch type {
            case .module: .module
            case .commonjs: .script
            case .unstated: .either
            }
        case ".json": .json
        case ".ts", ".mts", ".cts", ".tsx", ".jsx":
            .unsupported(
                reason:
                    "compile it to JavaScript first; source maps, inline or beside the output, are applied to stack traces"
            )
        case ".wasm": .wasm
        case ".node": .unsupported(reason: "native add-ons are Node's own")
        case let other: .unsupported(reason: "files ending in \(other) are not modules; use .js, .mjs or .json")
        }
    }
}
