import Configuration
import Glibc
import Processors
import Telemetry
import Testing
import Wire

@testable import Agent

/// What the agent makes of what a worker has written into the memory of a script: nothing is invented, lost or believed.
@Suite struct ScriptFrameTests {
    private let memory: ScriptMemory

    init() throws { memory = try ScriptMemory() }

    private func makeFrame(_ batches: [Batch]) -> ScriptFrame {
        var frame = ScriptFrame()
        for batch in batches { #expect(frame.add(batch, from: 0) == batch.items.count) }
        return frame
    }

    /// The batches that pass, and how many items were dropped, by reason and rule.
    private func outcome(
        _ frame: ScriptFrame, _ onError: ScriptConfiguration.OnError, missing: ScriptFailure = .invalid, slot: Int = 1
    ) -> (batches: [Batch], drops: [String: Int], changed: Int) {
        var results = ScriptFrame.Results(memory, slot: slot, itemCount: frame.itemCount, missing: missing)
        var batches: [Batch] = []
        var drops: [String: Int] = [:]
        var (index, changed) = (0, 0)
        for piece in frame.pieces {
            var pass = ScriptPass(piece, onError)
            for item in piece.batch.items[piece.range] {
                pass.take(index, item, &results)
                index += 1
            }
            for (reason, rule, entry) in pass.drops() { drops["\(reason.rawValue) \(rule)", default: 0] += entry.items }
            changed += pass.changed
            batches.append(pass.batch())
        }
        return (batches, drops, changed)
    }

    private func ids(_ batches: [Batch]) -> [SpanID] { batches.flatMap(\.items).map(\.spanID) }

    private func expectWhole(_ batch: Batch, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for item in batch.items {
            let frame = batch.bytes[Int(item.offset)..<Int(item.offset) + Int(item.length)]
            #expect(frame.first == 0x12, sourceLocation: sourceLocation)
            var request = ProtobufWriter()
            let mark = request.begin(1, lengthBytes: 5)
            let inner = request.begin(2, lengthBytes: 5)
            frame.withUnsafeBytes { request.putRaw($0) }
            request.end(inner)
            request.end(mark)
            let received = try OTLP.batches(fromExportRequest: Array(request.takeBytes()), signal: .traces)
            #expect(received.rejectedItems == 0, sourceLocation: sourceLocation)
            let entry = try #require(received.batches.first?.items.first, sourceLocation: sourceLocation)
            #expect(
                entry.spanID == item.spanID && entry.traceID == item.traceID && entry.start == item.start
                    && entry.end == item.end && entry.kind == item.kind && entry.status == item.status,
                sourceLocation: sourceLocation)
        }
    }

    @Test func whatIsWrittenIsWhatCame() {
        let batches = [ScriptWorld.batch(5), ScriptWorld.batch(2, first: 100)]
        let frame = makeFrame(batches)
        frame.write(to: memory, slot: 1)
        func word(_ offset: Int) -> Int {
            Int(memory.baseAddress.loadUnaligned(fromByteOffset: ScriptMemory.input(1) + offset, as: UInt32.self))
        }
        #expect((word(0), word(4)) == (7, 2))
        for (index, id) in ([1, 2, 3, 4, 5, 100, 101].enumerated()) {
            let entry = ScriptMemory.Input.items + index * ScriptMemory.Input.itemBytes
            let message = UnsafeRawBufferPointer(start: memory.baseAddress + word(entry), count: word(entry + 4))
            #expect(Array(message) == ScriptWorld.span(id, name: "xxxxxxxxxx"))
            #expect(word(entry + 12) == (index < 5 ? 0 : 1))
            let scope = ScriptMemory.Input.scopes + word(entry + 8) * ScriptMemory.Input.scopeBytes
            let name = UnsafeRawBufferPointer(start: memory.baseAddress + word(scope) + 2, count: word(scope + 4) - 2)
            #expect(String(decoding: name, as: UTF8.self) == "scope \(id / 3)")
        }
    }

    @Test func whatIsKeptIsTheBatchThatCame() {
        let batch = ScriptWorld.batch(3, ticket: 9)
        let frame = makeFrame([batch])
        frame.write(to: memory, slot: 1)
        for index in 0..<3 { ScriptWorld.answer(memory, 1, index, [1]) }
        let passed = outcome(frame, .drop)
        #expect(passed.batches[0].bytes == batch.bytes && passed.batches[0].ticket == 9)
        #expect(passed.drops.isEmpty && passed.changed == 0)
    }

