// The board: what a serving worker shows the agent at any moment, beside the ring's stream of finished records: its state, counters,
// the requests in flight and the histograms of HTTP durations. Layout, protocol and reasons: docs/specs/board-format.md.
//
// One thread of the worker writes, the agent reads whenever it likes. To the agent the bytes are hostile: it copies first and
// checks the copy. Cells are words that are read and written whole.

internal import CLinux
internal import Glibc

/// The mapped board. The mapping itself may be used from any thread; who may touch which bytes says the format.
public final class BoardMapping: @unchecked Sendable {
    // @unchecked: all state is immutable but the foreign memory, which is accessed as the header comment says.

    public let fileDescriptor: Int32
    public let baseAddress: UnsafeMutableRawPointer

    /// Makes a new board in a sealed memfd. Agent side.
    public init() throws(RingError) {
        let descriptor = sl_memfd("sidelight-board")
        guard descriptor >= 0 else { throw RingError("memfd_create", errno: errno) }
        guard ftruncate(descriptor, off_t(BoardLayout.byteCount)) == 0, sl_memfd_seal_size(descriptor) == 0,
            let base = sl_shared_map(descriptor, BoardLayout.byteCount)
        else {
            let code = errno
            close(descriptor)
            throw RingError("mapping a board of \(BoardLayout.byteCount) bytes", errno: code)
        }
        fileDescriptor = descriptor
        baseAddress = base
        base.storeBytes(of: BoardLayout.magic, toByteOffset: BoardLayout.Header.magic, as: UInt32.self)
        base.storeBytes(of: BoardLayout.version, toByteOffset: BoardLayout.Header.version, as: UInt32.self)
        base.storeBytes(of: UInt32(BoardLayout.slots), toByteOffset: BoardLayout.Header.slots, as: UInt32.self)
        base.storeBytes(of: UInt32(BoardLayout.series), toByteOffset: BoardLayout.Header.series, as: UInt32.self)
    }

    /// Maps the board behind an inherited descriptor, and owns it from then on. Worker side.
    public init(fileDescriptor descriptor: Int32) throws(RingError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw RingError("fstat of the board", errno: errno) }
        guard Int(status.st_size) == BoardLayout.byteCount else {
            throw RingError("descriptor \(descriptor) is no board: its size is \(status.st_size) bytes")
        }
        guard let base = sl_shared_map(descriptor, BoardLayout.byteCount) else {
            throw RingError("mapping the board", errno: errno)
        }
        func word(_ offset: Int) -> UInt32 { base.load(fromByteOffset: offset, as: UInt32.self) }
        guard word(BoardLayout.Header.magic) == BoardLayout.magic,
            word(BoardLayout.Header.version) == BoardLayout.version,
            word(BoardLayout.Header.slots) == UInt32(BoardLayout.slots),
            word(BoardLayout.Header.series) == UInt32(BoardLayout.series)
        else {
            munmap(base, BoardLayout.byteCount)
            throw RingError(
                "the board has another version than \(BoardLayout.version); agent and worker must be of one release")
        }
        fileDescriptor = descriptor
        baseAddress = base
    }

    deinit {
        munmap(baseAddress, BoardLayout.byteCount)
        close(fileDescriptor)
    }

    // MARK: cells

    func loadState() -> UInt32 { sl_load_acquire_u32(baseAddress + BoardLayout.Header.state) }
    func storeState(_ value: UInt32) { sl_store_release_u32(baseAddress + BoardLayout.Header.state, value) }

    @inline(__always) func load(_ offset: Int) -> UInt64 { sl_load_relaxed_u64(baseAddress + offset) }
    @inline(__always) func loadAcquire(_ offset: Int) -> UInt64 { sl_load_acquire_u64(baseAddress + offset) }
    @inline(__always) func store(_ value: UInt64, at offset: Int) { sl_store_relaxed_u64(baseAddress + offset, value) }
    @inline(__always) func publish(_ value: UInt64, at offset: Int) {
        sl_store_release_u64(baseAddress + offset, value)
    }
    /// One thread writes a cell, so its own value needs no atomic addition.
    @inline(__always) func add(_ value: UInt64, at offset: Int) { store(load(offset) &+ value, at: offset) }

    @inline(__always) func loadDouble(_ offset: Int) -> Double { Double(bitPattern: load(offset)) }
    @inline(__always) func store(_ value: Double, at offset: Int) { store(value.bitPattern, at: offset) }

    /// Words are copied one by one, each whole.
    func copy(_ offset: Int, words: Int, to buffer: UnsafeMutableRawPointer) {
        sl_copy_words(buffer, baseAddress + offset, words)
    }
}

