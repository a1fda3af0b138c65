// What a page of metrics shows: the latest point of each series. Points come as OTLP bytes, and most of them are of series that are known: such a point costs a
// hash of its attributes' bytes, not a string. Names and labels become text when a series is seen first.

public import Telemetry
internal import Wire

/// One thread at a time.
public struct MetricTable: Sendable {
    let limits: ExpositionLimits
    var targets: [Target] = []
    var targetIndexes: [[UInt8]: Int] = [:]
    var scopes: [ScopeEntry] = []
    var scopeIndexes: [Batch.Scope: Int] = [:]
    var instruments: [Instrument] = []
    var instrumentIndexes: [InstrumentKey: Int] = [:]
    var families: [Family] = []
    var familyIndexes: [FamilyKey: Int] = [:]
    /// Every name that a family's lines have, so that no two families have one.
    var takenNames: [String: Int] = [:]
    var order: [Int] = []
    var isOrderOld = false
    var series: [Series] = []
    var seriesIndexes: [SeriesKey: Int] = [:]
    /// Of series of several isolates.
    var parts: [Int: Parts] = [:]
    var owners: [String: Owner] = [:]
    var boundSets: [[Double]: BoundSet] = [:]
    var bytes = 0
    /// What a page of it takes, about.
    var pageBytes = 0
    var gone = 0
    /// Something had no room since the last look for some.
    var isFull = false
    var compactedAt: UInt64 = 0
    var sweptAt: UInt64 = 0
    /// Points that are not on the page. Index: of `ExpositionDrop.allCases`.
    private var drops = [UInt64](repeating: 0, count: ExpositionDrop.allCases.count)

    /// Sets of bounds that are shared; further ones are each series' own.
    private static let boundSetsMax = 4_096

    /// - Parameter resource: of the process itself and of its workload: what they say has no labels of who said it.
    public init(resource: Resource, limits: ExpositionLimits = ExpositionLimits()) {
        self.limits = limits
        targets.append(Target(key: [], resource: resource, isOwn: true))
    }

    public var seriesCount: Int { series.count - gone }

    public func dropped(_ reason: ExpositionDrop) -> UInt64 { drops[ExpositionDrop.allCases.firstIndex(of: reason)!] }

    mutating func drop(_ reason: ExpositionDrop, _ points: Int = 1) {
        if reason == .full { isFull = true }
        drops[ExpositionDrop.allCases.firstIndex(of: reason)!] += UInt64(points)
    }

    // MARK: In

    /// Takes the points of a batch. Traps when it is not of metrics.
    /// - Parameter now: monotonic nanoseconds.
    public mutating func take(_ batch: Batch, source: MetricSource, now: UInt64) {
        precondition(batch.signal == .metrics, "a batch of \(batch.signal) for a page of metrics")
        guard let target = target(of: batch, source) else { return drop(.full, batch.items.count) }
        var owner: Owner?
        if case .own(let name) = source { owner = owners.removeValue(forKey: name) ?? Owner() }
        owner?.round &+= 1
        var scopeOfBatch = [Int?](repeating: nil, count: batch.scopes.count)
        for index in batch.items.indices {
            let place = Int(batch.items[index].scope)
            guard place < batch.scopes.count else {
                drop(.malformed)
                continue
            }
            if scopeOfBatch[place] == nil { scopeOfBatch[place] = scope(batch.scopes[place]) }
            let context = Context(
                source: source, target: target, scope: scopeOfBatch[place]!, round: owner?.round ?? 0, now: now)
            var instrument: Result<Int, ExpositionDrop>?
            let isWhole: Void? = try? batch.withMessage(at: index) { (reader) throws(DecodeError) in
                try Prometheus.decode(reader) { (metric, point) throws(DecodeError) in
                    let found = instrument ?? self.instrument(metric, context)
                    instrument = found
                    self.take(metric, point, found, context, &owner)
                }
            }
            if isWhole == nil { drop(.malformed) }
        }
        targets[target].updated = now
        if case .own(let name) = source, let owner {
            for index in owner.series where series[index].owner == source && series[index].round != owner.round {
                leave(index)
            }
            owners[name] = owner
        }
    }

