internal import Server
internal import Store
internal import Synchronization
internal import Transport

/// Questions to the store that come in at the admin port. A search may read gigabytes, so they are answered on a thread of their own, one after the other. Any thread.
final class StoreQueries: Sendable {
    /// Questions that wait or are being answered.
    static let countMax = 16

    /// What a question is answered.
    enum Answer {
        case json(String)
        /// A status and why.
        case refused(Int, String)
    }

    private typealias Question = (responder: Responder, answer: @Sendable (StoreReader) throws -> Answer)

    private struct State {
        var waiting: [Question] = []
        var isAnswering = false
    }

    private let directory: String
    private let state = Mutex(State())

    init(directory: String) { self.directory = directory }

    /// False: as many wait as may.
    func ask(_ responder: Responder, _ answer: @escaping @Sendable (StoreReader) throws -> Answer) -> Bool {
        let (isTaken, mustStart) = state.withLock { state in
            guard state.waiting.count + (state.isAnswering ? 1 : 0) < Self.countMax else { return (false, false) }
            defer { state.isAnswering = true }
            state.waiting.append((responder, answer))
            return (true, !state.isAnswering)
        }
        if mustStart { ServiceThread(name: "sidelight-query") { [self] in run() }.detach() }
        return isTaken
    }

    /// Until nobody waits.
    private func run() {
        while let question = next() {
            switch Self.answer(question, directory) {
            case .json(let text): question.responder.respond(200, AdminHandler.json, body: Array(text.utf8))
            case .refused(let status, let why): AdminHandler.refuse(question.responder, status, why)
            }
        }
    }

    private func next() -> Question? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isAnswering = false
                return nil
            }
            return state.waiting.removeFirst()
        }
    }

    private static func answer(_ question: Question, _ directory: String) -> Answer {
        do {
            return try question.answer(StoreReader(directory: directory))
        } catch let error as StoreError {
            return .refused(503, error.message)
        } catch {
            return .refused(500, "\(error)")
        }
    }
}
