import System
import Testing

@testable import Runtime

/// The expectations are Node 18's, where it offers the case. https://nodejs.org/api/esm.html#resolution-algorithm-specification
struct ModuleResolverTests {
    private static let tree = SimulatedFiles(
        [
            "/app/main.mjs": "", "/app/lib/a.js": "", "/app/lib/b c.mjs": "", "/app/lib/%.js": "",
            "/app/lib/index.js": "",
            "/app/types.ts": "",
            "/app/package.json": """
            {"name": "app", "exports": {"./lib/*": "./lib/*.js"}, "imports": {
                "#lib": "./lib/a.js", "#os": "node:process", "#dep": "plain", "#dep/*": "plain/*", "#none": null
            }}
            """,
            "/app/node_modules/plain/package.json": #"{"main": "./lib/entry"}"#,
            "/app/node_modules/plain/lib/entry.js": "", "/app/node_modules/plain/other.js": "",
            "/app/node_modules/bare/index.js": "", "/app/node_modules/empty/readme": "",
            "/app/node_modules/@scope/pkg/package.json": #"{"exports": "./m.js"}"#,
            "/app/node_modules/@scope/pkg/m.js": "",
            "/app/node_modules/broken/package.json": "{",
            "/app/node_modules/cond/package.json": """
            {"exports": {
                ".": {"require": "./c.cjs", "sidelight": {"development": "./dev.js", "import": "./s.js"}, "default": "./d.js"},
                "./order": {"default": "./d.js", "import": "./s.js"},
                "./only-require": {"require": "./c.cjs"},
                "./private/*": null,
                "./p/*": "./src/*.js",
                "./p/special/*": "./special/*.js",
                "./p/*.css": "./css/*.css",
                "./twice/*": "./src/*/*.js",
                "./list": ["not-relative", {"require": "./c.cjs"}, "./s.js"],
                "./list-bad": ["bad"],
                "./escape": "./../outside.js",
                "./absolute": "/etc/passwd",
                "./modules": "./node_modules/x.js",
                "./number": 5,
                "./gone": "./gone.js"
            }}
            """,
            "/app/node_modules/cond/s.js": "", "/app/node_modules/cond/d.js": "", "/app/node_modules/cond/src/x.js": "",
            "/app/node_modules/cond/src/y/y.js": "", "/app/node_modules/cond/src/a/b.js": "",
            "/app/node_modules/cond/special/x.js": "", "/app/node_modules/cond/css/x.css": "",
            "/app/node_modules/mixed/package.json": #"{"exports": {".": "./a.js", "import": "./a.js"}}"#,
            "/app/node_modules/nulled/package.json": #"{"exports": null, "main": "a.js"}"#,
            "/app/node_modules/nulled/a.js": "",
            "/node_modules/up/index.js": "", "/store/real.mjs": "",
        ],
        links: ["/app/link.mjs": "/store/real.mjs"])

    private func resolve(_ specifier: String, from importer: String = "/app/main.mjs") throws -> ResolvedModule {
        var resolver = ModuleResolver(
            files: Self.tree.fileSystem,
            builtins: ["sidelight", "@opentelemetry/api", "node:process", "node:timers/promises"])
        return try resolver.resolve(specifier, from: importer)
    }

    private func file(_ path: String, _ suffix: String = "") -> ResolvedModule {
        .file(ModuleFile(path: path, suffix: suffix))
    }

    @Test(arguments: [
        ("./lib/a.js", "/app/lib/a.js", ""), ("/app/lib/a.js", "/app/lib/a.js", ""),
        ("./lib/../lib/./a.js", "/app/lib/a.js", ""),
        ("../app/lib/a.js", "/app/lib/a.js", ""), ("file:///app/lib/a.js", "/app/lib/a.js", ""),
        ("file:/app/lib/a.js", "/app/lib/a.js", ""),
        ("file://localhost/app/lib/a.js", "/app/lib/a.js", ""), ("./lib/a.js?v=1", "/app/lib/a.js", "?v=1"),
        ("./lib/a.js#x?y", "/app/lib/a.js", "#x?y"), ("./lib/b%20c.mjs", "/app/lib/b c.mjs", ""),
        ("./lib/b c.mjs", "/app/lib/b c.mjs", ""),
        ("./lib/%25.js", "/app/lib/%.js", ""), ("./lib/%.js", "/app/lib/%.js", ""),
        ("./link.mjs", "/store/real.mjs", ""),
        ("file:///app/lib/a.js?q", "/app/lib/a.js", "?q"),
    ])
    func pathsAndFileURLsLeadToFiles(specifier: String, path: String, suffix: String) throws {
        #expect(try resolve(specifier) == file(path, suffix))
    }

    @Test(arguments: [
        ("sidelight", "sidelight"), ("@opentelemetry/api", "@opentelemetry/api"), ("node:process", "node:process"),
        ("process", "node:process"), ("timers/promises", "node:timers/promises"), ("#os", "node:process"),
    ])
    func builtinsComeFirst(specifier: String, name: String) throws {
        #expect(try resolve(specifier) == .builtin(name))
    }

    @Test(arguments: [
        ("plain", "plain/lib/entry.js"), ("plain/other.js", "plain/other.js"), ("bare", "bare/index.js"),
        ("@scope/pkg", "@scope/pkg/m.js"),
        ("cond", "cond/s.js"), ("cond/order", "cond/d.js"), ("cond/p/x", "cond/src/x.js"),
        ("cond/p/a/b", "cond/src/a/b.js"),
        ("cond/p/special/x", "cond/special/x.js"), ("cond/p/x.css", "cond/css/x.css"),
        ("cond/twice/y", "cond/src/y/y.js"),
        ("cond/list", "cond/s.js"), ("nulled", "nulled/a.js"), ("#dep", "plain/lib/entry.js"),
        ("#dep/other.js", "plain/other.js"),
    ])
    func packagesByTheirManifest(specifier: String, path: String) throws {
        #expect(try resolve(specifier) == file("/app/node_modules/" + path))
    }

