public import Engine
public import Policy

/// What the platform needs of the program that hosts it. All calls come on the isolate's thread, from within running JavaScript.
public protocol PlatformHost: AnyObject {
    /// End the run with this code. JavaScript is to run no further.
    func exit(code: Int32)
    /// Who read standard output has gone.
    func outputIsClosed()
    /// A text as it may be printed; nil: as it is.
    func masked(_ text: UnsafeRawBufferPointer) -> [UInt8]?
    /// (Re)arms the one timer: call `internal.timers.run` after so many milliseconds. Negative: disarm.
    func armTimer(milliseconds: Double)
    /// Call `internal.timers.runImmediates` at the next turn.
    func scheduleImmediates()
    /// The loop lives while the sum of all changes is above 0.
    func changeReferences(by delta: Int)
    /// What a turn ends with: microtasks, then rejections nobody handled.
    func runMicrotasks()
    /// Answer through `internal.fetch.head`, `.chunk`, `.drained` and `.end` or `.fail`. False: too many are under way.
    /// Throws what the program is to see when its policy does not allow it.
    func startFetch(_ fetch: FetchStart) throws(JSFailure) -> Bool
    /// More of a body that is pushed. False: wait for `internal.fetch.drained`.
    func writeFetch(_ id: Int, _ bytes: [UInt8]) -> Bool
    /// The pushed body is complete.
    func closeFetch(_ id: Int)
    /// So many bytes of the response were consumed.
    func resumeFetch(_ id: Int, byteCount: Int)
    /// Nothing more is to come.
    func abortFetch(_ id: Int)
    /// A fetch is over for the program, its redirects included. Its host and its error type, or "", are arguments 6 and 7. False: there is no board to count it on.
    func fetchEnded(_ end: FetchEnd, _ call: OpCall) -> Bool
    /// Load and run what an import() asked for; its tracing context is current.
    func continueImport(_ token: Int)
    /// A promise given to `ops.promiseSettled` has settled.
    func promiseSettled(_ token: Int, reason: Value?)
    /// What another thread calls with a job that has ended: `internal.jobs.ended` is to be told, in a turn. Nothing happens once the isolate ends.
    func cryptoEnd() -> @Sendable (CryptoJob) -> Void
    /// What the program may do.
    var policy: Policy { get }
    /// Throws what the program is to see when its policy does not allow it, and tells it.
    func check(_ access: Access) throws(JSFailure)
    /// Tells it alone, when the policy does not allow it.
    func note(_ access: Access)
    /// Another finding of a kind, about a permission or a limit: what `Telemetry.FindingCounter` counts.
    func countFinding(_ kind: String, _ name: String)
    /// JSON of the source map of a loaded script; nil when it has none.
    func sourceMap(ofScript name: String) -> [UInt8]?
    /// Readable once the run is to end: what blocks this thread waits for it too. Negative: there is none.
    var stopDescriptor: Int32 { get }
}

/// A request that JavaScript's `fetch` starts.
public struct FetchStart: Sendable {
    public enum Body: Sendable {
        case none
        case whole([UInt8])
        /// Comes by `writeFetch`.
        case pushed
        /// The same, but not as content: bytes of another protocol, once the answer is 101.
        case upgraded
    }

    public let id: Int
    public let method: String
    public let url: String
    /// Latin-1: `name:value` and a line feed each.
    public let headers: [UInt8]
    public let body: Body
}

/// What came of one `fetch`. Numbers are those of the board: docs/specs/board-format.md section 5.
public struct FetchEnd: Sendable {
    public let nanoseconds: Double
    public let method: UInt8
    public let isHTTPS: Bool
    /// 0: there was no answer.
    public let status: UInt16
    public let version: UInt8
    public let port: UInt16
}

/// The HTTP server of a worker that serves. Calls come from within running JavaScript; `slot` names a request in flight, and one that is over does nothing.
/// The texts and bytes are arguments of the call: they go from V8 to the socket's buffer without a stop.
public protocol HTTPHost: AnyObject {
    /// Status text, header lines and content are arguments 2 to 4. True: the kernel has all of it.
    func respond(_ slot: Int, status: Int, _ call: OpCall) -> Bool
    /// The same without content, whose length may be unknown (-1).
    func startResponse(_ slot: Int, status: Int, length: Int, _ call: OpCall)
    /// Content is argument 1. 1: go on, 0: wait for `internal.serve.drained`, -1: the client is gone.
    func send(_ slot: Int, _ call: OpCall) -> Int
    /// True: the kernel has all of it.
    func endResponse(_ slot: Int) -> Bool
    func abort(_ slot: Int)
    /// Answers with 101 and further header lines, argument 1; content is frames from then on. False: it cannot be done.
    func upgrade(_ slot: Int, _ call: OpCall) -> Bool
    /// A client that waits for `100 Continue` gets it.
    func askForContent(_ slot: Int)
    /// Asks for a piece of the request's content.
    func readContent(_ slot: Int)
    /// Writes attributes at `at` in the ring's memory; the next position, or -1.
    func putAttributes(_ slot: Int, at: Int, limit: Int) -> Int
    /// The record of the request is about to be committed; `ringHead`: the ring's head afterwards.
    func isEnding(_ slot: Int, ringHead: UInt32)
    /// What runs next is for the request in this slot; -1: for none.
    func goesOn(for slot: Int)
    /// The oldest note of what happened: the context that was current, or the slot of the turn as a number. Its kind and times go into the cells.
    func nextNote() -> Value?
    /// The request is over before its handler is: the place on the board where that shows, or -1.
    func outlives(_ slot: Int) -> Int
    /// The handler of such a request has come to its end. `place`: what `outlives` gave.
    func handlerEnded(_ slot: Int, place: Int)
    /// A text that belongs to the note just taken; empty: none.
    func noteText() -> String
    func setRoute(_ slot: Int, _ route: String)
    func setErrorType(_ slot: Int, _ type: String)
    /// What the module's `health` says: 1 pass, 2 warn, 3 fail.
    func setHealth(_ status: Int, _ reason: String)
    func scheduledRunEnded(isFailed: Bool)
}

