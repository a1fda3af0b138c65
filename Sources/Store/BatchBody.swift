// `body.scopes` and `body.payload`.
//
// scopes: u32 count; per scope u32 length and an `InstrumentationScope` message, u32 length and the schema URL; then, when there is
// more than one, runs of items that share a scope: u16 scope, u32 items.
// payload: u8 method (0 as it is, 1 LZ4 block), three zero bytes, u32 expanded length, bytes. Expanded it is `Batch.bytes`: framed items.
// All integers are little-endian.

import Telemetry

/// The key under which a trace is found: the first eight bytes of its id, or the last eight of a 64-bit id (whose first are zero).
enum TraceKey {
    static func of(_ id: TraceID) -> UInt64 { id.high != 0 ? id.high : id.low }

    /// Whether the sorted array `keys` (u64, little-endian) holds one within `range`.
    static func contains(_ keys: UnsafeRawBufferPointer, _ range: ClosedRange<UInt64>) -> Bool {
        var low = 0
        var high = keys.count / 8
        while low < high {
            let middle = (low + high) / 2
            if key(keys, middle) < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return low < keys.count / 8 && key(keys, low) <= range.upperBound
    }

    private static func key(_ keys: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
        UInt64(littleEndian: keys.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    }
}

/// The content of one stored batch.
struct BatchBody {
    /// A stored block that claims to expand to more than this is damaged. Bytes.
    static let expandedBytesMax = 256 << 20
    static let payloadHeaderBytes = 8

    enum Method: UInt8 { case plain = 0, lz4 }

    struct ScopeRun: Equatable {
        var scope: UInt16
        var items: UInt32
    }

    var scopes: [Batch.Scope]
    var runs: [ScopeRun]
    /// Framed items, as in `Batch.bytes`.
    var bytes: [UInt8]

    /// Nil when the row is damaged.
    init?(scopes: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) {
        guard let (names, runs) = Self.decodeScopes(scopes), let bytes = Self.expand(payload) else { return nil }
        self.scopes = names
        self.runs = runs
        self.bytes = bytes
    }

    // MARK: scopes

    static func encodeScopes(_ scopes: [Batch.Scope], _ runs: [ScopeRun]) -> [UInt8] {
        var out: [UInt8] = []
        func put(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) } }
        put(UInt32(scopes.count))
        for scope in scopes {
            put(UInt32(scope.message.count))
            out.append(contentsOf: scope.message)
            put(UInt32(scope.schemaURL.utf8.count))
            out.append(contentsOf: scope.schemaURL.utf8)
        }
        guard scopes.count > 1 else { return out }
        for run in runs {
            withUnsafeBytes(of: run.scope.littleEndian) { out.append(contentsOf: $0) }
            put(run.items)
        }
        return out
    }

    static func decodeScopes(_ bytes: UnsafeRawBufferPointer) -> ([Batch.Scope], [ScopeRun])? {
        var offset = 0
        func integer() -> UInt32? {
            guard bytes.count - offset >= 4 else { return nil }
            defer { offset += 4 }
            return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        func block() -> UnsafeRawBufferPointer? {
            guard let length = integer(), Int(length) <= bytes.count - offset else { return nil }
            defer { offset += Int(length) }
            return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
        }
        guard let count = integer(), count <= UInt32(UInt16.max) + 1 else { return nil }
        var scopes: [Batch.Scope] = []
        for _ in 0..<count {
            guard let message = block(), let url = block() else { return nil }
            scopes.append(Batch.Scope(message: Array(message), schemaURL: String(decoding: url, as: UTF8.self)))
        }
        var runs: [ScopeRun] = []
        while bytes.count - offset >= 6 {
            let scope = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset += 2
            guard let items = integer(), Int(scope) < scopes.count else { return nil }
            runs.append(ScopeRun(scope: scope, items: items))
        }
        return offset == bytes.count ? (scopes, runs) : nil
    }

    // MARK: payload

    /// Fills the beginning of `out` (grown where needed) with header and compressed bytes, or with the bytes as they are where
    /// compressing gains nothing. Returns how many bytes those are.
    static func pack(
        _ bytes: UnsafeRawBufferPointer, _ compressor: borrowing BlockCompressor, into out: inout [UInt8]
    ) -> Int {
        precondition(bytes.count <= expandedBytesMax, "\(bytes.count) bytes in one row")
        let room = payloadHeaderBytes + BlockCompressor.bytesMax(bytes.count)
        if out.count < room { out = [UInt8](repeating: 0, count: room) }
        return out.withUnsafeMutableBytes { out in
            let body = UnsafeMutableRawBufferPointer(rebasing: out[payloadHeaderBytes...])
            var length = compressor.compress(bytes, into: body)
            var method = Method.lz4
            if length >= bytes.count {
                body.copyMemory(from: bytes)
                length = bytes.count
                method = .plain
            }
            out.storeBytes(of: UInt32(method.rawValue).littleEndian, as: UInt32.self)
            out.storeBytes(of: UInt32(bytes.count).littleEndian, toByteOffset: 4, as: UInt32.self)
            return payloadHeaderBytes + length
        }
    }

    static func expand(_ payload: UnsafeRawBufferPointer) -> [UInt8]? {
        guard payload.count >= payloadHeaderBytes, let method = Method(rawValue: payload[0]) else { return nil }
        let count = Int(UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        let body = UnsafeRawBufferPointer(rebasing: payload[payloadHeaderBytes...])
        guard count <= expandedBytesMax else { return nil }
        switch method {
        case .plain: return body.count == count ? Array(body) : nil
        case .lz4:
            var intact = false
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
                intact = BlockExpander.expand(
                    body, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(out)[..<count]))
                initialized = intact ? count : 0
            }
            return intact ? bytes : nil
        }
    }
}
