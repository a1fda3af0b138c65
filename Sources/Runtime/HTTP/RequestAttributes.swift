// The attributes of a server span that native code knows, written into the span's record in place: record-format.md section 3.
// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span>

internal import Glibc
internal import Telemetry
internal import Wire

/// Writes attributes into the ring's memory. Nothing is allocated.
struct RequestAttributes {
    /// Texts that come with every request. JavaScript interns them at the start, in this order (44_serve.js), and says under which ids.
    enum Text: Int, CaseIterable {
        case method, path, query, scheme, serverAddress, serverPort, clientAddress, peerAddress, peerPort,
            protocolVersion, userAgent, cpuTime, tlsVersion
        // The values of `method`, by the index of HTTP1Method.
        case other, get, head, post, put, delete, connect, options, trace, patch
        case http, https, version10, version11, tls12, tls13
    }

    private let cells: RequestCells
    /// A bit for each key that the program has set itself: its value stands.
    private let own: Int32
    private var at: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer
    /// UTF-16 units a text may have; nil: no limit but `textBytesMax`.
    private let textUnitsMax: Int?
    /// Takes secrets out of what is cut: nobody would know the beginning of one.
    private let workload: Workload
    private(set) var count: Int32 = 0
    private(set) var isFull = false

    private static let textBytesMax = 4096

    /// - Parameters:
    ///   - at: where the first attribute goes, 8-aligned.
    ///   - end: no byte from here on is touched.
    init(
        _ cells: RequestCells, at: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer, textUnitsMax: Int?,
        workload: Workload
    ) {
        self.cells = cells
        own = cells.load(RequestCells.Word.ownKeys)
        self.at = at
        self.end = end
        self.textUnitsMax = textUnitsMax
        self.workload = workload
    }

    /// Where the next one would go.
    var position: UnsafeMutableRawPointer { at }

    private func id(_ text: Text) -> UInt32 { UInt32(bitPattern: cells.load(RequestCells.Word.texts + text.rawValue)) }

    /// Key and tag; false when there is no room for them and `payload` bytes, or when the key is the program's.
    private mutating func open(_ key: Text, tag: UInt32, payload: Int) -> Bool {
        guard own & 1 << Int32(key.rawValue) == 0 else { return false }
        guard !isFull, end - at >= 8 + payload else {
            isFull = true
            return false
        }
        at.storeBytes(of: id(key), as: UInt32.self)
        at.storeBytes(of: tag, toByteOffset: 4, as: UInt32.self)
        at += 8
        count += 1
        return true
    }

    /// A value that is interned, too.
    mutating func put(_ key: Text, _ value: Text) { _ = open(key, tag: id(value) << 4 | 2, payload: 0) }

    mutating func put(_ key: Text, _ value: Int) {
        _ = open(key, tag: UInt32(bitPattern: Int32(truncatingIfNeeded: value) << 4) | 4, payload: 0)
    }

    mutating func put(_ key: Text, _ value: Double) {
        guard open(key, tag: 6, payload: 8) else { return }
        at.storeBytes(of: value, as: Double.self)
        at += 8
    }

    /// Bytes of a head: Latin-1, which become UTF-8.
    mutating func put(_ key: Text, latin1 bytes: UnsafeRawBufferPointer) {
        let bytesMax = min(textUnitsMax ?? .max, Self.textBytesMax)
        if bytes.count > bytesMax, let masked = workload.masked(bytes) {
            masked.withUnsafeBytes { put(key, latin1: UnsafeRawBufferPointer(rebasing: $0.prefix(bytesMax))) }
            return
        }
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(bytesMax))
        var wide = 0
        for byte in bytes where byte >= 0x80 { wide += 1 }
        let length = bytes.count + wide
        let padded = (length + 7) & ~7
        guard open(key, tag: UInt32(length) << 4 | 1, payload: padded) else { return }
        if wide == 0 {
            if let source = bytes.baseAddress { memcpy(at, source, length) }
        } else {
            var out = at
            for byte in bytes {
                if byte < 0x80 {
                    out.storeBytes(of: byte, as: UInt8.self)
                    out += 1
                } else {
                    out.storeBytes(of: 0xC0 | byte >> 6, as: UInt8.self)
                    out.storeBytes(of: 0x80 | byte & 0x3F, toByteOffset: 1, as: UInt8.self)
                    out += 2
                }
            }
        }
        at += padded
    }
}
