public import Discovery
internal import Synchronization
public import System

/// A registry that is spoken to over HTTP. What of its state outlives an operation is the session's.
public final class HTTPRegistry<Session: RegistrySession>: Registry {
    private let session: Mutex<Session>
    private let transport: any HTTPTransport

    public init(_ session: Session, _ transport: any HTTPTransport) {
        self.session = Mutex(session)
        self.transport = transport
    }

    public func perform(_ operation: RegistryOperation, completion: @escaping @Sendable (RegistryOutcome) -> Void) {
        follow(session.withLock { $0.begin(operation) }, completion)
    }

    private func follow(_ step: RegistryStep, _ completion: @escaping @Sendable (RegistryOutcome) -> Void) {
        switch step {
        case .end(let outcome): completion(outcome)
        case .send(let request):
            transport.send(request) { [self] answer in
                follow(session.withLock { $0.take(answer) }, completion)
            }
        }
    }
}
