// Where messages wait for a MessagePort, a Worker, or a BroadcastChannel (https://html.spec.whatwg.org/#message-ports): one queue, filled from any
// thread, emptied by the isolate that has it at the time. Two mailboxes that know each other are a MessageChannel; either may go to another isolate,
// in a message, with what waits in it.

internal import Engine
internal import Synchronization

/// A message on its way.
struct Envelope: Sendable {
    enum Kind: Int32, Sendable {
        case message = 0
        /// An error of a child that nobody caught there.
        case error
        /// A child that ended badly: `text` says how.
        case failure
    }

    var kind = Kind.message
    /// Nil of a failure.
    var message: Message?
    /// The sender's tracing context in words; see 26_message_context.js.
    var context = SIMD8<Int32>(repeating: 0)
    /// What of it is text.
    var text = ""
    /// Ports that were transferred.
    var ports: [Port] = []
    /// Of a BroadcastChannel's: which of the receiver's channels it is for.
    var channel = 0

    var byteCount: Int { (message?.byteCount ?? 0) + text.utf8.count }
}

/// Any thread.
final class Mailbox: Sendable {
    /// What one mailbox may hold; who posts more gets an error.
    static let messagesMax = 1_000_000
    static let bytesMax = 256 << 20

    enum Taken {
        case envelope(Envelope)
        /// No more will come; said once.
        case over
        case nothing
    }

    private struct State {
        /// From `head` on; before it nil.
        var queue: [Envelope?] = []
        var head = 0
        var byteCount = 0
        /// Of the isolate that has it; nil while nobody does.
        var gate: LoopGate?
        /// Messages are handed out.
        var isEnabled = false
        /// The isolate will look.
        var isPlanned = false
        var isClosed = false
        /// The other end is gone.
        var isOver = false
        var hasToldOver = false

        var isEmpty: Bool { head == queue.count }
        var wantsLook: Bool { isEnabled && !isEmpty || isOver && !hasToldOver && isEmpty }

        mutating func popFirst() -> Envelope? {
            guard !isEmpty else { return nil }
            let envelope = queue[head]
            queue[head] = nil
            head += 1
            if head == queue.count {
                queue.removeAll(keepingCapacity: queue.capacity <= 1024)
                head = 0
            } else if head > 1024, head > queue.count / 2 {
                queue.removeSubrange(..<head)
                head = 0
            }
            byteCount -= envelope?.byteCount ?? 0
            return envelope
        }
    }

    private static let lastID = Atomic<Int>(0)

    /// Of no other mailbox in this process.
    let id = Mailbox.lastID.wrappingAdd(1, ordering: .relaxed).newValue
    private let state = Mutex(State())

    /// Whether one more message fits.
    var hasRoom: Bool {
        state.withLock { $0.queue.count - $0.head < Self.messagesMax && $0.byteCount < Self.bytesMax }
    }

    /// Its isolate will look.
    var isDelivering: Bool { state.withLock { $0.isPlanned } }

    /// Takes a message in. One for a closed mailbox is lost, as the standard has it, and its ports are closed.
    func put(_ envelope: Envelope) {
        let isLost = state.withLock { state in
            guard !state.isClosed, !state.isOver else { return true }
            state.queue.append(envelope)
            state.byteCount += envelope.byteCount
            plan(&state)
            return false
        }
        if isLost { for port in envelope.ports { port.close() } }
    }

    /// Asks the isolate to look, unless it will anyway. Under the lock.
    private func plan(_ state: inout State) {
        guard let gate = state.gate, !state.isPlanned, state.wantsLook else { return }
        state.isPlanned = true
        let id = id
        gate.perform { $0.deliver(id) }
    }

    /// The oldest. Of the isolate that has it.
    func take() -> Taken {
        state.withLock { state in
            if state.isEnabled, let envelope = state.popFirst() { return .envelope(envelope) }
            guard state.isOver, !state.hasToldOver, state.isEmpty, !state.isClosed else { return .nothing }
            state.hasToldOver = true
            return .over
        }
    }

    /// The isolate has looked; if more is there it will again.
    func looked() {
        state.withLock { state in
            state.isPlanned = false
            plan(&state)
        }
    }

    /// An isolate has it from now on.
    func adopt(_ gate: LoopGate) {
        state.withLock { state in
            state.gate = gate
            plan(&state)
        }
    }

    /// Messages are handed out from now on.
    func enable() {
        state.withLock { state in
            state.isEnabled = true
            plan(&state)
        }
    }

    /// It is on its way to another isolate.
    func release() {
        state.withLock { state in
            state.gate = nil
            state.isEnabled = false
            state.isPlanned = false
        }
    }

    /// Nothing more will be put into it.
    func end() {
        state.withLock { state in
            state.isOver = true
            plan(&state)
        }
    }

    /// What waits in it is lost, and ports among it are closed: as a list, since those may hold ports in turn, as deep as a program likes.
    func close() {
        var closing = [self]
        while let mailbox = closing.popLast() {
            for envelope in mailbox.empty() {
                guard let envelope else { continue }
                for port in envelope.ports {
                    closing.append(port.own)
                    port.peer.end()
                }
            }
        }
    }

    private func empty() -> [Envelope?] {
        state.withLock { state in
            state.isClosed = true
            state.gate = nil
            defer {
                state.queue = []
                state.head = 0
                state.byteCount = 0
            }
            return state.queue
        }
    }
}

/// One end of a channel.
struct Port: Sendable {
    let own: Mailbox
    let peer: Mailbox

    static func channel() -> (Port, Port) {
        let (first, second) = (Mailbox(), Mailbox())
        return (Port(own: first, peer: second), Port(own: second, peer: first))
    }

    /// https://html.spec.whatwg.org/#dom-messageport-close
    func close() {
        own.close()
        peer.end()
    }
}

/// The BroadcastChannels of the process, by name. All of an isolate's have one mailbox, so that its messages come in the order in which they were
/// posted, and each to the channels in the order of their creation. Any thread.
final class BroadcastGroup: Sendable {
    struct Member {
        let channel: Int
        let mailbox: Mailbox
    }

    private static let lastChannel = Atomic<Int>(0)
    private let members = Mutex<[String: [Member]]>([:])

    /// A new channel's number, of no other channel in this process.
    func join(_ mailbox: Mailbox, _ name: String) -> Int {
        let channel = Self.lastChannel.wrappingAdd(1, ordering: .relaxed).newValue
        members.withLock { $0[name, default: []].append(Member(channel: channel, mailbox: mailbox)) }
        return channel
    }

    func leave(_ channel: Int, _ name: String) {
        members.withLock { members in
            members[name]?.removeAll { $0.channel == channel }
            if members[name]?.isEmpty == true { members[name] = nil }
        }
    }

    /// All but the sender, oldest first.
    func others(than channel: Int, _ name: String) -> [Member] {
        members.withLock { members in (members[name] ?? []).filter { $0.channel != channel } }
    }
}