    /// An isolate has ended: what it counted stays, what it showed goes.
    public mutating func ended(isolate: UInt64) {
        for (index, var part) in parts {
            guard let last = part.live.removeValue(forKey: isolate) else { continue }
            bytes -= parts[index]!.bytes
            if series[index].isCounting {
                part.retired = part.retired.map { $0.adding(last) ?? $0 } ?? last
            } else if part.live.isEmpty {
                parts[index] = nil
                leave(index)
                continue
            }
            bytes += part.bytes
            parts[index] = part
            show(index, part)
        }
    }

    private mutating func target(of batch: Batch, _ source: MetricSource) -> Int? {
        guard source == .received else { return 0 }
        if let known = targetIndexes[batch.resource] { return known }
        guard targets.count < limits.targetsMax, let resource = try? batch.decodedResource() else { return nil }
        let target = Target(key: batch.resource, resource: resource, isOwn: false)
        guard bytes + target.bytes <= limits.bytesMax, pageBytes + target.info.count <= limits.pageBytesMax else {
            return nil
        }
        targets.append(target)
        bytes += target.bytes
        pageBytes += target.info.count
        targetIndexes[batch.resource] = targets.count - 1
        return targets.count - 1
    }

    /// -1: it cannot be decoded.
    private mutating func scope(_ scope: Batch.Scope) -> Int {
        if let known = scopeIndexes[scope] { return known }
        guard let decoded = try? OTLP.decodeScope(scope.message, schemaURL: scope.schemaURL),
            scopes.count < limits.metricsMax, scope.message.count <= limits.labelBytesMax
        else { return -1 }
        scopes.append(ScopeEntry(key: scope, scope: decoded))
        bytes += scopes[scopes.count - 1].bytes
        scopeIndexes[scope] = scopes.count - 1
        return scopes.count - 1
    }

    // MARK: Points

    struct Context {
        var source: MetricSource
        var target: Int
        var scope: Int
        var round: UInt32
        var now: UInt64

        var isForeign: Bool { source == .received }
        var isOwn: Bool { if case .own = source { true } else { false } }
    }

    private mutating func take(
        _ metric: Prometheus.Metric, _ point: Prometheus.Point, _ instrument: Result<Int, ExpositionDrop>,
        _ context: Context,
        _ owner: inout Owner?
    ) {
        guard case .success(let instrument) = instrument, let kind = metric.kind else {
            if case .failure(let reason) = instrument { drop(reason) } else { drop(.malformed) }
            return
        }
        guard !families[instruments[instrument].family].isEvicted else { return drop(.conflict) }
        var hasher = Hasher()
        point.attributeBytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        let hash = hasher.finalize()
        guard max(point.bounds.count, point.bucketCounts.count) <= limits.bucketsMax,
            max(point.positive.counts.count, point.negative.counts.count) <= limits.bucketsMax,
            point.quantiles.count <= limits.quantilesMax
        else { return drop(.tooLarge) }
        if point.isMissing {
            if let known = instruments[instrument].known[hash] { leave(known) }
            return
        }
        guard let value = SeriesValue(point, kind, bounds: { self.boundSet($0) }) else { return drop(.malformed) }
        let countBefore = series.count
        let index: Int
        if let known = instruments[instrument].known[hash] {
            index = known
        } else {
            switch find(instrument, metric, point, value, context) {
            case .success(let found): index = found
            case .failure(let reason): return drop(reason)
            }
            // Attributes in another order are the same series: those are remembered, too, as long as there is room.
            if instruments[instrument].known.count < 2 * limits.metricSeriesMax,
                bytes < limits.bytesMax + room(context).bytes
            {
                instruments[instrument].known[hash] = index
                bytes += Instrument.knownBytes
            }
        }
        guard !context.isForeign || series[index].isForeign else { return drop(.conflict) }
        guard series.count > countBefore || hasRoom(index, value, context) else { return drop(.full) }
        if owner != nil {
            if series[index].owner != context.source {
                series[index].owner = context.source
                owner?.series.append(index)
            }
            series[index].round = context.round
        }
        update(index, value, metric, point, context)
    }