    @Test func dataAndBlobURLsAreSourcesThatNothingIsRelativeTo() throws {
        let url = "data:text/javascript,1"
        #expect(try resolve(url) == .file(.inline(url)))
        #expect(try resolve("blob:null/1", from: url) == .file(.inline("blob:null/1")))
        #expect(ModuleFile.inline(url).name == url && ModuleFile.inline(url).url == url)
        #expect(try resolve("node:process", from: url) == .builtin("node:process"))
        #expect(try resolve("file:///app/lib/a.js", from: url) == file("/app/lib/a.js"))
        for relative in ["./lib/a.js", "/app/lib/a.js", "plain", "#lib"] {
            let error = #expect(throws: ResolutionError.self) { try resolve(relative, from: url) }
            #expect(error?.code == .invalidSpecifier)
        }
    }

    @Test func packagesAreLookedForUpwards() throws {
        #expect(try resolve("up", from: "/app/lib/a.js") == file("/node_modules/up/index.js"))
        #expect(
            try resolve("plain", from: "/app/node_modules/cond/s.js") == file("/app/node_modules/plain/lib/entry.js"))
    }

    @Test func aPackageImportsItselfByItsName() throws {
        #expect(try resolve("app/lib/a") == file("/app/lib/a.js"))
        #expect(try resolve("#lib", from: "/app/lib/index.js") == file("/app/lib/a.js"))
    }

    @Test(arguments: [
        ("./gone.mjs", ResolutionError.Code.moduleNotFound), ("./lib", .directoryImport), ("./lib/", .directoryImport),
        (".", .directoryImport),
        ("./lib/a.js/", .moduleNotFound), ("nope", .moduleNotFound), ("@scope/nope", .moduleNotFound),
        ("@scope", .invalidSpecifier),
        ("", .invalidSpecifier), ("a%20b", .invalidSpecifier), (".hidden", .invalidSpecifier),
        ("./lib%2fa.js", .invalidSpecifier),
        ("file://host/app/a.js", .invalidSpecifier), ("http://x/y.js", .unsupportedScheme),
        ("ftp://x/y.js", .unsupportedScheme),
        ("node:fs", .unknownBuiltin), ("#missing", .importNotDefined), ("#none", .importNotDefined),
        ("#", .invalidSpecifier),
        ("#/x", .invalidSpecifier), ("empty", .moduleNotFound), ("plain/gone.js", .moduleNotFound),
        ("plain/lib", .directoryImport),
        ("broken", .invalidConfiguration), ("mixed", .invalidConfiguration), ("cond/secret", .pathNotExported),
        ("cond/package.json", .pathNotExported), ("cond/only-require", .pathNotExported),
        ("cond/private/x", .pathNotExported),
        ("cond/p/", .pathNotExported), ("cond/list-bad", .invalidTarget), ("cond/escape", .invalidTarget),
        ("cond/absolute", .invalidTarget),
        ("cond/modules", .invalidTarget), ("cond/number", .invalidTarget), ("cond/gone", .moduleNotFound),
        ("cond/p/../../x", .invalidSpecifier), ("cond/p/node_modules/x", .invalidSpecifier),
        ("app/secret", .pathNotExported),
    ])
    func whatDoesNotResolveSaysWhyAndWhoAsked(specifier: String, code: ResolutionError.Code) {
        let error = #expect(throws: ResolutionError.self) { try resolve(specifier) }
        #expect(error?.code == code)
        #expect(error?.message.contains("/app/main.mjs") == true)
    }

    @Test(arguments: [
        ("./lib/a", "./lib/a.js"), ("./lib", "./lib/index.js"), ("lib/a.js", "./lib/a.js"),
        ("./types.js", "TypeScript"),
        ("nope", "Looked in /app/node_modules, /node_modules"),
        ("node:fs", "There are: @opentelemetry/api, node:process"),
        ("empty", "Tried /app/node_modules/empty/index.js"),
    ])
    func errorsHelp(specifier: String, hint: String) {
        let error = #expect(throws: ResolutionError.self) { try resolve(specifier) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test func theTypeOfAFileIsThatOfTheNearestManifest() throws {
        let files = SimulatedFiles([
            "/m/package.json": #"{"type": "module"}"#, "/m/c/package.json": #"{"type": "commonjs"}"#,
            "/m/c/n/package.json": "{}",
            "/m/node_modules/x/a.js": "",
        ])
        var resolver = ModuleResolver(files: files.fileSystem, builtins: [])
        // The last but one: a package without a manifest does not inherit from the program around it.
        let types: [(path: String, type: PackageManifest.ModuleType)] = [
            ("/m/d/a.js", .module), ("/m/c/a.js", .commonjs), ("/m/c/n/a.js", .unstated),
            ("/m/node_modules/x/a.js", .unstated),
            ("/a.js", .unstated),
        ]
        for (path, type) in types {
            let found = try resolver.moduleType(ofFile: path)
            #expect(found == type, "\(path)")
        }
    }

    @Test(arguments: [
        ("/a.mjs", ModuleFormat.module), ("/a.cjs", .script), ("/a.js", .either), ("/a", .either),
        ("/.hidden", .either), ("/a.json", .json),
        ("/a.b/c.mjs", .module),
    ])
    func formatsByName(path: String, format: ModuleFormat) {
        #expect(ModuleFormat.of(path, type: .unstated) == format)
    }
}
