// From a specifier and the file that holds it to a file or a built-in module, by Node's algorithm
// (https://nodejs.org/api/esm.html#resolution-algorithm-specification) without CommonJS and without guessing at extensions.
//
// All looks at the file system go through the seam, so the whole table of cases is tested without files.

internal import System

/// What a specifier leads to.
enum ResolvedModule: Hashable {
    /// By its full name, such as "node:process".
    case builtin(String)
    case file(ModuleFile)
}

/// A file as a module's source, or a URL that is (or names) the source itself. Two imports of the same file and suffix are the same module.
struct ModuleFile: Hashable {
    /// Without symbolic links. Empty when the source is in the URL.
    let path: String
    /// "?query#fragment" as the specifier had it, or empty; or the whole URL.
    let suffix: String

    /// The source of a `data:` or `blob:` URL.
    static func inline(_ url: String) -> ModuleFile { ModuleFile(path: "", suffix: url) }

    static func isInline(_ specifier: String) -> Bool { specifier.hasPrefix("data:") || specifier.hasPrefix("blob:") }

    var isInline: Bool { path.isEmpty }
    /// What stack frames say.
    var name: String { path + suffix }
    /// What telemetry calls it when it is an entry.
    var specifier: String { isInline ? suffix : path }
    var url: String { isInline ? suffix : FilePath.url(of: path) + suffix }
}

struct ModuleResolver {
    /// What a key of conditional exports may be, beside "default". https://nodejs.org/api/packages.html#conditional-exports
    static let conditions: Set<String> = ["sidelight", "node", "import"]

    let files: FileSystem
    let builtins: Set<String>
    private var manifests: [String: PackageManifest?] = [:]

    init(files: FileSystem, builtins: Set<String>) {
        self.files = files
        self.builtins = builtins
    }

    /// - Parameter importer: path of the file that imports, or the URL that has its source.
    mutating func resolve(_ specifier: String, from importer: String) throws(ResolutionError) -> ResolvedModule {
        if let builtin = builtin(specifier) { return .builtin(builtin) }
        if ModuleFile.isInline(specifier) { return .file(.inline(specifier)) }
        if ModuleFile.isInline(importer), scheme(of: specifier) == nil {
            throw ResolutionError(
                .invalidSpecifier,
                "Cannot import '\(specifier)' from \(importer.prefix(80)): nothing is relative to a data: or blob: URL, only built-in modules and absolute URLs can be imported there"
            )
        }
        if isPath(specifier) {
            return .file(try resolvePath(specifier, in: FilePath.directory(of: importer), importer))
        }
        if specifier.hasPrefix("file:") { return .file(try resolveFileURL(specifier, importer)) }
        if specifier.hasPrefix("#") { return try resolveInternal(specifier, importer) }
        if let scheme = scheme(of: specifier) { throw unsupported(scheme, specifier, importer) }
        return try resolvePackage(specifier, from: FilePath.directory(of: importer), importer)
    }

    /// The full name when this is a built-in module; those of Node go without "node:" too.
    func builtin(_ specifier: String) -> String? {
        if builtins.contains(specifier) { return specifier }
        let prefixed = "node:" + specifier
        return builtins.contains(prefixed) ? prefixed : nil
    }

    // MARK: Paths and URLs

    /// Whether it says where a file is, and not what a package is called.
    func namesFile(_ specifier: String) -> Bool { isPath(specifier) || specifier.hasPrefix("file:") }

    private func isPath(_ specifier: String) -> Bool {
        specifier.hasPrefix("/") || specifier.hasPrefix("./") || specifier.hasPrefix("../") || specifier == "."
            || specifier == ".."
    }

    private func resolvePath(
        _ specifier: String, in directory: String, _ importer: String
    ) throws(ResolutionError) -> ModuleFile {
        let end = specifier.firstIndex { $0 == "?" || $0 == "#" } ?? specifier.endIndex
        guard let path = FilePath.decodingPercents(specifier[..<end]) else {
            throw ResolutionError(
                .invalidSpecifier,
                "Invalid module '\(specifier)' must not include encoded \"/\" or \"\\\" characters imported from \(importer)"
            )
        }
        let isDirectory = path.hasSuffix("/")
        let resolved = FilePath.resolve(path, in: directory)
        return try existing(resolved, suffix: String(specifier[end...]), isDirectory: isDirectory, specifier, importer)
    }

    private func resolveFileURL(_ url: String, _ importer: String) throws(ResolutionError) -> ModuleFile {
        var rest = url.dropFirst("file:".count)
        if rest.hasPrefix("//localhost/") { rest = rest.dropFirst("//localhost".count) }
        if rest.hasPrefix("///") { rest = rest.dropFirst(2) }
        guard rest.hasPrefix("/"), !rest.hasPrefix("//") else {
            throw ResolutionError(
                .invalidSpecifier, "File URL '\(url)' must be absolute and have no host, imported from \(importer)")
        }
        return try resolvePath(String(rest), in: "/", importer)
    }

