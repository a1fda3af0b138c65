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

    private func sources(under root: URL) throws -> [SourceFile] {
        let kinds: Set = ["swift", "c", "cc", "cpp", "h", "js"]
        return try ["Sources", "Tests"].flatMap { top in
            let folder = root.appendingPathComponent(top)
            return try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
                .filter {
                    kinds.contains(($0 as NSString).pathExtension) && $0.contains("/") && !$0.hasPrefix("EndToEnd/")
                }
                .map {
                    try SourceFile(
                        path: "\(top)/\($0)",
                        text: String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8))
                }
        }
    }
}
