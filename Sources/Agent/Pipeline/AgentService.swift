// `sidelight agent`: telemetry of workloads that it does not run comes in at receivers, goes through the processors, and is kept until a backend has it.
//
// Threads: the server's (sockets, decoding, processors, the queues' writes), libcurl's (what goes out), the store's, and this one, the main thread, which looks after signals and
// gives the queues their second.

public import Configuration
internal import Glibc
internal import Linux
internal import Processors
internal import Queue
internal import Receivers
internal import Server
internal import Store
internal import System
internal import Telemetry
internal import Transport

/// What `sidelight agent` was asked for.
public struct AgentSettings: Sendable {
    public var configuration: PipelineConfiguration
    /// What was ignored of the configuration; said before anything else.
    public var warnings: [String] = []
    /// No messages but those that say why it failed.
    public var isQuiet = false

    public init(configuration: PipelineConfiguration) { self.configuration = configuration }
}

/// One `sidelight agent`. Main thread.
public final class AgentService {
    /// How long requests under way may take when the end was asked for, and then what is on its way to backends.
    private static let serverGraceMilliseconds = 5_000
    private static let exportGraceNanoseconds: UInt64 = 3_000_000_000
    private static let tickNanoseconds: UInt64 = 1_000_000_000

    private let configuration: PipelineConfiguration
    private let messages: Messages
    private let clock = LinuxClock()
    private let signals: SignalDescriptor
    private let outputs: PipelineOutputs
    private let server: Server
    /// Kept open for the server.
    private let sockets: [ListeningSocket]

    /// Runs from beginning to end.
    public static func run(_ settings: AgentSettings) -> RunEnding {
        let configuration = settings.configuration
        let messages = Messages(
            isQuiet: settings.isQuiet, level: configuration.logLevel, isJSON: configuration.isJSON)
        for warning in settings.warnings { messages.warn(warning) }
        do {
            return try AgentService(configuration, messages).run()
        } catch let failure as StartFailure {
            messages.fail(failure.description)
            return RunEnding(exitCode: 2)
        } catch let error as QueueError {
            messages.fail(error.description)
            return RunEnding(exitCode: 2)
        } catch {
            messages.fail("\(error)")
            return RunEnding(exitCode: 70)
        }
    }

    /// A place where nobody can listen.
    private struct StartFailure: Error, CustomStringConvertible {
        let description: String
    }

    private init(_ configuration: PipelineConfiguration, _ messages: Messages) throws {
        self.configuration = configuration
        self.messages = messages
        // Before there are threads, which inherit the mask.
        signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        SignalDescriptor.ignoreBrokenPipes()
        let clock = LinuxClock()
        let budget = MemoryBudget(bytesMax: configuration.memoryBytesMax)
        let deliveries = Deliveries()
        let audit = DropAudit(clock)
        outputs = try PipelineOutputs(
            configuration, budget, clock, audit, messages,
            deliveries: configuration.acknowledgement == .delivered ? deliveries : nil)
        let intake = PipelineIntake(outputs, configuration.acknowledgement, deliveries, audit, clock)
        let counters = ReceiverCounters()
        var chains: [String: ProcessorChain] = [:]
        for pipeline in configuration.pipelines {
            chains[pipeline.name] = try PipelineProcessors.chain(pipeline, configuration)
        }
        var sockets: [ListeningSocket] = []
        var listeners: [Server.Listener] = []
        func listen(_ place: HostPort, _ name: String, _ handler: any RequestHandler) throws {
            do throws(ListeningSocket.Failure) {
                let socket = try ListeningSocket(.tcp(host: place.host, port: place.port))
                sockets.append(socket)
                listeners.append(Server.Listener(fileDescriptor: socket.fileDescriptor, handler: handler))
            } catch {
                throw StartFailure(description: "\(name) cannot listen at \(place): \(error.reason)")
            }
        }
        for receiver in configuration.receivers {
            var options = ReceiverHandler.Options(protocols: [ReceiverName(receiver.kind)])
            options.allowedOrigins = receiver.origins
            options.limits = .init(requestBytesMax: receiver.bodyBytesMax)
            let listener = ListenerIntake(intake, Self.routes(configuration, receiver.name, chains))
            try listen(
                receiver.listen, receiver.name,
                ReceiverHandler(options, intake: listener, counters: counters, budget: budget))
        }
        let status = PipelineStatus(
            outputs: outputs, receivers: counters, processors: chains.mapValues(\.counts), budget: budget, audit: audit,
            unrouted: { intake.unrouted.withLock { $0 } })
        let admin = AdminHandler(status)
        if let place = configuration.admin { try listen(place, "admin", admin) }
        self.sockets = sockets
        server = try Server(listeners, budget: budget, clock: clock)
        admin.status.follow(server.counters)
    }

