// Makes plans of configurations: the first at the start, and others when the configuration changes.
//
// What stays as it was keeps its objects: an exporter its connections and what it has in flight, a pipeline its processors with what they remember, a receiver
// its socket and its connections. An exporter that changes sends what it has in its hands and leaves its queue to its successor; what comes meanwhile goes into
// that queue. So a change loses nothing and refuses nobody.

internal import Configuration
internal import Exporters
internal import Linux
internal import Processors
internal import Queue
internal import Store
internal import Telemetry

/// Main thread.
struct PipelineBuilder {
    /// How long an exporter that changes may take for what is on its way.
    private static let handOverNanoseconds: UInt64 = 3_000_000_000

    let surroundings: PipelineSurroundings
    private var serial = 0

    init(_ surroundings: PipelineSurroundings) { self.surroundings = surroundings }

    /// Opens every queue, and takes up what lies in them. Throws when one cannot be used: what is accepted has to be kept somewhere.
    mutating func first(_ configuration: PipelineConfiguration) throws -> PipelinePlan {
        let change = try change(from: nil, to: configuration)
        return change.plan()
    }

    /// What is to be done for another configuration: everything that can fail has been done, and nothing has changed yet.
    mutating func change(from old: PipelinePlan?, to configuration: PipelineConfiguration) throws -> PipelineChange {
        var change = PipelineChange(configuration: configuration, surroundings: surroundings)
        change.store = old?.end.store ?? surroundings.openStore(configuration.store)
        try addPipelines(to: &change, old)
        for named in configuration.exporters {
            if let output = old?.outputs.first(where: { $0.named == named }) {
                change.outputs.append(.kept(output))
            } else if let output = old?.outputs.first(where: { $0.named.queue.directory == named.queue.directory }) {
                change.outputs.append(.successor(of: output, named))
            } else {
                serial += 1
                let queue = try surroundings.openQueue(named.queue, named.name)
                change.outputs.append(.new(named, queue, serial: serial))
            }
        }
        change.endedOutputs = (old?.outputs ?? []).filter { output in
            !change.outputs.contains { $0.predecessor === output }
        }
        return change
    }

    private func addPipelines(to change: inout PipelineChange, _ old: PipelinePlan?) throws {
        let configuration = change.configuration
        for route in configuration.pipelines {
            let recipe = PipelineProcessors.Recipe(route, configuration)
            let queue = Self.intakeQueue(of: route, configuration)
            let intake = old?.stateful.first { $0.name == route.name }
            let isMoved = intake.map { $0.queue.folder != queue.directory } ?? false
            if let chain = old?.chains[route.name], chain.recipe == recipe, !isMoved {
                change.chains[route.name] = chain
                if let intake { change.stateful.append(.kept(intake)) }
                continue
            }
            let (front, links) = try PipelineProcessors.make(recipe, surroundings)
            change.chains[route.name] = PipelinePlan.Chain(recipe: recipe, front: front)
            if let intake, !isMoved {
                change.stateful.append(.successor(of: intake, StatefulChain(links)))
            } else if !links.isEmpty || Machine.isFolder(queue.directory) {
                change.stateful.append(
                    .new(route.name, StatefulChain(links), try surroundings.openQueue(queue, route.name)))
            }
        }
        change.endedStateful = (old?.stateful ?? []).filter { intake in
            !change.stateful.contains { $0.kept === intake }
        }
    }

    /// Exporters have no "@" in their names.
    private static func intakeQueue(
        of route: PipelineRoute, _ configuration: PipelineConfiguration
    ) -> QueueConfiguration {
        var queue = configuration.queue
        let name = String(route.name.map { $0 == "/" ? "." : $0 })
        queue.directory = "\(queue.directory)\(queue.directory.hasSuffix("/") ? "" : "/")@\(name)"
        return queue
    }

    /// Lets exporters that change send what they have in their hands. Blocks.
    func prepare(_ change: PipelineChange) {
        let deadline = surroundings.clock.monotonicNanoseconds() + Self.handOverNanoseconds
        for case .successor(let old, _) in change.outputs { old.exporter.pause(deadline) }
    }

    /// After the change: what is over ends, and says what it leaves.
    func finish(_ change: PipelineChange) {
        let deadline = surroundings.clock.monotonicNanoseconds() + Self.handOverNanoseconds
        for output in change.endedOutputs {
            output.silence()
            output.exporter.close(deadline)
            if let left = output.leftText {
                surroundings.messages.about(.exporters).warn(
                    "\(output.name) is gone from the configuration with \(left) not delivered; kept in \(output.named.queue.directory)"
                )
            }
        }
        for intake in change.endedStateful where !change.isTakenOver(intake) && !intake.isQueueEmpty {
            surroundings.messages.about(.pipeline).warn(
                "\(intake.name): \(countText(intake.queue.counts.items.total, "item")) that its processors held are kept in \(intake.queue.folder)"
            )
        }
    }
}

/// From one plan to the next. Handed from the main thread to the server's, once.
struct PipelineChange: @unchecked Sendable {
    // @unchecked: what is in it has one owner at a time.

    enum Output {
        case kept(PipelineOutput)
        case successor(of: PipelineOutput, NamedExporter)
        case new(NamedExporter, DurableQueue, serial: Int)

        var predecessor: PipelineOutput? {
            switch self {
            case .kept(let output), .successor(let output, _): output
            case .new: nil
            }
        }
    }

    enum Intake {
        case kept(StatefulPipeline)
        case successor(of: StatefulPipeline, StatefulChain)
        case new(String, StatefulChain, DurableQueue)

        var kept: StatefulPipeline? { if case .kept(let pipeline) = self { pipeline } else { nil } }
    }

    let configuration: PipelineConfiguration
    let surroundings: PipelineSurroundings
    var outputs: [Output] = []
    var stateful: [Intake] = []
    var chains: [String: PipelinePlan.Chain] = [:]
    var store: StoreWriter?
    var endedOutputs: [PipelineOutput] = []
    /// Successors' predecessors included.
    var endedStateful: [StatefulPipeline] = []

    func isTakenOver(_ intake: StatefulPipeline) -> Bool {
        stateful.contains { if case .successor(let old, _) = $0 { old === intake } else { false } }
    }

    func isKept(_ intake: StatefulPipeline) -> Bool { stateful.contains { $0.kept === intake } }

    /// Queues change hands. On the server's thread, when no group waits for its commit.
    func plan() -> PipelinePlan {
        let outputs = outputs.map { output in
            switch output {
            case .kept(let output): return output
            case .successor(let old, let named):
                old.silence()
                nonisolated(unsafe) let queue = old.exporter.releaseQueue()
                queue.change(QueueLimits(named.queue))
                return PipelineOutput(named, queue, serial: old.serial, surroundings)
            case .new(let named, let queue, let serial):
                nonisolated(unsafe) let queue = queue
                return PipelineOutput(named, queue, serial: serial, surroundings)
            }
        }
        let stateful = stateful.map { intake in
            switch intake {
            case .kept(let pipeline): pipeline
            case .successor(let old, let chain): StatefulPipeline(old.name, chain, old.release(), surroundings)
            case .new(let name, let chain, let queue): StatefulPipeline(name, chain, queue, surroundings)
            }
        }
        for pipeline in stateful { pipeline.queue.change(QueueLimits(configuration.queue)) }
        let plan = PipelinePlan(
            configuration: configuration, outputs: outputs, stateful: stateful, chains: chains,
            end: WayEnd(store: store, followers: surroundings.followers, metrics: surroundings.metrics))
        plan.connect()
        for output in plan.outputs { output.tick() }
        return plan
    }
}
