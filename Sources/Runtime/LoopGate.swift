internal import NIOCore
internal import Synchronization

/// How other threads reach a workload: through its event loop. Once closed it does nothing, so that a loop that ends is left alone.
final class LoopGate: Sendable {
    typealias Work = @Sendable (Workload) -> Void

    /// What begets more of its kind (messages, immediates) runs for so long; then it pauses, and the loop looks at its sockets. NIO runs tasks until
    /// there are none, so without a pause a port that always has a message would keep every connection waiting.
    private static let stretch = TimeAmount.milliseconds(2)
    private static let pauseTime = TimeAmount.microseconds(50)

    private struct State {
        var workload: NIOLoopBound<Workload>?
        /// Asked for, in order.
        var waiting: [Work] = []
        /// A task of the loop will run what waits.
        var isRunning = false
        /// V8's tasks will be run; no need to ask again.
        var isPlanned = false
        var isClosed = false
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// From now on what was asked for reaches the workload. On the event loop.
    func open(_ workload: Workload) {
        state.withLock { state in
            state.workload = NIOLoopBound(workload, eventLoop: eventLoop)
            if state.isPlanned { plan() }
        }
    }

    /// From now on nothing gets through. What has may still come. On the event loop.
    func close() {
        let workload = state.withLock { state in
            state.isClosed = true
            defer { state.workload = nil }
            return state.workload
        }
        withExtendedLifetime(workload) {}
    }

    /// Runs `body` on the event loop, after what was asked for before; never, when the workload is not there or its loop ends.
    func perform(_ body: @escaping Work) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.waiting.append(body)
            guard !state.isRunning else { return }
            state.isRunning = true
            eventLoop.execute { self.run() }
        }
    }

    /// Runs what waits, and what that leads to, for a while. On the event loop.
    private func run() {
        let end = NIODeadline.now() + Self.stretch
        while let (workload, batch) = takeWaiting() {
            for (index, work) in batch.enumerated() {
                work(workload.value)
                guard NIODeadline.now() >= end else { continue }
                return pause(before: Array(batch[(index + 1)...]))
            }
        }
    }

    /// Nil: there is nothing, or nobody to do it for.
    private func takeWaiting() -> (NIOLoopBound<Workload>, [Work])? {
        state.withLock { state in
            let batch = state.waiting
            state.waiting = []
            guard let workload = state.workload, !batch.isEmpty else {
                state.isRunning = false
                return nil
            }
            return (workload, batch)
        }
    }

    private func pause(before rest: [Work]) {
        state.withLock { state in
            state.waiting = rest + state.waiting
            guard !state.isClosed, !state.waiting.isEmpty else {
                state.waiting = []
                state.isRunning = false
                return
            }
            eventLoop.scheduleTask(in: Self.pauseTime) { self.run() }
        }
    }

    /// V8 has a task, due after so many seconds.
    func wake(delaySeconds: Double) {
        state.withLock { state in
            guard !state.isClosed else { return }
            if delaySeconds > 0 {
                eventLoop.scheduleTask(in: .nanoseconds(Int64(min(delaySeconds, 0x1p30) * 1e9))) {
                    self.wake(delaySeconds: 0)
                }
                return
            }
            let isNew = !state.isPlanned && state.workload != nil
            state.isPlanned = true
            if isNew { plan() }
        }
    }

    /// Under the lock.
    private func plan() {
        eventLoop.execute {
            let workload = self.state.withLock { state in
                state.isPlanned = false
                return state.workload
            }
            workload?.value.runTasks()
        }
    }

    /// The worker is to end once what it has begun is over.
    func drainRequested(isFollowed: Bool) { perform { $0.drain(isFollowed: isFollowed) } }

    /// Execution has been terminated from outside; the loop may be asleep.
    func stopRequested() { perform { $0.stopRequested() } }
}
