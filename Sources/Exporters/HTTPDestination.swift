import Configuration
import Pipeline
import Synchronization
import System
import Telemetry
import Transport
import Wire

/// Sends exports as HTTP requests and judges the answers.
struct HTTPDestination: Destination {
    /// Answers are short; one of more bytes is not what an export's answer looks like.
    private static let responseBytesMax = 1 << 20
    /// Characters of an error's body that are quoted.
    private static let quoteMax = 200

    /// Where a signal goes: to the first of the endpoints until that fails, then to the next, and so on around.
    final class Place: Sendable {
        let target: ExporterConfiguration.Target
        let client: any HTTPTransport
        private let urls: [String]
        private let current = Atomic<Int>(0)

        init(_ target: ExporterConfiguration.Target, _ client: any HTTPTransport) {
            self.target = target
            self.client = client
            urls = [target.url.description] + target.alternatives.map(\.description)
        }

        var url: String { urls[current.load(ordering: .relaxed)] }

        /// Somebody else is to be asked the next time; unless another request has seen to that.
        func failed(_ url: String) {
            guard urls.count > 1, let index = urls.firstIndex(of: url) else { return }
            _ = current.compareExchange(expected: index, desired: (index + 1) % urls.count, ordering: .relaxed)
        }
    }

    private let encoding: Encoding
    private let places: [Signal: Place]
    private let policy: RetryPolicy
    private let clock: any SystemClock

    init(
        _ configuration: ExporterConfiguration, _ encoding: Encoding, policy: RetryPolicy, clock: any SystemClock,
        client: (ExporterConfiguration.Target) -> any HTTPTransport
    ) {
        self.encoding = encoding
        self.policy = policy
        self.clock = clock
        places = configuration.targets.mapValues { Place($0, client($0)) }
    }

    func send(_ export: Export, completion: @escaping @Sendable (ExportResult) -> Void) {
        guard let place = places[export.signal] else {
            preconditionFailure("\(export.signal) routed to \(places.keys)")
        }
        let url = place.url
        let (body, skipped) = encoding.encode(export)
        guard skipped < export.itemCount else {
            return completion(.refused(.notEncodable, message: "\(url): the \(export.signal) cannot be encoded"))
        }
        place.client.send(request(body, to: url, place.target)) { [self] result in
            let verdict = judge(result, url, export.signal, skipped: skipped)
            switch verdict {
            case .failed, .unreachable: place.failed(url)
            case .delivered, .refused, .tooLarge: break
            }
            completion(verdict)
        }
    }

    private func request(_ body: [UInt8], to url: String, _ target: ExporterConfiguration.Target) -> HTTPRequest {
        var headers = [(name: "Content-Type", value: encoding.contentType)]
        headers += target.headers.map { (name: $0.name, value: $0.value) }
        var body = body
        if target.compression == .gzip {
            body = Gzip.compress(body)
            headers.append((name: "Content-Encoding", value: "gzip"))
        }
        return HTTPRequest(
            method: "POST", url: url, headers: headers, body: body,
            timeoutMilliseconds: target.timeoutMilliseconds,
            responseBytesMax: Self.responseBytesMax)
    }

    // MARK: Answers

    private func judge(
        _ result: Result<HTTPResponse, HTTPTransportError>, _ url: String, _ signal: Signal, skipped: Int
    ) -> ExportResult {
        switch result {
        case .failure(let error):
            let message = "\(url): \(error.message)"
            return switch error.code {
            // Repeating what the backend may have taken, over and over, would be worse than saying that we do not know.
            case .tooLarge: .refused(.invalidResponse, message: message)
            case .badURL: .refused(.refused, message: message)
            case .connect, .resolve: .unreachable(message: message)
            default: .failed(message: message)
            }
        case .success(let response):
            let seconds = Int64(clock.unixNanoseconds() / 1_000_000_000)
            let verdict = policy.verdict(
                status: response.status, retryAfter: response.header("retry-after"), unixSeconds: seconds,
                retriesServerErrors: !encoding.isOTLP)
            return switch verdict {
            case .accepted: accepted(response, url, signal, skipped: skipped)
            case .retry(let after): .failed(retryAfter: after, message: complaint(response, url))
            case .refused:
                .refused(
                    signal != .traces && [404, 405, 501].contains(response.status) ? .unsupported : .refused,
                    message: complaint(response, url))
            case .tooLarge: .tooLarge(message: complaint(response, url))
            }
        }
    }

    private func accepted(_ response: HTTPResponse, _ url: String, _ signal: Signal, skipped: Int) -> ExportResult {
        guard encoding.isOTLP else { return .delivered(notEncodable: skipped) }
        do {
            guard let partial = try OTLP.decodeExportResponse(response.body, signal: signal, isJSON: isJSON(response))
            else {
                return .delivered(notEncodable: skipped)
            }
            return .delivered(
                rejected: Int(clamping: partial.rejected), notEncodable: skipped,
                message: "\(url): partial success, \(partial.rejected) rejected: \(Self.quote(partial.message))")
        } catch {
            let message =
                "\(url): answered \(response.status) with a body that is no OTLP response: "
                + Self.quote(response.body)
            return .delivered(notEncodable: skipped, message: message)
        }
    }

    private func complaint(_ response: HTTPResponse, _ url: String) -> String {
        var text = "\(url): answered \(response.status)"
        if (300..<400).contains(response.status), let location = response.header("location") {
            text += ", a redirect to \(Self.quote(location)), which exporters do not follow"
        } else if encoding.isOTLP, let message = OTLP.decodeErrorStatus(response.body, isJSON: isJSON(response)),
            Self.isText(message)
        {
            text += ": \(Self.quote(message))"
        } else if !response.body.isEmpty {
            text += ": \(Self.quote(response.body))"
        }
        return text
    }

    private func isJSON(_ response: HTTPResponse) -> Bool {
        response.header("content-type").map { $0.lowercased().hasPrefix("application/json") } ?? (encoding == .otlpJSON)
    }

    /// Plain text read as protobuf may happen to have a field 2; its "message" gives it away.
    private static func isText(_ message: String) -> Bool {
        message.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0.value == 0x0A }
    }

    private static func quote(_ body: [UInt8]) -> String {
        quote(String(decoding: body.prefix(quoteMax * 4), as: UTF8.self))
    }

    /// What a backend says, fit for one line of a terminal.
    private static func quote(_ text: String) -> String {
        let line = ConsoleText.escaped(text)
        return line.count > quoteMax ? line.prefix(quoteMax) + "…" : line
    }
}