/// Offsets and sizes, bytes. Board-format.md section 1.
public enum BoardLayout {
    public static let magic: UInt32 = 0x4452_4253
    public static let version: UInt32 = 2
    public static let headerBytes = 4096
    public static let slots = 1024
    /// Of these, at most so many show requests that are over but for their handlers.
    public static let leftMax = 256
    public static let slotBytes = 256
    /// The first two are those of overflow.
    public static let series = 256
    public static let seriesBytes = 448
    public static var byteCount: Int { headerBytes + slots * slotBytes + series * seriesBytes }

    public static func slotOffset(_ slot: Int) -> Int { headerBytes + slot * slotBytes }
    static func seriesOffset(_ index: Int) -> Int { headerBytes + slots * slotBytes + index * seriesBytes }

    enum Header {
        static let magic = 0
        static let version = 4
        static let slots = 8
        static let series = 12
        static let state = 64
        static let seriesUsed = 72
        /// u32 promises given to waitUntil that are open, and above it u32 runs of schedules: one word. Of one that drains.
        static let pending = 80
        /// u64, `BoardHandlers`.
        static let handlers = 88
        /// u64[64], `BoardCounter`.
        static let counters = 128
        /// i64[2][10]: requests in flight by scheme and method.
        static let active = 640
        static let delaySum = 832
        static let delaySquares = 840
        /// u64[96].
        static let delayBuckets = 848
        /// 4 kinds of 64 bytes.
        static let collections = 1664
        /// 12 spaces of 64 bytes.
        static let spaces = 1920
        /// What `health` of the module said last: one word, and the words of its reason. Board-format.md section 2.
        static let health = 2688
        static let healthReason = 2696
    }

    public enum Slot {
        /// u32 state, and above it u32 end-head: one word.
        public static let state = 0
        public static let endHead = 4
        public static let start = 8
        /// trace id, span id, parent span id: 32 bytes.
        public static let ids = 16
        static let method = 48
        static let flags = 49
        static let methodLength = 50
        static let outcome = 51
        static let targetLength = 52
        static let status = 54
        static let methodText = 56
        static let target = 72
        static let methodBytesMax = 16
        public static let targetBytesMax = 184
    }

    enum Series {
        static let kind = 0
        static let sum = 8
        static let min = 16
        static let max = 24
        /// u64[20].
        static let buckets = 32
        static let method = 192
        static let scheme = 193
        static let protocolVersion = 194
        static let isOverflow = 195
        static let status = 196
        static let port = 198
        static let routeLength = 200
        static let errorLength = 201
        static let hostLength = 202
        static let route = 208
        static let error = 304
        static let host = 336
    }

    public static let routeBytesMax = 96
    public static let errorBytesMax = 32
    public static let hostBytesMax = 64

    /// Of requests that are served.
    static let methods = 10
    static let collectionBytes = 64
    static let spaces = 12
    static let spaceBytes = 64
    static let spaceNameBytesMax = 32
    static let delayBuckets = 96
    /// Bounds of `http.*.request.duration`, seconds: those that the semantic conventions advise, and finer ones below, where most handlers are.
    /// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration>
    public static let durationBounds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5,
        10,
    ]
    public static let durationBuckets = 20
    /// Bounds of `v8js.gc.duration`, seconds. <https://opentelemetry.io/docs/specs/semconv/runtime/v8js-metrics/#metric-v8jsgcduration>
    static let collectionBounds: [Double] = [0.01, 0.1, 1, 10]
}

/// How far a serving worker is. Board-format.md section 2.
public enum BoardState: UInt32, Sendable {
    case starting = 0, serving, draining, failed
}

/// What the module that is served has. Board-format.md section 2.
public struct BoardHandlers: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let fetch = BoardHandlers(rawValue: 1)
    public static let scheduled = BoardHandlers(rawValue: 2)
    public static let health = BoardHandlers(rawValue: 4)
}

/// What `health` of the module that is served said last.
public struct BoardHealth: Hashable, Sendable {
    public enum Status: UInt8, Sendable { case pass = 1, warn, fail }

    /// Bytes.
    public static let reasonBytesMax = 256

    public var status: Status
    public var reason: String
    /// How often it has answered so far, modulo 2^31.
    public var answers: UInt32
}

/// What a worker that drains waits for beside requests in flight.
public struct BoardPending: Hashable, Sendable {
    /// Promises given to `waitUntil`.
    public var promises: UInt32
    /// Runs of schedules.
    public var runs: UInt32

    public init(promises: UInt32, runs: UInt32) {
        self.promises = promises
        self.runs = runs
    }
}

