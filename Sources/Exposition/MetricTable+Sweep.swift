internal import Telemetry

extension MetricTable {
    /// Looking for room when there is none is worth it so often. Nanoseconds.
    private static let compactNanoseconds: UInt64 = 10_000_000_000

    /// Before the page is written: what is stale goes. Nanoseconds, monotonic.
    public mutating func sweep(now: UInt64) {
        sweptAt = now
        for index in series.indices where !series[index].isGone && series[index].isTimed {
            let age = now > series[index].updated ? now - series[index].updated : 0
            if age > limits.staleNanoseconds { leave(index) }
        }
        if gone > 1_000 || gone * 4 > series.count || (isFull && now > compactedAt + Self.compactNanoseconds) {
            compact()
            compactedAt = now
            isFull = false
        }
        guard isOrderOld else { return }
        order = families.indices.sorted { families[$0].key.name < families[$1].key.name }
        isOrderOld = false
    }

    /// Whether points of it came lately.
    func isShown(target: Int) -> Bool { sweptAt < targets[target].updated + limits.staleNanoseconds }

    /// Makes the memory of what is gone free.
    private mutating func compact() {
        let movedSeries = Self.places(series) { !$0.isGone }
        series = series.filter { !$0.isGone }
        gone = 0

        var isUsed = [Bool](repeating: false, count: instruments.count)
        for one in series { isUsed[one.instrument] = true }
        let movedInstruments = Self.places(isUsed) { $0 }
        instruments = zip(instruments, isUsed).filter(\.1).map(\.0)
        for index in series.indices { series[index].instrument = movedInstruments[series[index].instrument] }

        for index in families.indices { families[index].series = Self.kept(families[index].series, movedSeries) }
        let movedFamilies = Self.places(families) { !$0.series.isEmpty }
        families = families.filter { !$0.series.isEmpty }
        for index in series.indices { series[index].key.family = movedFamilies[series[index].key.family] }

        var isTarget = targets.map(\.isOwn)
        var isScope = [Bool](repeating: false, count: scopes.count)
        for instrument in instruments {
            isTarget[instrument.key.target] = true
            isScope[instrument.key.scope] = true
        }
        let (movedTargets, movedScopes) = (Self.places(isTarget) { $0 }, Self.places(isScope) { $0 })
        targets = zip(targets, isTarget).filter(\.1).map(\.0)
        scopes = zip(scopes, isScope).filter(\.1).map(\.0)
        for index in instruments.indices {
            instruments[index].family = movedFamilies[instruments[index].family]
            instruments[index].key.target = movedTargets[instruments[index].key.target]
            instruments[index].key.scope = movedScopes[instruments[index].key.scope]
            instruments[index].known = instruments[index].known.compactMapValues {
                movedSeries[$0] < 0 ? nil : movedSeries[$0]
            }
        }
        parts = parts.reduce(into: [:]) { if movedSeries[$1.key] >= 0 { $0[movedSeries[$1.key]] = $1.value } }
        owners = owners.mapValues { Owner(series: Self.kept($0.series, movedSeries), round: $0.round) }
        lookUpAnew()
    }

    /// For each element its place among those that stay; -1: it does not.
    private static func places<Element>(_ elements: [Element], _ stays: (Element) -> Bool) -> [Int] {
        var next = -1
        return elements.map { element in
            guard stays(element) else { return -1 }
            next += 1
            return next
        }
    }

    private static func kept(_ indexes: [Int], _ moved: [Int]) -> [Int] {
        indexes.compactMap { moved[$0] < 0 ? nil : moved[$0] }
    }

    /// Makes the look-ups and the account of bytes anew.
    private mutating func lookUpAnew() {
        targetIndexes = [:]
        for (index, target) in targets.enumerated() where !target.isOwn { targetIndexes[target.key] = index }
        scopeIndexes = [:]
        for (index, scope) in scopes.enumerated() { scopeIndexes[scope.key] = index }
        instrumentIndexes = [:]
        for (index, instrument) in instruments.enumerated() { instrumentIndexes[instrument.key] = index }
        (familyIndexes, takenNames) = ([:], [:])
        for (index, family) in families.enumerated() {
            familyIndexes[family.key] = index
            for name in family.names { takenNames[name] = index }
        }
        (seriesIndexes, boundSets) = ([:], [:])
        seriesIndexes.reserveCapacity(series.count)
        bytes = targets.reduce(0) { $0 + $1.bytes } + scopes.reduce(0) { $0 + $1.bytes }
        bytes += instruments.reduce(0) { $0 + $1.bytes } + families.reduce(0) { $0 + $1.bytes }
        bytes += parts.values.reduce(0) { $0 + $1.bytes }
        pageBytes = targets.reduce(0) { $0 + ($1.isOwn ? 0 : $1.info.count) }
        pageBytes += families.reduce(0) { $0 + $1.pageBytes }
        for (index, one) in series.enumerated() {
            seriesIndexes[one.key] = index
            bytes += one.bytes + one.value.bytes
            pageBytes += pageBytes(one.key.family, labels: one.key.labels.count, one.value.page)
            guard case .histogram(let histogram) = one.value, histogram.bounds.isShared else { continue }
            boundSets[histogram.bounds.bounds] = histogram.bounds
        }
        bytes += boundSets.values.reduce(0) { $0 + $1.bytes }
        isOrderOld = true
    }
}
