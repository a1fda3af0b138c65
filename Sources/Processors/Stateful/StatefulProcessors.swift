public import Configuration
public import System

/// Makes the processors of the kinds that are stateful (`ProcessorConfiguration.Kind.isStateful`).
public enum StatefulProcessors {
    /// - Parameters:
    ///   - name: Of the processor, in the configuration.
    ///   - budget: The agent's; what a processor holds, it takes from there, and gives it back when it goes.
    ///   - clock: For the times of what a processor makes itself. What is due is told by `now`.
    /// - Returns: Nil for a kind that is not stateful, and for a script, which needs a process: the agent makes it.
    public static func make(
        _ configuration: ProcessorConfiguration, name: String, budget: MemoryBudget?, clock: any SystemClock
    ) -> (any StatefulProcessor)? {
        switch configuration {
        case .attributes, .resource, .redact, .filter, .normalize, .limits, .sample, .correlate, .js: nil
        case .tailSample(let sampling): TailSampler(sampling, name: name, budget: budget)
        case .spanMetrics(let metrics): SpanMetrics(metrics, name: name, clock: clock)
        case .serviceGraph(let graph): ServiceGraph(graph, name: name, clock: clock)
        case .logMetrics(let metrics): LogMetrics(metrics, name: name, clock: clock)
        case .dedupe(let deduplication): Deduplicator(deduplication, name: name, budget: budget)
        }
    }
}
