import Foundation
import Testing

/// Sources/CPlatform/sources.c names every file by hand, for #embed takes no list.
struct PlatformSourcesTests {
    private static let sources = URL(filePath: #filePath).appending(path: "../../../Sources").standardizedFileURL

    private var files: [String] { get throws { try files(in: "Platform/js") } }

    private func files(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.sources.appending(path: folder).path)
            .filter { $0.hasSuffix(".js") }.sorted()
    }

    private var text: String {
        get throws { try String(contentsOf: Self.sources.appending(path: "CPlatform/sources.c"), encoding: .utf8) }
    }

    @Test func everySourceIsEmbedded() throws {
        let embedded = try text.matches(of: /#embed "\.\.\/Platform\/js\/(.+)"/).map { String($0.1) }
        #expect(try embedded == files)
    }

    @Test func theTableHasThemInTheOrderTheyRun() throws {
        let listed = try text.matches(of: /\{"(.+?)", (\w+)_js, sizeof (\w+)_js\},/)
        #expect(try listed.map { String($0.1) } == files)
        #expect(listed.allSatisfy { $0.1 == $0.1.prefix(3) + $0.2 + ".js" && $0.2 == $0.3 })
    }

    /// V8 reads the sources as Latin-1.
    @Test(arguments: ["Platform/js", "Platform/js/late"])
    func whatIsNotASCIIStandsInComments(folder: String) throws {
        for file in try files(in: folder) {
            let url = Self.sources.appending(path: folder).appending(path: file)
            let code = try String(contentsOf: url, encoding: .utf8)
                .replacing(/\/\*[\s\S]*?\*\//, with: "")
                .replacing(/(^|\s)\/\/.*/.anchorsMatchLineEndings(), with: "")
            let strange = code.split(separator: "\n").filter { !$0.utf8.allSatisfy { $0 < 0x80 } }
            #expect(strange.isEmpty, "\(file)")
        }
    }

    @Test func everyLateSourceIsEmbeddedUnderItsName() throws {
        let files = try files(in: "Platform/js/late")
        let text = try String(contentsOf: Self.sources.appending(path: "CPlatform/late.c"), encoding: .utf8)
        let embedded = text.matches(of: /static const char (\w+)_js\[\] = \{\n#embed "\.\.\/Platform\/js\/late\/(.+)"/)
        #expect(embedded.map { String($0.2) }.sorted() == files)
        #expect(embedded.allSatisfy { $0.1 + ".js" == $0.2 })
        let listed = text.matches(of: /\{"(.+?)", (\w+)_js, sizeof (\w+)_js\},/)
        #expect(listed.map { $0.1 + ".js" }.sorted() == files)
        #expect(listed.allSatisfy { $0.1 == $0.2 && $0.2 == $0.3 })
    }

    @Test func everySourceOfTheValidatorIsEmbeddedInItsOrder() throws {
        let text = try String(contentsOf: Self.sources.appending(path: "CPlatform/check.c"), encoding: .utf8)
        let embedded = text.matches(of: /#embed "\.\.\/Platform\/js\/check\/(.+)"/).map { String($0.1) }
        #expect(try embedded == files(in: "Platform/js/check"))
        let listed = text.matches(of: /\{"(.+?)", (\w+)_js, sizeof (\w+)_js\},/)
        #expect(listed.map { String($0.1) } == ["acorn.js"] + embedded)
        #expect(listed.allSatisfy { $0.2 == $0.3 })
    }
}
