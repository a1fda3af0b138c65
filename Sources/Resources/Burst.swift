// A burst as log records: one with every frame, and one for each trace that was in flight, with the frames of its time summed up, so that `trace show` has it.

public import Telemetry

/// A request in flight, as a board has it.
public struct RequestInFlight: Equatable, Sendable {
    public var traceID: TraceID
    public var spanID: SpanID

    public init(traceID: TraceID, spanID: SpanID) {
        self.traceID = traceID
        self.spanID = spanID
    }
}

/// What is told of one moment of a burst. NaN: not known.
struct BurstFrame: Sendable {
    /// Unix nanoseconds.
    var time: UInt64 = 0
    var values = [Double](repeating: .nan, count: Figure.allCases.count)

    enum Figure: Int, CaseIterable {
        case cpu, workersCPU, workersDelay, workersMemory, available, pressureCPU, pressureMemory, pressureIO,
            containerCPU, throttled, containerMemory
        case stalls

        /// The attribute's name.
        var key: String {
            switch self {
            case .cpu: "system.cpu.utilization"
            case .workersCPU: "sidelight.workers.cpu.usage"
            case .workersDelay: "sidelight.workers.run_delay.usage"
            case .workersMemory: "sidelight.workers.memory.usage"
            case .available: "system.memory.linux.available"
            case .pressureCPU: "sidelight.system.pressure.cpu"
            case .pressureMemory: "sidelight.system.pressure.memory"
            case .pressureIO: "sidelight.system.pressure.io"
            case .containerCPU: "container.cpu.usage"
            case .throttled: "sidelight.container.cpu.throttled"
            case .containerMemory: "container.memory.working_set"
            case .stalls: "sidelight.eventloop.stalls"
            }
        }

        /// Of these the least is news.
        var isScarce: Bool { self == .available }
    }

    subscript(figure: Figure) -> Double {
        get { values[figure.rawValue] }
        set { values[figure.rawValue] = newValue }
    }

    mutating func fill(_ snapshot: ResourceSnapshot, stalls: UInt64) {
        time = snapshot.time
        for index in values.indices { values[index] = .nan }
        if let ratios = snapshot.cpuRatios { self[.cpu] = ratios.busy }
        var (cpu, delay, memory, hasWorkers) = (0.0, 0.0, 0.0, false)
        for process in snapshot.processes where process.role != .agent {
            cpu += process.cpuUsage ?? 0
            delay += process.delayUsage ?? 0
            memory += Double(process.residentBytes)
            hasWorkers = true
        }
        if hasWorkers { (self[.workersCPU], self[.workersDelay], self[.workersMemory]) = (cpu, delay, memory) }
        if let available = snapshot.memory?.available { self[.available] = Double(available) }
        if let pressure = snapshot.pressure.cpu { self[.pressureCPU] = pressure.some.ratio }
        if let pressure = snapshot.pressure.memory { self[.pressureMemory] = pressure.some.ratio }
        if let pressure = snapshot.pressure.io { self[.pressureIO] = pressure.some.ratio }
        if let container = snapshot.container {
            if let usage = container.cpuUsage { self[.containerCPU] = usage }
            if let ratio = container.throttledRatio { self[.throttled] = ratio }
            if let memory = container.workingSet { self[.containerMemory] = Double(memory) }
        }
        if hasWorkers { self[.stalls] = Double(stalls) }
    }
}

/// Records a burst. Its memory is taken when it is made.
public struct BurstRecorder: Sendable {
    /// Traces that a burst is joined to; the first that were seen.
    public static let tracesMax = 16
    public static let framesMax = 600
    public static let eventName = "sidelight.resource.burst"

    private struct Joined {
        var request: RequestInFlight
        /// Frames in whose time it was in flight.
        var first: Int
        var last: Int
    }

    private var frames: [BurstFrame]
    private var count = 0
    private var reason = SpikeReason.cpu
    private var level = 0.0
    private var limit = 0.0
    private var joined: [Joined] = []
    /// In flight at the sample before the burst: what a stalled loop was busy with may be over when it is heard of.
    private var before: [RequestInFlight] = []
    /// Traces in flight for which there was no room.
    private var leftOut = 0

    public init(framesMax: Int) {
        frames = (0..<min(max(framesMax, 1), Self.framesMax)).map { _ in BurstFrame() }
        joined.reserveCapacity(Self.tracesMax)
        before.reserveCapacity(Self.tracesMax)
    }

    /// What is in flight while there is no burst.
    public mutating func noteCalm(_ requests: some Sequence<RequestInFlight>) {
        before.removeAll(keepingCapacity: true)
        for request in requests.prefix(Self.tracesMax) { before.append(request) }
    }

    /// - Parameters:
    ///   - level: what the reason's level has risen to.
    ///   - limit: that of it.
    public mutating func begin(_ reason: SpikeReason, level: Double, limit: Double) {
        (self.reason, self.level, self.limit) = (reason, level, limit)
        count = 0
        leftOut = 0
        joined.removeAll(keepingCapacity: true)
        for request in before { join(request) }
    }

    /// Takes a sample as the next frame. What there is no room for is not taken.
    public mutating func add(
        _ snapshot: ResourceSnapshot, stalls: UInt64, requests: some Sequence<RequestInFlight>
    ) {
        guard count < frames.count else { return }
        frames[count].fill(snapshot, stalls: stalls)
        for request in requests { join(request) }
        count += 1
    }

