// Packages: the search through node_modules, and the `exports` and `imports` of package.json.
// https://nodejs.org/api/esm.html#resolution-algorithm-specification (PACKAGE_RESOLVE and below)

internal import System

extension ModuleResolver {
    // MARK: Bare specifiers

    mutating func resolvePackage(
        _ specifier: String, from directory: String, _ importer: String
    ) throws(ResolutionError) -> ResolvedModule {
        guard let (name, subpath) = split(specifier) else {
            throw ResolutionError(
                .invalidSpecifier, "Invalid module '\(specifier)' is not a valid package name imported from \(importer)"
            )
        }
        if let own = try scope(ofDirectory: directory, importer), own.name == name, let exports = own.exports {
            return try resolveExports(exports, of: own, subpath, importer)
        }
        var searched: [String] = []
        var parent = directory
        while true {
            if FilePath.name(of: parent) != "node_modules" {
                let folder = FilePath.resolve("node_modules/" + name, in: parent)
                if files.kind(folder) == .directory {
                    return try resolve(subpath, inPackage: folder, specifier, importer)
                }
                searched.append(FilePath.resolve("node_modules", in: parent))
            }
            if parent == "/" { break }
            parent = FilePath.directory(of: parent)
        }
        if Self.nodeModules.contains(name) { throw unknownBuiltin(specifier, importer) }
        throw ResolutionError(
            .moduleNotFound,
            "Cannot find package '\(name)' imported from \(importer)\nLooked in \(searched.joined(separator: ", "))"
                + hint(for: specifier, importer))
    }

    /// "name/rest" → name, "./rest"; "@scope/name" counts as a name. Nil for what cannot be one.
    private func split(_ specifier: String) -> (name: String, subpath: String)? {
        var slash = specifier.firstIndex(of: "/")
        if specifier.hasPrefix("@") {
            guard let first = slash else { return nil }
            slash = specifier[specifier.index(after: first)...].firstIndex(of: "/")
        }
        let name = slash.map { specifier[..<$0] } ?? specifier[...]
        guard !name.isEmpty, !name.hasPrefix("."), !name.contains("\\"), !name.contains("%") else { return nil }
        return (String(name), "." + (slash.map { String(specifier[$0...]) } ?? ""))
    }

    private func hint(for specifier: String, _ importer: String) -> String {
        let beside = FilePath.resolve(specifier, in: FilePath.directory(of: importer))
        return files.kind(beside) == .file ? "\nDid you mean to import './\(specifier)'?" : ""
    }

    private mutating func resolve(
        _ subpath: String, inPackage folder: String, _ specifier: String, _ importer: String
    ) throws(ResolutionError) -> ResolvedModule {
        let manifest = try manifest(in: folder, importer)
        if let manifest, let exports = manifest.exports {
            return try resolveExports(exports, of: manifest, subpath, importer)
        }
        guard subpath == "." else {
            return .file(try existing(FilePath.resolve(subpath, in: folder), specifier, importer))
        }
        let main = manifest?.main.map { FilePath.resolve($0, in: folder) }
        let mains = main.map { [$0, $0 + ".js", $0 + ".json", $0 + "/index.js"] } ?? []
        for path in mains + [folder + "/index.js"] where files.kind(path) == .file {
            return .file(try existing(path, specifier, importer))
        }
        throw ResolutionError(
            .moduleNotFound,
            "Cannot find the main module of package '\(folder)' imported from \(importer)\nTried \((mains + [folder + "/index.js"]).joined(separator: ", "))"
        )
    }

    // MARK: exports and imports

    func resolveExports(
        _ exports: JSON, of manifest: PackageManifest, _ subpath: String, _ importer: String
    ) throws(ResolutionError) -> ResolvedModule {
        let subpaths = try subpathMap(exports, of: manifest, importer)
        let request = TargetRequest(manifest: manifest, key: subpath, isImports: false, importer: importer)
        if let found = try match(subpath, in: subpaths, request), case .module(let module) = found { return module }
        let what = subpath == "." ? "No \"exports\" main" : "Package subpath '\(subpath)' is not"
        throw ResolutionError(
            .pathNotExported, "\(what) defined by \"exports\" in \(manifest.path) imported from \(importer)")
    }

    mutating func resolveInternal(_ specifier: String, _ importer: String) throws(ResolutionError) -> ResolvedModule {
        guard specifier != "#", !specifier.hasPrefix("#/") else {
            throw ResolutionError(
                .invalidSpecifier,
                "Invalid module '\(specifier)' is not a valid internal imports specifier imported from \(importer)")
        }
        let manifest = try scope(ofDirectory: FilePath.directory(of: importer), importer)
        if let manifest, case .object(let members)? = manifest.imports {
            let request = TargetRequest(manifest: manifest, key: specifier, isImports: true, importer: importer)
            switch try match(specifier, in: members, request) {
            case .module(let module): return module
            case .package(let bare):
                if let builtin = builtin(bare) { return .builtin(builtin) }
                return try resolvePackage(bare, from: manifest.directory, importer)
            case .excluded, nil: break
            }
        }
        let place = manifest.map { " in package \($0.path)" } ?? ""
        throw ResolutionError(
            .importNotDefined,
            "Package import specifier '\(specifier)' is not defined\(place) imported from \(importer)")
    }

