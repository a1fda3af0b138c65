internal import Configuration
internal import Linux
internal import Processors
internal import Telemetry

/// The processors of pipelines, made from the configuration.
enum PipelineProcessors {
    /// Name of the processor that pipelines have without being told.
    private static let standardName = "redact"

    /// The chain of a pipeline; nil: nothing is done.
    static func chain(
        _ route: PipelineRoute, _ configuration: PipelineConfiguration
    ) throws(ProcessorError) -> ProcessorChain? {
        var processors: [(name: String, processor: Processor)] = []
        var redacts = false
        for name in route.processors {
            guard let wanted = configuration.processor(name) else { continue }
            redacts = redacts || wanted.kind == .redact
            processors.append((name, try Processor(wanted, detected: detected(wanted))))
        }
        if configuration.redactsWellKnownKeys, !redacts {
            var redaction = Redaction()
            redaction.patterns = []
            processors.insert((standardName, try Processor(.redact(redaction), detected: [])), at: 0)
        }
        return processors.isEmpty ? nil : ProcessorChain(processors)
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
