internal import CodeCheck
internal import Configuration
internal import Telemetry
internal import Wire

extension WorkerConfiguration {
    /// What the worker reads from its descriptor 5. Both sides are of one release, so there is no version.
    /// Where the start-up snapshot is it knows itself.
    /// - Parameters:
    ///   - cacheDirectory: absolute; for compiled code. Nil: none is kept.
    ///   - variables: the program's, `NAME=value` each, but for secrets.
    ///   - fence: nil: it has none.
    func json(
        cacheDirectory: String?, variables: [String], fence: FencePlan?, serving: ServingConfiguration? = nil
    ) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.put("service", resource.serviceName)
            json.put("cacheDir", cacheDirectory)
            json.put("sdkDisabled", isDisabled)
            json.name("policy")
            policy.write(into: &json)
            json.put("primordials", freezesPrimordials ? "frozen" : "open")
            json.put("propagators", propagators.map(\.rawValue).joined(separator: ","))
            json.put("heapBytesMax", limits.heap)
            json.put("wasmMemoryBytesMax", limits.wasmMemory)
            json.put("cpuMilliseconds", limits.cpu.map(Self.milliseconds))
            json.put("wallMilliseconds", limits.wall.map(Self.milliseconds))
            json.put("loopBlockMilliseconds", limits[.loopBlock].map(Self.milliseconds))
            json.put("cpuWindowPercent", limits.cpuWindow?.percent)
            json.put("cpuWindowMilliseconds", (limits.cpuWindow?.nanoseconds).map(Self.milliseconds))
            json.name("use")
            json.object { json in
                for name in WorkloadLimits.Name.ofIsolates {
                    if let value = limits[name] { json.put(name.rawValue, value) }
                }
                // The host enforces it; JavaScript tells of it. Milliseconds.
                json.put("wall", limits.wall.map(Self.milliseconds))
            }
            json.put("workersMax", workersMax)
            json.put("profileSlowMilliseconds", profileSlow.map(Self.milliseconds))
            json.put("heapSnapshotBytesMax", snapshotsHeap ? ProfileFiles.snapshotBytesMax : nil)
            json.name("folders")
            json.array { json in
                for folder in folders {
                    json.object { json in
                        json.put("host", folder.host)
                        json.put("guest", folder.guest)
                    }
                }
            }
            json.name("fence")
            if let fence { fence.write(&json) } else { json.null() }
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
            if check.isRequired { put(check, &json) }
            if !resolve.isEmpty { put(resolve, &json) }
            if let signed { put(signed, &json) }
            json.name("variables")
            json.array { json in for variable in variables { json.string(variable) } }
            if !secrets.isEmpty {
                json.name("secrets")
                json.array { json in for secret in secrets { json.string(secret.name + "=" + secret.value) } }
            }
            if let serving { put(serving, &json) }
        }
        return json.bytes
    }

    /// What is never to be said; nil: there is nothing.
    var mask: SecretMask? { SecretMask(secrets.map { Array($0.value.utf8) }) }

    /// Path and digest in turn.
    private func put(_ signed: SignedFileList, _ json: inout JSONWriter) {
        json.name("signed")
        json.object { json in
            json.put("manifest", signed.manifest)
            json.name("files")
            json.array { json in
                for (path, digest) in signed.digests {
                    json.string(path)
                    json.string(digest)
                }
            }
        }
    }

    /// What is looked for in code before it runs.
    private func put(_ check: CodeCheckConfiguration, _ json: inout JSONWriter) {
        json.name("check")
        json.object { json in
            json.field("level", check.level.rawValue)
            json.put("isAudited", check.isAudited)
            json.name("options")
            CodeCheckOptions(check).write(to: &json)
        }
    }

    /// Who knows where services are.
    private func put(_ resolve: ResolveConfiguration, _ json: inout JSONWriter) {
        json.name("resolve")
        json.object { json in
            for (name, registry) in [("consul", resolve.consul), ("etcd", resolve.etcd)] {
                guard let registry else { continue }
                json.name(name)
                json.object { json in
                    json.name("urls")
                    json.array { json in for url in registry.urls { json.string(url.description) } }
                    json.put("token", registry.token)
                    json.put("user", registry.user)
                    json.put("password", registry.password)
                    json.put("folder", registry.folder)
                    json.put("ca", registry.tls.authority)
                    json.put("cert", registry.tls.certificate)
                    json.put("key", registry.tls.key)
                }
            }
            if let servers = resolve.nameServers {
                json.name("dns")
                json.array { json in for server in servers { json.string(server) } }
            }
        }
    }

    /// Child isolates at once.
    private var workersMax: Int { limits.workers ?? 16 }

    /// A child's place is free again only when it was read, so there are more places than children.
    var ringPlaces: Int { 2 * workersMax }

    /// What a worker that serves needs. Limits that were not given have their defaults here.
    private func put(_ serving: ServingConfiguration, _ json: inout JSONWriter) {
        json.name("serve")
        json.object { json in
            json.put("address", serving.address)
            json.put("index", serving.index)
            json.put("isolates", serving.isolates)
            json.name("crons")
            json.array { json in for cron in serving.crons { json.string(cron) } }
            json.name("health")
            json.object { json in
                json.put("intervalMilliseconds", Self.milliseconds(serving.health.intervalNanoseconds))
                json.put("timeoutMilliseconds", Self.milliseconds(serving.health.timeoutNanoseconds))
            }
            json.name("limits")
            json.object { json in
                json.put("headerBytes", limits.headers ?? 32 << 10)
                json.put("bodyBytes", limits.body ?? 100 << 20)
                json.put("headerTimeoutMilliseconds", Self.milliseconds(limits.headerTimeout ?? 10_000_000_000))
                json.put("idleMilliseconds", Self.milliseconds(limits.idle ?? 60_000_000_000))
                json.put("requestTimeoutMilliseconds", Self.milliseconds(limits.requestTimeout ?? 0))
                json.put("connections", limits.connections ?? 10_000)
            }
        }
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

/// What one worker of `serve` is told, beside what every worker is.
struct ServingConfiguration: Sendable {
    /// As in `--listen`, with the port that was chosen.
    var address: String
    /// Its place, from 0.
    var index: Int
    var isolates: Int
    /// Of place 0 only.
    var crons: [String]
    var health: HealthConfiguration
}
