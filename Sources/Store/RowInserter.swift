import Foundation
import GRDB
import Telemetry
import Wire

/// Inserts rows. Belongs to one connection.
struct RowInserter {
    private let compressor = CompressorBox()
    /// Reused; only its beginning is in use.
    private var payload: [UInt8] = []
    private var index: WordIndex
    /// Log records of the last call of `insert` whose words are not in the index.
    private(set) var unindexedLogs = 0

    /// - Parameter shardBytesMax: of the word index.
    init(shardBytesMax: Int) { index = WordIndex(shardBytesMax: shardBytesMax) }

    /// One transaction. Returns the bytes that the rows take.
    /// - Parameter indexing: whether their words are put into the index.
    mutating func insert(_ rows: [RowBuilder], _ db: Database, storedAt: Int, indexing: Bool) throws -> Int {
        var stored = 0
        // Of a transaction that failed.
        index.abandon()
        unindexedLogs = 0
        try db.inTransaction(.immediate) {
            for row in rows { stored += try insert(row, db, storedAt: storedAt, indexing: indexing) }
            try index.close(db)
            return .commit
        }
        return stored
    }

    private mutating func insert(
        _ row: RowBuilder, _ db: Database, storedAt: Int, indexing: Bool
    ) throws -> Int {
        let resource = try resourceID(row, db)
        let words = indexing ? try index.words(of: row, db) : nil
        if words == nil, row.signal == .logs { unindexedLogs += row.items }
        let traces = row.traces()
        let scopes = BatchBody.encodeScopes(row.scopes, row.runs)
        let packed = row.bytes.withUnsafeBytes { BatchBody.pack($0, compressor.value, into: &payload) }
        let bytes = traces.count + scopes.count + packed

        let batch = try db.cachedStatement(
            sql: """
                INSERT INTO batch(signal, stored_at, min_time, max_time, items, errors, bytes, resource_id, traces, shard)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        let minTime = row.minTime > row.maxTime ? 0 : row.minTime
        try batch.execute(
            arguments: [
                Int64(row.signal.rawValue), Int64(storedAt), Int64(clamping: minTime), Int64(clamping: row.maxTime),
                Int64(row.items), Int64(row.errors), Int64(bytes), resource, Data(traces),
                words?.shard ?? 0,
            ])
        let id = db.lastInsertedRowID
        let body = try db.cachedStatement(sql: "INSERT INTO body(id, scopes, payload) VALUES (?, ?, ?)")
        try payload.withUnsafeMutableBytes { payload in
            // SQLite copies the bytes into its pages during the call.
            let data = Data(bytesNoCopy: payload.baseAddress!, count: packed, deallocator: .none)
            try body.execute(arguments: [id, Data(scopes), data])
        }
        if let words { try index.insert(words.text, batch: id, db) }
        return bytes
    }

    /// Finds or makes the row of a resource. Its id is a hash of its content, the next free one where two hashes meet.
    private func resourceID(_ row: RowBuilder, _ db: Database) throws -> Int64 {
        let find = try db.cachedStatement(sql: "SELECT message, schema_url FROM resource WHERE id = ?")
        // Not remembered from row to row: another process's retention may delete it at any time.
        var id = Self.hash(row.resource, row.resourceSchemaURL)
        while let found = try Row.fetchOne(find, arguments: [id]) {
            if found[0] as Data == Data(row.resource), found[1] as String == row.resourceSchemaURL {
                return id
            }
            id = id == .max ? 1 : id + 1
        }
        let service = (try? OTLP.decodeResource(row.resource))?.serviceName ?? Resource().serviceName
        try db.cachedStatement(sql: "INSERT INTO resource(id, schema_url, message, service) VALUES (?, ?, ?, ?)")
            .execute(arguments: [id, row.resourceSchemaURL, Data(row.resource), service])
        return id
    }

    /// FNV-1a, cut to 1 ... 2^63 - 1.
    static func hash(_ message: [UInt8], _ schemaURL: String) -> Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in message { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for byte in schemaURL.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return max(Int64(hash >> 1), 1)
    }
}

/// Lets a copyable struct own a compressor.
private final class CompressorBox {
    let value = BlockCompressor()
}
