// The memory in which native code tells JavaScript about the request it dispatches: 64 words, shared with 44_serve.js and 20_trace_server.js.

internal import Telemetry

struct RequestCells {
    /// Of the i32 view.
    enum Word {
        static let ids = 0
        static let bits = 8
        /// From JavaScript to `httpAttributes`: keys not to write, by their place in `RequestAttributes.Text`.
        static let ownKeys = 9
        /// Two words: an f64, ring time.
        static let start = 10
        static let method = 12
        /// Back to JavaScript from `httpAttributes`: how many were written.
        static let attributeCount = 13
        /// How many notes wait (TurnMonitor.swift), and the kind of the one that was taken.
        static let notes = 14
        static let noteKind = 15
        /// Two words each, an f64 of nanoseconds: when it began, how long it took.
        static let noteTime = 48
        static let noteDuration = 50
        /// From JavaScript, once: ids of the interned texts of `RequestAttributes.Text`.
        static let texts = 16
    }

    struct Bits: OptionSet {
        let rawValue: Int32
        static let sampled = Bits(rawValue: 1)
        static let parentIsRemote = Bits(rawValue: 2)
        static let hasTraceState = Bits(rawValue: 4)
        static let hasBaggage = Bits(rawValue: 8)
        static let hasBody = Bits(rawValue: 16)
        static let isHTTPS = Bits(rawValue: 32)
        static let isHTTP10 = Bits(rawValue: 64)
    }

    static let byteCount = 256

    /// Lives as long as the process: JavaScript has a buffer over it.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: RequestCells.byteCount, alignment: 16)

    init() { memory.initializeMemory(as: UInt8.self, repeating: 0) }

    @inline(__always)
    func store(_ value: Int32, at word: Int) { memory.storeBytes(of: value, toByteOffset: 4 * word, as: Int32.self) }
    @inline(__always)
    func load(_ word: Int) -> Int32 { memory.load(fromByteOffset: 4 * word, as: Int32.self) }

    func storeNote(_ kind: Int32, time: Double, duration: Double, left: Int) {
        store(Int32(left), at: Word.notes)
        store(kind, at: Word.noteKind)
        memory.storeBytes(of: time, toByteOffset: 4 * Word.noteTime, as: Double.self)
        memory.storeBytes(of: duration, toByteOffset: 4 * Word.noteDuration, as: Double.self)
    }

    func store(_ identity: RequestIdentity, bits: Bits, start: Double, method: UInt8) {
        identity.store(to: memory.baseAddress! + 4 * Word.ids)
        store(bits.rawValue, at: Word.bits)
        memory.storeBytes(of: start, toByteOffset: 4 * Word.start, as: Double.self)
        store(Int32(method), at: Word.method)
    }
}
