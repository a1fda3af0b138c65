import Engine
import Testing

struct IsolationTests {
    @Test func realmsOfOneIsolateShareNoGlobals() throws {
        let world = try World()
        let other = Realm(world.isolate)
        try world.run("globalThis.x = 1; Array.prototype.mine = 1")
        #expect(try other.runScript(SourceText("typeof x + [].mine"), name: "o.js").text == "undefinedundefined")
    }

    @Test func evalCanBeForbidden() throws {
        let world = try World()
        world.realm.allowEval(false, message: "eval is not allowed here")
        let exception = try world.exception("eval('1')")
        #expect(exception.name == "EvalError")
        #expect(exception.message == "eval is not allowed here")
    }

    @Test func anotherThreadStopsAnEndlessLoop() throws {
        let world = try World()
        let handle = world.isolate.handle
        Task.detached { handle.terminate() }
        let failure = #expect(throws: JSFailure.self) { try world.run("for (;;);") }
        guard case .terminated? = failure else { return #expect(Bool(false), "\(failure as Any)") }
        #expect(world.isolate.endReason == .terminated)
        world.isolate.cancelTermination()
        #expect(try world.run("1 + 1").number == 2)
    }

    @Test func aHandleOutlivesItsIsolate() throws {
        let handle = try World().isolate.handle
        handle.terminate()
        handle.interrupt {}
    }

    @Test func aFullHeapEndsExecutionAndNotTheProcess() throws {
        var options = IsolateOptions()
        options.heapBytesMax = 16 << 20
        let world = try World(options)
        #expect(throws: JSFailure.self) { try world.run("const a = []; for (;;) a.push({ a })") }
        #expect(world.isolate.endReason == .heapLimit)
        world.isolate.cancelTermination()
        #expect(try world.run("2").number == 2)
    }

    @Test func theHeapIsToldBySpace() throws {
        let world = try World()
        #expect(world.isolate.heapStatistics.limit > world.isolate.heapStatistics.used)
        #expect(world.isolate.heapSpaces.contains { $0.name == "old_space" })
    }

    @Test func codeAndContextsAreTold() throws {
        let world = try World()
        let heap = world.isolate.heapStatistics
        #expect(heap.nativeContexts == 1)
        #expect(heap.detachedContexts == 0)
        #expect(heap.usedGlobalHandles > 0 && heap.usedGlobalHandles <= heap.globalHandles)
        #expect(heap.malloced > 0)
        let before = world.isolate.readCodeStatistics()
        // Functions of different texts, each with bytecode of its own.
        let made = "for (let i = 0; i < 500; i++) keep.push(eval(`(function () { return [${i}, 'a' + ${i}]; })`));"
        try world.run("var keep = []; \(made) for (const each of keep) each();")
        let after = world.isolate.readCodeStatistics()
        #expect(after.bytecode > before.bytecode + 500 * 16)
        #expect(after.code > 0)
        let other = Realm(world.isolate)
        #expect(world.isolate.heapStatistics.nativeContexts == 2)
        withExtendedLifetime(other) {}
    }

    @Test func theProfilerGivesAProfileOnlyWhenItRuns() throws {
        let world = try World()
        #expect(world.isolate.stopProfile() == nil)
        let started = world.isolate.startProfile(samplingMicroseconds: 100)
        #expect(started)
        try world.run("for (let i = 0; i < 1e5; i++);")
        let profile = try #require(world.isolate.stopProfile())
        #expect(String(decoding: profile, as: UTF8.self).hasPrefix("{"))
    }
}
