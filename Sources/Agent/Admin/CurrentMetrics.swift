internal import CoreMetrics
internal import Exposition
internal import Linux
internal import Server
internal import SidelightMetrics
internal import Synchronization
internal import System
internal import Telemetry
internal import Transport
internal import Wire

/// What a process says of itself when it is asked for its metrics.
struct OwnFigures: Sendable {
    var counters: Counters
    /// Of the workload that it serves: the sum of all its workers' boards, and how many live. Nil: it serves none.
    var board: (total: BoardSnapshot, isolates: Int)?
}

/// The page of metrics, with a thread of its own: what comes in waits there until somebody asks for the page, so that whoever receives it pays for no more than a
/// place in a list, and a page of a hundred thousand series holds nobody up. Any thread.
final class CurrentMetrics: Sendable {
    /// Of batches that wait. What comes beyond is not on the page, and counted.
    static let waitingBytesMax = 32 << 20
    /// From so many on they are looked at though nobody has asked.
    private static let lookBytes = 1 << 20
    /// What a place in the list takes, about. Bytes.
    private static let arrivalBytes = 256
    /// Pages that are asked for at once; more are refused.
    static let pagesMax = 32
    /// Pages up to this size are not compressed. Bytes.
    private static let plainBytesMax = 1_024

    private enum Arrival {
        case batch(Batch, MetricSource)
        case ended(UInt64)
    }

    private struct State {
        var arrivals: [Arrival] = []
        /// Where the latest batch of an own source stands in `arrivals`: another one of it takes its place.
        var own: [String: Int] = [:]
        var bytes = 0
        var droppedItems = 0
        var pages: [(figures: OwnFigures, format: ExpositionFormat, responder: Responder)] = []
        var isEnding = false
    }

    /// What the thread alone knows.
    private struct Page: ~Copyable {
        let clock: LinuxClock
        let components: SidelightMetrics
        let duration: CoreMetrics.Timer
        let exemplars: ServedExemplars?
        let resources: ResourceReading?
        var table: MetricTable
        var points: BoardPoints
        let resource: Resource
        var droppedItems = 0
        var compressor = GzipCompressor()

        mutating func take(_ points: [MetricPoint], _ name: String, now: UInt64) {
            table.take(Batch(points, resource: resource, scope: CurrentMetrics.scope), source: .own(name), now: now)
        }
    }

    private let state = Monitor<State>(State())
    /// Whether there is an admin port to ask for the page. Else nothing is taken.
    private let isShown = Atomic<Bool>(true)
    private let thread: ServiceThread

    private static let scope = InstrumentationScope(name: Release.name, version: Release.version)

    /// - Parameters:
    ///   - resource: Of the process and its workload.
    ///   - startTime: Unix nanoseconds.
    ///   - components: Of which more is on the page.
    ///   - exemplars: Of the requests that are served.
    ///   - resources: What is sampled; its figures are fetched when somebody asks for the page.
    init(
        resource: Resource, startTime: UInt64, clock: LinuxClock, components: SidelightMetrics,
        exemplars: ServedExemplars? = nil, resources: ResourceReading? = nil,
        limits: ExpositionLimits = ExpositionLimits()
    ) {
        let state = state
        thread = ServiceThread(name: "sidelight-page") {
            var page = Page(
                clock: clock, components: components,
                duration: CoreMetrics.Timer(label: ComponentMetrics.pageDuration, factory: components),
                exemplars: exemplars, resources: resources, table: MetricTable(resource: resource, limits: limits),
                points: BoardPoints(startTime: startTime),
                resource: resource)
            while let work = Self.work(state) {
                Self.take(work.arrivals, &page)
                page.droppedItems += work.droppedItems
                for (figures, format, responder) in work.pages {
                    let body = Self.body(figures, format, &page)
                    let fields = ResponseFields([
                        "content-type": format.contentType, "vary": "accept, accept-encoding",
                    ])
                    if format.takesGzip, body.count > Self.plainBytesMax {
                        responder.respond(
                            200, fields.adding("content-encoding", "gzip"), body: page.compressor.compress(body))
                    } else {
                        responder.respond(200, fields, body: body)
                    }
                }
            }
        }
    }

