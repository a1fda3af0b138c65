// DNS-SD over Avahi (RFC 6763): instances are published by the machine's avahi-daemon, to which its client library talks over D-Bus.
//
// That library blocks: up to 25 s a call, when the daemon or D-Bus hangs. So it has a thread of its own, started by the first instance, and nobody waits for that
// thread. What Avahi publishes for a process is gone when its connection is: who is killed needs no deregistration. When the daemon is started again it knows
// nothing, and the library says so to its callback: the next beat finds that the group is lost, and the instance is entered again.

internal import CAvahi
public import Discovery
internal import Glibc
internal import Synchronization

/// The thread that talks to Avahi. Any thread.
public final class AvahiPublisher: Sendable {
    private struct Asked: Sendable {
        var number: Int
        var type: String
        var operation: RegistryOperation
        var completion: @Sendable (RegistryOutcome) -> Void
    }

    private struct State: Sendable {
        var waiting: [Asked] = []
        var count = 0
        var isStarted = false
        /// Nil: the thread has none, and looks at `waiting` before it sleeps.
        var poll: Poll?
    }

    /// An instance's group at the daemon.
    private final class Group {
        let functions: UnsafePointer<sl_avahi>
        var pointer: OpaquePointer?
        var state = AVAHI_ENTRY_GROUP_UNCOMMITED

        init(_ functions: UnsafePointer<sl_avahi>) { self.functions = functions }

        func free() {
            if let pointer { _ = functions.pointee.entry_group_free(pointer) }
            pointer = nil
        }
    }

    private struct Poll: @unchecked Sendable {
        // @unchecked: other threads wake it only, which Avahi allows.
        let pointer: OpaquePointer
        let functions: UnsafePointer<sl_avahi>
    }

    private let state = Mutex(State())
    private let inBackground: @Sendable (@escaping @Sendable () -> Void) -> Void

    /// - Parameter inBackground: Runs it on a thread of its own.
    public init(inBackground: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
        self.inBackground = inBackground
    }

    /// An instance of this type of service, such as "_http._tcp".
    public func registry(type: String) -> any Registry {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        return Publication(publisher: self, number: number, type: type)
    }

    private struct Publication: Registry {
        let publisher: AvahiPublisher
        let number: Int
        let type: String

        func perform(_ operation: RegistryOperation, completion: @escaping @Sendable (RegistryOutcome) -> Void) {
            publisher.ask(Asked(number: number, type: type, operation: operation, completion: completion))
        }
    }

