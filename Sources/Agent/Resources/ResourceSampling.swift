internal import Configuration
internal import Linux
internal import Resources
internal import System
internal import Telemetry
internal import Wire

/// What the sampler asks of who has workers. Main thread.
protocol ResourceWorkload: AnyObject {
    /// The worker processes there are.
    func forEachWorker(_ body: (_ pid: Int32, _ place: Int) -> Void)
    /// Turns of event loops that were too long, of all workers that live.
    var loopStalls: UInt64 { get }
    /// Sampled requests in flight.
    func forEachTraceInFlight(_ body: (TraceID, SpanID) -> Void)
}

/// Samples when it is time, more often while something is up, and hands on what exporters get. Main thread.
final class ResourceSampling: Duty {
    /// Whom figures and bursts go to.
    typealias HandOn = (Batch) -> Void

    let reading: ResourceReading
    private let configuration: ResourcesConfiguration
    private let clock: any SystemClock
    private let sampler: ResourceSampler
    private weak var workload: (any ResourceWorkload)?
    private let handOn: HandOn

    private var schedule: ResourceSchedule
    private var detector: SpikeDetector
    private var recorder: BurstRecorder
    private var roots: [ProcessRoot] = []
    private var requests: [RequestInFlight] = []
    private var stallsBefore: UInt64 = 0
    private var exportAt: UInt64

    private static let scope = InstrumentationScope(name: Release.name, version: Release.version)
    /// Frames beside those of a burst's interval: the last one, and those whose time other samples set.
    private static let frameSlack = 16

    /// - Parameters:
    ///   - workload: Nil: there are no workers.
    ///   - handOn: Gets all figures once an interval, and bursts when they are over.
    init(
        _ configuration: ResourcesConfiguration, _ reading: ResourceReading, files: any KernelFiles,
        machine: ResourceSampler.Machine, clock: any SystemClock, workload: (any ResourceWorkload)?,
        handOn: @escaping HandOn
    ) {
        self.configuration = configuration
        self.reading = reading
        self.clock = clock
        self.workload = workload
        self.handOn = handOn
        sampler = ResourceSampler(files, machine)
        let now = clock.monotonicNanoseconds()
        schedule = ResourceSchedule(configuration, now: now)
        detector = SpikeDetector(SpikeDetector.Settings(configuration.burst))
        let burst = configuration.burst
        recorder = BurstRecorder(
            framesMax: Int(burst.lengthNanoseconds / max(burst.intervalNanoseconds, 1)) + Self.frameSlack)
        exportAt = now &+ configuration.exportNanoseconds
        requests.reserveCapacity(BurstRecorder.tracesMax)
    }

    /// The real one; nil where nothing is sampled.
    static func make(
        _ configuration: ResourcesConfiguration, _ reading: ResourceReading?, clock: LinuxClock,
        workload: (any ResourceWorkload)?, handOn: @escaping HandOn
    ) -> ResourceSampling? {
        reading.map { reading in
            let machine = ResourceSampler.Machine(
                pageBytes: Machine.pageBytes, ticksPerSecond: Machine.ticksPerSecond)
            return ResourceSampling(
                configuration, reading, files: LinuxKernelFiles(), machine: machine, clock: clock, workload: workload,
                handOn: handOn)
        }
    }

    var timer: UInt64 { min(schedule.next(isBursting: detector.isBursting), exportAt) }

    func tick(now: UInt64) {
        let groups = schedule.due(now: now, isBursting: detector.isBursting)
        if !groups.isEmpty { sample(groups, now: now) }
        if now >= exportAt {
            exportAt = now &+ configuration.exportNanoseconds
            export()
        }
    }

    /// What there is goes to exporters. At the end, too.
    func export() {
        if let batch = reading.batch() { handOn(batch) }
    }

    /// The end: a burst under way is told of, and what was sampled last.
    func finish() {
        if detector.isBursting { tellBurst() }
        export()
        sampler.close()
    }

    private func tellBurst() {
        let records = recorder.records()
        if !records.isEmpty { handOn(Batch(records, resource: reading.resource, scope: Self.scope)) }
    }

    // MARK: Samples

    private func sample(_ groups: ResourceGroups, now: UInt64) {
        findRoots()
        let stalls = takeStalls()
        takeRequests()
        let time = clock.unixNanoseconds()
        let (action, level) = reading.withSnapshot { snapshot in
            sampler.sample(groups, into: &snapshot, now: now, time: time)
            guard configuration.burst.isEnabled else { return (SpikeDetector.Action.none, SpikeLevels()) }
            return look(&snapshot, stalls: stalls, now: now)
        }
        switch action {
        case .none, .suppressed: recorder.noteCalm(requests)
        case .begin(let reason):
            recorder.begin(reason, level: level[reason], limit: detector.settings.limits[reason])
            schedule.burst(configuration.burst.intervalNanoseconds, now: now)
            addFrame(stalls)
        case .frame: addFrame(stalls)
        case .end:
            addFrame(stalls)
            tellBurst()
            recorder.noteCalm(requests)
        }
    }

