import Engine
import Testing

struct OpTests {
    @Test func opsGetArgumentsAndTheirHost() throws {
        let world = try World()
        world.realm.set("ops", of: world.realm.global, to: world.realm.installOps(host: World.Host("host ")))
        #expect(try world.run("ops.testTwice(21)").number == 42)
        #expect(try world.run("ops.testHost('ä')").text == "host ä")
        #expect(try world.run("const b = new Uint8Array([1, 2]); ops.testIncrement(b); b.join()").text == "2,3")
    }

    @Test func opsThrowErrorsWithACode() throws {
        let world = try World()
        world.realm.set("ops", of: world.realm.global, to: world.realm.installOps(host: World.Host("")))
        let exception = try world.exception("ops.testThrow('way')")
        #expect(exception.name == "RangeError")
        #expect(exception.message == "no way")
        #expect(try world.run("try { ops.testThrow('x') } catch (e) { e.code }").text == "E_TEST")
    }
}
