import Engine
import Testing

struct ValueTests {
    @Test func valuesCrossWithTheirKind() throws {
        let world = try World()
        let cases: [(String, Value.Kind, String)] = [
            ("undefined", .undefined, "undefined"), ("null", .null, "null"), ("true", .bool, "true"),
            ("1.5", .number, "1.5"),
            ("10n", .bigint, "10"), ("'hä😀'", .string, "hä😀"), ("Symbol('s')", .symbol, "s"),
            ("() => 1", .function, "[object]"),
            ("[1]", .array, "[object]"), ("new Uint8Array(2)", .bytes, "[object]"),
            ("Promise.resolve(1)", .promise, "[object]"),
            ("({})", .object, "[object]"),
        ]
        for (source, kind, text) in cases {
            let value = try world.run(source)
            #expect(value.kind == kind, "\(source)")
            #expect(value.text == text, "\(source)")
        }
    }

    @Test func theHostMakesValues() throws {
        let world = try World()
        let same = try world.run(
            "(a, b, c, d, e, f, g) => a === 'ä\\0x' && b === 2.5 && c === true && d === undefined && e === null && f.byteLength === 3 && g[1] === 5"
        )
        let arguments = [
            Value.string("ä\0x", in: world.isolate), .number(2.5, in: world.isolate), .bool(true, in: world.isolate),
            .undefined(in: world.isolate), .null(in: world.isolate), world.realm.makeBuffer([1, 2, 3]),
        ]
        let bytes: [UInt8] = [4, 5]
        let view = bytes.withUnsafeBytes(world.realm.makeUint8Array)
        #expect(try world.realm.call(same, arguments + [view]).isTrue)
    }

    @Test func propertiesBytesAndPromises() throws {
        let world = try World()
        let object = try world.run(
            "({ get a() { throw new Error('getter') }, b: new Uint8Array([7, 8]), p: Promise.reject(3), q: new Promise(() => {}) })"
        )
        #expect(throws: JSFailure.self) { try world.realm.get("a", of: object) }
        #expect(try world.realm.get("b", of: object).bytes == [7, 8])
        let rejected = try world.realm.get("p", of: object)
        #expect(rejected.promiseState == .rejected)
        #expect(rejected.promiseResult.number == 3)
        #expect(try world.realm.get("q", of: object).promiseState == .pending)
        world.realm.set("c", of: object, to: .number(9, in: world.isolate))
        #expect(try world.realm.get("c", of: object).number == 9)
    }

    @Test func structuredClonesShareNothing() throws {
        let world = try World()
        let original = try world.run("globalThis.o = { a: [1, { b: new Map([[1, 2]]) }] }; o.self = o; o")
        let copy = try world.realm.clone(original)
        let check = try world.run("(c) => c !== o && c.self === c && c.a[1].b.get(1) === 2")
        #expect(try world.realm.call(check, [copy]).isTrue)
        #expect(throws: JSFailure.self) { try world.realm.clone(try world.run("() => 1")) }
    }
}