    private func look(
        _ snapshot: inout ResourceSnapshot, stalls: UInt64, now: UInt64
    ) -> (SpikeDetector.Action, SpikeLevels) {
        let levels = SpikeLevels(snapshot, stalls: stalls)
        let action = detector.take(levels, now: now)
        snapshot.bursts.count(action)
        return (action, levels)
    }

    private func addFrame(_ stalls: UInt64) {
        reading.withSnapshot { recorder.add($0, stalls: stalls, requests: requests) }
    }

    // MARK: The workload

    private func findRoots() {
        roots.removeAll(keepingCapacity: true)
        roots.append(ProcessRoot(pid: Machine.processID, role: .agent))
        workload?.forEachWorker { pid, place in
            roots.append(ProcessRoot(pid: pid, role: .worker, place: Int32(clamping: place)))
        }
        sampler.watch(roots)
    }

    /// Since the sample before. A worker that is gone takes its count with it, and one may say anything.
    private func takeStalls() -> UInt64 {
        let stalls = workload?.loopStalls ?? 0
        defer { stallsBefore = stalls }
        return stalls > stallsBefore && stalls - stallsBefore < 1 << 20 ? stalls - stallsBefore : 0
    }

    private func takeRequests() {
        requests.removeAll(keepingCapacity: true)
        guard configuration.burst.isEnabled else { return }
        workload?.forEachTraceInFlight { trace, span in
            guard requests.count < BurstRecorder.tracesMax else { return }
            requests.append(RequestInFlight(traceID: trace, spanID: span))
        }
    }
}

/// When which group is due. Pure.
struct ResourceSchedule {
    /// By group; `max`: never.
    private var at: [UInt64]
    private let intervals: [UInt64]
    private var burstAt: UInt64 = .max
    private var burstInterval: UInt64 = 0

    /// The first samples come when the first interval is over: who is done sooner does not pay for any. Groups that are looked at rarely come with the second.
    init(_ configuration: ResourcesConfiguration, now: UInt64) {
        intervals = ResourceGroup.allCases.map { group in
            guard let key = ResourcesConfiguration.Group(rawValue: group.name) else {
                preconditionFailure("no key \(group.name)")
            }
            return configuration[key] ?? .max
        }
        let first = intervals.min() ?? .max
        at = intervals.map { $0 == .max ? .max : now &+ min(first, $0) }
    }

    func next(isBursting: Bool) -> UInt64 {
        let next = at.min() ?? .max
        return isBursting ? min(next, burstAt) : next
    }

    /// What is due; groups keep their distances, and what was missed is not made up for.
    mutating func due(now: UInt64, isBursting: Bool) -> ResourceGroups {
        var groups: ResourceGroups = []
        for group in ResourceGroup.allCases where at[group.rawValue] <= now {
            let interval = intervals[group.rawValue]
            at[group.rawValue] &+= interval
            if at[group.rawValue] <= now { at[group.rawValue] = now &+ interval }
            groups.insert(ResourceGroups(group))
        }
        // A frame that followed another at once would tell of no time.
        if isBursting, burstAt <= now || !groups.isDisjoint(with: .burst) {
            burstAt = now &+ burstInterval
            for group in ResourceGroup.allCases
            where ResourceGroups.burst.contains(group) && intervals[group.rawValue] != .max {
                groups.insert(ResourceGroups(group))
            }
        }
        return groups
    }

    mutating func burst(_ interval: UInt64, now: UInt64) {
        burstInterval = interval
        burstAt = now &+ interval
    }
}

extension SpikeDetector.Settings {
    init(_ burst: ResourcesConfiguration.Burst) {
        self.init()
        limits[.cpu] = Double(burst.cpu) / 100
        limits[.processCPU] = Double(burst.processCPU) / 100
        limits[.throttling] = Double(burst.throttling) / 100
        limits[.pressureCPU] = Double(burst.pressureCPU) / 100
        limits[.pressureMemory] = Double(burst.pressureMemory) / 100
        limits[.pressureIO] = Double(burst.pressureIO) / 100
        limits[.memory] = Double(burst.memory) / 100
        limits[.eventLoop] = burst.isOfStalls ? 1 : .infinity
        lengthNanoseconds = burst.lengthNanoseconds
        pauseNanoseconds = burst.pauseNanoseconds
    }
}
