// `sidelight-worker --script`: runs the functions of a JavaScript processor over batches in shared memory, in a realm that has ECMAScript's globals and a console.
// The agent's side is Sources/Agent/Scripts.

internal import Engine
internal import Glibc
internal import Linux
internal import Platform
internal import Telemetry

enum ScriptWorker {
    private struct Options {
        var memoryDescriptor: Int32 = -1
        var controlDescriptor: Int32 = -1
        var cpuNanoseconds: UInt64 = 0
        var heapBytes = 0
        var file = ""

        /// Arguments behind `--script`.
        init(_ arguments: [String]) throws(UsageError) {
            var rest = arguments[...]
            func number<Value: FixedWidthInteger>(_ option: String, _ value: String?) throws(UsageError) -> Value {
                guard let number = value.flatMap({ Value($0) }), number >= 0 else {
                    throw UsageError("\(option) needs a number")
                }
                return number
            }
            while let argument = rest.popFirst() {
                switch argument {
                case "--memory-fd": memoryDescriptor = try number(argument, rest.popFirst())
                case "--control-fd": controlDescriptor = try number(argument, rest.popFirst())
                case "--cpu": cpuNanoseconds = try number(argument, rest.popFirst())
                case "--heap": heapBytes = try number(argument, rest.popFirst())
                case "--":
                    guard rest.count == 1, let name = rest.first else { throw UsageError("--script takes one file") }
                    file = name
                    rest = []
                default: throw UsageError("unknown option \(argument)")
                }
            }
            guard memoryDescriptor >= 0, controlDescriptor >= 0, cpuNanoseconds > 0, heapBytes > 0, !file.isEmpty else {
                throw UsageError(
                    "--script needs --memory-fd, --control-fd, --cpu, --heap and a file: the agent starts it")
            }
        }
    }

    /// For concurrent compilation and garbage collection.
    private static let workerThreads = 1
    /// What the young generation begins with: a collection costs the same however little is alive, and an item leaves a few hundred bytes behind.
    private static let youngBytesInitial = 3 * 4 << 20

    /// Until the agent closes the control connection.
    static func run(_ arguments: [String]) throws -> Never {
        let options = try Options(arguments)
        SignalDescriptor.ignoreBrokenPipes()
        let memory = try ScriptMemory(fileDescriptor: options.memoryDescriptor)
        let control = LocalConnection(owning: options.controlDescriptor)
        let host = ScriptHost(memory, control, file: options.file)
        Engine.onFatalError { _, _, outOfMemory in if outOfMemory { _exit(ScriptMemory.heapExitCode) } }
        Op.register(ScriptOps.all)
        Engine.start(workerThreads: workerThreads)
        var isolateOptions = IsolateOptions()
        isolateOptions.heapBytesMax = options.heapBytes
        isolateOptions.arrayBufferBytesMax = options.heapBytes
        isolateOptions.youngBytesInitial = youngBytesInitial
        guard let isolate = Isolate(isolateOptions) else { preconditionFailure("V8 made no isolate") }
        let realm = Realm(isolate)
        isolate.stayEntered()
        realm.allowEval(false, message: "a script makes no code of texts")

        let functions: Functions
        do throws(ScriptError) {
            functions = try Functions(realm, host, options.file)
        } catch {
            host.send(.notLoaded, Array(error.description.utf8))
            _exit(1)
        }
        let watchdog = ScriptWatchdog(isolate.handle, cpuNanoseconds: options.cpuNanoseconds)
        // What it cannot have been refused by then is refused from here on; an old kernel's refusal to refuse leaves it with the realm's own bounds.
        Machine.confine()
        host.send(.loaded, [functions.signals])
        while let packet = control.receive(max: 16), let slot = packet.first.map({ Int($0) }), slot < ScriptMemory.slots
        {
            run(slot, realm, host, functions, watchdog)
        }
        _exit(0)
    }

    private static func run(
        _ slot: Int, _ realm: Realm, _ host: ScriptHost, _ functions: Functions, _ watchdog: ScriptWatchdog
    ) {
        let output = ScriptMemory.output(slot)
        host.beginBatch()
        watchdog.begin()
        var isEnded = false
        do throws(JSFailure) {
            try realm.call(
                functions.run, numbers: Double(ScriptMemory.input(slot)), Double(output),
                Double(output + ScriptMemory.outputBytes))
            isEnded = !realm.isolate.runMicrotasks()
        } catch {
            // An exception is none of the functions': the sources of the realm catch those. The items it did not get to tell of it.
            if case .exception(let exception) = error {
                host.send(.exception, Array(ScriptError.describe(exception, file: host.file).utf8))
            } else {
                isEnded = true
            }
        }
        let isStopped = watchdog.end()
        var end = ScriptMemory.End.done
        if isEnded || isStopped {
            end = realm.isolate.endReason == .heapLimit ? .heap : .cpu
        }
        host.send(.result, [UInt8(slot), end.rawValue])
        // What has filled the heap is still in it.
        if end == .heap { _exit(ScriptMemory.heapExitCode) }
        if isEnded || isStopped { realm.isolate.cancelTermination() }
    }

    /// What the script's realm is called by.
    private struct Functions {
        let run: Value
        /// That the script has functions for, as bits.
        let signals: UInt8

        init(_ realm: Realm, _ host: ScriptHost, _ file: String) throws(ScriptError) {
            let load: Value
            do throws(JSFailure) {
                let buffer = realm.makeExternalBuffer(
                    UnsafeMutableRawBufferPointer(start: host.memory.baseAddress, count: ScriptMemory.byteCount))
                let tables = realm.makeExternalBuffer(
                    UnsafeMutableRawBufferPointer(start: host.scan.tables, count: 4 * ScriptScan.tableWords))
                let source = PlatformSources.script
                let make = try source.withUnsafeBufferPointer { (bytes) throws(JSFailure) in
                    try realm.compileFunction(
                        body: UnsafeRawBufferPointer(bytes), name: "sidelight:script",
                        parameters: ["ops", "memory", "tables"])
                }
                let functions = try realm.call(make, [realm.installOps(host: host), buffer, tables])
                load = try realm.get("load", of: functions)
                run = try realm.get("run", of: functions)
            } catch {
                throw ScriptError(error, file: file)
            }
            var modules = ScriptModules(realm)
            let exported = try modules.load(file)
            do throws(JSFailure) {
                signals = UInt8(truncatingIfNeeded: Int(exactly: try realm.call(load, [exported]).number) ?? 0)
            } catch {
                throw ScriptError(error, file: file)
            }
        }
    }
}
