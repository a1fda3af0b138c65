// Reading: a query walks the small rows of `batch` (time range, trace keys), expands the bodies of those that can hold what it
// looks for, reads heads of items there, and decodes only what it returns. Memory is bounded by the query's limits, one
// expanded body, and some 40 bytes for each stored batch.

import Foundation
import GRDB
import Telemetry
import Wire

/// Reads the store of a directory, also while others write to it. Use one from one thread at a time.
public final class StoreReader {
    public let directory: String

    /// Batches that turned out to be damaged and were left out.
    public private(set) var damagedBatches = 0

    private var database: StoreDatabase
    /// By id. Bounded: emptied when full.
    private var resources: [Int64: Resource] = [:]
    private static let resourcesMax = 1_024

    /// Throws when there is no store, or none that can be read.
    public init(directory: String) throws(StoreError) {
        self.directory = directory
        database = try StoreDatabase.openForReading(directory)
    }

    /// Changes whenever another connection has committed. For readers that follow, cheap enough to ask ten times a second.
    /// A store that was moved or removed, with a new one in its place, is opened again.
    public func dataVersion() throws(StoreError) -> Int {
        if !database.isInPlace {
            database = try StoreDatabase.openForReading(directory)
            resources = [:]
        }
        let database = database
        return try StoreDatabase.catching(directory, .unreadable) {
            try database.queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
        }
    }

    /// Names of all services in the store, sorted.
    public func services() throws(StoreError) -> [String] {
        try read { db in
            try String.fetchAll(db, sql: "SELECT DISTINCT service FROM resource ORDER BY service")
        }
    }

    /// One consistent view of the store.
    func read<Result>(_ body: (Database) throws -> Result) throws(StoreError) -> Result {
        let database = database
        return try StoreDatabase.catching(directory, .unreadable) {
            // `withoutActuallyEscaping` is GRDB's business: `read` runs the closure before it returns.
            try database.queue.read(body)
        }
    }

    // MARK: rows

    /// A row of `batch` without its trace keys.
    struct Header {
        var id: Int64
        var maxTime: UInt64
        var resource: Int64
        /// Of the word index; 0: none has its words.
        var shard: Int64
    }

    /// Calls `body` with the headers of a signal's batches, oldest first, that can hold items of these times and traces.
    func forEachHeader(
        _ db: Database, _ signal: Signal, after: Int64 = 0, since: UInt64 = 0, until: UInt64 = .max,
        traces: ClosedRange<UInt64>? = nil, withErrors: Bool = false, _ body: (Header) throws -> Bool
    ) throws {
        let shard = database.version < 2 ? "0" : "shard"
        let columns = "id, max_time, resource_id, \(shard)" + (traces == nil ? "" : ", traces")
        let statement = try db.cachedStatement(
            sql: """
                SELECT \(columns) FROM batch
                WHERE id > ? AND signal = ? AND max_time >= ? AND min_time < ?\(withErrors ? " AND errors > 0" : "") ORDER BY id
                """)
        let rows = try Row.fetchCursor(
            statement,
            arguments: [after, Int64(signal.rawValue), Int64(clamping: since), Int64(clamping: until)])
        while let row = try rows.next() {
            if let traces {
                let isHit = try row.withUnsafeData(atIndex: 4) { data in
                    data?.withUnsafeBytes { TraceKey.contains($0, traces) } ?? false
                }
                if !isHit { continue }
            }
            let header = Header(
                id: row[0], maxTime: UInt64(max(row[1] as Int64, 0)), resource: row[2], shard: row[3])
            guard try body(header) else { return }
        }
    }

    /// Nil when the row is gone or damaged.
    func body(_ db: Database, _ id: Int64) throws -> BatchBody? {
        let statement = try db.cachedStatement(sql: "SELECT scopes, payload FROM body WHERE id = ?")
        let rows = try Row.fetchCursor(statement, arguments: [id])
        guard let row = try rows.next() else { return nil }
        let body = try row.withUnsafeData(atIndex: 0) { scopes in
            try row.withUnsafeData(atIndex: 1) { payload -> BatchBody? in
                guard let scopes, let payload else { return nil }
                return scopes.withUnsafeBytes { scopes in
                    payload.withUnsafeBytes { BatchBody(scopes: scopes, payload: $0) }
                }
            }
        }
        if body == nil { damagedBatches += 1 }
        return body
    }

    func noteDamage() { damagedBatches += 1 }

    func resource(_ db: Database, _ id: Int64) throws -> Resource {
        if let known = resources[id] { return known }
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT message, schema_url FROM resource WHERE id = ?"), arguments: [id])
        let resource = row.flatMap { row in
            try? OTLP.decodeResource([UInt8](row[0] as Data), schemaURL: row[1])
        }
        // One that is gone may come again.
        guard let resource else { return Resource() }
        if resources.count >= Self.resourcesMax { resources = [:] }
        resources[id] = resource
        return resource
    }

    static func scopes(of body: BatchBody) -> [InstrumentationScope] {
        body.scopes.map {
            (try? OTLP.decodeScope($0.message, schemaURL: $0.schemaURL)) ?? InstrumentationScope()
        }
    }
}
