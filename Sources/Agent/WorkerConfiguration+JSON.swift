internal import Configuration
internal import Telemetry
internal import Wire

extension WorkerConfiguration {
    /// What the worker reads from its descriptor 5. Both sides are of one release, so there is no version.
    /// Where the start-up snapshot is it knows itself.
    /// - Parameter cacheDirectory: absolute; for compiled code. Nil: none is kept.
    func json(cacheDirectory: String?) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.put("service", resource.serviceName)
            json.put("cacheDir", cacheDirectory)
            json.put("sdkDisabled", isDisabled)
            json.put("propagators", propagators.map(\.rawValue).joined(separator: ","))
            json.put("heapBytesMax", limits.heap)
            json.put("cpuMilliseconds", limits.cpu.map(Self.milliseconds))
            json.put("wallMilliseconds", limits.wall.map(Self.milliseconds))
            json.name("sampler")
            json.object { json in
                json.put("name", sampler.name)
                json.name("argument")
                if case .traceIDRatio(let ratio) = sampler.root { json.double(ratio) } else { json.integer(1) }
            }
            json.name("limits")
            json.object { json in
                json.put("attributes", spanLimits.attributeCount)
                json.put("attributeLength", spanLimits.attributeValueLength ?? -1)
                json.put("events", spanLimits.eventCount)
                json.put("links", spanLimits.linkCount)
                json.put("attributesPerEvent", spanLimits.attributesPerEvent)
                json.put("attributesPerLink", spanLimits.attributesPerLink)
            }
        }
        return json.bytes
    }

    /// Rounded up: a limit below a millisecond is not none.
    private static func milliseconds(_ nanoseconds: UInt64) -> Int {
        Int(nanoseconds / 1_000_000) + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
    }
}

extension SamplerConfiguration {
    /// As in `OTEL_TRACES_SAMPLER`.
    var name: String {
        let own =
            switch root {
            case .alwaysOn: "always_on"
            case .alwaysOff: "always_off"
            case .traceIDRatio: "traceidratio"
            }
        return isParentBased ? "parentbased_" + own : own
    }
}

extension JSONWriter {
    mutating func put(_ name: String, _ value: String?) {
        self.name(name)
        if let value { string(value) } else { null() }
    }

    mutating func put(_ name: String, _ value: (some FixedWidthInteger)?) {
        self.name(name)
        if let value { integer(value) } else { null() }
    }

    mutating func put(_ name: String, _ value: Bool) {
        self.name(name)
        bool(value)
    }
}