    /// Takes a batch of metrics. Does not block.
    func take(_ batch: Batch, source: MetricSource) {
        guard batch.signal == .metrics, !batch.isEmpty, isShown.load(ordering: .relaxed) else { return }
        let isMuch = state.withLock { state in
            let bytes = batch.bytes.count + Self.arrivalBytes
            guard state.bytes + bytes <= Self.waitingBytesMax else {
                state.droppedItems += batch.items.count
                return true
            }
            state.bytes += bytes
            if case .own(let name) = source {
                if let place = state.own[name], case .batch(let before, _) = state.arrivals[place] {
                    state.bytes -= before.bytes.count + Self.arrivalBytes
                    state.arrivals[place] = .batch(batch, source)
                    return false
                }
                state.own[name] = state.arrivals.count
            }
            state.arrivals.append(.batch(batch, source))
            return state.bytes > Self.lookBytes
        }
        if isMuch { state.wake() }
    }

    /// Whether anybody can ask for the page.
    func show(_ isShown: Bool) { self.isShown.store(isShown, ordering: .relaxed) }

    /// An isolate says no more.
    func ended(isolate: UInt64) {
        let isMuch = state.withLock { state in
            state.arrivals.append(.ended(isolate))
            state.bytes += Self.arrivalBytes
            return state.bytes > Self.lookBytes
        }
        if isMuch { state.wake() }
    }

    /// Answers with the page. False: too many ask.
    func answer(_ figures: OwnFigures, _ format: ExpositionFormat, _ responder: Responder) -> Bool {
        let isTaken = state.withLock { state in
            guard state.pages.count < Self.pagesMax, !state.isEnding else { return false }
            state.pages.append((figures, format, responder))
            return true
        }
        if isTaken { state.wake() }
        return isTaken
    }

    /// What was asked for is answered, and no more.
    func end() {
        state.withLock { $0.isEnding = true }
        state.wake()
        thread.join()
    }

    // MARK: The thread

    /// Nil: it is to end.
    private static func work(_ state: Monitor<State>) -> State? {
        state.wait { state in
            guard !state.pages.isEmpty || state.bytes > lookBytes else {
                return state.isEnding ? .done(nil) : .untilWoken
            }
            let work = state
            state = State()
            state.isEnding = work.isEnding
            return .done(work)
        }
    }

    private static func take(_ arrivals: [Arrival], _ page: inout Page) {
        let now = page.clock.monotonicNanoseconds()
        for arrival in arrivals {
            switch arrival {
            case .batch(let batch, let source): page.table.take(batch, source: source, now: now)
            case .ended(let isolate): page.table.ended(isolate: isolate)
            }
        }
    }

    private static func body(_ figures: OwnFigures, _ format: ExpositionFormat, _ page: inout Page) -> [UInt8] {
        let (now, time) = (page.clock.monotonicNanoseconds(), page.clock.unixNanoseconds())
        defer { page.duration.recordNanoseconds(Int64(clamping: page.clock.monotonicNanoseconds() &- now)) }
        if let board = figures.board {
            var points = page.points.points(board.total, isolates: board.isolates, time: time)
            page.exemplars?.attach(to: &points)
            page.take(points, "board", now: now)
        }
        if let batch = page.resources?.batch() { page.table.take(batch, source: .own("resources"), now: now) }
        page.table.sweep(now: now)
        var counters = figures.counters
        counters.add(.pageSeries, [:], page.table.seriesCount)
        for reason in ExpositionDrop.allCases {
            let busy = reason == .busy ? UInt64(page.droppedItems) : 0
            counters.add(.pageDropped, ["reason": reason.rawValue], page.table.dropped(reason) + busy)
        }
        page.take(counters.points(time: time), "counters", now: now)
        page.take(page.components.points(), "components", now: now)
        page.table.sweep(now: now)
        return page.table.page(format)
    }
}