/// Cells of the header. The raw value is the cell's index. Board-format.md section 3.
public enum BoardCounter: Int, CaseIterable, Sendable {
    // Those that only grow.
    case connectionsAccepted = 0
    /// Closed by the client, between requests.
    case closedByClient
    /// Closed here after a response that said so.
    case closedByServer
    /// Nothing came on a kept connection for the idle limit.
    case closedIdle
    /// A head or body that did not come in time.
    case closedTimeout
    /// Malformed input.
    case closedMalformed
    /// Over a limit: too many connections, too large a head or body.
    case closedLimit
    /// Reset, or another failure of the socket.
    case closedReset
    /// Kept open until the worker drained.
    case closedDraining
    case requests
    case malformed400
    case malformed408
    case malformed411
    case malformed413
    case malformed414
    case malformed417
    case malformed421
    case malformed431
    case malformed501
    case malformed505
    case malformedOther
    case bytesIn
    case bytesOut
    case requestsTimedOut
    /// The client left before the response was written.
    case requestsAbandoned
    case loopTurns
    /// Nanoseconds the event loop worked, and waited.
    case loopActive
    case loopIdle
    case unhandledErrors
    /// CPU time of the isolate's thread, nanoseconds.
    case isolateCPU
    /// Requests that found no free slot.
    case slotsFull
    /// Observations that found no free series.
    case seriesFull
    case scheduledRuns
    case scheduledFailures
    /// Turns of the event loop longer than 50 ms.
    case loopStalls
    /// TLS handshakes that were completed, without and with an earlier session.
    case tlsHandshakes = 40
    case tlsResumptions
    /// Those that were not, by reason: what came was no handshake we take, plain HTTP, not in time, the client left.
    case tlsFailedProtocol
    case tlsFailedPlaintext
    case tlsFailedTimeout
    case tlsFailedClosed

    // Those that go up and down.
    case connectionsOpen = 48
    case timersActive
    case heapUsed
    case heapTotal
    case heapLimit
    case heapExternal
    case arrayBuffers
    case isolateWorkers
    /// Machine code and bytecode with their metadata, and texts of scripts outside of the heap. Bytes.
    case code
    case bytecode
    case externalScriptSource
    /// Bytes set aside for global handles, and in use by them.
    case globalHandles
    case globalHandlesUsed
    case nativeContexts
    /// Contexts that nothing but objects of theirs keeps alive.
    case detachedContexts
    /// Bytes that V8 itself has allocated outside of the heap.
    case malloced

    static let cells = 64
    /// Whether it is the value of now and not a sum since the start.
    public var isGauge: Bool { rawValue >= Self.connectionsOpen.rawValue }
    var offset: Int { BoardLayout.Header.counters + 8 * rawValue }
}

/// Kinds of garbage collection, as `v8js.gc.type` names them.
public enum BoardCollection: Int, CaseIterable, Sendable {
    case minor = 0, major, incremental, weakCallbacks
}

/// Methods by their index, as the worker's requestCells number them. 0 is any other. The last is of fetches only.
public enum BoardMethod {
    public static let names = [
        "_OTHER", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
    ]
    /// Those of requests that are served.
    public static let served = names[1..<BoardLayout.methods]
}

/// Bits of a request in flight.
public struct BoardRequestFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let sampled = BoardRequestFlags(rawValue: 1)
    public static let parentIsRemote = BoardRequestFlags(rawValue: 2)
    public static let https = BoardRequestFlags(rawValue: 4)
    /// The target did not fit.
    static let targetCut = BoardRequestFlags(rawValue: 8)
}

/// Which histogram a series belongs to.
public enum BoardSeriesKind: UInt8, CaseIterable, Sendable {
    case serverDuration = 1, clientDuration
}

/// The attributes of a series that are numbers, in one word.
public struct BoardSeriesHead: Hashable, Sendable {
    let word: UInt64

    /// - Parameters:
    ///   - method: index of `BoardMethod`.
    ///   - protocolVersion: 0 none, 1 "1.0", 2 "1.1", 3 "2", 4 "3".
    ///   - status: 0 when there was no response.
    ///   - port: of the server asked (client durations); 0 none.
    public init(
        _ kind: BoardSeriesKind, method: UInt8, status: UInt16, isHTTPS: Bool, protocolVersion: UInt8, port: UInt16 = 0
    ) {
        word =
            UInt64(method) | UInt64(isHTTPS ? 2 : 1) << 8 | UInt64(protocolVersion) << 16 | UInt64(status) << 32
            | UInt64(port) << 48 | UInt64(kind.rawValue) << 28
    }

    var kind: UInt8 { UInt8(truncatingIfNeeded: word >> 28 & 0xF) }
    /// As it lies in the series: byte 3 is the overflow mark.
    var stored: UInt64 { word & ~(0xFF << 24) }
}
