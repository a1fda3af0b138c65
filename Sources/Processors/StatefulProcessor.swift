// Processors that remember from request to request: what they are given may leave later, together with what came in other requests, in another form, or not
// at all.
//
// They run behind the pipeline's own durable queue (its intake): a request is on disk before they see it, so a sender that was answered loses nothing when the
// agent dies, and one that was refused has left no trace in them. An entry of that queue is acknowledged when no processor holds anything of it any more and
// what they made of it is in the exporters' queues; what was held when the agent died comes again.

public import Telemetry

/// What leaves a processor.
public struct ProcessorOutput: Sendable {
    /// Goes on to the next processor, and from the last to the exporters. `ticket` is that of the entry it came in with, the lowest one where items of several
    /// entries are together.
    public var batches: [Batch] = []
    /// What the processor has made itself, of another signal perhaps: it goes into the pipelines that name the processor among their receivers. `ticket` 0.
    public var derived: [Batch] = []
    public var dropped: [DroppedItems] = []

    public init() {}
}

/// A processor with a memory. All calls come from one thread; `now` is nanoseconds of a clock that does not go back.
public protocol StatefulProcessor: AnyObject {
    /// Takes batches of accepted requests, in their order; each has a `ticket`, and tickets grow. The same entry may come again after the agent was killed.
    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput)
    /// Does what is due. Called when `wakeAt` has come, and at other times too.
    func tick(now: UInt64, _ output: inout ProcessorOutput)
    /// The agent ends: what was gathered for `derived` leaves. What is held stays in the queue and comes again.
    func end(now: UInt64, _ output: inout ProcessorOutput)
    /// When `tick` is wanted; nil: something has to be taken first.
    var wakeAt: UInt64? { get }
    /// The lowest ticket of which something is held here; nil: nothing is held.
    var oldestHeld: UInt64? { get }
    /// Takes no more for now: what comes waits on disk. `take` is not called then.
    var isFull: Bool { get }
    /// received = passed + dropped + held, for each signal, at every moment.
    var counts: ProcessorCounts { get }
}