    private mutating func boundSet(_ bounds: [Double]) -> BoundSet {
        if let known = boundSets[bounds] { return known }
        let set = BoundSet(bounds, isShared: boundSets.count < Self.boundSetsMax && bytes < limits.bytesMax)
        if set.isShared {
            boundSets[bounds] = set
            bytes += set.bytes
        }
        return set
    }

    /// What a series has on the page when it stands at this.
    func pageBytes(_ family: Int, labels: Int, _ page: (bytes: Int, lines: Int)) -> Int {
        page.bytes + page.lines * (labels + families[family].key.name.utf8.count + Self.lineBytes)
    }

    /// `_bucket{,le=""} ` and the end of the line.
    private static let lineBytes = 20

    /// What the page becomes larger by.
    private func morePageBytes(_ index: Int, _ value: SeriesValue) -> Int {
        let (before, after) = (series[index].value.page, value.page)
        guard before != after else { return 0 }
        let (family, labels) = (series[index].key.family, series[index].key.labels.count)
        return pageBytes(family, labels: labels, after) - pageBytes(family, labels: labels, before)
    }

    /// Whether there is room for what a series that is known becomes larger by.
    private func hasRoom(_ index: Int, _ value: SeriesValue, _ context: Context) -> Bool {
        let (more, morePage) = (value.bytes - series[index].value.bytes, morePageBytes(index, value))
        let room = room(context)
        return (more <= 0 || bytes + more <= limits.bytesMax + room.bytes)
            && (morePage <= 0 || pageBytes + morePage <= limits.pageBytesMax + room.page)
    }

    private mutating func update(
        _ index: Int, _ value: SeriesValue, _ metric: Prometheus.Metric, _ point: Prometheus.Point, _ context: Context
    ) {
        let isKnown = !series[index].isGone && series[index].time > 0
        if isKnown, context.isForeign, point.time != 0 {
            let isLate =
                metric.temporality == .delta ? point.time <= series[index].time : point.time < series[index].time
            if isLate { return drop(.old) }
        }
        if series[index].isGone {
            series[index].isGone = false
            gone -= 1
        }
        bytes -= series[index].value.bytes
        let pageBefore = series[index].value.page
        switch context.source {
        case .isolate(let isolate):
            var part = parts[index] ?? Parts()
            let isDelta = metric.temporality == .delta
            let before = part.live[isolate]
            let after = isDelta ? before?.adding(value) ?? value : value
            bytes += after.bytes - (before.map { $0.bytes } ?? -Parts.liveBytes)
            part.live[isolate] = after
            parts[index] = part
            if series[index].isSummed { show(index, part) } else { series[index].value = value }
        case .own, .received:
            let isMore = isKnown && metric.temporality == .delta
            if isMore {
                series[index].value = series[index].value.adding(value) ?? value
            } else {
                stand(index, at: value)
            }
        }
        bytes += series[index].value.bytes
        let page = series[index].value.page
        if page != pageBefore {
            let (family, labels) = (series[index].key.family, series[index].key.labels.count)
            pageBytes += pageBytes(family, labels: labels, page) - pageBytes(family, labels: labels, pageBefore)
        }
        // Of several isolates it is the first one's.
        if !isKnown || (metric.temporality == .cumulative && parts[index] == nil) {
            series[index].startTime = point.startTime
        }
        series[index].time = max(point.time, 1)
        series[index].updated = context.now
        series[index].isForeign = context.isForeign
        series[index].isTimed = context.isForeign || (parts[index] != nil && !series[index].isCounting)
        if !point.exemplars.isEmpty, bytes < limits.bytesMax + room(context).bytes { keep(point.exemplars, index) }
    }

