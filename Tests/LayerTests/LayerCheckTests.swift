import Testing

// The checker itself, on made-up packages: it has to be able to fail.

@Suite struct LayerCheckTests {
    private static let table = LayerTable(
        layers: [["CBase"], ["Values", "Seams"], ["Codec"], ["Tool"]], thirdParty: ["Loop": 2],
        toolchain: ["Glibc", "Foundation", "FoundationEssentials", "Testing"], foundationFromLayer: 2,
        v8Target: "CBase",
        fileLinesMax: 5)

    private static let manifest = """
        let loop: Target.Dependency = .product(name: "Loop", package: "swift-loop")
        let package = Package(
            targets: [
                .target(name: "CBase", cxxSettings: [.unsafeFlags(["-I", "x"])]),
                target("Values", ["CBase"]),
                target("Codec", ["Values"] + [loop]),
                .executableTarget(name: "Tool", dependencies: ["Codec"], swiftSettings: swift),
                tests("Codec", ["Codec"]),
            ])
        """

    private static let sound = [
        "Sources/CBase/base.h": "#include <v8.h>\n",
        "Sources/Values/Values.swift": "internal import CBase\nimport Glibc\n",
        "Sources/Codec/Codec.swift": "public import Values\nimport Loop\nimport Foundation\n",
        "Sources/Tool/main.swift": "@preconcurrency import struct Codec.Writer\n",
        "Tests/CodecTests/CodecTests.swift": "import Testing\n@testable import Codec\n",
    ]

    private func violations(
        replacing path: String? = nil, with text: String = "", manifest: String = manifest
    ) throws -> [String] {
        var files = Self.sound
        if let path { files[path] = text }
        return LayerCheck(
            table: Self.table, files: files.map { SourceFile(path: $0.key, text: $0.value) },
            manifest: try PackageManifest(manifest)
        ).violations()
    }

    @Test func soundPackageHasNoViolations() throws {
        #expect(try violations() == [])
    }

    @Test func importUpwardsIsRefused() throws {
        let found = try violations(replacing: "Sources/Values/More.swift", with: "import Codec\n")
        #expect(found == ["Sources/Values/More.swift:1: Values (layer 1) imports Codec (layer 2)"])
    }

    @Test func importSidewaysIsRefused() throws {
        let manifest = Self.manifest.replacing(
            "target(\"Values\", [\"CBase\"])", with: "target(\"Values\", [\"CBase\"]), target(\"Seams\", [])")
        let found = try violations(
            replacing: "Sources/Values/More.swift", with: "\n\nimport Seams\n", manifest: manifest)
        #expect(found == ["Sources/Values/More.swift:3: Values (layer 1) imports Seams (layer 1)"])
    }

    @Test func targetWithoutALayerIsRefused() throws {
        let found = try violations(replacing: "Sources/Extra/Extra.swift", with: "import Glibc\n")
        #expect(found == ["folder Extra is no target of Package.swift", "target Extra has no layer in the table"])
    }

    @Test func moduleInNoTableIsRefused() throws {
        let found = try violations(replacing: "Sources/Tool/More.swift", with: "import Elsewhere\n")
        #expect(found == ["Sources/Tool/More.swift:1: import of Elsewhere, which is in no table"])
    }

    @Test func thirdPartyModuleBelowItsLayerIsRefused() throws {
        let found = try violations(replacing: "Sources/Values/More.swift", with: "import Loop\n")
        #expect(found == ["Sources/Values/More.swift:1: Loop is only for layer 2 and above, this is layer 1"])
    }

    @Test(arguments: ["Foundation", "FoundationEssentials"])
    func foundationBelowItsLayerIsRefused(module: String) throws {
        let found = try violations(replacing: "Sources/Values/More.swift", with: "import \(module)\n")
        #expect(found == ["Sources/Values/More.swift:1: \(module) is not for layer 1"])
    }

    @Test(arguments: ["v8.h", "v8-isolate.h", "node/v8.h", "libplatform/libplatform.h", "cppgc/heap.h"])
    func headerOfV8OutsideItsTargetIsRefused(header: String) throws {
        let found = try violations(replacing: "Sources/Codec/fast.cc", with: "# include \"\(header)\"\n")
        #expect(found == ["Sources/Codec/fast.cc:1: \(header) is included outside CBase"])
    }

