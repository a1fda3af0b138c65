import Configuration
import Foundation
import Glibc
import Linux
import Processors
import Telemetry
import Testing

@testable import Agent

/// The worker that `scripts/build` has made, if it has.
private enum BuiltWorker {
    private static let binaries = URL(filePath: #filePath).appending(path: "../../../.build/release")
        .standardizedFileURL.path
    static let isThere: Bool = {
        setenv("PATH", binaries + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""), 1)
        return access(binaries + "/sidelight-worker", X_OK) == 0
    }()
}

/// A script in a real worker, which `scripts/build` has made: what leaves, in which order, and what is counted.
@Suite(.enabled(if: BuiltWorker.isThere)) struct ScriptProcessorTests {
    private let folder: TemporaryFolder
    private let clock = LinuxClock()

    init() { folder = TemporaryFolder() }

    private func make(
        _ script: String, _ change: (inout ScriptConfiguration) -> Void = { _ in }
    ) throws -> ScriptProcessor {
        let file = folder.path + "/mine.js"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        var configuration = ScriptConfiguration(file: file)
        change(&configuration)
        let messages = Messages(isQuiet: true, level: .critical)
        return try ScriptProcessor(name: "mine", configuration, messages: messages, now: clock.monotonicNanoseconds())
    }

    private func take(_ batches: [Batch], _ processor: ScriptProcessor, _ output: inout ProcessorOutput) {
        processor.take(batches, now: clock.monotonicNanoseconds(), &output)
        #expect(processor.counts.isBalanced)
    }

    /// Waits for the processor until nothing is held.
    private func settle(_ processor: ScriptProcessor, _ output: inout ProcessorOutput) {
        let until = clock.monotonicNanoseconds() + 60_000_000_000
        var poller = Poller([processor.wakeDescriptor])
        while processor.oldestHeld != nil, clock.monotonicNanoseconds() < until {
            let now = clock.monotonicNanoseconds()
            let wake = processor.wakeAt.map { $0 > now ? $0 - now : 0 }
            try? poller.wait(nanoseconds: min(wake ?? 1_000_000_000, 1_000_000_000))
            processor.tick(now: clock.monotonicNanoseconds(), &output)
            #expect(processor.counts.isBalanced)
        }
        #expect(processor.oldestHeld == nil && processor.counts.held[.traces] == 0)
    }

    private func ids(_ output: ProcessorOutput) -> [UInt64] { output.batches.flatMap(\.items).map(\.start) }
    private func dropped(_ output: ProcessorOutput) -> [String: Int] {
        output.dropped.reduce(into: [:]) { $0["\($1.reason.rawValue) \($1.rule)", default: 0] += $1.items }
    }

    @Test func batchesLeaveChangedAndInTheirOrder() throws {
        let processor = try make("export default { span(s) { if (s.name === 'x') return false; s.attributes.a = 1; } }")
        var output = ProcessorOutput()
        take(
            [ScriptWorld.batch(1_500, ticket: 3), ScriptWorld.batch(2, first: 2_000, nameBytes: 1, ticket: 4)],
            processor, &output)
        take([ScriptWorld.batch(5, first: 3_000, ticket: 5)], processor, &output)
        #expect(processor.oldestHeld == 3)
        settle(processor, &output)
        #expect(ids(output) == Array(1...1_500) + Array(3_000...3_004))
        #expect(dropped(output) == ["script ": 2])
        #expect(processor.counts.details["changed"] == 1_505)
        #expect(output.batches.allSatisfy { $0.ticket == ($0.items[0].start < 2_000 ? 3 : 5) })
        processor.stop()
    }

    @Test(arguments: ScriptConfiguration.OnError.allCases)
    func aHangCostsItsBatchAndNoOther(onError: ScriptConfiguration.OnError) throws {
        let processor = try make("export default { span(s) { if (s.name === 'x') for (;;); s.attributes.a = 1; } }") {
            $0.cpuNanoseconds = 10_000_000_000
            $0.timeoutNanoseconds = 200_000_000
            $0.onError = onError
        }
        var output = ProcessorOutput()
        for ticket in 1...6 {
            take(
                [ScriptWorld.batch(3, first: 10 * ticket, nameBytes: ticket == 2 ? 1 : 5, ticket: UInt64(ticket))],
                processor, &output)
        }
        settle(processor, &output)
        var expected: [UInt64] = []
        for ticket: UInt64 in 1...6 where onError == .bypass || ticket != 2 {
            for child: UInt64 in 0...2 { expected.append(10 * ticket + child) }
        }
        #expect(ids(output) == expected)
        let drops: [String: Int] = onError == .bypass ? [:] : ["script_failed timeout": 3]
        #expect(dropped(output) == drops)
        #expect(processor.counts.details["changed"] == 15)
        #expect(processor.counts.details["timeouts"] == 1 && processor.counts.details["restarts"] == 1)
        processor.stop()
    }

    @Test func aScriptThatAlwaysHangsHoldsNothingUp() throws {
        let processor = try make("export default { span(s) { for (;;); } }") {
            $0.cpuNanoseconds = 10_000_000_000
            $0.timeoutNanoseconds = 50_000_000
        }
        var output = ProcessorOutput()
        for ticket in 1...40 {
            take([ScriptWorld.batch(2, first: 10 * ticket, ticket: UInt64(ticket))], processor, &output)
        }
        settle(processor, &output)
        #expect(ids(output).count == 80)
        #expect(processor.counts.details["down", default: 0] > 0)
        processor.stop()
    }

    @Test func aFullHeapCostsTheRestOfItsBatch() throws {
        let processor = try make(
            "const all = []; export default { span(s) { while (s.name === 'x') all.push(new Array(1e4).fill(1)); s.attributes.a = 1; } }"
        ) {
            $0.cpuNanoseconds = 10_000_000_000
            $0.timeoutNanoseconds = 60_000_000_000
            $0.heapBytes = 16 << 20
        }
        var output = ProcessorOutput()
        take(
            [ScriptWorld.batch(3, nameBytes: 1, ticket: 1), ScriptWorld.batch(3, first: 10, ticket: 2)], processor,
            &output)
        take([ScriptWorld.batch(3, first: 20, ticket: 3)], processor, &output)
        settle(processor, &output)
        #expect(ids(output) == [1, 2, 3, 10, 11, 12, 20, 21, 22])
        #expect(processor.counts.details["heap_limits"] == 1)
        #expect(processor.counts.details["changed", default: 0] >= 3)
        processor.stop()
    }

    @Test func whatIsTooLargeForTheMemoryGoesByThePolicy() throws {
        let processor = try make("export default { span(s) { s.attributes.a = 1; } }") { $0.onError = .drop }
        var output = ProcessorOutput()
        take(
            [
                ScriptWorld.batch(1, ticket: 1), ScriptWorld.batch(1, first: 2, nameBytes: 2 << 20, ticket: 2),
                ScriptWorld.batch(1, first: 3, ticket: 3),
            ], processor, &output)
        settle(processor, &output)
        #expect(ids(output) == [1, 3])
        #expect(dropped(output) == ["script_failed too_large": 1])
        processor.stop()
    }

    @Test func itIsFullWhenTheWorkerIsSlow() throws {
        let processor = try make(
            "export default { span(s) { const until = Date.now() + 300; while (Date.now() < until); } }"
        ) {
            $0.cpuNanoseconds = 10_000_000_000
            $0.timeoutNanoseconds = 60_000_000_000
        }
        var output = ProcessorOutput()
        #expect(!processor.isFull)
        var ticket: UInt64 = 0
        while !processor.isFull, ticket < 1_000 {
            ticket += 1
            take([ScriptWorld.batch(1, first: Int(ticket), nameBytes: 200_000, ticket: ticket)], processor, &output)
        }
        #expect(ticket < 100)
        processor.stop()
    }

    @Test(arguments: [
        ("export default { span(s) { s. } }", "mine.js:1:31: SyntaxError"),
        ("throw new Error('no')", "mine.js:1:7: Error: no"),
        ("export default {}", "none of span, log and metric"),
        ("for (;;) new Array(1e7).fill(1.5).map(String)", "heap"),
    ])
    func whatDoesNotLoadSaysWhere(script: String, message: String) throws {
        let error = try #require(throws: ScriptLoadError.self) { _ = try make(script) }
        #expect(error.description.contains(message), "\(error)")
    }

    @Test func aFileThatIsNotThere() {
        let configuration = ScriptConfiguration(file: "/nowhere/mine.js")
        #expect(throws: ScriptLoadError.self) {
            try ScriptProcessor(
                name: "mine", configuration, messages: Messages(isQuiet: true, level: .critical), now: 0)
        }
    }
}
