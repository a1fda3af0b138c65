import Configuration
import Pipeline
import Resolver
import System
import Telemetry
import Transport
import Wire

/// Sends exports as HTTP requests and judges the answers.
struct HTTPDestination: Destination {
    /// Answers are short; one of more bytes is not what an export's answer looks like.
    private static let responseBytesMax = 1 << 20

    private let encoding: Encoding
    private let places: [Signal: Place]
    private let policy: RetryPolicy
    private let clock: any SystemClock

    init(
        _ configuration: ExporterConfiguration, _ encoding: Encoding, policy: RetryPolicy, clock: any SystemClock,
        client: (ExporterConfiguration.Target) -> any HTTPTransport, find: (ServiceQuestion) -> ServiceFinder
    ) {
        self.encoding = encoding
        self.policy = policy
        self.clock = clock
        places = configuration.targets.mapValues { Place($0, client($0), find: find) }
    }

    func send(_ export: Export, completion: @escaping @Sendable (ExportResult) -> Void) {
        guard let place = places[export.signal] else {
            preconditionFailure("\(export.signal) routed to \(places.keys)")
        }
        let (body, skipped) = encoding.encode(export, now: clock.unixNanoseconds())
        guard skipped < export.itemCount else {
            return completion(
                .refused(.notEncodable, message: "\(place.target.url): the \(export.signal) cannot be encoded"))
        }
        let content = place.target.compression == .gzip ? Gzip.compress(body) : body
        place.find { [self] found in
            guard case .success(let way) = found else { return completion(ExportResult(found)) }
            place.client.send(request(content, to: way, place.target)) { [self] result in
                let verdict = judge(result, way.url, export.signal, skipped: skipped)
                place.note(verdict, of: way)
                completion(verdict)
            }
        }
    }

    /// - Parameter body: compressed already.
    private func request(
        _ body: [UInt8], to way: Place.Way, _ target: ExporterConfiguration.Target
    ) -> HTTPRequest {
        var headers = [(name: "Content-Type", value: encoding.contentType)]
        headers += encoding.headers
        headers += target.headers.map { (name: $0.name, value: $0.value) }
        if target.compression == .gzip { headers.append((name: "Content-Encoding", value: "gzip")) }
        var request = HTTPRequest(
            method: "POST", url: way.url, headers: headers, body: body,
            timeoutMilliseconds: target.timeoutMilliseconds,
            responseBytesMax: Self.responseBytesMax)
        request.address = way.address
        return request
    }

    // MARK: Answers

    private func judge(
        _ result: Result<HTTPResponse, HTTPTransportError>, _ url: String, _ signal: Signal, skipped: Int
    ) -> ExportResult {
        switch result {
        case .failure(let error): return ExportResult(error, url)
        case .success(let response):
            let seconds = Int64(clock.unixNanoseconds() / 1_000_000_000)
            let verdict = policy.verdict(
                status: response.status, retryAfter: response.header("retry-after"), unixSeconds: seconds)
            return switch verdict {
            case .accepted: accepted(response, url, signal, skipped: skipped)
            case .retry(let after): .failed(retryAfter: after, message: complaint(response, url))
            case .refused:
                ignored(response, url, skipped: skipped)
                    ?? .refused(
                        signal != .traces && [404, 405, 501].contains(response.status) ? .unsupported : .refused,
                        message: complaint(response, url))
            case .tooLarge: .tooLarge(message: complaint(response, url))
            }
        }
    }

    /// Loki refuses a push of which it has taken what was not too old.
    private func ignored(_ response: HTTPResponse, _ url: String, skipped: Int) -> ExportResult? {
        guard case .loki = encoding, response.status == 400,
            let count = Loki.ignoredCount(String(decoding: response.body, as: UTF8.self))
        else { return nil }
        return .delivered(rejected: count, notEncodable: skipped, message: complaint(response, url))
    }

    private func accepted(_ response: HTTPResponse, _ url: String, _ signal: Signal, skipped: Int) -> ExportResult {
        if encoding == .prometheus, skipped > 0 {
            let message = "\(url): \(skipped) metrics were left out: Prometheus has no place for delta temporality"
            return .delivered(notEncodable: skipped, message: message)
        }
        guard encoding.isOTLP else { return .delivered(notEncodable: skipped) }
        do {
            guard let partial = try OTLP.decodeExportResponse(response.body, signal: signal, isJSON: isJSON(response))
            else {
                return .delivered(notEncodable: skipped)
            }
            return .delivered(
                rejected: Int(clamping: partial.rejected), notEncodable: skipped,
                message: "\(url): partial success, \(partial.rejected) rejected: \(Quote.text(partial.message))")
        } catch {
            let message =
                "\(url): answered \(response.status) with a body that is no OTLP response: "
                + Quote.text(response.body)
            return .delivered(notEncodable: skipped, message: message)
        }
    }

    private func complaint(_ response: HTTPResponse, _ url: String) -> String {
        var text = "\(url): answered \(response.status)"
        if (300..<400).contains(response.status), let location = response.header("location") {
            text += ", a redirect to \(Quote.text(location)), which exporters do not follow"
        } else if encoding.isOTLP, let message = OTLP.decodeErrorStatus(response.body, isJSON: isJSON(response)),
            Self.isText(message)
        {
            text += ": \(Quote.text(message))"
        } else if !response.body.isEmpty {
            text += ": \(Quote.text(response.body))"
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
}
