internal import CLinux
internal import Glibc
internal import Synchronization
internal import System

/// What other threads tell the server's thread. Bounded by what they hold: one answer a request, `streamBytesMax` of pieces a stream.
final class Mailbox: Sendable {
    enum Message {
        case answer(Connection, Int32, Response)
        case start(StreamState, Int, ResponseFields)
        case piece(StreamState, [UInt8])
        case end(StreamState)
        /// The stream was dropped without its end.
        case abandon(StreamState)
        case perform(@Sendable () -> Void)
        case change(@Sendable () -> [Server.Listener], @Sendable (ServerError?) -> Void)
        case watch(Int32)
        case unwatch(Int32)
        case stop(untilNanoseconds: UInt64)
    }

    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    /// Readable while messages wait.
    let fileDescriptor: Int32
    let budget: MemoryBudget
    let streamBytesMax: Int
    private let state = Mutex(State())
    /// The thread that runs the server; 0 when none does.
    private let thread = Atomic<UInt>(0)

    init(budget: MemoryBudget, streamBytesMax: Int) throws(ServerError) {
        self.budget = budget
        self.streamBytesMax = streamBytesMax
        fileDescriptor = sl_eventfd()
        guard fileDescriptor >= 0 else { throw ServerError("eventfd", errno) }
    }

    deinit { close(fileDescriptor) }

    var isOnServerThread: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    func bindToThisThread() { thread.store(pthread_self(), ordering: .relaxed) }

    /// False, and the message is dropped: the server has ended.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (isFirst, isOpen) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.messages.append(message)
            return (state.messages.count == 1, true)
        }
        if isFirst {
            var one: UInt64 = 1
            while write(fileDescriptor, &one, 8) < 0, errno == EINTR {}
        }
        return isOpen
    }

    /// All that was posted, in order.
    func takeAll() -> [Message] {
        var count: UInt64 = 0
        _ = read(fileDescriptor, &count, 8)
        return state.withLock { state in
            let messages = state.messages
            state.messages = []
            return messages
        }
    }

    /// No message is taken any more; returns those that wait.
    func closeForGood() -> [Message] {
        thread.store(0, ordering: .relaxed)
        return state.withLock { state in
            state.isClosed = true
            let messages = state.messages
            state.messages = []
            return messages
        }
    }
}
