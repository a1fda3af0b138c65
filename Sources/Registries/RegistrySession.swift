public import Discovery
public import System

/// The words of one registry that is spoken to over HTTP: a machine without I/O that makes requests of operations and outcomes of answers.
public protocol RegistrySession: Sendable {
    /// None is under way.
    mutating func begin(_ operation: RegistryOperation) -> RegistryStep
    /// The answer to the request of the last step.
    mutating func take(_ answer: Result<HTTPResponse, HTTPTransportError>) -> RegistryStep
}

public enum RegistryStep: Sendable {
    case send(HTTPRequest)
    case end(RegistryOutcome)
}

/// Limits of what is sent to a registry.
enum RegistryRequest {
    /// Of an answer. Bytes.
    static let responseBytesMax = 64 << 10

    static func make(
        _ method: String, _ url: String, headers: [(name: String, value: String)], body: [UInt8] = [],
        timeoutMilliseconds: Int
    ) -> HTTPRequest {
        var headers = headers
        if !body.isEmpty { headers.append(("Content-Type", "application/json")) }
        return HTTPRequest(
            method: method, url: url, headers: headers, body: body, timeoutMilliseconds: timeoutMilliseconds,
            responseBytesMax: responseBytesMax)
    }

    /// What a stranger says, on one line and not too long.
    static func shown(_ body: some Collection<UInt8>) -> String {
        let bytes = body.prefix(200).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last == " " { text.removeLast() }
        return text.isEmpty ? "(nothing)" : text
    }
}

extension HTTPTransportError {
    /// Whether the request may have reached the other side.
    var isUncertain: Bool {
        switch code {
        case .resolve, .connect, .tls, .badURL, .cancelled, .shutdown: false
        case .timeout, .reset, .protocolViolation, .tooLarge: true
        }
    }
}
