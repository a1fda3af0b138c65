internal import NIOCore
internal import Synchronization

/// How other threads reach the workload: through its event loop.
final class LoopGate: Sendable {
    private struct State {
        var workload: NIOLoopBound<Workload>?
        /// V8's tasks will be run; no need to ask again.
        var isPlanned = false
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// From now on what was asked for reaches the workload. On the event loop.
    func open(_ workload: Workload) {
        let wasAsked = state.withLock { state in
            state.workload = NIOLoopBound(workload, eventLoop: eventLoop)
            return state.isPlanned
        }
        if wasAsked { plan() }
    }

    /// V8 has a task, due after so many seconds.
    func wake(delaySeconds: Double) {
        if delaySeconds > 0 {
            eventLoop.scheduleTask(in: .nanoseconds(Int64(min(delaySeconds, 0x1p30) * 1e9))) {
                self.wake(delaySeconds: 0)
            }
            return
        }
        let isNew = state.withLock { state in
            defer { state.isPlanned = true }
            return !state.isPlanned && state.workload != nil
        }
        if isNew { plan() }
    }

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
    func drainRequested(isFollowed: Bool) {
        eventLoop.execute {
            self.state.withLock { $0.workload }?.value.drain(isFollowed: isFollowed)
        }
    }

    /// Execution has been terminated from outside; the loop may be asleep.
    func stopRequested() {
        eventLoop.execute {
            self.state.withLock { $0.workload }?.value.stopRequested()
        }
    }
}
