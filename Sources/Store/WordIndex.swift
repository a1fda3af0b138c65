// Which batches of logs a word is in, by SQLite's FTS5 (<https://www.sqlite.org/fts5.html>).
//
// A row of the index is a batch, not a record: a row a record would cost the writer microseconds each. It has the batch's distinct words, and says which batches to
// read; what is in these is then compared exactly (SearchMatcher). So the index keeps neither text, nor places, nor lengths.
//
// Without its text FTS5 cannot forget a row (SQLite before 3.43). So the index is cut into shards, a table `words_N` each, with as many batches as come until a shard
// is full, and retention drops a table when all of its batches have gone. `batch.shard` says which one has a batch's words: 0, none does, and the batch is read
// whatever is sought. Such batches are those of version 1, those that came faster than they might be indexed (IndexBudget), and those with too many words.

import GRDB

/// The index as one writer sees it.
struct WordIndex {
    /// A new shard is begun when the words given to the last are about so many bytes.
    let shardBytesMax: Int
    private let collector = WordCollector()
    /// Of the transaction under way.
    private var open: (shard: Int64, bytes: Int, last: Int64)?
    /// Inserts into the shard's table. Not left to GRDB, which would keep those of all shards there ever were.
    private var statement: (shard: Int64, insert: Statement)?

    init(shardBytesMax: Int) { self.shardBytesMax = shardBytesMax }

    static func table(_ shard: Int64) -> String { "words_\(shard)" }

    /// The shard for a row's words, and these. Nil: it is not indexed. In a transaction.
    mutating func words(of row: RowBuilder, _ db: Database) throws -> (shard: Int64, text: String)? {
        guard row.signal == .logs, let text = collector.words(of: row.bytes) else { return nil }
        return (try shard(db), text)
    }

    private mutating func shard(_ db: Database) throws -> Int64 {
        if let open, open.bytes < shardBytesMax { return open.shard }
        try close(db)
        // Not remembered from transaction to transaction: other processes write and drop, too.
        let last = try Row.fetchOne(db.cachedStatement(sql: "SELECT id, bytes FROM shard ORDER BY id DESC LIMIT 1"))
        if let last, (last[1] as Int) < shardBytesMax {
            open = (last[0], last[1], 0)
            return last[0]
        }
        let shard = (last.map { $0[0] as Int64 } ?? 0) + 1
        let table = Self.table(shard)
        try db.execute(
            sql: """
                CREATE VIRTUAL TABLE \(table) USING fts5(words, content='', detail=none, columnsize=0, tokenize='ascii');
                INSERT INTO shard(id, last_batch, bytes) VALUES (\(shard), 0, 0)
                """)
        open = (shard, 0, 0)
        return shard
    }

    mutating func insert(_ text: String, batch: Int64, _ db: Database) throws {
        guard let shard = open?.shard else { preconditionFailure("words of batch \(batch) have no shard") }
        if statement?.shard != shard {
            statement = (
                shard, try db.makeStatement(sql: "INSERT INTO \(Self.table(shard))(rowid, words) VALUES (?, ?)")
            )
        }
        try statement?.insert.execute(arguments: [batch, text])
        open?.bytes += text.utf8.count
        open?.last = batch
    }

    /// Before the transaction ends.
    mutating func close(_ db: Database) throws {
        guard let (shard, bytes, last) = open else { return }
        open = nil
        guard last > 0 else { return }
        try db.cachedStatement(sql: "UPDATE shard SET last_batch = ?, bytes = ? WHERE id = ?")
            .execute(arguments: [last, bytes, shard])
    }

    /// The transaction has failed.
    mutating func abandon() { open = nil }

    /// Drops a shard all of whose batches have gone; one at a time, for a step of retention is short.
    static func dropExpired(_ db: Database) throws {
        guard try expired(db) != nil else { return }
        try db.inTransaction(.immediate) {
            // Another process may have done it, and may have begun a shard of that number since.
            if let expired = try expired(db) {
                try db.execute(sql: "DROP TABLE IF EXISTS \(table(expired)); DELETE FROM shard WHERE id = \(expired)")
            }
            return .commit
        }
    }

    private static func expired(_ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT id FROM shard WHERE last_batch < (SELECT min(id) FROM batch) ORDER BY id LIMIT 1"))
    }
}

/// Which batches can hold what is sought. For one look through the store.
final class WordCandidates {
    /// In FTS5's language; nil: every batch can.
    private let expression: String?
    /// By shard. Nil: its table cannot be read.
    private var batches: [Int64: Set<Int64>?] = [:]

    init(_ query: SearchQuery) { expression = query.expression }

    func contain(_ header: StoreReader.Header, _ db: Database) -> Bool {
        guard let expression, header.shard != 0 else { return true }
        if let known = batches[header.shard] { return known?.contains(header.id) ?? true }
        let table = WordIndex.table(header.shard)
        // A damaged index makes a search slow, not wrong.
        let found = try? Set(
            Int64.fetchAll(db, sql: "SELECT rowid FROM \(table) WHERE \(table) MATCH ?", arguments: [expression]))
        batches[header.shard] = .some(found)
        return found?.contains(header.id) ?? true
    }
}
