import Synchronization
import System

/// Where a registry is, and who asks.
public struct Registry: Hashable, Sendable {
    /// What keys of etcd begin with that are services.
    public static let standardFolder = "/sidelight/services/"

    /// Of its servers, without a path, in the order in which they are tried.
    public var urls: [String]
    /// An ACL token of Consul.
    public var token: String?
    /// Of etcd; nil: nobody.
    public var user: String?
    public var password = ""
    /// Of etcd.
    public var folder = Registry.standardFolder

    public init(urls: [String]) {
        precondition(!urls.isEmpty, "a registry without servers")
        self.urls = urls
    }
}

/// The servers of a registry: one that fails is left for the next. Safe to use from any thread.
final class RegistryServers: Sendable {
    /// Bytes of an answer.
    private static let answerBytesMax = 4 << 20

    /// One question; what differs when it is asked for the second time, of another server, is up to `path`.
    struct Question: Sendable {
        var method = "GET"
        var path: @Sendable (_ isFirst: Bool) -> String
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        /// Of the first server, and of each other.
        var firstTimeoutMilliseconds = standardTimeoutMilliseconds
    }

    /// Of an answer that nothing is waited for.
    static let standardTimeoutMilliseconds = 5_000

    typealias Taker = @Sendable (Result<HTTPResponse, ServiceFailure>) -> Void

    private let urls: [String]
    private let transport: any HTTPTransport
    private let current = Atomic<Int>(0)

    init(_ urls: [String], _ transport: any HTTPTransport) {
        self.urls = urls
        self.transport = transport
    }

    /// Calls `taker` once: with an answer that says something of the question, of the first server that gives one, or with what the last one said.
    func ask(_ question: Question, _ taker: @escaping Taker) { ask(question, attempt: 0, taker) }

    private func ask(_ question: Question, attempt: Int, _ taker: @escaping Taker) {
        let index = current.load(ordering: .relaxed)
        let isFirst = attempt == 0
        let request = HTTPRequest(
            method: question.method, url: urls[index] + question.path(isFirst), headers: question.headers,
            body: question.body,
            timeoutMilliseconds: isFirst ? question.firstTimeoutMilliseconds : Self.standardTimeoutMilliseconds,
            responseBytesMax: Self.answerBytesMax)
        transport.send(request) { [self] result in
            let complaint: String
            switch result {
            case .success(let response) where response.status < 500 && response.status != 429:
                return taker(.success(response))
            case .success(let response): complaint = Self.complaint(response)
            case .failure(let error): complaint = error.message(at: urls[index])
            }
            // Unless another question has seen to that.
            _ = current.compareExchange(
                expected: index, desired: (index + 1) % urls.count, ordering: .relaxed)
            guard attempt + 1 < urls.count else {
                return taker(.failure(ServiceFailure("\(urls[index]): \(complaint)")))
            }
            ask(question, attempt: attempt + 1, taker)
        }
    }

    /// What a server says that does not answer the question.
    static func complaint(_ response: HTTPResponse) -> String {
        let said = String(decoding: response.body.prefix(quotedBytesMax), as: UTF8.self).unicodeScalars
            .map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
        return "it answered \(response.status)" + (said.isEmpty ? "" : ": \(said)")
    }

    private static let quotedBytesMax = 200
}