    private func ask(_ asked: Asked) {
        let isFirst = state.withLock { state in
            state.waiting.append(asked)
            if let poll = state.poll { poll.functions.pointee.simple_poll_wakeup(poll.pointer) }
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if isFirst { inBackground { [self] in run() } }
    }

    private func next() -> Asked? {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    // MARK: the thread

    private func run() {
        var failure: UnsafePointer<CChar>?
        guard let functions = sl_avahi_load(&failure), let poll = functions.pointee.simple_poll_new() else {
            let why = "Avahi cannot be used: " + (failure.map { String(cString: $0) } ?? "no memory")
            return refuse(RegistryFailure(.refused, why, isUncertain: false))
        }
        state.withLock { $0.poll = Poll(pointer: poll, functions: functions) }
        let loop = Loop(functions, poll)
        while true {
            while let asked = next() { asked.completion(loop.perform(asked.operation, asked.number, asked.type)) }
            loop.turn(milliseconds: -1)
        }
    }

    /// All that is asked, from now on: it will not get better.
    private func refuse(_ failure: RegistryFailure) {
        while let asked = next() { asked.completion(.failed(failure)) }
        // The next one that is asked finds it no better.
        state.withLock { $0.isStarted = false }
        if state.withLock({ !$0.waiting.isEmpty }) { refuse(failure) }
    }

    /// What the thread has.
    private final class Loop {
        /// How long Avahi may take to find whether a name is free. Nanoseconds.
        private static let publishNanoseconds: UInt64 = 5_000_000_000

        let functions: UnsafePointer<sl_avahi>
        let poll: OpaquePointer
        var client: OpaquePointer?
        var clientState = AVAHI_CLIENT_CONNECTING
        var groups: [Int: Group] = [:]

        init(_ functions: UnsafePointer<sl_avahi>, _ poll: OpaquePointer) {
            (self.functions, self.poll) = (functions, poll)
        }

        func turn(milliseconds: Int32) { _ = functions.pointee.simple_poll_iterate(poll, milliseconds) }

        func perform(_ operation: RegistryOperation, _ number: Int, _ type: String) -> RegistryOutcome {
            switch operation {
            case .register(let instance, _): return publish(instance, number, type)
            case .beat: return groups[number]?.state == AVAHI_ENTRY_GROUP_ESTABLISHED ? .done : .forgotten
            case .deregister:
                groups.removeValue(forKey: number)?.free()
                return .done
            }
        }

        private func publish(_ instance: ServiceInstance, _ number: Int, _ type: String) -> RegistryOutcome {
            groups.removeValue(forKey: number)?.free()
            if let failure = connect() { return .failed(failure) }
            let group = Group(functions)
            group.pointer = functions.pointee.entry_group_new(
                client,
                { _, state, context in
                    Unmanaged<Group>.fromOpaque(context!).takeUnretainedValue().state = state
                }, Unmanaged.passUnretained(group).toOpaque())
            guard group.pointer != nil else { return .failed(failure()) }
            groups[number] = group
            var texts: UnsafeMutablePointer<AvahiStringList>?
            // Each is put in front of the others.
            for text in instance.dnsTexts.reversed() {
                texts = functions.pointee.string_list_add_arbitrary(texts, text, text.count)
            }
            defer { functions.pointee.string_list_free(texts) }
            let code = functions.pointee.entry_group_add_service_strlst(
                group.pointer, AvahiIfIndex(AVAHI_IF_UNSPEC), AvahiProtocol(AVAHI_PROTO_UNSPEC), AvahiPublishFlags(0),
                instance.dnsLabel, type, nil,
                nil, instance.port, texts)
            // Another process of this machine has it.
            if code == AVAHI_ERR_COLLISION { return lose(number, .taken(place: "this machine")) }
            guard code == 0, functions.pointee.entry_group_commit(group.pointer) == 0 else {
                return lose(number, .failed(failure()))
            }
            let end = Self.now() + Self.publishNanoseconds
            while Self.now() < end {
                switch group.state {
                case AVAHI_ENTRY_GROUP_ESTABLISHED: return .done
                case AVAHI_ENTRY_GROUP_COLLISION: return lose(number, .taken(place: "the network"))
                case AVAHI_ENTRY_GROUP_FAILURE: return lose(number, .failed(failure()))
                default: turn(milliseconds: 100)
                }
                guard groups[number] === group else { break }
            }
            let why = "Avahi has not published it within \(Self.publishNanoseconds / 1_000_000_000) s"
            return lose(number, .failed(RegistryFailure(.unavailable, why)))
        }

        private func lose(_ number: Int, _ outcome: RegistryOutcome) -> RegistryOutcome {
            groups.removeValue(forKey: number)?.free()
            return outcome
        }

        /// Nil: there is a daemon that publishes.
        private func connect() -> RegistryFailure? {
            if client != nil, clientState == AVAHI_CLIENT_FAILURE { disconnect() }
            if client == nil {
                var code: Int32 = 0
                clientState = AVAHI_CLIENT_CONNECTING
                client = functions.pointee.client_new(
                    functions.pointee.simple_poll_get(poll), AVAHI_CLIENT_NO_FAIL,
                    { _, state, context in
                        Unmanaged<Loop>.fromOpaque(context!).takeUnretainedValue().take(state)
                    }, Unmanaged.passUnretained(self).toOpaque(), &code)
                guard client != nil else {
                    return RegistryFailure(.unavailable, "Avahi: \(text(code))", isUncertain: false)
                }
            }
            let end = Self.now() + Self.publishNanoseconds
            // The host's name is being looked at.
            while clientState == AVAHI_CLIENT_S_REGISTERING || clientState == AVAHI_CLIENT_S_COLLISION, Self.now() < end
            {
                turn(milliseconds: 100)
            }
            guard clientState == AVAHI_CLIENT_S_RUNNING else {
                return RegistryFailure(.unavailable, "no avahi-daemon is there", isUncertain: false)
            }
            return nil
        }

        private func take(_ state: AvahiClientState) {
            clientState = state
            // What was published is no more, or is to be published under another name of the host.
            if state != AVAHI_CLIENT_S_RUNNING {
                for group in groups.values { group.state = AVAHI_ENTRY_GROUP_FAILURE }
            }
        }

        private func disconnect() {
            // It frees the groups as well.
            functions.pointee.client_free(client)
            client = nil
            for group in groups.values { group.pointer = nil }
            groups = [:]
        }

        private func failure() -> RegistryFailure {
            RegistryFailure(.unavailable, "Avahi: \(text(functions.pointee.client_errno(client)))", isUncertain: false)
        }

        private func text(_ code: Int32) -> String {
            functions.pointee.strerror(code).map { String(cString: $0) } ?? "error \(code)"
        }

        private static func now() -> UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }
    }
}
