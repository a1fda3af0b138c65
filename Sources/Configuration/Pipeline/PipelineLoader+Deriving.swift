import Telemetry

extension PipelineLoader {
    private static let bucketsMax = 100
    private static let attributesMax = 16
    private static let hour: UInt64 = 3_600_000_000_000
    private static let second: UInt64 = 1_000_000_000

    func readSpanMetrics(_ section: inout FileSection) -> SpanMetricsConfiguration {
        var value = SpanMetricsConfiguration()
        section.section("span-metrics") { section in
            section.value("every", &value.everyNanoseconds, .time(Self.second...Self.hour))
            readAttributeKeys(&value.attributes, &section)
            section.value("histogram", &value.histogram, .choice)
            readBuckets(&value.boundsNanoseconds, &section)
            if section.has("buckets"), value.histogram == .exponential {
                section.warning("buckets", "an exponential histogram finds its buckets itself")
            }
            section.value("exemplars", &value.exemplars, .bool)
            section.value("series", &value.seriesMax, .count(1...1_000_000))
            section.value("idle", &value.idleNanoseconds, .time(Self.second...24 * Self.hour))
            checkIdle(value.idleNanoseconds, every: value.everyNanoseconds, section)
        }
        return value
    }

    func readServiceGraph(_ section: inout FileSection) -> ServiceGraphConfiguration {
        var value = ServiceGraphConfiguration()
        section.section("service-graph") { section in
            section.value("every", &value.everyNanoseconds, .time(Self.second...Self.hour))
            section.value("wait", &value.waitNanoseconds, .time(Self.second / 10...Self.hour))
            section.list("peers", &value.peers, .key, isShownEmpty: true)
            if value.peers.count > Self.attributesMax {
                section.error("peers", "there are \(value.peers.count); at most \(Self.attributesMax) are taken")
            }
            readBuckets(&value.boundsNanoseconds, &section)
            section.value("spans", &value.spansMax, .count(1...10_000_000))
            section.value("series", &value.seriesMax, .count(1...1_000_000))
            section.value("idle", &value.idleNanoseconds, .time(Self.second...24 * Self.hour))
            checkIdle(value.idleNanoseconds, every: value.everyNanoseconds, section)
        }
        return value
    }

    func readLogMetrics(_ section: inout FileSection) -> LogMetricsConfiguration {
        var value = LogMetricsConfiguration()
        section.section("log-metrics") { section in
            section.value("every", &value.everyNanoseconds, .time(Self.second...Self.hour))
            readAttributeKeys(&value.attributes, &section)
            section.value("series", &value.seriesMax, .count(1...1_000_000))
            section.value("idle", &value.idleNanoseconds, .time(Self.second...24 * Self.hour))
            checkIdle(value.idleNanoseconds, every: value.everyNanoseconds, section)
        }
        return value
    }

    private func readAttributeKeys(_ keys: inout [String], _ section: inout FileSection) {
        section.list("attributes", &keys, .key, isShownEmpty: true)
        if keys.count > Self.attributesMax {
            section.error("attributes", "there are \(keys.count); at most \(Self.attributesMax) are taken")
        }
    }

    private func readBuckets(_ bounds: inout [UInt64], _ section: inout FileSection) {
        section.list("buckets", &bounds, .time(1...Self.durationMax))
        if bounds.count > Self.bucketsMax {
            section.error("buckets", "there are \(bounds.count); at most \(Self.bucketsMax) are taken")
        }
        for (below, above) in zip(bounds, bounds.dropFirst()) where above <= below {
            section.error(
                "buckets", "\(Units.time(above)) stands behind \(Units.time(below)): bounds of buckets rise")
            break
        }
    }

    private func checkIdle(_ idle: UInt64, every: UInt64, _ section: FileSection) {
        guard idle < every else { return }
        section.error(
            "idle", "\(Units.time(idle)) is less than every, \(Units.time(every)): series would go before they are told"
        )
    }

    func readDeduplication(_ section: inout FileSection) -> DeduplicationConfiguration {
        var value = DeduplicationConfiguration()
        section.section("dedupe") { section in
            section.value("window", &value.windowNanoseconds, .time(Self.second...24 * Self.hour))
            section.value("entries", &value.entriesMax, .count(1...10_000_000))
            if section.has("repeats") { value.repeats = readRepeats(&section) } else { _ = section.node("repeats") }
            // Who asks for repeats alone has not asked for spans.
            if value.repeats != nil { value.signals = [] }
            section.list("signals", &value.signals, .signalWord, isShownEmpty: true)
            if value.signals.isEmpty, value.repeats == nil {
                section.error("signals", "it does nothing: give traces, logs or both, or repeats")
            }
            if value.signals.contains(.metrics) {
                section.error("signals", "metrics are not looked at: a point that comes twice changes nothing")
            }
        }
        return value
    }

    private func readRepeats(_ section: inout FileSection) -> DeduplicationConfiguration.Repeats {
        var value = DeduplicationConfiguration.Repeats()
        section.section("repeats", shorthand: "window") { section in
            section.value("window", &value.windowNanoseconds, .time(Self.second...Self.hour))
            section.value("records", &value.recordsMax, .count(1...10_000_000))
            section.value("memory", &value.bytesMax, .size(256 << 10...1 << 30))
        }
        return value
    }
}
