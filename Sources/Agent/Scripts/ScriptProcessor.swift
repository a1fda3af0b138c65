// A processor that is the user's own JavaScript. The script runs in a worker process (Sources/Runtime/Scripts), which may hang, crash or be taken over: the agent gives it copies,
// takes back no more than one answer for each item, looks at every answer before it believes it, and does without it when it has to.
//
//     take ──► pending ──compose──► frames ──(slot)──► worker
//                                     │ front first ◄── results
//                                     └──► output
//
// Frames leave in their order. The worker works on the first that it was given; so when it dies, that is the one that it dies of: it goes by the policy, and the others are
// given to the next worker. A worker that dies again and again is started after a pause, and what is held then goes by the policy at once: a script that is broken holds nothing up.

internal import Configuration
internal import Linux
internal import Processors
internal import Telemetry

/// One script of one pipeline. All calls come from one thread, which lives as long as the agent.
final class ScriptProcessor: StatefulProcessor {
    /// How long a script may take to load.
    private static let loadNanoseconds: UInt64 = 10_000_000_000
    /// The pause before a worker that has died again is started: doubled up to the last.
    private static let pauseNanoseconds: (first: UInt64, last: UInt64) = (100_000_000, 10_000_000_000)
    /// A worker that has lived so long has died for the first time.
    private static let steadyNanoseconds: UInt64 = 10_000_000_000
    /// Of what waits for a slot; more makes the processor full.
    private static let pendingBytesMax = 4 << 20
    private static let pendingBatchesMax = 256
    /// Items of a worker's first batch; each that it gets through may be followed by one twice as large. A script that V8 has not compiled yet takes ten times as long.
    private static let firstItems = 32
    /// What one call of `tick` hears of a worker.
    private static let eventsMax = 256
    /// Lines and exceptions in a second; a worker sends a tenth of it.
    private static let saidMax = 1_000

    private enum State {
        case loading(until: UInt64)
        case running(since: UInt64)
        case paused(until: UInt64)
        case stopped
    }

    private let name: String
    private let configuration: ScriptConfiguration
    private let ready: ReadySet
    private var notices: ScriptNotices
    private var process: ScriptProcess?
    private var state = State.stopped
    /// How often a worker has died soon after it was started, in a row.
    private var deaths = 0
    /// Signals that the script has functions for, as bits.
    private var signals: UInt8 = 0

    /// Not in a frame yet: from `pendingItem` of the first batch on.
    private var pending: ArraySlice<Batch> = []
    private var pendingItem = 0
    private var pendingBytes = 0
    /// The oldest first. Those without a slot and without a failure wait for a worker.
    private var frames: ArraySlice<ScriptFrame> = []
    private var freeSlots = Array(0..<ScriptMemory.slots)
    /// Of the next frame.
    private var itemsMax = ScriptProcessor.firstItems
    /// Lines and exceptions since `saidSince`.
    private var said = 0
    private var saidSince: UInt64 = 0
    /// When the worker began with the first frame that it has.
    private var begunAt: UInt64 = 0

    private(set) var counts = ProcessorCounts()

    /// Starts the worker and waits until it has loaded the script.
    init(
        name: String, _ configuration: ScriptConfiguration, messages: Messages, now: UInt64
    ) throws(ScriptLoadError) {
        self.name = name
        self.configuration = configuration
        notices = ScriptNotices(name, messages)
        do {
            ready = try ReadySet()
            process = try ScriptProcess(configuration, ready: ready)
        } catch {
            throw ScriptLoadError(description: "the worker of \(configuration.file) could not be started: \(error)")
        }
        try load(now: now)
    }

    private func load(now: UInt64) throws(ScriptLoadError) {
        let clock = LinuxClock()
        let until = clock.monotonicNanoseconds() + Self.loadNanoseconds
        while let process {
            switch process.next() {
            case .loaded(let bits):
                loaded(bits, now: now)
                return
            case .notLoaded(let reason):
                stop()
                throw ScriptLoadError(description: reason)
            case .line(let severity, let text): notices.line(severity: severity, text, now: now)
            case .over, .broken:
                let status = process.reapEnded()
                self.process = nil
                throw ScriptLoadError(
                    description: "\(configuration.file): the worker ended while it was loaded\(Self.describe(status))")
            case .result, .exception: break
            case nil:
                let time = clock.monotonicNanoseconds()
                guard time < until else {
                    stop()
                    let limit = timeText(Self.loadNanoseconds)
                    throw ScriptLoadError(description: "\(configuration.file): it was not loaded within \(limit)")
                }
                process.wait(nanoseconds: until - time)
            }
        }
    }

