import Telemetry
import Testing

@testable import Runtime

@Suite struct ChildThreadTests {
    /// The system refuses a thread while a parent takes it for its next child: that child fails, and not the process.
    @Test func aTaskForAThreadThatDidNotStartFails() throws {
        let ring = try RingMapping(capacity: RingMapping.capacityBounds.lowerBound)
        let family = ChildIsolates(try WorkerOptions(["main.mjs"]), ring: ring, places: nil, snapshot: nil)
        let thread = ChildThread(family, task: nil)
        thread.couldNotStart()
        let (outside, inside) = Port.channel()
        thread.assign(ChildTask(child: ChildIsolate(id: 1), configuration: "{}", source: nil, port: inside))
        outside.own.enable()
        guard case .envelope(let told) = outside.own.take() else { return #expect(Bool(false), "nothing was told") }
        #expect(told.kind == .failure)
        #expect(told.text == "the system gives no further thread")
        guard case .over = outside.own.take() else { return #expect(Bool(false), "its port is open") }
    }
}
