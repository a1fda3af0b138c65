import Linux
import Synchronization
import System
import Transport
import Wire

/// Asks admin ports for samples, on the transport's thread. `take` and `ask`: one thread.
final class TopFetcher: Sendable {
    struct Outcome: Sendable {
        var source: Int
        /// Nil: see `problem`.
        var sample: TopSample?
        var problem: String
    }

    private enum Page: String, CaseIterable {
        case workloads = "/api/v1/workloads"
        case counters = "/api/v1/counters"
        case resources = "/api/v1/resources"
    }

    private struct State {
        /// Pages that are on their way, by source.
        var pending: [Int: Int] = [:]
        var answers: [Int: [Page: Result<HTTPResponse, HTTPTransportError>]] = [:]
        var outcomes: [Outcome] = []
    }

    private static let timeoutMilliseconds = 5_000
    private static let answerBytesMax = 16 << 20

    /// Readable when there are outcomes.
    let ready: EventDescriptor
    private let places: [String]
    private let access: AdminAccess
    private let transport: CurlTransport.Client
    private let headers: [(name: String, value: String)]
    private let state = Mutex(State())

    init(places: [String], _ access: AdminAccess) throws {
        self.places = places
        self.access = access
        transport = CurlTransport().client(access.options)
        headers = access.authorization.map { [("authorization", $0)] } ?? []
        for place in places { access.warn(of: place) }
        ready = try EventDescriptor()
    }

    /// Asks all that are not being asked.
    func ask() {
        for source in places.indices {
            let isFree = state.withLock { state in
                guard state.pending[source, default: 0] == 0 else { return false }
                state.pending[source] = Page.allCases.count
                return true
            }
            guard isFree else { continue }
            for page in Page.allCases {
                let request = HTTPRequest(
                    url: (AdminAccess.url(places[source]) ?? "") + page.rawValue, headers: headers,
                    timeoutMilliseconds: Self.timeoutMilliseconds,
                    responseBytesMax: Self.answerBytesMax)
                transport.send(request) { [self] in answered(source, page, $0) }
            }
        }
    }

    /// What has come since the last call.
    func take() -> [Outcome] {
        ready.clear()
        return state.withLock { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    private func answered(_ source: Int, _ page: Page, _ answer: Result<HTTPResponse, HTTPTransportError>) {
        let answers = state.withLock { state -> [Page: Result<HTTPResponse, HTTPTransportError>]? in
            state.answers[source, default: [:]][page] = answer
            guard state.answers[source]?.count == Page.allCases.count else { return nil }
            return state.answers.removeValue(forKey: source)
        }
        guard let answers else { return }
        let outcome = outcome(source, answers)
        state.withLock { state in
            state.pending[source] = 0
            state.outcomes.append(outcome)
        }
        ready.signal()
    }

    private func outcome(
        _ source: Int, _ answers: [Page: Result<HTTPResponse, HTTPTransportError>]
    ) -> Outcome {
        var pages: [Page: JSONValue] = [:]
        var problem = ""
        for page in Page.allCases {
            switch answers[page] {
            case .success(let response) where response.status == 200:
                pages[page] = try? JSONValue(parsing: response.body)
            // An agent has no workload, and one of `run` no resources.
            case .success(let response) where response.status == 404: continue
            case .success(let response) where response.status == 401 || response.status == 403:
                if problem.isEmpty { problem = "it asks for a token that allows it: --token, SIDELIGHT_TOKEN" }
            case .success(let response) where AdminAccess.isMissingTLS(response):
                if problem.isEmpty { problem = "it speaks TLS: ask it with https://" }
            case .success(let response):
                if problem.isEmpty { problem = "\(page.rawValue) is answered with status \(response.status)" }
            case .failure(let error):
                if problem.isEmpty { problem = "no agent answers: \(access.reason(error, at: places[source]))" }
            case nil: continue
            }
        }
        if problem.isEmpty {
            if let sample = TopSample(
                workloads: pages[.workloads], counters: pages[.counters], resources: pages[.resources])
            {
                return Outcome(source: source, sample: sample, problem: "")
            }
            problem = "it answers as no agent of this release does"
        }
        return Outcome(source: source, sample: nil, problem: problem)
    }
}
