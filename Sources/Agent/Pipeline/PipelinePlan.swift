internal import Configuration
internal import Processors
internal import Store
internal import Telemetry

/// Which parts there are, and what goes where: a configuration as objects. Belongs to the server's thread once it is adopted.
struct PipelinePlan {
    /// The processors of a pipeline, and what they were made of.
    struct Chain {
        var recipe: PipelineProcessors.Recipe
        /// What is done in front of the intake, or before the exporters; nil: nothing is.
        var front: ProcessorChain?
    }

    var configuration: PipelineConfiguration
    var outputs: [PipelineOutput]
    /// Pipelines with processors that remember, and those that had such and whose intake may not be empty yet.
    var stateful: [StatefulPipeline]
    /// By the name of the pipeline.
    var chains: [String: Chain]
    var end: WayEnd

    /// In the order of `EntryTakers.all`.
    var takers: [any EntryTaker] { outputs + stateful }

    /// When their queues are synced, in the same order.
    var syncs: [QueueConfiguration.Sync] {
        outputs.map(\.named.queue.sync) + stateful.map { _ in configuration.queue.sync }
    }

    /// Of the smallest queue.
    var queueBytesMin: Int {
        (outputs.map(\.named.queue.bytesMax) + stateful.map { _ in configuration.queue.bytesMax }).min() ?? .max
    }

    /// What deliveries know the taker by; nil: it delivers nothing itself.
    func serial(_ taker: Int) -> Int? { taker < outputs.count ? outputs[taker].serial : nil }

    /// Where what comes in at a receiver goes.
    func routes(from receiver: String) -> [Signal: [PipelineIntake.Route]] {
        routes { $0.receivers.contains(receiver) }
    }

    /// Where what a processor makes goes.
    private func routes(madeBy processor: String) -> [Signal: [PipelineIntake.Route]] {
        routes { $0.derivedFrom.contains(processor) }
    }

    private func routes(_ isWanted: (PipelineRoute) -> Bool) -> [Signal: [PipelineIntake.Route]] {
        var routes: [Signal: [PipelineIntake.Route]] = [:]
        for pipeline in configuration.pipelines where isWanted(pipeline) {
            let intake = stateful.firstIndex { $0.name == pipeline.name && !$0.chain.links.isEmpty }
            // What the store is given is what the first pipeline made of it.
            let isFirst = routes[pipeline.signal] == nil
            routes[pipeline.signal, default: []].append(
                PipelineIntake.Route(
                    pipeline: pipeline.name, processors: chains[pipeline.name]?.front,
                    takers: intake.map { [outputs.count + $0] } ?? exporters(of: pipeline),
                    isStored: isFirst && intake == nil, goesOn: intake != nil))
        }
        return routes
    }

    /// Tells the pipelines that remember where to put what they let go.
    func connect() {
        for intake in stateful {
            guard let pipeline = configuration.pipelines.first(where: { $0.name == intake.name }) else { continue }
            intake.targets = Self.bits(exporters(of: pipeline))
            intake.end = end
            intake.isStored = isFirstOfItsReceivers(pipeline)
            intake.derivedRoutes = [:]
            for name in pipeline.processors { intake.derivedRoutes[name] = routes(madeBy: name) }
        }
    }

    private func isFirstOfItsReceivers(_ pipeline: PipelineRoute) -> Bool {
        configuration.pipelines.first {
            $0.signal == pipeline.signal && !Set($0.receivers).isDisjoint(with: pipeline.receivers)
        } == pipeline
    }

    private func exporters(of pipeline: PipelineRoute) -> [Int] {
        pipeline.exporters.compactMap { name in outputs.firstIndex { $0.name == name } }
    }

    static func bits(_ takers: [Int]) -> TakerSet { takers.reduce(0) { $0 | 1 << TakerSet($1) } }
}
