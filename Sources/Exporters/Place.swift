import Configuration
import Pipeline
import Synchronization
import System

/// Where a signal goes: to the first of the endpoints until that fails, then to the next, and so on around.
final class Place: Sendable {
    let target: ExporterConfiguration.Target
    let client: any HTTPTransport
    private let urls: [String]
    private let current = Atomic<Int>(0)

    /// - Parameter path: What every endpoint gets at its end.
    init(_ target: ExporterConfiguration.Target, _ client: any HTTPTransport, path: String = "") {
        self.target = target
        self.client = client
        urls = ([target.url] + target.alternatives).map { $0.description + path }
    }

    var url: String { urls[current.load(ordering: .relaxed)] }

    /// Somebody else is to be asked the next time; unless another request has seen to that.
    func failed(_ url: String) {
        guard urls.count > 1, let index = urls.firstIndex(of: url) else { return }
        _ = current.compareExchange(expected: index, desired: (index + 1) % urls.count, ordering: .relaxed)
    }

    /// Takes note of what came of a request.
    func note(_ result: ExportResult, of url: String) {
        switch result {
        case .failed, .unreachable: failed(url)
        case .delivered, .refused, .tooLarge: break
        }
    }
}

extension ExportResult {
    /// What it means that there is no answer.
    init(_ error: HTTPTransportError, _ url: String) {
        let message = "\(url): \(error.message)"
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
