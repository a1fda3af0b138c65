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

    public var instance: ServiceInstance {
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

/// A registry. Any thread.
public protocol Registry: Sendable {
    /// Never blocks. `completion` is called once, on a thread of the registry's choosing, and must not block. One operation is out at a time.
    func perform(_ operation: RegistryOperation, completion: @escaping @Sendable (RegistryOutcome) -> Void)
}
