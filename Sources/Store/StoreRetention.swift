import GRDB

/// How much the store keeps. Oldest batches go first, whole.
public struct StoreRetention: Sendable, Equatable {
    /// Seconds since a batch was stored.
    public var ageSecondsMax = 7 * 24 * 3_600
    /// Pages in use, in bytes; the WAL comes on top (a few megabytes).
    public var bytesMax = 512 << 20

    public init() {}

    public init(ageSecondsMax: Int, bytesMax: Int) {
        self.ageSecondsMax = ageSecondsMax
        self.bytesMax = bytesMax
    }
}

/// Decides when a step of retention is due, and takes it: a short transaction that deletes a bounded amount.
struct RetentionRunner {
    /// A step deletes at most so many batches, and about so many bytes.
    static let stepBatchesMax = 256
    static let stepBytesMax = 16 << 20
    /// A step is due after so much was inserted, or so much time has passed. At full speed, steps thus delete faster than inserts add.
    static let dueBytes = 8 << 20
    static let dueNanoseconds: UInt64 = 10_000_000_000
    /// Free pages are given back to the file system, so many in a step, once they are more than this part of the file.
    static let vacuumPages = 128
    static let freePartMax = 4

    private let limits: StoreRetention
    private var inserted = 0
    private var lastStep: UInt64?

    init(_ limits: StoreRetention) { self.limits = limits }

    mutating func noteInserted(bytes: Int) { inserted += bytes }

    /// The first commit of a process is followed by a step, so that many short runs keep the bounds too.
    func isDue(_ now: UInt64) -> Bool {
        guard let lastStep else { return true }
        return inserted >= Self.dueBytes || now - lastStep >= Self.dueNanoseconds
    }

    /// Returns how many batches were deleted.
    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    mutating func step(_ db: Database, unixSeconds: Int, now: UInt64) throws -> Int {
        inserted = 0
        lastStep = now
        let pageBytes = try integer(db, "PRAGMA page_size")
        let pages = try integer(db, "PRAGMA page_count")
        let freePages = try integer(db, "PRAGMA freelist_count")
        let excess = (pages - freePages) * pageBytes - limits.bytesMax
        let last = try lastExpired(db, excess: excess, before: unixSeconds - limits.ageSecondsMax)
        var deleted = 0
        if let last {
            try db.inTransaction(.immediate) {
                try db.cachedStatement(sql: "DELETE FROM batch WHERE id <= ?").execute(arguments: [last])
                deleted = db.changesCount
                try db.cachedStatement(sql: "DELETE FROM body WHERE id <= ?").execute(arguments: [last])
                try db.cachedStatement(
                    sql: "DELETE FROM resource WHERE id NOT IN (SELECT resource_id FROM batch)"
                ).execute()
                return .commit
            }
        }
        try WordIndex.dropExpired(db)
        if freePages > pages / Self.freePartMax, freePages > Self.vacuumPages {
            // Another process may be writing; the next step comes anyway.
            try? db.execute(sql: "PRAGMA incremental_vacuum(\(Self.vacuumPages))")
        }
        return deleted
    }

    /// The last batch that has to go in this step. The newest batch always stays: its id keeps the ids of later ones growing, on
    /// which readers that follow rely.
    private func lastExpired(_ db: Database, excess: Int, before storedAt: Int) throws -> Int64? {
        let oldest = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT id, stored_at, bytes FROM batch WHERE id < (SELECT max(id) FROM batch)
                    ORDER BY id LIMIT \(Self.stepBatchesMax)
                    """))
        var last: Int64?
        var bytes = 0
        while let row = try oldest.next() {
            let isTooMuch = bytes < excess
            let isTooOld = (row[1] as Int) < storedAt
            guard isTooMuch || isTooOld, bytes < Self.stepBytesMax else { break }
            last = row[0]
            bytes += row[2] as Int
        }
        return last
    }

    private func integer(_ db: Database, _ sql: String) throws -> Int { try Int.fetchOne(db, sql: sql) ?? 0 }
}
