public import Telemetry
public import Wire

/// Which way telemetry came in. `rawValue` is fit for a metric's label.
public enum ReceiverName: String, Sendable, CaseIterable {
    case otlpHTTP = "otlp_http"
    case otlpGRPC = "otlp_grpc"
    case zipkin
    case jaeger
}

/// What receivers give to: processors and queues.
public protocol Intake: AnyObject, Sendable {
    /// On the server's thread, with items that are well formed; at least one. `answer` is called once: at once, when the turn ends, or when every exporter has
    /// delivered them, from any thread.
    func accept(
        _ received: OTLP.Received, of signal: Signal, from receiver: ReceiverName,
        answer: @escaping @Sendable (IntakeAnswer) -> Void)

    /// On the server's thread: all that was ready has been read.
    func turnEnded()
}

public enum IntakeAnswer: Sendable, Hashable {
    case accepted
    /// Nothing of it was taken; the sender is to come again.
    case full(retryAfterSeconds: Int)
    /// Nothing of it was taken, and coming again is of no use. For people.
    case failed(String)
}
