// Before a snapshot is made a small program runs in a realm of its own, as a child that has a child. What it makes V8 compile of the platform is what nearly every
// program does, so that the compiled code goes into the snapshot, and no isolate compiles it again. The rest is compiled where it is called.

internal import Dispatch
internal import Engine
internal import Glibc
internal import Linux
internal import NIOCore
internal import NIOPosix
internal import Platform
internal import System
internal import Telemetry

/// On a thread that does nothing else meanwhile.
final class Rehearsal {
    /// What is compiled for nothing costs each isolate memory: only what is done at each start and end, with messages, timers and the console.
    private static let program = """
        import { name } from './other.mjs';
        console.log('%s has begun', name, { at: performance.now() });
        console.error(new Error('none').message);
        setTimeout((worker) => {
            clearTimeout(setTimeout(() => {}, 1000));
            worker.onmessage = () => {
                worker.terminate();
                self.onmessage = (event) => {
                    if (event.data.list.length === 3) queueMicrotask(() => close());
                };
                self.postMessage({ id: 1, list: [1, 2, 3] });
            };
            worker.postMessage({ name, buffer: new ArrayBuffer(8) });
        }, 1, new Worker(new URL('./child.mjs', import.meta.url), { type: 'module' }));
        await new Promise((resolve) => setImmediate(resolve));
        """
    private static let child = "self.addEventListener('message', (event) => postMessage(event.data));"
    private static let other = "export const name = process.argv.length > 0 ? 'rehearsal' : '';"

    /// How often the parent, who is nobody, sends back what it got.
    private static let echoMilliseconds: Int64 = 1
    /// How long all of it may take.
    private static let secondsMax: Int64 = 60

    private let options: WorkerOptions
    private let ring: RingMapping
    private let (outside, inside) = Port.channel()
    private let control = ChildIsolate(id: 0)
    private var gate: LoopGate?
    private var workload: Workload?
    private var functions: [Value] = []
    private var failure: RehearsalError?

    /// - Parameter path: where its files may lie meanwhile, in a folder whose name begins so.
    /// - Returns: for each of the platform's sources its compiled code, for `PlatformSources.prepare`.
    /// - Throws: when the program did not run to its end.
    static func run(beside path: String) throws -> [CodeCache?] {
        let folder = try makeFolder(beside: path)
        defer { removeFolder(folder) }
        let streams = silenceStreams()
        defer { restore(streams) }
        return try Rehearsal().run(FilePath.url(of: folder + "/program.mjs"))
    }

    private init() throws {
        var options = try WorkerOptions(["program.mjs"])
        // Somebody reads the ring: what telemetry does is done.
        options.ringDescriptor = -1
        self.options = options
        ring = try RingMapping(capacity: RingMapping.capacityBounds.lowerBound)
    }

    private func run(_ url: String) throws -> [CodeCache?] {
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { [self] eventLoop in
            do {
                try start(url, on: eventLoop)
            } catch {
                failure = RehearsalError(reason: "\(error)")
                leave(eventLoop)
            }
        }
        guard let workload else { throw failure ?? RehearsalError(reason: "it did not start") }
        if let failure { throw failure }
        let code = functions.map { workload.realm.codeCache(of: $0) }
        functions = []
        workload.dismantle()
        let isolate = workload.isolate
        self.workload = nil
        isolate.dispose()
        return code
    }

    private func start(_ url: String, on eventLoop: any EventLoop) throws {
        let gate = LoopGate(eventLoop)
        self.gate = gate
        guard let isolate = Isolate(wake: { gate.wake(delaySeconds: $0) }) else {
            preconditionFailure("V8 made no isolate")
        }
        let realm = Realm(isolate)
        functions = try PlatformSources.prepare(realm, ops: realm.installOps(host: nil))
        isolate.setRing(ring, wakeDescriptor: nil)
        isolate.stayEntered()
        let configuration = JSON.object([
            JSON.Member(key: "url", value: .string(url)), JSON.Member(key: "type", value: .string("module")),
            JSON.Member(key: "name", value: .string("")), JSON.Member(key: "start", value: .number(0)),
            JSON.Member(key: "context", value: .array((0..<8).map { _ in .number(0) })),
            JSON.Member(key: "text", value: .string("")),
        ])
        let role = ChildRole(
            control: control, port: inside, configuration: configuration, source: nil, text: configuration.text,
            finished: { [unowned self] in leave(eventLoop) })
        let family = ChildIsolates(options, ring: ring, places: nil, snapshot: nil)
        let workload = try Workload(
            realm, on: eventLoop, gate: gate, ring: ring, options: options, files: .linux, stop: control.stop,
            turns: control.turns, children: family, child: role)
        self.workload = workload
        gate.open(workload)
        control.began(isolate.handle, gate, cpuClock: ThreadClock())
        answer(on: eventLoop)
        workload.startChild()
    }

    /// Is the parent: sends back what comes, and ends it all when it is an error, or takes too long.
    private func answer(on eventLoop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        outside.own.enable()
        eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(Self.echoMilliseconds)) { _ in
            bound.value.echo()
        }
        eventLoop.scheduleTask(in: .seconds(Self.secondsMax)) {
            bound.value.fail("it did not come to its end within \(Self.secondsMax) s")
        }
    }

    private func echo() {
        while case .envelope(let envelope) = outside.own.take() {
            guard envelope.kind == .message else { return fail("its program failed: \(envelope.text)") }
            outside.peer.put(envelope)
        }
    }

    private func fail(_ reason: String) {
        if failure == nil { failure = RehearsalError(reason: reason) }
        control.end(.terminated)
    }

    private func leave(_ eventLoop: any EventLoop) {
        gate?.close()
        eventLoop.shutdownGracefully(queue: .global()) { _ in }
    }

    // MARK: Streams and files

    /// What the program prints is nobody's to read.
    private static func silenceStreams() -> [(stream: Int32, kept: Int32)] {
        let nothing = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nothing >= 0 else { return [] }
        defer { close(nothing) }
        return [Int32(1), 2].map { (stream: Int32) in
            let kept = fcntl(stream, F_DUPFD_CLOEXEC, 3 as Int32)
            dup2(nothing, stream)
            return (stream, kept)
        }
    }

    private static func restore(_ streams: [(stream: Int32, kept: Int32)]) {
        for (stream, kept) in streams where kept >= 0 {
            dup2(kept, stream)
            close(kept)
        }
    }

    private static func makeFolder(beside path: String) throws -> String {
        var template = Array((path + ".rehearsal-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp", errno: errno) }
        guard let real = realpath(&template, nil) else { throw SystemCallError("realpath", errno: errno) }
        defer { free(real) }
        let folder = String(cString: real)
        for (name, text) in files {
            let path = "\(folder)/\(name)"
            guard let file = fopen(path, "w") else { throw SystemCallError("open \(path)", errno: errno) }
            fputs(text, file)
            guard fclose(file) == 0 else { throw SystemCallError("write \(path)", errno: errno) }
        }
        return folder
    }

    private static func removeFolder(_ folder: String) {
        for (name, _) in files { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    private static let files = [("program.mjs", program), ("child.mjs", child), ("other.mjs", other)]
}

/// Why no snapshot can be made.
struct RehearsalError: Error, CustomStringConvertible {
    let reason: String
    var description: String { "the rehearsal for the snapshot failed: \(reason)" }
}