    @Test func eachVerdictDoesWhatItSays() throws {
        let batch = ScriptWorld.batch(6)
        let frame = makeFrame([batch])
        frame.write(to: memory, slot: 1)
        let (offset, length) = ScriptWorld.put(memory, 1, ScriptWorld.span(3, name: "changed"), at: 9_000)
        for (index, words) in [[1], [2], [3, offset, length], [4], [5], [6]].enumerated() {
            ScriptWorld.answer(memory, 1, index, words)
        }
        let bypassed = outcome(frame, .bypass)
        #expect(ids(bypassed.batches) == [1, 3, 4, 5, 6].map { SpanID($0) })
        #expect(bypassed.drops == ["script ": 1] && bypassed.changed == 1)
        try expectWhole(bypassed.batches[0])
        let dropped = outcome(frame, .drop)
        #expect(ids(dropped.batches) == [1, 3].map { SpanID($0) })
        #expect(
            dropped.drops == [
                "script ": 1, "script_failed error": 1, "script_failed too_large": 1, "script_failed malformed": 1,
            ])
    }

    @Test func whatTheWorkerDidNotReachGoesByThePolicy() {
        let frame = makeFrame([ScriptWorld.batch(4)])
        frame.write(to: memory, slot: 1)
        ScriptWorld.answer(memory, 1, 0, [1])
        #expect(outcome(frame, .drop, missing: .cpu).drops == ["script_failed cpu": 3])
        #expect(ids(outcome(frame, .bypass, missing: .cpu).batches).count == 4)
    }

    @Test func anotherItemThanTheOneThatWasGivenIsRefused() {
        let frame = makeFrame([ScriptWorld.batch(2)])
        var changedTime = ScriptWorld.span(1, name: "x")
        changedTime[changedTime.count - 1] ^= 1
        let cut = [UInt8](ScriptWorld.span(1, name: "x").dropLast(3))
        let messages: [[UInt8]] = [ScriptWorld.span(2, name: "x"), [], [0x12], cut, changedTime]
        for message in messages {
            frame.write(to: memory, slot: 1)
            let (offset, length) = ScriptWorld.put(memory, 1, message + [0], at: 9_000)
            ScriptWorld.answer(memory, 1, 0, [3, offset, length - 1])
            ScriptWorld.answer(memory, 1, 1, [1])
            #expect(outcome(frame, .drop).drops == ["script_failed invalid": 1])
            #expect(ids(outcome(frame, .bypass).batches) == [SpanID(1), SpanID(2)])
        }
    }

    @Test(
        arguments: [
            [3, 0, 10], [3, 8_191, 10], [3, 9_000, .max], [3, .max, .max], [3, UInt32(ScriptMemory.outputBytes), 1],
            [3, UInt32(ScriptMemory.outputBytes), 0], [3, .max - 5, 10], [7], [.max], [0],
        ] as [[UInt32]])
    func whatIsOutOfBoundsIsRefused(words: [UInt32]) {
        let frame = makeFrame([ScriptWorld.batch(1)])
        frame.write(to: memory, slot: 3)
        ScriptWorld.answer(memory, 3, 0, words)
        #expect(outcome(frame, .drop, slot: 3).drops == ["script_failed invalid": 1])
    }

    /// 512 answers that are the same two megabytes would be a gigabyte.
    @Test func whatComesBackIsNoMoreThanTheOutputHolds() {
        let batch = ScriptWorld.batch(64)
        let frame = makeFrame([batch])
        frame.write(to: memory, slot: 1)
        for index in 0..<64 {
            // Each has its own ids and shares the name that follows; the table is the honest part.
            ScriptWorld.answer(
                memory, 1, index,
                [3, UInt32(ScriptMemory.Output.data), UInt32(ScriptMemory.outputBytes - ScriptMemory.Output.data)])
        }
        let passed = outcome(frame, .bypass)
        #expect(passed.batches[0].bytes.count <= batch.bytes.count + ScriptMemory.outputBytes)
        #expect(ids(passed.batches).count == 64)
    }

    @Test func randomBytesInventNothing() throws {
        var chance = Chance(state: 42)
        for round in 0..<600 {
            let count = 1 + chance.below(40)
            let batches = [ScriptWorld.batch(count, first: 1), ScriptWorld.batch(3, first: 1_000)]
            let frame = makeFrame(batches)
            frame.write(to: memory, slot: 2)
            let output = memory.baseAddress + ScriptMemory.output(2)
            for word in 0..<(frame.itemCount * 4) where chance.below(3) > 0 {
                let value = [
                    UInt32(chance.below(9)), UInt32(chance.below(20_000)), UInt32(truncatingIfNeeded: chance.next()),
                ]
                output.storeBytes(of: value[chance.below(3)], toByteOffset: 4 * word, as: UInt32.self)
            }
            for _ in 0..<chance.below(40) {
                let item = chance.below(frame.itemCount)
                let id = item < count ? item + 1 : 1_000 + item - count
                var message = ScriptWorld.span(id, name: "random \(round)")
                if chance.below(2) == 0 { message[chance.below(message.count)] = UInt8(chance.below(256)) }
                let (offset, length) = ScriptWorld.put(memory, 2, message, at: 8_192 + chance.below(100_000))
                ScriptWorld.answer(memory, 2, item, [3, offset, length])
            }
            for onError in ScriptConfiguration.OnError.allCases {
                let passed = outcome(frame, onError, slot: 2)
                let came = ids(batches)
                let left = ids(passed.batches)
                #expect(left.count + passed.drops.values.reduce(0, +) == came.count)
                // In their order, each at most once.
                var rest = came[...]
                for id in left {
                    let place = try #require(rest.firstIndex(of: id))
                    rest = rest[(place + 1)...]
                }
                for batch in passed.batches { try expectWhole(batch) }
            }
        }
    }

    // MARK: frames

    @Test func aLargeBatchIsCut() {
        let batch = ScriptWorld.batch(1_200)
        var (start, sizes): (Int, [Int]) = (0, [])
        while start < batch.items.count {
            var frame = ScriptFrame()
            start = frame.add(batch, from: start)
            sizes.append(frame.itemCount)
            frame.write(to: memory, slot: 0)
        }
        #expect(sizes == [512, 512, 176])
    }

    @Test func bytesAreCutToo() {
        let batch = ScriptWorld.batch(30, nameBytes: 100_000)
        var frame = ScriptFrame()
        let end = frame.add(batch, from: 0)
        #expect(end == 10)
        frame.write(to: memory, slot: 3)
        var large = ScriptFrame()
        #expect(large.add(ScriptWorld.batch(1, nameBytes: ScriptMemory.inputBytes), from: 0) == 0)
        #expect(large.isEmpty)
    }

    @Test func theLowestTicketCounts() {
        #expect(
            makeFrame([ScriptWorld.batch(1, ticket: 5), ScriptWorld.batch(1, ticket: 3), ScriptWorld.batch(1)]).ticket
                == 3)
        #expect(makeFrame([ScriptWorld.batch(1)]).ticket == nil)
    }
}