    /// `exports` as a map from subpaths: a string, an array or conditions stand for ".".
    private func subpathMap(
        _ exports: JSON, of manifest: PackageManifest, _ importer: String
    ) throws(ResolutionError) -> [JSON.Member] {
        guard case .object(let members) = exports else { return [JSON.Member(key: ".", value: exports)] }
        let dotted = members.count { $0.key.hasPrefix(".") }
        if dotted == members.count { return members }
        guard dotted == 0 else {
            throw ResolutionError(
                .invalidConfiguration,
                "Invalid package config \(manifest.path): \"exports\" mixes subpaths (keys that start with '.') and conditions, needed by \(importer)"
            )
        }
        return [JSON.Member(key: ".", value: exports)]
    }

    /// The target of the key itself, else of the pattern with the longest part before its `*`.
    private func match(
        _ key: String, in members: [JSON.Member], _ request: TargetRequest
    ) throws(ResolutionError) -> Target? {
        if !key.contains("*"), !key.hasSuffix("/"), let member = members.last(where: { $0.key == key }) {
            return try target(member.value, filling: nil, request)
        }
        var best: (member: JSON.Member, prefix: Substring, filling: Substring)?
        for member in members {
            guard let star = member.key.firstIndex(of: "*") else { continue }
            let prefix = member.key[..<star]
            let suffix = member.key[member.key.index(after: star)...]
            guard !suffix.contains("*"), key.hasPrefix(prefix), key != String(prefix), key.hasSuffix(suffix),
                key.utf8.count >= member.key.utf8.count
            else { continue }
            if let best,
                (best.prefix.utf8.count, best.member.key.utf8.count) >= (prefix.utf8.count, member.key.utf8.count)
            {
                continue
            }
            best = (member, prefix, key.dropFirst(prefix.count).dropLast(suffix.count))
        }
        guard let best else { return nil }
        return try target(best.member.value, filling: String(best.filling), request)
    }

    private enum Target {
        case module(ResolvedModule)
        /// A bare specifier, which only `imports` may name.
        case package(String)
        /// null: explicitly not there.
        case excluded
    }

    private struct TargetRequest {
        let manifest: PackageManifest
        let key: String
        let isImports: Bool
        let importer: String

        func invalid(_ target: String) -> ResolutionError {
            ResolutionError(
                .invalidTarget,
                "Invalid \"\(isImports ? "imports" : "exports")\" target \(target) defined for '\(key)' in the package config \(manifest.path) imported from \(importer)"
                    + (isImports ? "" : "; targets must start with \"./\""))
        }
    }

    private func target(
        _ target: JSON, filling: String?, _ request: TargetRequest
    ) throws(ResolutionError) -> Target? {
        switch target {
        case .string(let text): return try pathTarget(text, filling: filling, request)
        case .null: return .excluded
        case .object(let members):
            for member in members where member.key == "default" || Self.conditions.contains(member.key) {
                if let found = try self.target(member.value, filling: filling, request) { return found }
            }
            return nil
        case .array(let alternatives): return try firstTarget(of: alternatives, filling: filling, request)
        case .bool, .number: throw request.invalid(target.text)
        }
    }

    /// The first that is valid; an invalid one is an error only when nothing comes after it.
    private func firstTarget(
        of alternatives: [JSON], filling: String?, _ request: TargetRequest
    ) throws(ResolutionError) -> Target? {
        var last: Result<Target, ResolutionError>?
        for alternative in alternatives {
            do throws(ResolutionError) {
                guard let found = try target(alternative, filling: filling, request) else { continue }
                guard case .excluded = found else { return found }
                last = .success(found)
            } catch {
                guard error.code == .invalidTarget else { throw error }
                last = .failure(error)
            }
        }
        return try last?.get()
    }

    private func pathTarget(
        _ text: String, filling: String?, _ request: TargetRequest
    ) throws(ResolutionError) -> Target {
        let filled =
            filling.map { fill in text.split(separator: "*", omittingEmptySubsequences: false).joined(separator: fill) }
            ?? text
        guard text.hasPrefix("./") else {
            let isBare =
                !text.hasPrefix("../") && !text.hasPrefix("/") && !text.contains(":") || text.hasPrefix("node:")
            guard request.isImports, isBare else { throw request.invalid("\"\(text)\"") }
            return .package(filled)
        }
        guard !leavesPackage(text.dropFirst(2)) else { throw request.invalid("\"\(text)\"") }
        guard !leavesPackage(filling?[...] ?? "") else {
            throw ResolutionError(
                .invalidSpecifier,
                "Invalid module '\(request.key)' must not leave the package \(request.manifest.directory), imported from \(request.importer)"
            )
        }
        let path = FilePath.resolve(filled, in: request.manifest.directory)
        return .module(.file(try existing(path, request.key, request.importer)))
    }

    private func leavesPackage(_ path: Substring) -> Bool {
        path.split { $0 == "/" || $0 == "\\" }.contains { [".", "..", "node_modules"].contains($0.lowercased()) }
    }
}
