import Engine
import Testing

/// Keeps what V8 tells.
private final class Recorder: IsolateDelegate {
    var imports: [DynamicImport] = []
    var rejected: [UInt64] = []
    var handled: [UInt64] = []
    var collections = 0
    var questions: [Bool] = []
    var answer = false

    func dynamicImport(_ request: DynamicImport, in realm: Realm) { imports.append(request) }
    func promiseRejected(_ id: UInt64, _ promise: Value, reason: Value, in realm: Realm) { rejected.append(id) }
    func promiseHandled(_ id: UInt64, _ promise: Value) { handled.append(id) }
    func collectedGarbage(_ collection: GarbageCollection) { collections += 1 }
    func allowsCode(isWasm: Bool) -> Bool {
        questions.append(isWasm)
        return answer
    }
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

    @Test(arguments: [
        "eval('1')", "Function('1')", "new Function('1')", "(0, eval)('1')", "(async () => {}).constructor('1')",
        "(function* () {}).constructor('1')", "(async function* () {}).constructor('1')",
        "Reflect.construct(Function, ['1'], Array)",
    ])
    func codeOfStringsIsAskedFor(source: String) throws {
        let world = try World()
        let recorder = Recorder()
        world.isolate.delegate = recorder
        world.realm.askBeforeCode(strings: true, wasm: false, message: "not here")
        let exception = try world.exception(source)
        #expect(exception.name == "EvalError" && exception.message == "not here")
        #expect(recorder.questions == [false])
        recorder.answer = true
        try world.run(source)
        #expect(recorder.questions == [false, false])
    }

    @Test func webAssemblyIsAskedFor() throws {
        let world = try World()
        let recorder = Recorder()
        world.isolate.delegate = recorder
        world.realm.askBeforeCode(strings: false, wasm: true, message: "")
        let source = "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))"
        #expect(try world.exception(source).name == "CompileError")
        #expect(recorder.questions == [true])
        recorder.answer = true
        try world.run(source)
        try world.run("eval('1')")
        #expect(recorder.questions == [true, true])
    }

    @Test func whatIsNoStringIsNoCode() throws {
        let world = try World()
        let recorder = Recorder()
        world.isolate.delegate = recorder
        world.realm.askBeforeCode(strings: true, wasm: false, message: "")
        #expect(try world.run("eval(5)").number == 5)
        #expect(recorder.questions.isEmpty)
    }

    @Test func collectionsAreTold() throws {
        let world = try World()
        let recorder = Recorder()
        world.isolate.delegate = recorder
        world.isolate.lowMemory()
        #expect(recorder.collections > 0)
    }
}