    /// Readable when there is something for `tick`. Stays the same for the processor's life.
    var wakeDescriptor: Int32 { ready.fileDescriptor }

    /// Ends the worker. What is held stays held: it is in the queue.
    func stop() {
        _ = process?.end()
        process = nil
        state = .stopped
    }

    // MARK: StatefulProcessor

    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput) {
        for batch in batches where !batch.isEmpty {
            count(\.received, batch.signal, batch.items.count)
            guard signals & (1 << (batch.signal.rawValue - 1)) != 0 else {
                count(\.passed, batch.signal, batch.items.count)
                output.batches.append(batch)
                continue
            }
            count(\.held, batch.signal, batch.items.count)
            pending.append(batch)
            pendingBytes += batch.bytes.count
        }
        go(now: now, &output)
    }

    func tick(now: UInt64, _ output: inout ProcessorOutput) {
        hear(now: now, &output)
        switch state {
        case .loading(let until) where now >= until:
            notices.warn("\(configuration.file) was not loaded in \(timeText(Self.loadNanoseconds))", now: now)
            died(.timeout, now: now, &output)
        case .running where isWaiting && now &- begunAt >= configuration.timeoutNanoseconds:
            add("timeouts", 1)
            notices.warn(
                "the script did not come back within \(timeText(configuration.timeoutNanoseconds)); its worker is started again",
                now: now)
            died(.timeout, now: now, &output)
        case .paused(let until) where now >= until: start(now: now)
        default: break
        }
        go(now: now, &output)
    }

    func end(now: UInt64, _ output: inout ProcessorOutput) {}

    var wakeAt: UInt64? {
        switch state {
        case .loading(let until), .paused(let until): until
        case .running: isWaiting ? begunAt &+ configuration.timeoutNanoseconds : nil
        case .stopped: nil
        }
    }

    var oldestHeld: UInt64? {
        var oldest = frames.lazy.compactMap(\.ticket).min()
        for batch in pending where batch.ticket > 0 { oldest = min(oldest ?? batch.ticket, batch.ticket) }
        return oldest
    }

    var isFull: Bool { pendingBytes > Self.pendingBytesMax || pending.count > Self.pendingBatchesMax }

    // MARK: the worker

    /// Whether it has a batch.
    private var isWaiting: Bool { frames.contains { $0.slot != nil } }

    private func hear(now: UInt64, _ output: inout ProcessorOutput) {
        for _ in 0..<Self.eventsMax {
            guard let process, let event = process.next() else { return }
            switch event {
            case .loaded(let bits):
                guard case .loading = state else { return broken(.crash, now: now, &output) }
                loaded(bits, now: now)
            case .notLoaded(let reason):
                notices.warn("it cannot be loaded any more: \(reason)", now: now)
                died(.crash, now: now, &output)
            case .line(let severity, let text):
                guard !isFlood(now) else { return broken(.crash, now: now, &output) }
                notices.line(severity: severity, text, now: now)
            case .exception(let text):
                guard !isFlood(now) else { return broken(.crash, now: now, &output) }
                let policy = configuration.onError == .bypass ? "passes as it came" : "is dropped"
                notices.warn("\(text); the item \(policy)", now: now)
            case .result(let slot, let end):
                flush(&output)
                guard case .running = state, frames.first?.slot == slot else {
                    return broken(.crash, now: now, &output)
                }
                result(slot, end, process, now: now, &output)
            case .broken: broken(.crash, now: now, &output)
            case .over:
                let status = process.reapEnded()
                let isHeap = status == .exited(ScriptMemory.heapExitCode)
                if isHeap { tellHeap(now: now) } else { tellDeath(status, now: now) }
                died(isHeap ? .heap : .crash, now: now, &output)
            }
        }
    }

    private func loaded(_ bits: UInt8, now: UInt64) {
        signals = bits & 7
        state = .running(since: now)
        begunAt = now
        itemsMax = Self.firstItems
        freeSlots = Array(0..<ScriptMemory.slots)
    }

    private func result(
        _ slot: Int, _ end: ScriptMemory.End, _ process: ScriptProcess, now: UInt64, _ output: inout ProcessorOutput
    ) {
        let frame = frames.removeFirst()
        freeSlots.append(slot)
        begunAt = now
        let missing: ScriptFailure
        switch end {
        case .done:
            missing = .invalid
            itemsMax = min(2 * itemsMax, ScriptMemory.itemsMax)
        case .cpu:
            missing = .cpu
            add("cpu_limits", 1)
            let limit = timeText(configuration.cpuNanoseconds)
            notices.warn("the script was stopped after \(limit) of CPU time for one batch; \(policyText)", now: now)
        case .heap:
            missing = .heap
            tellHeap(now: now)
        }
        let results = ScriptFrame.Results(process.memory, slot: slot, itemCount: frame.itemCount, missing: missing)
        if !emit(frame, results, &output) { return broken(nil, now: now, &output) }
        flush(&output)
        // The worker ends by itself: what has filled the heap is still in it.
        if end == .heap { died(nil, now: now, &output) }
    }

    /// Whether the worker says more than one of ours ever would.
    private func isFlood(_ now: UInt64) -> Bool {
        if now &- saidSince >= 1_000_000_000 { (saidSince, said) = (now, 0) }
        said += 1
        return said > Self.saidMax
    }

    /// The worker has told what it cannot know, or what cannot be.
    private func broken(_ failure: ScriptFailure?, now: UInt64, _ output: inout ProcessorOutput) {
        add("broken", 1)
        notices.warn("the worker has given back what it was not given; it is started again", now: now)
        died(failure, now: now, &output)
    }

    private func tellHeap(now: UInt64) {
        add("heap_limits", 1)
        notices.warn(
            "the script has used up its heap of \(configuration.heapBytes >> 20) MB; it is started again, \(policyText)",
            now: now)
    }

    private func tellDeath(_ status: ChildProcess.Status?, now: UInt64) {
        add("crashes", 1)
        notices.warn("the worker ended\(Self.describe(status)); it is started again, \(policyText)", now: now)
    }

    private static func describe(_ status: ChildProcess.Status?) -> String {
        switch status {
        case .exited(ScriptMemory.heapExitCode): ": its heap was full"
        case .exited(let code): " with exit code \(code)"
        case .signaled(let signal, _): " by \(signalName(signal))"
        case nil: ""
        }
    }

    private var policyText: String {
        configuration.onError == .bypass
            ? "what it did not get to passes as it came" : "what it did not get to is dropped"
    }

    /// The worker is of no more use, and another is started, at once or after a pause. The frame it had first goes by the policy; with no failure it had not begun with
    /// any.
    private func died(_ failure: ScriptFailure?, now: UInt64, _ output: inout ProcessorOutput) {
        _ = process?.end()
        process = nil
        flush(&output)
        if case .running(let since) = state, now &- since >= Self.steadyNanoseconds { deaths = 0 }
        if let failure, frames.first?.slot != nil { emit(frames.removeFirst(), failure, &output) }
        for index in frames.indices { frames[index].slot = nil }
        deaths += 1
        let isLoading = if case .loading = state { true } else { false }
        guard deaths > 1 || isLoading else { return start(now: now) }
        pause(now: now)
    }

    private func pause(now: UInt64) {
        let pause = min(Self.pauseNanoseconds.first << UInt64(min(max(deaths - 2, 0), 20)), Self.pauseNanoseconds.last)
        state = .paused(until: now &+ pause)
    }

    private func start(now: UInt64) {
        add("restarts", 1)
        do {
            process = try ScriptProcess(configuration, ready: ready)
            state = .loading(until: now &+ Self.loadNanoseconds)
        } catch {
            deaths += 1
            notices.warn("its worker could not be started: \(error)", now: now)
            pause(now: now)
        }
    }

    // MARK: frames

    /// Gives the worker what it has room for; without one, does what the policy says.
    private func go(now: UInt64, _ output: inout ProcessorOutput) {
        switch state {
        case .running: break
        case .loading, .stopped: return
        case .paused: return failAll(.down, &output)
        }
        // Those that another worker has left.
        for index in frames.indices where frames[index].slot == nil && frames[index].failure == nil {
            guard give(index, now: now, &output) else { return }
        }
        while !freeSlots.isEmpty, let frame = compose() {
            frames.append(frame)
            if frame.failure == nil, !give(frames.endIndex - 1, now: now, &output) { return }
        }
        flush(&output)
    }

    /// False: there is no slot, or no worker any more.
    private func give(_ index: Int, now: UInt64, _ output: inout ProcessorOutput) -> Bool {
        guard let process, let slot = freeSlots.popLast() else { return false }
        if !isWaiting { begunAt = now }
        frames[index].write(to: process.memory, slot: slot)
        frames[index].slot = slot
        // One that takes nothing is about to be found dead.
        return process.send(slot)
    }

    /// The next frame of what is pending; nil: nothing is.
    private func compose() -> ScriptFrame? {
        var frame = ScriptFrame()
        while let batch = pending.first {
            let end = frame.add(batch, from: pendingItem, itemsMax: itemsMax)
            if end == pendingItem, frame.isEmpty {
                frame = ScriptFrame(batch, end, .tooLarge)
                advance(to: end + 1, of: batch)
                return frame
            }
            advance(to: end, of: batch)
            if end < batch.items.count { break }
        }
        return frame.isEmpty ? nil : frame
    }

    private func advance(to item: Int, of batch: Batch) {
        pendingItem = item
        guard item == batch.items.count else { return }
        pending.removeFirst()
        pendingItem = 0
        pendingBytes -= batch.bytes.count
    }

    /// Lets go of what is first and needs no worker.
    private func flush(_ output: inout ProcessorOutput) {
        while let failure = frames.first?.failure { emit(frames.removeFirst(), failure, &output) }
    }

    private func failAll(_ failure: ScriptFailure, _ output: inout ProcessorOutput) {
        while !frames.isEmpty {
            let frame = frames.removeFirst()
            emit(frame, frame.failure ?? failure, &output)
        }
        while let frame = compose() { emit(frame, frame.failure ?? failure, &output) }
    }

    // MARK: output

    private func emit(_ frame: ScriptFrame, _ failure: ScriptFailure, _ output: inout ProcessorOutput) {
        for piece in frame.pieces {
            var pass = ScriptPass(piece, configuration.onError)
            for item in piece.batch.items[piece.range] { pass.fail(item, failure) }
            finish(pass, &output)
        }
    }

    /// False: the worker does not keep to the rules.
    private func emit(_ frame: ScriptFrame, _ results: ScriptFrame.Results, _ output: inout ProcessorOutput) -> Bool {
        var results = results
        var index = 0
        var isHonest = true
        for piece in frame.pieces {
            var pass = ScriptPass(piece, configuration.onError)
            for item in piece.batch.items[piece.range] {
                pass.take(index, item, &results)
                index += 1
            }
            isHonest = isHonest && pass.failures[.invalid] == nil
            finish(pass, &output)
        }
        return isHonest
    }

    private func finish(_ pass: consuming ScriptPass, _ output: inout ProcessorOutput) {
        let signal = pass.piece.batch.signal
        add("changed", pass.changed)
        for (failure, entry) in pass.failures {
            add(failure.rawValue, entry.items)
            if configuration.onError == .bypass { add("bypassed", entry.items) }
        }
        for (reason, rule, entry) in pass.drops() {
            counts.dropped[signal, default: [:]][reason, default: 0] += entry.items
            output.dropped.append(
                DroppedItems(
                    processor: name, reason: reason, rule: rule, signal: signal, items: entry.items, bytes: entry.bytes)
            )
        }
        count(\.held, signal, -pass.piece.range.count)
        let batch = pass.batch()
        count(\.passed, signal, batch.items.count)
        if !batch.isEmpty { output.batches.append(batch) }
    }

    // MARK: counts

    private func count(_ what: WritableKeyPath<ProcessorCounts, [Signal: Int]>, _ signal: Signal, _ items: Int) {
        counts[keyPath: what][signal, default: 0] += items
    }

    private func add(_ detail: String, _ number: Int) {
        if number > 0 { counts.details[detail, default: 0] += number }
    }
}