    /// The file at a path, or an error that says what is there instead.
    func existing(
        _ path: String, suffix: String = "", isDirectory: Bool = false, _ specifier: String, _ importer: String
    ) throws(ResolutionError) -> ModuleFile {
        switch files.kind(path) {
        case .file where !isDirectory:
            return ModuleFile(path: files.realPath(path) ?? path, suffix: suffix)
        case .directory:
            throw ResolutionError(
                .directoryImport,
                "Directory import '\(path)' is not supported, imported from \(importer)"
                    + hint(inDirectory: path, specifier))
        case .other:
            throw ResolutionError(.moduleNotFound, "'\(path)' is not a regular file, imported from \(importer)")
        default:
            throw ResolutionError(
                .moduleNotFound,
                "Cannot find module '\(path)' imported from \(importer)" + hint(besideMissing: path, specifier))
        }
    }

    /// Node's users often leave out what its CommonJS loader would have added.
    private func hint(besideMissing path: String, _ specifier: String) -> String {
        for addition in [".js", ".mjs", ".json"] where files.kind(path + addition) == .file {
            return "\nDid you mean to import '\(specifier)\(addition)'?"
        }
        if path.hasSuffix(".js"), files.kind(path.dropLast(3) + ".ts") == .file {
            return
                "\nThere is a TypeScript file of this name: compile it first (source maps are applied to its output)."
        }
        return ""
    }

    private func hint(inDirectory path: String, _ specifier: String) -> String {
        let separator = specifier.hasSuffix("/") ? "" : "/"
        for name in ["index.js", "index.mjs"] where files.kind(path + "/" + name) == .file {
            return "\nDid you mean to import '\(specifier)\(separator)\(name)'?"
        }
        return ""
    }

    /// RFC 3986 section 3.1; one letter is no scheme here.
    private func scheme(of specifier: String) -> Substring? {
        guard let colon = specifier.firstIndex(of: ":") else { return nil }
        let scheme = specifier[..<colon]
        guard scheme.utf8.count > 1, let first = scheme.first, first.isASCII, first.isLetter else { return nil }
        return scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) } ? scheme : nil
    }

    private func unsupported(_ scheme: Substring, _ specifier: String, _ importer: String) -> ResolutionError {
        if scheme == "node" { return unknownBuiltin(specifier, importer) }
        return ResolutionError(
            .unsupportedScheme,
            "Only URLs with the schemes file, data, blob and node are supported: received '\(scheme):' in '\(specifier)', imported from \(importer)"
        )
    }

    /// Names what is missing and what is there.
    func unknownBuiltin(_ specifier: String, _ importer: String) -> ResolutionError {
        let known = builtins.sorted().joined(separator: ", ")
        return ResolutionError(
            .unknownBuiltin,
            "No such built-in module: \(specifier), imported from \(importer)\nThere are: \(known)")
    }

    /// Modules that are built into Node (https://nodejs.org/api/modules.html#built-in-modules): who imports one that is
    /// missing here looks for no package.
    static let nodeModules: Set<String> = [
        "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto",
        "dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector",
        "module", "net", "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl",
        "stream", "string_decoder", "sys", "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm",
        "wasi", "worker_threads", "zlib",
    ]

    // MARK: Manifests

    /// The package.json that governs a file: the nearest upwards, not past a node_modules folder.
    mutating func scope(ofDirectory start: String, _ importer: String) throws(ResolutionError) -> PackageManifest? {
        var directory = start
        while FilePath.name(of: directory) != "node_modules" {
            if let manifest = try manifest(in: directory, importer) { return manifest }
            if directory == "/" { break }
            directory = FilePath.directory(of: directory)
        }
        return nil
    }

    /// What the nearest package.json says of `.js` files.
    mutating func moduleType(ofFile path: String) throws(ResolutionError) -> PackageManifest.ModuleType {
        try scope(ofDirectory: FilePath.directory(of: path), path)?.type ?? .unstated
    }

    mutating func manifest(in directory: String, _ importer: String) throws(ResolutionError) -> PackageManifest? {
        if let known = manifests[directory] { return known }
        let path = FilePath.resolve("package.json", in: directory)
        var manifest: PackageManifest?
        if files.kind(path) == .file {
            do {
                manifest = try PackageManifest(directory: directory, parsing: try files.read(path))
            } catch let error as JSONError {
                throw ResolutionError(
                    .invalidConfiguration,
                    "Invalid package config \(path): \(error.reason) at byte \(error.offset), needed by \(importer)")
            } catch {
                throw ResolutionError(
                    .invalidConfiguration, "Cannot read package config \(path), needed by \(importer): \(error)")
            }
        }
        manifests[directory] = .some(manifest)
        return manifest
    }
}