    /// A pipeline's processors are one chain for all of its receivers.
    private static func routes(
        _ configuration: PipelineConfiguration, _ receiver: String, _ chains: [String: ProcessorChain]
    ) -> [Signal: [PipelineIntake.Route]] {
        var routes: [Signal: [PipelineIntake.Route]] = [:]
        for pipeline in configuration.pipelines where pipeline.receivers.contains(receiver) {
            let exporters = pipeline.exporters.compactMap { name in
                configuration.exporters.firstIndex { $0.name == name }
            }
            // What the store is given is what the first pipeline made of it.
            let isStored = routes[pipeline.signal] == nil
            routes[pipeline.signal, default: []].append(
                PipelineIntake.Route(processors: chains[pipeline.name], exporters: exporters, isStored: isStored))
        }
        return routes
    }

    private func run() throws -> RunEnding {
        warnOfUnrouted()
        say()
        let server = server
        let thread = ServiceThread(name: "sidelight-recv") {
            do { try server.run() } catch { fatalError("the server cannot run: \(error)") }
        }
        try waitForEnd()
        server.stop(graceMilliseconds: Self.serverGraceMilliseconds)
        thread.join()
        outputs.close(clock.monotonicNanoseconds() + Self.exportGraceNanoseconds)
        tellWhatIsLeft()
        return RunEnding(exitCode: 0)
    }

    private func waitForEnd() throws {
        var poller = Poller([signals.fileDescriptor])
        while true {
            try poller.wait(nanoseconds: Self.tickNanoseconds)
            while let signal = signals.next() {
                if signal.number == SIGTERM || signal.number == SIGINT { return }
                messages.warn("SIGHUP: the configuration is read at the start only; start the agent again to change it")
            }
            outputs.tick()
        }
    }

    private func warnOfUnrouted() {
        for receiver in configuration.receivers {
            let unrouted = receiver.kind.signals.filter { signal in
                !configuration.pipelines.contains { $0.signal == signal && $0.receivers.contains(receiver.name) }
            }
            guard !unrouted.isEmpty else { continue }
            let words = Signal.allCases.filter(unrouted.contains).map(\.word).joined(separator: " and ")
            messages.warn(
                "\(receiver.name): no pipeline takes \(words) from it; they are accepted, dropped and counted")
        }
    }

    /// Where it listens and where things go.
    private func say() {
        let receivers = zip(configuration.receivers, sockets).map { receiver, socket in
            "\(receiver.name) at \(socket.place.text)"
        }
        let places = receivers.isEmpty ? "nothing is received" : "receiving " + receivers.joined(separator: ", ")
        var destinations = configuration.exporters.map { "\($0.name) (\($0.exporter.name))" }
        if configuration.store.isEnabled { destinations.append("the store in \(configuration.store.directory)") }
        let way = "sending to " + (destinations.isEmpty ? "nowhere" : destinations.joined(separator: ", "))
        let admin = configuration.admin != nil ? sockets.last.map { "admin at \($0.place.text)" } : nil
        messages.say([places, way, admin].compactMap(\.self).joined(separator: "; "))
    }

    private func tellWhatIsLeft() {
        for output in outputs.outputs {
            let left = Signal.allCases.compactMap { signal -> String? in
                let queued = output.exporter.books(signal).queued
                return queued > 0 ? countText(queued, signal.noun) : nil
            }
            guard !left.isEmpty else { continue }
            messages.warn(
                "\(output.name): \(left.joined(separator: ", ")) not delivered yet; kept in \(output.configuration.directory), sent when the agent runs again"
            )
        }
    }
}

extension ReceiverName {
    init(_ kind: ReceiverConfiguration.Kind) {
        switch kind {
        case .otlpHTTP: self = .otlpHTTP
        case .otlpGRPC: self = .otlpGRPC
        case .zipkin: self = .zipkin
        case .jaeger: self = .jaeger
        }
    }
}

extension ListeningSocket.Place {
    fileprivate var text: String {
        switch self {
        case .tcp(let host, let port): HostPort(host: host, port: port).description
        case .unix(let path): "unix:" + path
        }
    }
}