    /// What all isolates together stand at.
    private mutating func show(_ index: Int, _ part: Parts) {
        guard series[index].isSummed else { return series[index].value = part.live.values.first ?? series[index].value }
        var sum = part.retired
        for (_, value) in part.live.sorted(by: { $0.key < $1.key }) {
            sum = sum.map { $0.adding(value) ?? value } ?? value
        }
        if let sum { stand(index, at: sum) }
    }

    private mutating func stand(_ index: Int, at value: SeriesValue) {
        series[index].value = series[index].isCounting ? value.steadied(series[index].value) : value
    }

    /// It is not on the page any more.
    mutating func leave(_ index: Int) {
        guard !series[index].isGone else { return }
        series[index].isGone = true
        bytes -= series[index].exemplars.reduce(0) { $0 + $1.bytes }
        series[index].exemplars = []
        gone += 1
    }

    // MARK: Series that are not known

    /// What there is beyond the limits of others.
    private func room(_ context: Context) -> (count: Int, bytes: Int, page: Int) {
        context.isOwn ? (limits.ownMax, limits.ownBytesMax, limits.ownPageBytesMax) : (0, 0, 0)
    }

    private mutating func find(
        _ instrument: Int, _ metric: Prometheus.Metric, _ point: Prometheus.Point, _ value: SeriesValue,
        _ context: Context
    ) -> Result<Int, ExpositionDrop> {
        guard let attributes = try? point.attributes() else { return .failure(.malformed) }
        let labels = LabelText.bytes(labels(attributes, instruments[instrument], isUTF8: false))
        let family = instruments[instrument].family
        let key = SeriesKey(family: family, labels: labels)
        if let known = seriesIndexes[key] { return .success(known) }
        guard labels.count <= limits.labelBytesMax, point.attributeBytes.count <= 2 * limits.labelBytesMax else {
            return .failure(.tooLarge)
        }
        guard families[family].series.count < limits.metricSeriesMax else {
            return .failure(.metricFull)
        }
        let one = Series(
            key: key, instrument: instrument, attributes: point.attributeBytes, kind: metric.kind,
            isMonotonic: metric.isMonotonic, isForeign: context.isForeign)
        let room = room(context)
        guard series.count < limits.seriesMax + room.count,
            bytes + one.bytes + value.bytes <= limits.bytesMax + room.bytes,
            pageBytes + pageBytes(family, labels: labels.count, value.page) <= limits.pageBytesMax + room.page
        else { return .failure(.full) }
        bytes += one.bytes
        pageBytes += pageBytes(family, labels: labels.count, one.value.page)
        series.append(one)
        seriesIndexes[key] = series.count - 1
        families[family].series.append(series.count - 1)
        return .success(series.count - 1)
    }

    /// All labels of a series but those that its buckets have.
    func labels(_ attributes: Attributes, _ instrument: Instrument, isUTF8: Bool) -> PrometheusLabels {
        // What the process says of itself always has one order, and it is meant to be read.
        let isOwn = targets[instrument.key.target].isOwn && !instrument.key.isOfIsolates
        var labels = PrometheusLabels(attributes, isUTF8: isUTF8, isSorted: !isOwn)
        let reserved: String? =
            switch instrument.key.kind {
            case .histogram, .exponentialHistogram: "le"
            case .summary: "quantile"
            case .gauge, .sum: nil
            }
        for pair in labels.pairs where pair.name == reserved || pair.name.hasPrefix("__") {
            labels.set(pair.name, "")
            labels.set("exported_" + Prometheus.labelName(pair.name).drop { $0 == "_" }, pair.value)
        }
        let target = targets[instrument.key.target]
        for pair in target.labels.pairs { labels.set(pair.name, pair.value) }
        if !isOwn {
            for pair in PrometheusLabels(scopes[instrument.key.scope].scope, isUTF8: isUTF8).pairs {
                labels.set(pair.name, pair.value)
            }
        }
        return labels
    }

