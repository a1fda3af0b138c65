// Most attributes of a program are the same few again and again: `http.request.method` is `GET`, and so on. In a record such an attribute is
// eight bytes, two ids or an id and a small number, which say all there is to it. So those eight bytes are the key under which its OTLP
// encoding is kept: a comparison and a copy take the place of two look-ups, three varints and two copies.

internal import Telemetry

/// The encodings of attributes that came lately, of one worker. Ids of strings mean the same for good, so nothing here goes stale.
struct AttributeMemo: ~Copyable {
    /// Longer encodings are not kept. Bytes, a multiple of 16.
    static let encodingBytesMax = 80
    private static let slotBits: UInt64 = 8
    /// The eight bytes of the record, the length, and the encoding.
    private static let slotBytes = 16 + encodingBytesMax

    private let slots: UnsafeMutableRawPointer

    init() {
        let bytes = Self.slotBytes << Self.slotBits
        slots = .allocate(byteCount: bytes, alignment: 16)
        // No attribute that is kept has a word of 0.
        slots.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    }

    deinit { slots.deallocate() }

    /// Whether the value is all in the word, and one that may well come again: an interned text, a bool, a small number. The key is the
    /// word's lower half.
    @inline(__always)
    static func isKept(_ word: UInt64) -> Bool {
        guard word & 0xFFFF_FFFF != 0, word & 0xFFFF_FFFF != UInt64(RecordLimits.emptyRef) else { return false }
        return switch word >> 32 & 15 {
        case 2, 3: true
        case 4: word >> 36 < 1024
        default: false
        }
    }

    /// Which slot two words share is for a hostile worker to choose; then they come in turn, and cost what they would without a memo.
    @inline(__always)
    private func slot(_ word: UInt64) -> UnsafeMutableRawPointer {
        slots + Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> (64 - Self.slotBits)) &* Self.slotBytes
    }

    /// Writes the attribute under `tag`, if it is known. `word` is one that `isKept`.
    @inline(__always)
    func write(_ word: UInt64, tag: UInt8, _ out: inout ProtobufWriter) -> Bool {
        let slot = slot(word)
        guard slot.load(as: UInt64.self) == word else { return false }
        out.ensureCapacity(Self.encodingBytesMax)
        out.storeBlocks(slot + 16, tag: tag, slot.load(fromByteOffset: 8, as: Int.self))
        return true
    }

    /// Keeps the encoding of `word`, its tag included.
    func keep(_ word: UInt64, _ encoding: UnsafeRawBufferPointer) {
        guard encoding.count <= Self.encodingBytesMax, let source = encoding.baseAddress else { return }
        let slot = slot(word)
        slot.storeBytes(of: word, as: UInt64.self)
        slot.storeBytes(of: encoding.count, toByteOffset: 8, as: Int.self)
        (slot + 16).copyMemory(from: source, byteCount: encoding.count)
    }
}
