import Foundation
import Testing

// The sources of this checkout against the table.

@Suite struct LayerTests {
    @Test func everyImportGoesToAStrictlyLowerLayer() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let manifest = try PackageManifest(
            String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8))
        let files = try sources(under: root)
        #expect(files.count > 20, "the sources were not found under \(root.path)")
        for violation in LayerCheck(table: .sidelight, files: files, manifest: manifest).violations() {
            Issue.record("\(violation)")
        }
    }

    /// V8 belongs to the workers; OpenSSL would cost every start of the agent 4 ms (docs/adr/0008).
    @Test func theAgentHasNeitherV8NorOpenSSL() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let manifest = try PackageManifest(
            String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8))
        var reached: Set = ["sidelight"]
        var count = 0
        while count != reached.count {
            count = reached.count
            for target in manifest.targets where reached.contains(target.name) {
                reached.formUnion(target.dependencies)
            }
        }
        #expect(reached.contains("Agent") && reached.contains("CLinux"))
        #expect(reached.isDisjoint(with: ["CV8", "COpenSSL"]))
    }

    private func sources(under root: URL) throws -> [SourceFile] {
        let kinds: Set = ["swift", "c", "cc", "cpp", "h", "js"]
        return try ["Sources", "Tests"].flatMap { top in
            let folder = root.appendingPathComponent(top)
            return try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
                .filter {
                    kinds.contains(($0 as NSString).pathExtension) && $0.contains("/") && !$0.hasPrefix("EndToEnd/")
                        && !$0.hasPrefix("Attack/")
                }
                .map {
                    try SourceFile(
                        path: "\(top)/\($0)",
                        text: String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8))
                }
        }
    }
}
