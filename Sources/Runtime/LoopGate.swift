internal import NIOCore
internal import Synchronization

/// How other threads reach a workload: through its event loop. Once closed it does nothing, so that a loop that ends is left alone.
final class LoopGate: Sendable {
    typealias Work = @Sendable (Workload) -> Void

    /// What was asked for runs for so long, with all it leads to; then the loop looks at its sockets. NIO runs tasks until there are none, so a port
    /// that always has a message, or an immediate that makes the next, would keep every connection waiting.
    private static let stretch = TimeAmount.milliseconds(2)
    /// Until the next stretch. NIO takes a task that is due at once without a look at its sockets.
    private static let pause = TimeAmount.microseconds(50)

    private struct State {
        var workload: NIOLoopBound<Workload>?
        /// Asked for, in order.
        var waiting = CircularBuffer<Work>()
        /// The loop runs what waits, or will.
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

    /// Runs what waits for a while. On the event loop.
    private func run() {
        let end = NIODeadline.now() + Self.stretch
        while let (workload, work) = takeFirst() {
            work(workload.value)
            if NIODeadline.now() >= end {
                // Also when nothing waits: another thread may ask for more before the loop has looked.
                eventLoop.scheduleTask(in: Self.pause) { self.run() }
                return
            }
        }
    }

    /// Nil: nothing waits, or nobody is there to do it for.
    private func takeFirst() -> (NIOLoopBound<Workload>, Work)? {
        state.withLock { state in
            if let workload = state.workload, let work = state.waiting.popFirst() { return (workload, work) }
            state.waiting.removeAll()
            state.isRunning = false
            return nil
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
