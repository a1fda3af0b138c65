import Engine
import Testing

struct ModuleTests {
    private func compile(_ source: String, _ name: String, _ world: World) throws -> Module {
        try Module.compile(SourceText(source), name: name, in: world.realm)
    }

    @Test func cyclesLinkAndRunOnce() throws {
        let world = try World()
        let a = try compile(
            "import { b } from 'b'; export const a = 'a'; export const both = () => a + b()", "a", world)
        let b = try compile("import { a } from 'a'; export const b = () => a + '!'", "b", world)
        #expect(a.requests.map(\.specifier) == ["b"])
        a.link(0, to: b)
        b.link(0, to: a)
        try a.instantiate()
        let promise = try a.evaluate()
        #expect(promise.promiseState == .fulfilled)
        let both = try world.realm.get("both", of: a.namespace)
        #expect(try world.realm.call(both).text == "aa!")
    }

    @Test func syntheticModulesExportPropertiesOfAnObject() throws {
        let world = try World()
        let exports = try world.run("({ default: 'd', n: 4 })")
        let builtin = Module.synthetic(name: "x", exports: ["default", "n"], of: exports, in: world.realm)
        let main = try compile("import d, { n } from 'x'; globalThis.result = d + n", "main", world)
        main.link(0, to: builtin)
        try main.instantiate()
        _ = try main.evaluate()
        #expect(try world.realm.get("result", of: world.realm.global).text == "d4")
    }

    @Test func topLevelAwaitSettlesThePromise() throws {
        let world = try World()
        let main = try compile("await null; export default import.meta.url", "main", world)
        main.setMeta(url: "file:///main", filename: "/main", dirname: "/", main: true)
        try main.instantiate()
        let promise = try main.evaluate()
        #expect(promise.promiseState == .pending)
        let finished = world.isolate.runMicrotasks()
        #expect(finished)
        #expect(promise.promiseState == .fulfilled)
        #expect(try world.realm.get("default", of: main.namespace).text == "file:///main")
    }

    @Test func aMissingExportFailsAtInstantiation() throws {
        let world = try World()
        let b = try compile("export {}", "b", world)
        let a = try compile("import { nope } from 'b'", "a", world)
        a.link(0, to: b)
        #expect(throws: JSFailure.self) { try a.instantiate() }
    }

    @Test func theCodeCacheIsTakenAndABrokenOneRefused() throws {
        let world = try World()
        let source = SourceText("export function f() { return 1 }; f()")
        let first = try Module.compile(source, name: "m", in: world.realm)
        try first.instantiate()
        _ = try first.evaluate()
        let bytes = try #require(first.makeCodeCache())
        let other = try World()
        let good = CodeCache(bytes)
        _ = try Module.compile(source, name: "m", cache: good, in: other.realm)
        #expect(!good.rejected)
        var damaged = bytes
        damaged[damaged.count / 2] ^= 0xFF
        let bad = CodeCache(damaged)
        _ = try Module.compile(source, name: "m", cache: bad, in: other.realm)
        #expect(bad.rejected)
    }
}