    @Test func dependencyThatNothingImportsIsRefused() throws {
        let found = try violations(replacing: "Sources/Codec/Codec.swift", with: "import Values\n")
        #expect(found == ["Codec declares Loop in Package.swift and imports it nowhere"])
    }

    @Test func importThatPackageDoesNotDeclareIsRefused() throws {
        let found = try violations(replacing: "Sources/Tool/More.swift", with: "import Values\n")
        #expect(found == ["Sources/Tool/More.swift:1: Tool imports Values without declaring it in Package.swift"])
    }

    @Test func testTargetsAgreeWithTheManifestToo() throws {
        let found = try violations(replacing: "Tests/CodecTests/More.swift", with: "import Values\n")
        #expect(
            found == ["Tests/CodecTests/More.swift:1: CodecTests imports Values without declaring it in Package.swift"])
    }

    @Test func fileIsTooLongFromOneLineAboveTheLimit() throws {
        #expect(try violations(replacing: "Sources/Codec/Long.swift", with: String(repeating: "\n", count: 5)) == [])
        let found = try violations(replacing: "Sources/Codec/Long.swift", with: String(repeating: "\n", count: 6))
        #expect(found == ["Sources/Codec/Long.swift has 6 lines, more than 5"])
    }
}

@Suite struct SourceFileTests {
    private func needs(_ text: String, path: String = "Sources/A/a.swift") -> [String] {
        SourceFile(path: path, text: text).needs.map(\.name)
    }

    @Test func everyFormOfImportIsSeen() {
        let text = """
            import A
            public import B
            @testable import C
            @_exported public import D
            import struct E.Thing
            import func F.call
            #if os(Linux)
                import G
            #endif
            """
        #expect(needs(text) == ["A", "B", "C", "D", "E", "F", "G"])
    }

    @Test func commentsAndStringsAreNotImports() {
        let text = ###"""
            // import A
            /* import B
               /* nested */
            import C */
            let text = "quoted \" // not a comment"; let url = "http://x/*"
            let long = """
                import D
                """
            let raw = #"a " \"#; let rawLong = ##"""
                " import F "#
                """##
            import E // for E
            let imported = 1
            """###
        #expect(needs(text) == ["E"])
    }

    @Test func includesInBracketsAndQuotesAreSeen() {
        let text =
            "#include <v8.h>\n  #  include \"own.h\"\n// #include <no.h>\n#define X \"#include <no.h>\"\n#import <o.h>\n"
        #expect(needs(text, path: "Sources/A/a.cc") == ["v8.h", "own.h", "o.h"])
    }

    @Test func targetIsTheFolderUnderSourcesOrTests() {
        #expect(SourceFile(path: "Sources/A/include/a.h", text: "").target == "A")
        #expect(SourceFile(path: "Tests/ATests/a.swift", text: "").isTest)
    }
}

@Suite struct PackageManifestTests {
    @Test func dependenciesAreReadThroughConstantsAndSums() throws {
        let manifest = try PackageManifest(
            """
            let loop: [Target.Dependency] = [
                .product(name: "Loop", package: "l"), .product(name: "LoopPosix", package: "l"), // both
            ]
            let other = ["not", "a dependency"]
            let package = Package(targets: [
                .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
                target("Host", loop + ["Values", .target(name: "Codec")], exclude: ["js"], linker: v8Link),
                target("Values"),
                tests("Host", ["Host"]),
            ])
            """)
        #expect(
            manifest.targets == [
                .init(name: "CCurl", dependencies: []),
                .init(name: "Host", dependencies: ["Loop", "LoopPosix", "Values", "Codec"]),
                .init(name: "Values", dependencies: []),
                .init(name: "HostTests", dependencies: ["Host"]),
            ])
    }

    @Test(arguments: [
        "let package = Package(name: \"x\")",
        "let package = Package(targets: [.macro(name: \"M\")])",
        "let package = Package(targets: [target(\"A\", unknown)])",
        "let package = Package(targets: [target(\"A\", [1])])",
        "let package = Package(targets: [target(name)])",
        "let package = Package(targets: [target(\"A\"",
    ])
    func manifestThatIsNotUnderstoodIsAnError(text: String) {
        #expect(throws: PackageManifest.Unreadable.self) { try PackageManifest(text) }
    }
}
