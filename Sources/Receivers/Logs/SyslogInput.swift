internal import CLinux
internal import Glibc
public import Linux
public import Logs
public import Telemetry

/// Syslog messages, over UDP, TCP and sockets in the file system. Messages in datagrams that come while there is no room are lost: the kernel drops and counts
/// them. Who sends over a connection waits.
public final class SyslogInput: LogInput {
    public struct Limits: Hashable, Sendable {
        /// Of a message; a longer one is cut.
        public var messageBytes = 64 << 10
        public var connections = 256

        public init() {}
    }

    /// Where it listens.
    public struct Sockets: Sendable {
        /// What the kernel is asked to keep of datagrams. Bytes.
        public static let bufferBytes: Int32 = 4 << 20

        public var datagrams: [DatagramSocket] = []
        public var listeners: [ListeningSocket] = []

        public init() {}
    }

    /// When all places are taken, a connection over which nothing has come for so long makes room. Nanoseconds.
    private static let idleNanoseconds: UInt64 = 60_000_000_000
    private static let readBytes = 64 << 10
    /// Taken of one socket in one turn.
    private static let datagramsMax = 4 * DatagramSocket.countMax

    // Marks: datagram sockets from 0, listeners from 16, connections from 64.
    private static let firstListener = 16
    private static let firstConnection = 64

    private struct Connection {
        let descriptor: Int32
        var framer: SyslogFramer
        var lastRead: UInt64
    }

    public let receiver: String
    private let limits: Limits
    private let sockets: Sockets
    private let workspace = LogWorkspace()
    private let formatter: SyslogFormatter
    private var watcher: LogInputWatcher?
    /// By mark.
    private var connections: [Connection?] = []
    /// What the kernel said last, by socket.
    private var dropped: [UInt32]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readBytes, alignment: 16)
    private lazy var datagramMemory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: limits.messageBytes * DatagramSocket.countMax, alignment: 16)
    private var ownCounts = LogInputCounts()

    public init(_ receiver: String, _ settings: SyslogSettings, _ limits: Limits, _ sockets: Sockets) {
        self.receiver = receiver
        self.limits = limits
        self.sockets = sockets
        formatter = SyslogFormatter(settings, workspace)
        dropped = Array(repeating: 0, count: sockets.datagrams.count)
    }

    deinit {
        for case let connection? in connections { Glibc.close(connection.descriptor) }
        buffer.deallocate()
        if !sockets.datagrams.isEmpty { datagramMemory.deallocate() }
    }

    // MARK: the seam

    public func begin(_ watcher: LogInputWatcher, _ time: LogInputTime) {
        self.watcher = watcher
        for (index, socket) in sockets.datagrams.enumerated() {
            _ = watcher.watch(socket.fileDescriptor, UInt32(index))
        }
        for (index, socket) in sockets.listeners.enumerated() {
            _ = watcher.watch(socket.fileDescriptor, UInt32(Self.firstListener + index))
        }
    }

    public func readable(_ mark: UInt32, _ time: LogInputTime) {
        let mark = Int(mark)
        if mark < Self.firstListener {
            receive(mark, time)
        } else if mark < Self.firstConnection {
            accept(sockets.listeners[mark - Self.firstListener], time)
        } else {
            read(mark - Self.firstConnection, time)
        }
    }

    public func turn(_ time: LogInputTime) -> UInt64? { nil }
    public var bytesWaiting: Int { formatter.bytesWaiting }
    public func takeBatches() -> [Batch] { formatter.takeBatches() }
    public func taken() {}
    public var isOver: Bool { false }

    /// What has been sent, but not read, is lost with the connection. The sockets stay open for who made them.
    public func end(_ time: LogInputTime) {
        for index in connections.indices where connections[index] != nil { close(index, time) }
        for socket in sockets.datagrams { watcher?.unwatch(socket.fileDescriptor) }
        for socket in sockets.listeners { watcher?.unwatch(socket.fileDescriptor) }
    }

    public var counts: LogInputCounts {
        var counts = ownCounts
        counts.messages = workspace.counts.lines
        counts.records = workspace.counts.records
        counts.misfits = workspace.counts.misfits
        counts.replaced = formatter.replaced
        counts.connections = connections.count { $0 != nil }
        return counts
    }

    // MARK: datagrams

    private func receive(_ index: Int, _ time: LogInputTime) {
        let socket = sockets.datagrams[index]
        var dropped = dropped[index]
        var count = 0
        while count < Self.datagramsMax {
            let received = socket.receive(into: datagramMemory, dropped: &dropped) { datagram, isCut in
                ownCounts.bytes += UInt64(datagram.count)
                if isCut { ownCounts.cut += 1 }
                formatter.take(datagram, observed: time.unix)
            }
            count += received
            if received < DatagramSocket.countMax { break }
        }
        ownCounts.datagramsDropped += UInt64(dropped &- self.dropped[index])
        self.dropped[index] = dropped
    }

    // MARK: connections

    private func accept(_ listener: ListeningSocket, _ time: LogInputTime) {
        while true {
            let descriptor = sl_accept_now(listener.fileDescriptor)
            guard descriptor >= 0 else { return }
            sl_keep_alive(descriptor)
            guard let index = freePlace(time), watcher!.watch(descriptor, UInt32(Self.firstConnection + index)) else {
                Glibc.close(descriptor)
                ownCounts.connectionsRefused += 1
                continue
            }
            connections[index] = Connection(
                descriptor: descriptor, framer: SyslogFramer(messageBytesMax: limits.messageBytes), lastRead: time.now)
        }
    }

    private func freePlace(_ time: LogInputTime) -> Int? {
        if let free = connections.firstIndex(where: { $0 == nil }) { return free }
        if connections.count < limits.connections {
            connections.append(nil)
            return connections.count - 1
        }
        guard let quiet = connections.indices.min(by: { connections[$0]!.lastRead < connections[$1]!.lastRead }),
            connections[quiet]!.lastRead &+ Self.idleNanoseconds <= time.now
        else { return nil }
        close(quiet, time)
        return quiet
    }

    private func read(_ index: Int, _ time: LogInputTime) {
        guard index < connections.count, let descriptor = connections[index]?.descriptor else { return }
        let count = Glibc.read(descriptor, buffer.baseAddress!, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return close(index, time) }
        connections[index]!.lastRead = time.now
        ownCounts.bytes += UInt64(count)
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        feed(index) { framer in framer.take(bytes) { formatter.take($0, observed: time.unix) } }
    }

    private func feed(_ index: Int, _ body: (inout SyslogFramer) -> Void) {
        let (cut, cutBytes) = (connections[index]!.framer.cutMessages, connections[index]!.framer.cutBytes)
        body(&connections[index]!.framer)
        ownCounts.cut += connections[index]!.framer.cutMessages - cut
        ownCounts.cutBytes += connections[index]!.framer.cutBytes - cutBytes
    }

    /// The last message may lack its end.
    private func close(_ index: Int, _ time: LogInputTime) {
        feed(index) { framer in framer.end { formatter.take($0, observed: time.unix) } }
        watcher!.unwatch(connections[index]!.descriptor)
        Glibc.close(connections[index]!.descriptor)
        connections[index] = nil
    }
}
