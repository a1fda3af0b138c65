public import System

/// What a registry is asked to do. One at a time.
public enum RegistryOperation: Hashable, Sendable {
    /// Enter it, whether it is known or not.
    case register(ServiceInstance, InstanceHealth)
    /// Say that it is still there, and how it is.
    case beat(ServiceInstance, InstanceHealth)
    case deregister(ServiceInstance)

    public enum Kind: String, Sendable, CaseIterable {
        case register, beat, deregister
    }

    public var kind: Kind {
        switch self {
        case .register: .register
        case .beat: .beat
        case .deregister: .deregister
        }
    }

    var instance: ServiceInstance {
        switch self {
        case .register(let instance, _), .beat(let instance, _), .deregister(let instance): instance
        }
    }
}

/// What came of it.
public enum RegistryOutcome: Hashable, Sendable {
    case done
    /// The registry does not know it (any more).
    case forgotten
    /// Its id is another's, who is at `place`.
    case taken(place: String)
    case failed(RegistryFailure)
}

public struct RegistryFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A small fixed set, fit for a metric's label.
    public enum Code: String, Sendable, CaseIterable {
        /// No connection, no answer in time, no leader, or another failure of the registry's.
        case unavailable
        /// It does not let us.
        case denied
        /// It does not understand us, or we do not understand it.
        case refused
    }

    public var code: Code
    /// For people; what a stranger has said is shortened.
    public var message: String
    /// It may have been done all the same.
    public var isUncertain: Bool

    public init(_ code: Code, _ message: String, isUncertain: Bool = true) {
        self.code = code
        self.message = message
        self.isUncertain = isUncertain
    }

    public var description: String { message }
}

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
