import Telemetry
import Testing

@testable import Resources

@Suite struct ResourceSeriesTests {
    private func snapshots() -> [ResourceSnapshot] {
        ["cgroup1-vm", "cgroup2-docker", "cgroup1-docker", "cgroup2-systemd"].map { name in
            var tree = SampledTree(name)
            tree.sampler.watch([ProcessRoot(pid: 4011, role: .agent), ProcessRoot(pid: 4014, role: .worker, place: 0)])
            tree.files.failures["/proc/vmstat"] = .other
            for _ in 0..<3 { tree.sample() }
            return tree.snapshot
        }
    }

    @Test func seriesAndPointsAreTheSameInTheSameOrder() {
        for snapshot in snapshots() {
            var series: [ResourceSeries] = []
            snapshot.series(into: &series)
            let points = snapshot.points()
            #expect(series.map(\.value) == points.map(\.value))
            #expect(series.map(\.startTime) == points.map(\.startTime))
            #expect(series.count > 20)
        }
    }

    @Test func noTwoPointsAreOfTheSameSeries() {
        for snapshot in snapshots() {
            var seen: Set<String> = []
            for point in snapshot.points() {
                let attributes = point.attributes.map { "\($0.key)=\($0.value)" }.sorted()
                #expect(
                    seen.insert("\(point.instrument.name) \(attributes)").inserted,
                    "\(point.instrument.name) \(attributes)")
                #expect(Set(point.attributes.map(\.key)).count == attributes.count)
            }
            var series: [ResourceSeries] = []
            snapshot.series(into: &series)
            for (index, one) in series.enumerated() {
                #expect(!series[..<index].contains { $0.identity == one.identity })
            }
        }
    }

    @Test func pointsAreWhatTheirInstrumentsSay() {
        var names: Set<String> = []
        for instrument in ResourceInstrument.allCases {
            let made = instrument.instrument
            #expect(names.insert(made.name).inserted, "\(made.name) stands twice")
            #expect(!made.unit.isEmpty && made.description.hasSuffix("."))
            #expect(["system", "process", "container", "sidelight"].contains(String(made.name.prefix { $0 != "." })))
        }
        for snapshot in snapshots() {
            for point in snapshot.points() {
                #expect(point.value.isFinite && point.value >= 0, "\(point.instrument.name)")
                #expect(point.startTime > 0 && point.startTime <= point.time)
                if point.instrument.isInteger { #expect(point.value == point.value.rounded()) }
                if point.instrument.name.hasSuffix("utilization") { #expect(point.value <= 1) }
            }
        }
    }

    @Test func theArrayIsUsedAgain() {
        let snapshot = snapshots()[0]
        var series: [ResourceSeries] = []
        snapshot.series(into: &series)
        let capacity = series.capacity
        let address = series.withUnsafeBufferPointer { $0.baseAddress }
        for _ in 0..<10 { snapshot.series(into: &series) }
        #expect(series.capacity == capacity)
        #expect(series.withUnsafeBufferPointer { $0.baseAddress } == address)
    }
}
