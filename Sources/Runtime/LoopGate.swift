internal import NIOCore
internal import Synchronization

/// How other threads reach a workload: through its event loop. Once closed it does nothing, so that a loop that ends is left alone.
final class LoopGate: Sendable {
    private struct State {
        var workload: NIOLoopBound<Workload>?
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
    func perform(_ body: @escaping @Sendable (Workload) -> Void) {
        state.withLock { state in
            guard !state.isClosed else { return }
            eventLoop.execute {
                if let workload = self.state.withLock({ $0.workload }) { body(workload.value) }
            }
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
