import Engine
import Testing

/// Keeps what V8 tells.
private final class Recorder: IsolateDelegate {
    var imports: [DynamicImport] = []
    var rejected: [UInt64] = []
    var handled: [UInt64] = []
    var collections = 0

    func dynamicImport(_ request: DynamicImport, in realm: Realm) { imports.append(request) }
    func promiseRejected(_ id: UInt64, _ promise: Value, reason: Value, in realm: Realm) { rejected.append(id) }
    func promiseHandled(_ id: UInt64, _ promise: Value) { handled.append(id) }
    func collectedGarbage(_ collection: GarbageCollection) { collections += 1 }
}

struct DelegateTests {
    @Test func rejectionsAreToldAndTakenBack() throws {
        let world = try World()
        let recorder = Recorder()
        world.isolate.delegate = recorder
        try world.run("globalThis.p = Promise.reject(1)")
        #expect(recorder.rejected.count == 1)
        try world.run("p.catch(() => {})")
        #expect(recorder.handled == recorder.rejected)
    }

    @Test func importWaitsForTheHost() throws {
        let world = try World()
        let recorder = Recorder()
        world.isolate.delegate = recorder
        let promise = try world.run("import('./x.js')")
        let request = try #require(recorder.imports.first)
        #expect(request.specifier == "./x.js")
        #expect(request.referrer == "test.js")
        #expect(promise.promiseState == .pending)
        world.realm.rejectImport(request.token, reason: .number(4, in: world.isolate))
        #expect(promise.promiseState == .rejected)
        #expect(promise.promiseResult.number == 4)
    }

    @Test func collectionsAreTold() throws {
        let world = try World()
        let recorder = Recorder()
        world.isolate.delegate = recorder
        world.isolate.lowMemory()
        #expect(recorder.collections > 0)
    }
}
