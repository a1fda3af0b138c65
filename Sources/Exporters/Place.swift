import Configuration
import Discovery
import Pipeline
import Resolver
import Synchronization
import System

/// Where a signal goes: to the first of the endpoints until that fails, then to the next, and so on around. One of them may be a service, whose endpoints DNS
/// or a registry knows: it fails when all of these do.
final class Place: Sendable {
    /// Where one request goes.
    struct Way: Sendable {
        let url: String
        /// Of the URL's host; nil: it is looked up.
        let address: String?
        fileprivate let source: Int
        fileprivate let endpoint: ServiceEndpoint?
    }

    private enum Source: Sendable {
        case url(String)
        /// What follows the authority.
        case service(ServiceFinder, scheme: String, path: String)
    }

    let target: ExporterConfiguration.Target
    let client: any HTTPTransport
    private let sources: [Source]
    private let current = Atomic<Int>(0)

    /// - Parameters:
    ///   - path: What every endpoint gets at its end.
    ///   - find: The finder of a service.
    init(
        _ target: ExporterConfiguration.Target, _ client: any HTTPTransport, path: String = "",
        find: (ServiceQuestion) -> ServiceFinder
    ) {
        self.target = target
        self.client = client
        sources = ([target.url] + target.alternatives).map { url in
            let source: ServiceQuestion.Source
            switch url.finding {
            case nil: return .url(url.description + path)
            case .dns: source = .dns
            case .consul: source = .consul
            case .etcd: source = .etcd
            }
            let servers = source == .dns ? target.nameServers : []
            let finder = find(ServiceQuestion(source, name: url.host, servers: servers))
            return .service(
                finder, scheme: url.scheme.rawValue, path: url.path + (url.query.map { "?" + $0 } ?? "") + path)
        }
    }

    /// Calls `send` once, with where to go or why there is nowhere to go: at once, or when a service has been found. `note` is to follow.
    func find(_ send: @escaping @Sendable (Result<Way, ServiceFailure>) -> Void) {
        let index = current.load(ordering: .relaxed)
        switch sources[index] {
        case .url(let url): send(.success(Way(url: url, address: nil, source: index, endpoint: nil)))
        case .service(let finder, let scheme, let path):
            finder.find { [self] endpoint, complaint in
                guard let endpoint else {
                    failed(index)
                    return send(.failure(ServiceFailure(complaint)))
                }
                let url = "\(scheme)://\(endpoint.place)\(path)"
                send(.success(Way(url: url, address: endpoint.address, source: index, endpoint: endpoint)))
            }
        }
    }

    /// Somebody else is to be asked the next time; unless another request has seen to that.
    private func failed(_ index: Int) {
        guard sources.count > 1 else { return }
        _ = current.compareExchange(expected: index, desired: (index + 1) % sources.count, ordering: .relaxed)
    }

    /// Takes note of what came of a request.
    func note(_ result: ExportResult, of way: Way) {
        let hasFailed =
            switch result {
            case .failed, .unreachable: true
            case .delivered, .refused, .tooLarge: false
            }
        if case .service(let finder, _, _) = sources[way.source], let endpoint = way.endpoint {
            finder.note(endpoint, hasWorked: !hasFailed)
            if hasFailed, finder.hasUsable { return }
        }
        if hasFailed { failed(way.source) }
    }
}

extension ExportResult {
    /// What it means that a service was not found.
    init(_ found: Result<Place.Way, ServiceFailure>) {
        guard case .failure(let why) = found else { preconditionFailure("it was found") }
        self = .unreachable(message: why.description)
    }

    /// What it means that there is no answer.
    init(_ error: HTTPTransportError, _ url: String) {
        let message = "\(url): \(error.message(at: url))"
        self =
            switch error.code {
            // Repeating what the backend may have taken, over and over, would be worse than saying that we do not know.
            case .tooLarge: .refused(.invalidResponse, message: message)
            case .badURL: .refused(.refused, message: message)
            case .connect, .resolve: .unreachable(message: message)
            default: .failed(message: message)
            }
    }
}

/// What a backend says, fit for one line of a terminal.
enum Quote {
    /// Characters that are quoted.
    private static let countMax = 200

    static func text(_ body: [UInt8]) -> String {
        text(String(decoding: body.prefix(countMax * 4), as: UTF8.self))
    }

    static func text(_ text: String) -> String {
        let line = ConsoleText.escaped(text)
        return line.count > countMax ? line.prefix(countMax) + "…" : line
    }
}
