/// Compares sources and manifest with the table, and says in plain sentences what does not agree.
struct LayerCheck {
    let table: LayerTable
    let files: [SourceFile]
    let manifest: PackageManifest

    /// One sentence a violation, sorted; empty when all is well.
    func violations() -> [String] {
        var found = targetsOutsideTheTable()
        for file in files {
            found += violations(inLengthOf: file)
            found += file.isSwift ? violations(inImportsOf: file) : violations(inIncludesOf: file)
        }
        found += declaredButUnused()
        return Set(found).sorted()
    }

    private var ownTargets: Set<String> { Set(manifest.targets.map(\.name)) }

    private func declared(by target: String) -> Set<String> {
        Set(manifest.targets.first { $0.name == target }?.dependencies ?? [])
    }

    private func targetsOutsideTheTable() -> [String] {
        let names = ownTargets.filter { !$0.hasSuffix("Tests") }.union(files.filter { !$0.isTest }.map(\.target))
        let unknown = names.filter { table.layer(of: $0) == nil }.map { "target \($0) has no layer in the table" }
        let undeclared = Set(files.map(\.target)).subtracting(ownTargets).map {
            "folder \($0) is no target of Package.swift"
        }
        return unknown + undeclared
    }

    private func violations(inLengthOf file: SourceFile) -> [String] {
        guard file.lineCount > table.fileLinesMax else { return [] }
        return ["\(file.path) has \(file.lineCount) lines, more than \(table.fileLinesMax)"]
    }

    private func violations(inImportsOf file: SourceFile) -> [String] {
        file.needs.compactMap { need in
            violation(importing: need.name, in: file).map { "\(file.path):\(need.line): \($0)" }
        }
    }

    private func violation(importing module: String, in file: SourceFile) -> String? {
        let ownLayer = file.isTest ? table.layers.count : table.layer(of: file.target) ?? 0
        if table.toolchain.contains(module) {
            guard module.hasPrefix("Foundation"), ownLayer < table.foundationFromLayer else { return nil }
            return "\(module) is not for layer \(ownLayer)"
        }
        guard let layer = table.layer(of: module) ?? table.thirdParty[module] else {
            return "import of \(module), which is in no table"
        }
        if table.thirdParty[module] != nil {
            if ownLayer < layer { return "\(module) is only for layer \(layer) and above, this is layer \(ownLayer)" }
        } else if layer >= ownLayer {
            return "\(file.target) (layer \(ownLayer)) imports \(module) (layer \(layer))"
        }
        if !declared(by: file.target).contains(module) {
            return "\(file.target) imports \(module) without declaring it in Package.swift"
        }
        return nil
    }

    private func violations(inIncludesOf file: SourceFile) -> [String] {
        file.needs.compactMap { need in
            guard Self.isHeaderOfV8(need.name), file.target != table.v8Target else { return nil }
            return "\(file.path):\(need.line): \(need.name) is included outside \(table.v8Target)"
        }
    }

    private static func isHeaderOfV8(_ header: String) -> Bool {
        let file = header.split(separator: "/").last ?? ""
        return file == "v8.h" || file.hasPrefix("v8-") || header.hasPrefix("libplatform/") || header.hasPrefix("cppgc/")
    }

    /// Only Swift targets: a C target's needs are headers, not modules.
    private func declaredButUnused() -> [String] {
        manifest.targets.flatMap { target -> [String] in
            let sources = files.filter { $0.target == target.name && $0.isSwift }
            guard !sources.isEmpty else { return [] }
            let used = Set(sources.flatMap { $0.needs.map(\.name) })
            return Set(target.dependencies).subtracting(used).map {
                "\(target.name) declares \($0) in Package.swift and imports it nowhere"
            }
        }
    }
}
