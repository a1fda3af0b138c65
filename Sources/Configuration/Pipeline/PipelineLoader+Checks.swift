import Telemetry

// What no single value shows: settings that contradict each other.
extension PipelineLoader {
    mutating func check() {
        checkPorts()
        checkDoors()
        checkLoops()
        checkSizes()
        checkDirectories()
        checkFiles()
        checkUse()
    }

    // MARK: Ports

    /// Two that listen at one place: the second could not be opened. Port 0 is another one for each.
    private func checkPorts() {
        var taken: [(name: String, place: HostPort)] = []
        func take(_ name: String, _ place: HostPort, _ origin: SettingOrigin, _ path: [String]) {
            if place.port != 0, let other = taken.first(where: { Self.collide($0.place, place) }) {
                loading.error(origin, path, "\(place) is taken: \(other.name) listens at \(other.place)")
            }
            taken.append((name, place))
        }
        if let admin = configuration.admin { take("admin", admin, places.admin, ["admin"]) }
        for receiver in configuration.receivers {
            take(
                receiver.name, receiver.listen, places.listens[receiver.name] ?? .standard,
                ["receivers", receiver.name, "listen"])
        }
        // Ports of UDP are others; two receivers of it at one place are told by the system.
        for input in configuration.logInputs {
            guard case .syslog(let syslog) = input.source, case .tcp(let place) = syslog.listen,
                syslog.transports.contains(.tcp)
            else { continue }
            take(input.name, place, places.listens[input.name] ?? .standard, ["receivers", input.name, "listen"])
        }
    }

    /// Places where other machines get to, and nothing asks who they are. Syslog has nothing to ask for.
    private func checkDoors() {
        let security = configuration.common.security
        if let admin = configuration.admin, let refusal = security.refusal(of: admin, .admin) {
            loading.error(places.admin, ["admin"], refusal)
        }
        for receiver in configuration.receivers {
            guard let refusal = security.refusal(of: receiver.listen, .receivers) else { continue }
            loading.error(
                places.listens[receiver.name] ?? .standard, ["receivers", receiver.name, "listen"], refusal)
        }
    }

    private static func collide(_ left: HostPort, _ right: HostPort) -> Bool {
        guard left.port == right.port else { return false }
        let (leftHost, rightHost) = (canonical(left.host), canonical(right.host))
        return leftHost == rightHost || isWildcard(leftHost) || isWildcard(rightHost)
    }

    private static func isWildcard(_ host: String) -> Bool { host == "0.0.0.0" || host == "::" }

    private static func canonical(_ host: String) -> String {
        let host = host.lowercased()
        return host == "localhost" ? "127.0.0.1" : host
    }

    /// An exporter that sends to a receiver of this agent: everything would go round for ever.
    private func checkLoops() {
        for named in configuration.exporters {
            let urls = Signal.allCases.compactMap { named.exporter.targets[$0] }.flatMap { [$0.url] + $0.alternatives }
            for url in urls where url.scheme == .http && !url.isService {
                let hit = configuration.receivers.first { receiver in
                    let host = Self.canonical(url.host)
                    let isHere =
                        Self.canonical(receiver.listen.host) == host
                        || Self.isWildcard(receiver.listen.host) && (host.hasPrefix("127.") || host == "::1")
                    return receiver.listen.port == url.port && isHere
                }
                guard let hit else { continue }
                loading.error(
                    places.urls[named.name] ?? .standard, ["exporters", named.name, "url"],
                    "this is the agent's own receiver \(hit.name) (\(hit.listen)): everything would go round for ever")
                break
            }
        }
    }

    // MARK: Sizes

    /// What processors may hold is taken from the agent's memory, and leaves some of it.
    private func checkHeldSizes() {
        let names = configuration.pipelines.flatMap(\.processors)
        let sizes = names.map { configuration.processor($0)?.bytesHeldMax ?? 0 }
        let sum = sizes.reduce(0) { $0 + min($1, 1 << 50) }
        let most = configuration.memoryBytesMax / 4 * 3
        guard sum > most, let largest = zip(names, sizes).max(by: { $0.1 < $1.1 })?.0 else { return }
        // One in several pipelines holds as much in each.
        var holders: [(name: String, bytes: Int, times: Int)] = []
        for (name, bytes) in zip(names, sizes) where bytes > 0 {
            if let index = holders.firstIndex(where: { $0.name == name }) {
                holders[index].times += 1
            } else {
                holders.append((name, bytes, 1))
            }
        }
        holders.sort { $0.bytes * $0.times > $1.bytes * $1.times }
        let told = holders.prefix(Self.holdersMax).map { holder in
            "\(holder.name) \(Self.wholeMegabytes(holder.bytes))\(holder.times > 1 ? " in each of \(holder.times) pipelines" : "")"
        }
        let rest = holders.count > told.count ? " and \(holders.count - told.count) more" : ""
        loading.error(
            places.processors[largest] ?? .standard, ["processors", largest],
            "processors may hold \(Self.wholeMegabytes(sum)) together (\(told.joined(separator: ", "))\(rest)), and three quarters of memory are \(Units.size(most)): give the agent more `memory`, at least \(Self.wholeMegabytes(sum / 3 * 4 + 4)), or these less (docs/processors.md says which options take memory)"
        )
    }

    /// Processors that are told by name.
    private static let holdersMax = 5

    /// Rounded up.
    private static func wholeMegabytes(_ bytes: Int) -> String {
        Units.size((bytes + (1 << 20) - 1) & ~((1 << 20) - 1))
    }

