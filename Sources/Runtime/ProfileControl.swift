// Profiles and heap snapshots of this worker: asked for by the agent over the control stream (Wire/ControlMessage.swift), or by a turn that takes too long.
//
// Commands come to the watchdog's thread and are carried out on the isolate's, in whichever way gets there first: by an interrupt of JavaScript that
// runs, even in an endless loop, or by the event loop. What they give is written by a thread of its own: the stream blocks.

internal import Engine
internal import Linux
internal import NIOCore
internal import Synchronization
internal import System
internal import Wire

/// The worker's end of the control stream. Any thread; one message at a time.
final class ControlWriter: Sendable {
    private let connection: LocalConnection
    /// The stream has ended, or stopped within a frame: nothing more can be sent. Held while a message is sent.
    private let isBroken = Mutex(false)
    /// Threads that send.
    private let detachedCount = Monitor(0)

    /// How long a piece may wait for the agent to take it. A worker whose heap is full ends; it is not to wait longer to tell of it.
    static let patienceMilliseconds: Int32 = 10_000

    init(_ connection: LocalConnection) { self.connection = connection }

    /// Sends a whole answer. Blocks.
    func send(_ purpose: ControlFrame.Purpose, _ bytes: [UInt8]) {
        isBroken.withLock { isBroken in
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(ControlFrame.payloadBytesMax))
                guard put(.data, purpose, piece, &isBroken) else { return }
                rest = rest.dropFirst(piece.count)
            }
            _ = put(.done, purpose, [], &isBroken)
        }
    }

    /// Sends what `body` makes, which gives false when it was not whole. Blocks.
    func stream(_ purpose: ControlFrame.Purpose, bytesMax: Int, _ body: ((UnsafeRawBufferPointer) -> Bool) -> Bool) {
        isBroken.withLock { isBroken in
            guard !isBroken else { return }
            var left = bytesMax
            let isWhole = body { piece in
                left -= piece.count
                return left >= 0 && put(.data, purpose, Array(piece), &isBroken)
            }
            if isWhole {
                _ = put(.done, purpose, [], &isBroken)
            } else {
                let reason = "the heap snapshot is larger than \(bytesMax >> 20) MiB"
                _ = put(.failed, purpose, Array(reason.utf8), &isBroken)
            }
        }
    }

    func fail(_ purpose: ControlFrame.Purpose, _ reason: String) {
        isBroken.withLock { isBroken in _ = put(.failed, purpose, Array(reason.utf8), &isBroken) }
    }

    private func put(
        _ kind: ControlFrame.Kind, _ purpose: ControlFrame.Purpose, _ payload: [UInt8], _ isBroken: inout Bool
    ) -> Bool {
        guard !isBroken else { return false }
        let head = ControlFrame(kind: kind, purpose: purpose, payloadBytes: payload.count).head
        isBroken = !(connection.send(head) && connection.send(payload))
        return !isBroken
    }

    /// Runs `body` on a thread of its own.
    func detached(_ body: @escaping @Sendable (ControlWriter) -> Void) {
        detachedCount.withLock { $0 += 1 }
        let ended: @Sendable () -> Void = { [detachedCount] in
            detachedCount.withLock { $0 -= 1 }
            detachedCount.wake()
        }
        let isStarted = startThread {
            body(self)
            ended()
        }
        if !isStarted { ended() }
    }

    /// Before the process ends: waits until what is being sent is sent, or `deadline` (CLOCK_MONOTONIC, nanoseconds).
    func settle(until deadline: UInt64) {
        detachedCount.wait { count in
            count == 0 || LinuxClock().monotonicNanoseconds() >= deadline ? .done(()) : .until(deadline)
        }
    }
}

/// On the isolate's thread.
final class ProfileControl {
    private enum Running { case none, asked, slow }

    /// Samples of a slow turn are so far apart. Microseconds.
    private static let slowInterval = 1_000.0
    /// Between two profiles of slow turns. Ring time.
    private static let slowPause = 5e9
    private static let marksMax = 400_000
    private static let topStacks = 5
    private static let topBytesMax = 4096

    private let isolate: Isolate
    private let monotonicBase: Double
    private let writer: ControlWriter
    /// Turns longer than this are profiled; nil: none. Nanoseconds.
    let slowMin: Double?
    private let snapshotBytesMax: Int?
    /// No heap snapshot is taken: it would show them.
    private let hasSecrets: Bool

    private var running = Running.none
    private var done = 0
    private var marks: [ProfileMark] = []
    private var spans: [RequestIdentity] = []
    private var slowEndedAt = -Double.infinity
    /// Whether it wants to hear of turns.
    var isMarking: Bool { running != .none }

    /// - Parameters:
    ///   - slowMilliseconds: of a turn that is profiled.
    ///   - snapshotBytesMax: of the heap when its limit was reached; nil: it is not asked for.
    init(
        _ isolate: Isolate, monotonicBase: Double, writer: ControlWriter, slowMilliseconds: Double?,
        snapshotBytesMax: Int?, hasSecrets: Bool
    ) {
        self.isolate = isolate
        self.monotonicBase = monotonicBase
        self.writer = writer
        slowMin = slowMilliseconds.map { $0 * 1e6 }
        self.snapshotBytesMax = hasSecrets ? nil : snapshotBytesMax
        self.hasSecrets = hasSecrets
        if slowMin != nil { isolate.prepareProfile() }
    }