/// WebAssembly modules on their way into V8, piece by piece. `stream` is what V8's own compileStreaming was called with (`Realm.pushWasm`).
public protocol WasmHost: AnyObject {
    /// Whether compiled code is kept between runs.
    var storesCode: Bool { get }
    /// The module of these bytes from stored code, at once; nil when there is none. Nobody else may change them meanwhile.
    func load(_ module: UnsafeRawBufferPointer) -> Value?
    func push(_ stream: UInt64, _ bytes: UnsafeRawBufferPointer)
    /// Whether stored code is used.
    func finish(_ stream: UInt64) -> Bool
    func abort(_ stream: UInt64, reason: Value)
}

/// Messages, and the child isolates that exchange them. Calls come from within running JavaScript; ports and workers go by numbers, and one that is
/// over does nothing.
public protocol MessageHost: AnyObject {
    /// Words that JavaScript and the host share; `MessageCell` says which. As long as the realm.
    var cells: UnsafeMutableRawBufferPointer { get }
    /// A new channel: its ports, the second in the cells.
    func makeChannel() -> Int
    /// Posts argument 1 with the transfer list at 2 and, as text of the context, 3; 4 refuses objects. False: the other end has too much waiting.
    func post(_ port: Int, _ call: OpCall) -> Bool
    /// The same to all other BroadcastChannels of the name that this one has.
    func postToChannels(_ channel: Int, _ call: OpCall) -> Bool
    /// Takes the oldest message that waits. -1: none, -2: none will ever come; else how many ports it brings.
    func take(_ port: Int) -> Int
    /// Makes the value of the message that was taken the result of the call; objects at argument 0, to be revived at 1.
    func read(_ call: OpCall)
    /// The text of the message that was taken.
    func text() -> String
    /// The n-th port of the message that was taken.
    func portTaken(_ index: Int) -> Int
    /// Makes argument 0 with the transfer list at 1 the message that was taken; 2 refuses objects. How many ports it brings; -1: an exception is pending.
    func write(_ call: OpCall) -> Int
    /// Messages are wanted.
    func enable(_ port: Int)
    func close(_ port: Int)
    /// A BroadcastChannel's number. Messages to all of the isolate's wait at `MessageCell.broadcasts`.
    func makeChannel(_ name: String) -> Int
    func closeChannel(_ channel: Int)
    /// Argument 1 is a Blob to be known by this URL. False: there are as many as there may be.
    func putBlob(_ url: String, _ call: OpCall) -> Bool
    /// Makes the Blob of this URL the result of the call, to be revived at argument 1. False: there is none.
    func blob(_ url: String, _ call: OpCall) -> Bool
    func revokeBlob(_ url: String)
    /// A child isolate, from its configuration as JSON; the port to it. Nil: there are as many as there may be.
    /// - Parameter source: of its script, when the URL is no file's.
    func startWorker(_ configuration: String, source: [UInt8]?) -> Int?
    /// How many there may be.
    var workersMax: Int { get }
    func terminateWorker(_ port: Int)
    /// Of a child: it ends after this turn.
    func closeSelf()
    /// Of a child: argument 0 is an error that nobody caught, told to the parent.
    func reportError(_ call: OpCall)
}

/// Words of `MessageHost.cells`. 47_messages.js has the same.
public enum MessageCell {
    /// The sender's context: eight words, from JavaScript when it posts, for JavaScript when it has taken.
    public static let context = 0
    /// What was taken: `Envelope.Kind`.
    public static let kind = 8
    /// The second port of a new channel: two words, low first.
    public static let secondPort = 10
    /// The BroadcastChannel that what was taken is for: two words, low first.
    public static let channel = 12
    /// What `take` calls the queue of all BroadcastChannels. No port has this number.
    public static let broadcasts = 0
    public static let byteCount = 64
}

/// What the ops of one realm work on; the `host` of `Realm.installOps`.
public final class OpHost {
    unowned let host: any PlatformHost
    /// The whole mapping of the ring, header included; nil when nobody reads along.
    let ring: UnsafeMutableRawBufferPointer?
    /// Comes with the first digest.
    private(set) lazy var hashes = HashTable()
    public let jobs: CryptoJobs
    /// Nil unless the worker serves, and before it does.
    public var http: (any HTTPHost)?
    public var messages: (any MessageHost)?
    /// Before the program runs. Not retained: it has the realm, which has this.
    public weak var wasm: (any WasmHost)?
    static let wasiInstancesMax = 64
    var wasiInstances: [Int: WASI] = [:]
    var lastWasi = 0
    /// WebSockets open at once.
    static let socketsMax = 1 << 16
    var sockets: [Int: SocketFrames] = [:]
    private(set) lazy var messageDeflate = MessageDeflate()
    var lastSocket = 0

    /// - Parameter host: not retained; must outlive the realm.
    public init(_ host: any PlatformHost, ring: UnsafeMutableRawBufferPointer?, cryptoUsage: CryptoUsage) {
        self.host = host
        self.ring = ring
        jobs = CryptoJobs(cryptoUsage)
    }
}

extension OpCall {
    var platform: OpHost { host(as: OpHost.self) }
}
