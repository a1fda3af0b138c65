internal import Configuration
internal import Linux
internal import Processors
internal import Telemetry

/// The processors of pipelines, made from the configuration.
enum PipelineProcessors {
    /// Name of the processor that pipelines have without being told.
    private static let standardName = "redact"

    /// Everything that a pipeline's processors are made of: equal ones do the same.
    struct Recipe: Hashable {
        var processors: [NamedProcessor]
        /// Whether the standard redaction is in front of them.
        var redacts: Bool
        /// As the scripts of them are now.
        var scripts: [FileIdentity?]

        init(_ route: PipelineRoute, _ configuration: PipelineConfiguration) {
            processors = route.processors.compactMap { name in
                configuration.processor(name).map { NamedProcessor(name: name, processor: $0) }
            }
            scripts = processors.compactMap(\.processor.script).map { FileIdentity(path: $0.file) }
            redacts = configuration.redactsWellKnownKeys && !processors.contains { $0.processor.kind == .redact }
        }
    }

    /// What is done at once, and what is done from the first processor on that remembers; empty: none does.
    static func make(
        _ recipe: Recipe, _ surroundings: PipelineSurroundings
    ) throws -> (front: ProcessorChain?, links: [StatefulChain.Link]) {
        var links: [StatefulChain.Link] = []
        var pure: [(name: String, processor: Processor)] = []
        var front: ProcessorChain?
        func endPure() {
            guard !pure.isEmpty else { return }
            let chain = ProcessorChain(pure)
            pure = []
            if links.isEmpty, front == nil { front = chain } else { links.append(.pure(chain)) }
        }
        if recipe.redacts {
            var redaction = Redaction()
            redaction.patterns = []
            pure.append((standardName, try Processor(.redact(redaction), detected: [])))
        }
        for wanted in recipe.processors {
            if let stateful = try stateful(wanted, surroundings) {
                endPure()
                links.append(.stateful(name: wanted.name, stateful))
            } else {
                let processor = try Processor(
                    wanted.processor, detected: detected(wanted.processor), strategies: strategies(wanted, surroundings)
                )
                pure.append((wanted.name, processor))
            }
        }
        endPure()
        return (front, links)
    }

    /// Nil: it does not remember.
    private static func stateful(
        _ wanted: NamedProcessor, _ surroundings: PipelineSurroundings
    ) throws -> (any StatefulProcessor)? {
        guard case .js(let script) = wanted.processor else {
            return StatefulProcessors.make(
                wanted.processor, name: wanted.name, budget: surroundings.budget, clock: surroundings.clock)
        }
        do throws(ScriptLoadError) {
            return try ScriptProcessor(
                name: wanted.name, script, messages: surroundings.messages,
                now: surroundings.clock.monotonicNanoseconds())
        } catch {
            throw ScriptLoadError(description: error.description, processor: wanted.name)
        }
    }

    /// Nil: no server is asked for any.
    private static func strategies(
        _ wanted: NamedProcessor, _ surroundings: PipelineSurroundings
    ) -> RemoteStrategies? {
        guard case .sample(.remote(let remote)) = wanted.processor else { return nil }
        let messages = surroundings.messages.about(.pipeline)
        return RemoteStrategies(
            remote, transport: surroundings.transport, timers: surroundings.transport, clock: surroundings.clock
        ) { messages.warn("processors.\(wanted.name): \($0)") }
    }

    private static func detected(_ processor: ProcessorConfiguration) -> Attributes {
        guard case .resource(let change) = processor else { return [] }
        return change.detect.reduce(into: []) { $0 += detected($1) }
    }

    private static func detected(_ detector: ResourceChange.Detector) -> Attributes {
        switch detector {
        case .host:
            ResourceDetector.host(
                name: Machine.hostName ?? "", machineID: text("/etc/machine-id"),
                architecture: text("/proc/sys/kernel/arch"), osDescription: text("/etc/os-release"))
        case .process:
            ResourceDetector.process(id: Int(Machine.processID), executablePath: Machine.executablePath ?? "")
        case .container:
            ResourceDetector.container(cgroup: text("/proc/self/cgroup"), mountInfo: text("/proc/self/mountinfo"))
        case .kubernetes: ResourceDetector.kubernetes(environment: Machine.environment)
        }
    }

    /// "" where there is none.
    private static func text(_ path: String) -> String {
        (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