    private mutating func instrument(_ metric: Prometheus.Metric, _ context: Context) -> Result<Int, ExpositionDrop> {
        guard let kind = metric.kind, metric.temporality != .unspecified, context.scope >= 0 else {
            return .failure(.malformed)
        }
        var isOfIsolates = false
        if case .isolate = context.source { isOfIsolates = true }
        let key = InstrumentKey(
            target: context.target, scope: context.scope, name: metric.name, unit: metric.unit, kind: kind,
            isMonotonic: metric.isMonotonic, isOfIsolates: isOfIsolates)
        if let known = instrumentIndexes[key] { return .success(known) }
        // A target has an instrument of its own for each metric.
        guard instruments.count < limits.metricsMax + limits.seriesMax + room(context).count,
            bytes < limits.bytesMax + room(context).bytes
        else {
            return .failure(.full)
        }
        guard metric.name.utf8.count + metric.unit.utf8.count + metric.description.utf8.count <= limits.labelBytesMax
        else { return .failure(.tooLarge) }
        return family(metric, kind, context).map { family in
            instruments.append(Instrument(key: key, family: family))
            bytes += instruments[instruments.count - 1].bytes
            instrumentIndexes[key] = instruments.count - 1
            return instruments.count - 1
        }
    }

    private mutating func family(
        _ metric: Prometheus.Metric, _ kind: Prometheus.Kind, _ context: Context
    ) -> Result<Int, ExpositionDrop> {
        let type: FamilyType =
            switch kind {
            case .gauge: .gauge
            case .sum: metric.isMonotonic ? .counter : .gauge
            case .histogram, .exponentialHistogram: .histogram
            case .summary: .summary
            }
        let isGauge = kind == .gauge
        let name = Prometheus.familyName(
            metric.name, unit: metric.unit, isCounter: type == .counter, isGauge: isGauge)
        guard !name.isEmpty else { return .failure(.malformed) }
        let key = FamilyKey(name: name, type: type)
        if let known = familyIndexes[key] {
            if !context.isForeign { families[known].isForeign = false }
            return .success(known)
        }
        guard families.count < limits.metricsMax + room(context).count else { return .failure(.full) }
        var family = Family(
            key: key,
            utf8Name: Prometheus.utf8FamilyName(
                metric.name, unit: metric.unit, isCounter: type == .counter, isGauge: isGauge),
            help: metric.description, unit: Prometheus.unitName(metric.unit, isGauge: isGauge))
        family.isForeign = context.isForeign
        guard family.names.allSatisfy({ !Self.reserved.contains($0) }) else { return .failure(.conflict) }
        for other in family.names.compactMap({ takenNames[$0] }) where !families[other].isEvicted {
            guard !context.isForeign, families[other].isForeign else { return .failure(.conflict) }
            evict(other)
        }
        guard pageBytes + family.pageBytes <= limits.pageBytesMax + room(context).page else { return .failure(.full) }
        pageBytes += family.pageBytes
        families.append(family)
        familyIndexes[key] = families.count - 1
        for name in family.names { takenNames[name] = families.count - 1 }
        bytes += family.bytes
        isOrderOld = true
        return .success(families.count - 1)
    }

    /// A sender's metric has the name of one of the process itself.
    private mutating func evict(_ index: Int) {
        families[index].isEvicted = true
        familyIndexes[families[index].key] = nil
        for name in families[index].names { takenNames[name] = nil }
        for one in families[index].series { leave(one) }
    }

    /// The page's own; and those that Prometheus adds to each page, which would not be there once.
    private static let reserved: Set = [
        "target", "target_info", "up", "scrape_duration_seconds", "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling", "scrape_series_added", "scrape_timeout_seconds", "scrape_sample_limit",
        "scrape_body_size_bytes",
    ]
}
