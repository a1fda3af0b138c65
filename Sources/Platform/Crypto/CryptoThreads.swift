internal import System

/// The threads of a process that do what would keep an isolate from its event loop. They start when there is work, and stay.
final class CryptoThreads: Sendable {
    typealias Work = @Sendable () -> Void

    static let shared = CryptoThreads()
    /// What a program computes is no reason to take more of the machine.
    static let threadsMax = 2

    private struct State {
        /// In order. What is before `first` is done with.
        var waiting: [Work?] = []
        var first = 0
        var threads = 0
    }

    private let state = Monitor(State())

    private init() {}

    /// Where the system has no thread left, it is done at once.
    func perform(_ work: @escaping Work) {
        let mustStart = state.withLock { state in
            state.waiting.append(work)
            guard state.threads < Self.threadsMax else { return false }
            state.threads += 1
            return true
        }
        guard mustStart else { return state.wake() }
        if startThread({ self.run() }) { return }
        let isAlone = state.withLock { state in
            state.threads -= 1
            return state.threads == 0
        }
        guard isAlone else { return }
        while let next = state.withLock({ Self.takeFirst(&$0) }) { next() }
    }

    private func run() -> Never {
        while true {
            let next = state.wait { state -> Monitor<State>.Wait<Work> in
                if let next = Self.takeFirst(&state) { return .done(next) }
                return .untilWoken
            }
            next()
        }
    }

    private static func takeFirst(_ state: inout State) -> Work? {
        guard state.first < state.waiting.count else { return nil }
        defer {
            state.waiting[state.first] = nil
            state.first += 1
            if state.first == state.waiting.count {
                state.waiting.removeAll(keepingCapacity: state.first < 1024)
                state.first = 0
            }
        }
        return state.waiting[state.first]
    }
}