    // MARK: commands

    /// - Parameter number: commands are counted; each comes twice, by the interrupt and by the event loop.
    func perform(_ command: ControlCommand, number: Int, in turn: HTTPConnection?) {
        guard number > done else { return }
        done = number
        switch command {
        case .startProfile(let interval):
            // The one of a slow turn gives way.
            if running == .slow { _ = stop() }
            guard running == .none, start(Double(interval), in: turn) else {
                return writer.detached { $0.fail(.answer, "a profile is being taken already") }
            }
            running = .asked
        case .stopProfile:
            guard running == .asked, let profile = stop() else {
                return writer.detached { $0.fail(.answer, "no profile is being taken") }
            }
            writer.detached { $0.send(.answer, profile) }
        case .heapSnapshot where hasSecrets:
            writer.detached { $0.fail(.answer, "the program has secrets, which a heap snapshot would show") }
        case .heapSnapshot(let mebibytes):
            writer.stream(.answer, bytesMax: Int(mebibytes) << 20) { isolate.writeHeapSnapshot($0) }
        // The watchdog's.
        case .followed: break
        }
    }

    /// The heap has met its limit, and execution has ended.
    func heapLimitReached() {
        guard let snapshotBytesMax else { return }
        writer.stream(.outOfMemory, bytesMax: snapshotBytesMax) { isolate.writeHeapSnapshot($0) }
    }

    /// How long the end of the process waits for profiles that are being sent. Nanoseconds.
    private static let settleNanoseconds: UInt64 = 1_000_000_000

    /// The process ends next.
    func settle() { writer.settle(until: LinuxClock().monotonicNanoseconds() + Self.settleNanoseconds) }

    // MARK: slow turns

    /// The turn has taken longer than `slowMin`. From an interrupt.
    func turnIsSlow(_ owner: HTTPConnection?) {
        guard running == .none, isolate.now - slowEndedAt > Self.slowPause, start(Self.slowInterval, in: owner) else {
            return
        }
        running = .slow
    }

    /// The request that was slow ends, or the turn. Where the time went, a stack a line; empty: nobody looked.
    func slowEnded() -> String {
        guard running == .slow, let profile = stop() else { return "" }
        slowEndedAt = isolate.now
        writer.detached { $0.send(.slow, profile) }
        return (try? CPUProfile(parsing: profile).topStacks(Self.topStacks, bytesMax: Self.topBytesMax)) ?? ""
    }

    // MARK: the profile

    private func start(_ interval: Double, in owner: HTTPConnection?) -> Bool {
        marks.removeAll(keepingCapacity: false)
        spans.removeAll(keepingCapacity: false)
        guard isolate.startProfile(samplingMicroseconds: interval) else { return false }
        mark(isolate.now, owner)
        return true
    }

    /// From now on the time is of this request; nil: of none.
    func mark(_ now: Double, _ owner: HTTPConnection?) {
        guard marks.count < Self.marksMax else { return }
        var label: Int32 = -1
        if let owner, !owner.request.isOver {
            if spans.last?.span != owner.request.identity.span { spans.append(owner.request.identity) }
            label = Int32(spans.count - 1)
        }
        guard marks.last?.label != label else { return }
        marks.append(ProfileMark(monotonic: now + monotonicBase, label: label))
    }

    /// The profile with the spans that its samples name.
    private func stop() -> [UInt8]? {
        running = .none
        guard var json = isolate.stopProfile(marks: marks) else { return nil }
        defer {
            marks.removeAll(keepingCapacity: false)
            spans.removeAll(keepingCapacity: false)
        }
        let key = Array("\"sidelightSamples\":[".utf8)
        guard json.last == UInt8(ascii: "}"), let at = Self.lastRange(of: key, in: json) else { return json }
        // Labels are of all requests; the file names those that were seen.
        var places: [Int: Int] = [:]
        var table: [RequestIdentity] = []
        let labels = String(decoding: json[at...].dropLast(2), as: UTF8.self).split(separator: ",").map {
            text -> String in
            guard let label = Int(text), label >= 0, label < spans.count else { return "-1" }
            if let place = places[label] { return String(place) }
            places[label] = table.count
            table.append(spans[label])
            return String(table.count - 1)
        }
        json.removeLast(json.count - at)
        var rest = JSONWriter()
        rest.array { rest in
            for identity in table {
                rest.object { rest in
                    rest.name("traceId")
                    rest.string(Self.hex(identity.traceHigh) + Self.hex(identity.traceLow))
                    rest.name("spanId")
                    rest.string(Self.hex(identity.span))
                }
            }
        }
        json += Array("\(labels.joined(separator: ","))],\"sidelightSpans\":".utf8) + rest.bytes + [UInt8(ascii: "}")]
        return json
    }

    /// Where what follows the key's last occurrence begins.
    private static func lastRange(of key: [UInt8], in bytes: [UInt8]) -> Int? {
        var at = bytes.count - key.count
        while at >= 0 {
            if bytes[at] == key[0], bytes[at..<(at + key.count)].elementsEqual(key) { return at + key.count }
            at -= 1
        }
        return nil
    }

    /// Of an id as it lies in memory.
    private static func hex(_ id: UInt64) -> String {
        let text = String(UInt64(bigEndian: id), radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
