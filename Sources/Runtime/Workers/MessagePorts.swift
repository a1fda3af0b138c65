// The message ports of one isolate, and the Workers it has started: what the ops of 47_messages.js and 48_worker.js work on.
//
// A port is in the table of the isolate that has it; a message that carries it takes it out, and whoever takes the message puts it into its own table.

internal import Engine
internal import Platform

/// On the isolate's thread.
final class MessagePorts {
    /// Messages handed out before the loop sees to other things.
    static let batchMax = 64

    let cells: UnsafeMutableRawBufferPointer
    let gate: LoopGate
    private let children: ChildIsolates
    private unowned let workload: Workload
    private var ports: [Int: Port] = [:]
    /// Names of the BroadcastChannels, by their numbers.
    private var channels: [Int: String] = [:]
    /// Where messages to them wait. Also names this isolate as the owner of blob URLs.
    private let broadcasts = Mailbox()
    /// By the port to them.
    private var workers: [Int: ChildIsolate] = [:]
    /// What was taken, or written by this isolate for itself.
    private var taken = Envelope()
    private var takenPorts: [Int] = []

    init(_ workload: Workload, gate: LoopGate, children: ChildIsolates) {
        self.workload = workload
        self.gate = gate
        self.children = children
        cells = .allocate(byteCount: MessageCell.byteCount, alignment: MemoryLayout<SIMD8<Int32>>.alignment)
        cells.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { cells.deallocate() }

    /// The isolate has it from now on. Its number.
    func adopt(_ port: Port) -> Int {
        ports[port.own.id] = port
        port.own.adopt(gate)
        return port.own.id
    }

    private func mailbox(_ port: Int) -> Mailbox? {
        port == MessageCell.broadcasts ? broadcasts : ports[port]?.own
    }

    /// Messages are about to be handed out.
    var isDelivering: Bool {
        ports.values.contains { $0.own.isDelivering } || broadcasts.isDelivering
    }

    /// The isolate ends: what it has is closed, and its children end too.
    func closeAll() {
        for child in workers.values { child.end(.terminated) }
        workers = [:]
        for port in ports.values { port.close() }
        ports = [:]
        for (channel, name) in channels { children.broadcasts.leave(channel, name) }
        channels = [:]
        broadcasts.close()
        children.blobURLs.removeAll(of: broadcasts.id)
        for port in taken.ports { port.close() }
        taken = Envelope()
    }

    /// The mailbox wants to be looked into. Within a turn.
    func deliver(_ id: Int, _ internals: Internals) throws(JSFailure) {
        let id = id == broadcasts.id ? MessageCell.broadcasts : id
        guard let mailbox = mailbox(id) else { return }
        defer { mailbox.looked() }
        try internals.call("messages.deliver", [internals.number(Double(id)), internals.number(Double(Self.batchMax))])
    }

    // MARK: cells

    private var context: SIMD8<Int32> {
        get { cells.load(fromByteOffset: 4 * MessageCell.context, as: SIMD8<Int32>.self) }
        set { cells.storeBytes(of: newValue, toByteOffset: 4 * MessageCell.context, as: SIMD8<Int32>.self) }
    }

    private func store(_ word: Int32, at index: Int) {
        cells.storeBytes(of: word, toByteOffset: 4 * index, as: Int32.self)
    }

    /// The ports that a message carries are this isolate's no more.
    private func release(_ numbers: [Int]) -> [Port] {
        numbers.map { number in
            guard let port = ports.removeValue(forKey: number) else {
                // A getter among what was serialized has closed it, or sent it elsewhere.
                let (own, other) = Port.channel()
                other.close()
                return own
            }
            port.own.release()
            return port
        }
    }

    /// Serializes argument `value` with the transfer list that follows it. The context is read first: getters may post messages of their own.
    private func envelope(_ call: OpCall, value: Int, text: String = "", refuse: Int) -> Envelope? {
        let context = context
        guard let message = call.writeMessage(value, transfer: value + 1, refuse: refuse) else { return nil }
        let objects = message.objects
        return Envelope(
            message: message, context: context, text: text, ports: objects.isEmpty ? [] : release(objects))
    }

    private func contextText(_ call: OpCall) -> String { call.isString(3) ? call.string(3) : "" }
}

extension MessagePorts: MessageHost {
    func makeChannel() -> Int {
        let (first, second) = Port.channel()
        let id = adopt(second)
        store(Int32(truncatingIfNeeded: id), at: MessageCell.secondPort)
        store(Int32(truncatingIfNeeded: id >> 32), at: MessageCell.secondPort + 1)
        return adopt(first)
    }