    private mutating func join(_ request: RequestInFlight) {
        if let index = joined.firstIndex(where: { $0.request.traceID == request.traceID }) {
            joined[index].last = count
        } else if joined.count < Self.tracesMax {
            joined.append(Joined(request: request, first: count, last: count))
        } else {
            leftOut += 1
        }
    }

    // MARK: Records

    /// The burst's records, the one with the frames first; none where there was no frame.
    public func records() -> [LogRecord] {
        guard count > 0 else { return [] }
        var records = [record(0...(count - 1), hasFrames: true)]
        for trace in joined {
            let first = min(trace.first, count - 1)
            var record = record(first...max(first, min(trace.last, count - 1)), hasFrames: false)
            record.traceID = trace.request.traceID
            record.spanID = trace.request.spanID
            record.traceFlags = 1
            records.append(record)
        }
        return records
    }

    private func record(_ range: ClosedRange<Int>, hasFrames: Bool) -> LogRecord {
        let (first, last) = (frames[range.lowerBound].time, frames[range.upperBound].time)
        var attributes: Attributes = [
            Attribute("sidelight.resource.burst.reason", .string(reason.name)),
            Attribute("sidelight.resource.burst.level", .double(level)),
            Attribute("sidelight.resource.burst.limit", .double(limit)),
            // The same for all records of a burst.
            Attribute("sidelight.resource.burst.start", .string(UnixTime.text(frames[0].time, fractionDigits: 3))),
            Attribute("sidelight.resource.burst.duration", .double(Double(last > first ? last - first : 0) / 1e9)),
            Attribute("sidelight.resource.burst.frames", .int(Int64(range.count))),
        ]
        if hasFrames {
            attributes.append(Attribute("sidelight.resource.burst.traces", .int(Int64(joined.count))))
            if leftOut > 0 {
                attributes.append(Attribute("sidelight.resource.burst.sightings_left_out", .int(Int64(leftOut))))
            }
            attributes.append(
                Attribute(
                    "sidelight.resource.burst.offset_ms",
                    .array(range.map { .int(Int64((frames[$0].time &- first) / 1_000_000)) })))
        }
        for figure in BurstFrame.Figure.allCases {
            let values = range.map { frames[$0][figure] }
            let known = values.filter { !$0.isNaN }
            guard !known.isEmpty else { continue }
            if hasFrames {
                attributes.append(
                    Attribute(figure.key, .array(values.map { $0.isNaN ? .empty : .double(rounded($0)) })))
            } else {
                attributes.append(
                    Attribute(figure.key + ".mean", .double(rounded(known.reduce(0, +) / Double(known.count)))))
                attributes.append(
                    Attribute(
                        figure.key + (figure.isScarce ? ".min" : ".max"),
                        .double(rounded(figure.isScarce ? known.min()! : known.max()!))))
            }
        }
        return LogRecord(
            time: first, observedTime: frames[count - 1].time, severity: 9, severityText: "INFO",
            body: .string(text(range)), attributes: attributes, eventName: Self.eventName)
    }

    /// To a thousandth: more is noise, and it is stored.
    private func rounded(_ value: Double) -> Double {
        value.magnitude >= 1e9 ? value.rounded() : (value * 1_000).rounded() / 1_000
    }

    private func text(_ range: ClosedRange<Int>) -> String {
        var parts: [String] = []
        func most(_ figure: BurstFrame.Figure) -> Double? {
            range.map { frames[$0][figure] }.filter { !$0.isNaN }.max()
        }
        if let cpu = most(.cpu) { parts.append("the machine's CPUs \(percent(cpu)) busy") }
        if let cpu = most(.workersCPU) { parts.append("the workers on \(tenths(cpu)) CPUs") }
        if let delay = most(.workersDelay), delay >= 0.05 {
            parts.append("\(tenths(delay)) of their threads ready, but without a CPU")
        }
        if let pressure = most(.pressureMemory), pressure >= 0.01 {
            parts.append("tasks waiting for memory \(percent(pressure)) of the time")
        }
        if let pressure = most(.pressureIO), pressure >= 0.01 {
            parts.append("tasks waiting for I/O \(percent(pressure)) of the time")
        }
        if let ratio = most(.throttled), ratio >= 0.01 {
            parts.append("the container held back by its limit in \(percent(ratio)) of the periods")
        }
        let most = parts.isEmpty ? "" : "; at most: " + parts.joined(separator: ", ")
        return "resources: \(what)\(most)"
    }

    private func tenths(_ value: Double) -> String {
        let tenths = Int((min(value, 1e6) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private func percent(_ part: Double) -> String { "\(Int((min(part, 1e6) * 100).rounded())) %" }

    private var what: String {
        switch reason {
        case .cpu: "the machine's CPUs were \(percent(level)) busy"
        case .processCPU: "a worker used \(percent(level)) of a CPU"
        case .throttling: "the container was held back in \(percent(level)) of the periods"
        case .pressureCPU: "tasks waited for a CPU \(percent(level)) of the time"
        case .pressureMemory: "tasks waited for memory \(percent(level)) of the time"
        case .pressureIO: "tasks waited for I/O \(percent(level)) of the time"
        case .memory: "\(percent(level)) of the memory was in use"
        case .eventLoop: "the event loop stood still"
        }
    }
}