    private func checkSizes() {
        checkHeldSizes()
        let memory = configuration.memoryBytesMax
        for receiver in configuration.receivers where receiver.bodyBytesMax > memory {
            let origin = places.bodies[receiver.name] ?? .standard
            loading.error(
                origin == .standard ? places.memory : origin, ["receivers", receiver.name, "body-max"],
                "\(Units.size(receiver.bodyBytesMax)) is more than memory has for the whole agent, \(Units.size(memory))"
            )
        }
        for named in configuration.exporters {
            let largest = configuration.receivers.filter { !$0.kind.signals.isDisjoint(with: named.signals) }.max {
                $0.bodyBytesMax < $1.bodyBytesMax
            }
            if let largest, largest.bodyBytesMax > named.queue.bytesMax {
                loading.error(
                    places.queueBytes[named.name] ?? .standard, ["exporters", named.name, "queue", "bytes"],
                    "\(Units.size(named.queue.bytesMax)) cannot hold what \(largest.name) takes at once (body-max), \(Units.size(largest.bodyBytesMax))"
                )
            }
            guard let batch = named.exporter.batching.exportBytesMax else { continue }
            if batch > named.queue.bytesMax {
                loading.error(
                    places.batches[named.name] ?? .standard, ["exporters", named.name, "batch", "bytes"],
                    "\(Units.size(batch)) is more than the queue holds, \(Units.size(named.queue.bytesMax))")
            }
            if batch * (named.exporter.inFlightMax ?? 1) > memory {
                loading.error(
                    places.batches[named.name] ?? .standard, ["exporters", named.name, "batch", "bytes"],
                    "\(named.exporter.inFlightMax ?? 1) of \(Units.size(batch)) in flight are more than memory has for the whole agent, \(Units.size(memory))"
                )
            }
        }
    }

    // MARK: Folders

    /// Two queues in one folder would overwrite each other; so would the store and a queue.
    private func checkDirectories() {
        var taken: [(name: String, path: [Substring])] = []
        for named in configuration.exporters {
            let path = Self.parts(named.queue.directory)
            let origin = places.queues[named.name] ?? places.queueDirectory
            if let other = taken.first(where: { $0.path.starts(with: path) || path.starts(with: $0.path) }) {
                let isSame = other.path == path
                loading.error(
                    origin, ["exporters", named.name, "queue", "directory"],
                    "\"\(named.queue.directory)\" \(isSame ? "is" : "and") the queue folder of \(other.name)\(isSame ? " too" : " lie in each other"): each queue needs its own"
                )
            }
            if configuration.store.isEnabled, path == Self.parts(configuration.store.directory) {
                loading.error(
                    origin, ["exporters", named.name, "queue", "directory"],
                    "\"\(named.queue.directory)\" is the store's folder: a queue needs its own")
            }
            taken.append((named.name, path))
        }
    }

    /// Two exporters, or two signals, in one file would write into each other.
    private func checkFiles() {
        var taken: [(name: String, signal: Signal, path: [Substring])] = []
        for named in configuration.exporters where named.exporter.kind == .file {
            for signal in Signal.allCases {
                guard let path = named.exporter.file.paths[signal].map(Self.parts) else { continue }
                if let other = taken.first(where: { $0.path == path }) {
                    loading.error(
                        places.exporters[named.name] ?? .standard, ["exporters", named.name, "path", signal.word],
                        "\"\(named.exporter.file.paths[signal]!)\" is the file of \(other.name)'s \(other.signal.word) too: each needs its own"
                    )
                }
                taken.append((named.name, signal, path))
            }
        }
    }

    /// The parts of a path, with "." and ".." worked out as far as they can be without a look at the disk.
    private static func parts(_ path: String) -> [Substring] {
        var parts: [Substring] = path.hasPrefix("/") ? ["/"] : ["."]
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != "..", last != "/", last != "." {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        return parts
    }

    // MARK: Use

    /// What is there and does nothing.
    private func checkUse() {
        // With errors in pipelines it is not known what they would have used.
        guard loading.problems.errors.isEmpty else { return }
        let routes = configuration.pipelines
        for name in receiverNames where !routes.contains(where: { $0.receivers.contains(name) }) {
            loading.warning(
                places.receivers[name] ?? .standard, ["receivers", name],
                "no pipeline takes from it: what it receives is dropped, and counted")
        }
        for named in configuration.processors where !routes.contains(where: { $0.processors.contains(named.name) }) {
            loading.warning(
                places.processors[named.name] ?? .standard, ["processors", named.name], "no pipeline uses it")
        }
        for named in configuration.processors {
            guard let made = named.processor.kind.makes, routes.contains(where: { $0.processors.contains(named.name) }),
                !routes.contains(where: { $0.derivedFrom.contains(named.name) })
            else { continue }
            loading.warning(
                places.processors[named.name] ?? .standard, ["processors", named.name],
                "no pipeline takes what it makes: name it among the receivers of one of \(made.word)")
        }
        for named in configuration.exporters where !routes.contains(where: { $0.exporters.contains(named.name) }) {
            loading.warning(
                places.exporters[named.name] ?? .standard, ["exporters", named.name], "no pipeline sends to it")
        }
        if configuration.exporters.isEmpty, !configuration.store.isEnabled {
            loading.warning(
                places.store, ["store"], "there is neither a store nor an exporter: everything received is dropped")
        }
        if receiverNames.isEmpty {
            loading.warning(.standard, ["receivers"], "there is no receiver: nothing comes in")
        }
    }
}