    func post(_ port: Int, _ call: OpCall) -> Bool {
        if let port = ports[port] {
            guard port.peer.hasRoom else { return false }
            guard let envelope = envelope(call, value: 1, text: contextText(call), refuse: 4) else { return true }
            // The channel's own other end, sent through itself: nobody can ever take it out. https://html.spec.whatwg.org/#message-port-post-message-steps
            if envelope.ports.contains(where: { $0.own === port.peer }) {
                for port in envelope.ports { port.close() }
            } else {
                port.peer.put(envelope)
            }
            return true
        }
        // Closed; what cannot be cloned throws all the same, and what is transferred is gone.
        for port in envelope(call, value: 1, refuse: 4)?.ports ?? [] { port.close() }
        return true
    }

    func postToChannels(_ channel: Int, _ call: OpCall) -> Bool {
        guard let name = channels[channel] else { return true }
        let others = children.broadcasts.others(than: channel, name)
        guard others.allSatisfy(\.mailbox.hasRoom) else { return false }
        guard var envelope = envelope(call, value: 1, text: contextText(call), refuse: 4) else { return true }
        for other in others {
            envelope.channel = other.channel
            other.mailbox.put(envelope)
        }
        return true
    }

    func take(_ port: Int) -> Int {
        guard let mailbox = mailbox(port) else { return -1 }
        switch mailbox.take() {
        case .nothing: return -1
        case .over: return -2
        case .envelope(let envelope):
            taken = envelope
            store(Int32(truncatingIfNeeded: envelope.channel), at: MessageCell.channel)
            store(Int32(truncatingIfNeeded: envelope.channel >> 32), at: MessageCell.channel + 1)
            context = envelope.context
            store(envelope.kind.rawValue, at: MessageCell.kind)
            takenPorts = envelope.ports.isEmpty ? [] : envelope.ports.map(adopt)
            return takenPorts.count
        }
    }

    func read(_ call: OpCall) {
        guard let message = taken.message else { return }
        taken.message = nil
        call.returns(message, objects: 0, revived: 1)
    }

    func text() -> String { taken.text }

    func portTaken(_ index: Int) -> Int { takenPorts.indices.contains(index) ? takenPorts[index] : -1 }

    func write(_ call: OpCall) -> Int {
        guard let envelope = envelope(call, value: 0, refuse: 2) else { return -1 }
        taken = envelope
        takenPorts = taken.ports.map(adopt)
        return takenPorts.count
    }

    func enable(_ port: Int) { mailbox(port)?.enable() }

    func close(_ port: Int) {
        ports.removeValue(forKey: port)?.close()
    }

    func makeChannel(_ name: String) -> Int {
        if channels.isEmpty {
            broadcasts.adopt(gate)
            broadcasts.enable()
        }
        let channel = children.broadcasts.join(broadcasts, name)
        channels[channel] = name
        return channel
    }

    func closeChannel(_ channel: Int) {
        if let name = channels.removeValue(forKey: channel) { children.broadcasts.leave(channel, name) }
    }

    // MARK: Blob URLs

    func putBlob(_ url: String, _ call: OpCall) -> Bool {
        guard let blob = call.writeMessage(1, transfer: 3, refuse: 3) else { return true }
        return children.blobURLs.add(url, blob, owner: broadcasts.id)
    }

    func blob(_ url: String, _ call: OpCall) -> Bool {
        children.blobURLs.withBlob(url) { call.returns($0, objects: 2, revived: 1) }
    }

    func revokeBlob(_ url: String) { children.blobURLs.remove(url) }

    // MARK: Workers

    var workersMax: Int { children.limit }

    func startWorker(_ configuration: String, source: [UInt8]?) -> Int? {
        let (outside, inside) = Port.channel()
        guard let child = children.start(configuration, source: source, port: inside) else { return nil }
        let id = adopt(outside)
        workers[id] = child
        return id
    }

    func terminateWorker(_ port: Int) {
        workers.removeValue(forKey: port)?.end(.terminated)
        close(port)
    }

    func closeSelf() { workload.closeChild() }

    func reportError(_ call: OpCall) {
        guard let port = workload.child?.port, var envelope = envelope(call, value: 0, refuse: 2) else {
            return
        }
        envelope.kind = .error
        port.peer.put(envelope)
    }
}
