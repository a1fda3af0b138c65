import Telemetry
import Testing
import Wire

@testable import Store

@Suite struct WordsTests {
    private func words(_ text: String) -> [String] {
        var found: [String] = []
        var text = text
        text.withUTF8 {
            Words.forEach(UnsafeRawBufferPointer($0)) { found.append(String(decoding: $0, as: UTF8.self)) }
        }
        return found
    }

    @Test func wordsAreRunsOfLettersAndDigitsInLowerCase() {
        #expect(words("") == [])
        #expect(words(" -- \n") == [])
        #expect(words("GET /api/Orders?id=42 200") == ["get", "api", "orders", "id", "42", "200"])
        #expect(words("user_id: x.y") == ["user", "id", "x", "y"])
        #expect(words("ÄRGER Straße “quoted”\u{A0}end…") == ["ärger", "straße", "quoted", "end"])
        #expect(words("ΑΒΓ→дом") == ["αβγ", "дом"])
    }

    @Test func punctuationOfOtherScriptsSeparates() {
        #expect(words("用户ID：abc，status：ok（timeout）！") == ["用", "户", "id", "abc", "status", "ok", "timeout"])
        #expect(words("\u{FEFF}begin") == ["begin"], "a byte order mark")
        #expect(words("خطأ، فشل؟ نعم؛") == ["خطأ", "فشل", "نعم"])
        #expect(words("हिन्दी।") == ["हिन्दी"], "marks are of the word")
        #expect(words("ﾃｽﾄ ＡＢ１") == ["ﾃｽﾄ", "ａｂ１"])
        #expect(words("cafe\u{301} gr\u{FFFD}n") == ["cafe\u{301}", "gr\u{FFFD}n"])
    }

    @Test func charactersThatNothingSeparatesAreWordsOfTheirOwn() {
        #expect(words("価格計算。ok") == ["価", "格", "計", "算", "ok"])
        #expect(words("a価b 한국") == ["a", "価", "b", "한", "국"])
        #expect(words("paid🛒twice") == ["paid", "🛒", "twice"])
    }

    @Test func ofALongWordTheFirstBytesCount() {
        #expect(words(String(repeating: "A", count: 100_000)) == [String(repeating: "a", count: 64)])
        #expect(words("x" + String(repeating: "Ж", count: 50_000)) == ["x" + String(repeating: "ж", count: 31)])
    }

    @Test func bytesThatAreNoTextDoNoHarm() {
        var random = SeededGenerator(seed: 3)
        for length in 0..<400 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes.withUnsafeBytes { bytes in
                Words.forEach(bytes) { #expect((1...Words.bytesMax).contains($0.count)) }
            }
        }
    }
}

@Suite struct SearchQueryTests {
    private func matches(_ query: String, _ text: String, _ attributes: Attributes = []) throws -> Bool {
        var record = log(text)
        record.attributes = attributes
        let query = try SearchQuery(parsing: query)
        let isFound = SearchMatcher(query).matches(record)
        var writer = ProtobufWriter(capacity: 512)
        OTLP.encode(log: record, into: &writer)
        let isFoundInBytes = writer.takeBytes().withUnsafeBytes { SearchMatcher(query).matches(ProtobufReader($0)) }
        #expect(isFound == isFoundInBytes, "\(text)")
        return isFound
    }

    @Test func allWordsHaveToBeThere() throws {
        #expect(try matches("timeout REDIS", "Redis: timeout after 3 s"))
        #expect(try !matches("timeout redis", "timeout after 3 s"))
        #expect(try !matches("time", "timeout"))
        #expect(try matches("timeout redis", "timeout", [Attribute("db", "redis")]), "in several texts")
        #expect(try !matches("db", "timeout", [Attribute("db", "redis")]), "keys are none")
    }

    @Test func phrasesStandInOneTextInTheirOrder() throws {
        #expect(try matches("\"connection refused\"", "got: connection, refused!"))
        #expect(try !matches("\"connection refused\"", "refused connection"))
        #expect(try !matches("\"connection refused\"", "connection was refused"))
        #expect(try !matches("\"connection refused\"", "connection", [Attribute("a", "refused")]))
        #expect(try matches("\"a a b\"", "a a a b"), "a beginning within a beginning")
        #expect(try matches("user_id=42", "login user_id=42 ok"))
        #expect(try !matches("user_id=42", "login user_id=421 ok"))
        #expect(try matches("価格", "その価格は"))
    }

    @Test func prefixesAndExclusions() throws {
        #expect(try matches("time*", "timeout"))
        #expect(try matches("\"connection ref\"*", "connection refused"))
        #expect(try !matches("\"connection ref\"*", "connections refused"))
        #expect(try matches("error -timeout", "error: refused"))
        #expect(try !matches("error -timeout", "error: timeout"))
        #expect(try matches("error NOT timeout", "error: refused"))
        #expect(try matches("-timeout", "fine"))
    }

    @Test func alternativesAndGroups() throws {
        #expect(try matches("a OR b c", "a"))
        #expect(try matches("a OR b c", "b c"))
        #expect(try !matches("a OR b c", "b"))
        #expect(try matches("(a OR b) AND c", "b c"))
        #expect(try !matches("(a OR b) AND c", "a"))
        #expect(try matches("c -(a OR b)", "c"))
        #expect(try !matches("c -(a OR b)", "c b"))
    }

    @Test func nestedValuesAndStacksAreSearched() throws {
        let nested: Attributes = [
            Attribute("error", .map([Attribute("inner", .array(["deep needle"]))])),
            Attribute("exception.stacktrace", "TypeError: x\n    at total (src/cart.ts:12:19)"),
        ]
        #expect(try matches("\"deep needle\"", "", nested))
        #expect(try matches("src/cart.ts", "", nested))
    }

    @Test func mistakesAreNamed() {
        let cases = [
            ("", "a word is missing"), ("   ", "a word is missing"), ("***", "no letter or digit"),
            ("\"open", "quotation mark is not closed"), ("(a", "( without its )"), ("a)", ") without its ("),
            ("a OR", "a word is missing"), ("OR a", "OR stands between"), ("a AND AND b", "AND stands between"),
            ("- -a", "\"not\" twice"), ("()", "a word is missing"), ("a -", "a word is missing"),
            (String(repeating: "(", count: 17), "nested deeper"),
            (String(repeating: "a ", count: 65), "more than 64 words"),
            (String(repeating: "a", count: 5_000), "longer than 4096 bytes"),
        ]
        for (text, part) in cases {
            #expect(throws: SearchQuery.Problem.self, "\(text)") { try SearchQuery(parsing: text) }
            do { _ = try SearchQuery(parsing: text) } catch {
                #expect(error.description.contains(part), "\(text): \(error)")
            }
        }
    }

    /// Against a dumb model, with words of few letters.
    @Test func theMatcherAgreesWithAModel() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<2_000 {
            func words(_ bounds: ClosedRange<Int>) -> [String] {
                (0..<Int.random(in: bounds, using: &random)).map { _ in
                    ["a", "b", "ab"].randomElement(using: &random)!
                }
            }
            let text = words(0...12)
            let phrase = words(1...4)
            let isPrefix = Bool.random(using: &random)
            let expected = text.indices.contains { start in
                start + phrase.count <= text.count
                    && phrase.indices.allSatisfy { index in
                        let word = text[start + index]
                        return isPrefix && index == phrase.count - 1
                            ? word.hasPrefix(phrase[index]) : word == phrase[index]
                    }
            }
            let query = "\"\(phrase.joined(separator: " "))\"" + (isPrefix ? "*" : "")
            #expect(try matches(query, text.joined(separator: " ")) == expected, "\(query) in \(text)")
        }
    }
}

@Suite struct SearchTests {
    private let directory = TemporaryDirectory()

    /// Returns how many records are not in the index.
    @discardableResult
    private func store(_ batches: [Batch], _ change: (inout StoreWriter.Options) -> Void = { _ in }) -> Int {
        var options = StoreWriter.Options()
        change(&options)
        var unindexed = 0
        for batch in batches {
            let writer = StoreWriter(directory: directory.path, options: options)
            writer.append(batch)
            unindexed += writer.close().unindexedLogs
        }
        return unindexed
    }

    private func query(_ search: String) throws -> LogQuery {
        var query = LogQuery()
        query.search = try SearchQuery(parsing: search)
        return query
    }

    private func found(_ search: String) throws -> [String] {
        var found: [String] = []
        _ = try StoreReader(directory: directory.path).logs(query(search)) {
            found.append($0.record.body.string ?? "")
            return true
        }
        return found
    }

    private func database() throws -> StoreDatabase {
        try .openForWriting(directory.path, busyTimeoutMilliseconds: 5_000)
    }

    private func shards() throws -> [Int64] {
        try database().queue.read { try Int64.fetchAll($0, sql: "SELECT shard FROM batch ORDER BY id") }
    }

    @Test func recordsAreFoundByTheirWords() throws {
        store([
            Batch([log("order 12 paid"), log("order 13 refused: no money")], resource: shop),
            Batch([span(traceID(1), 1, "order 13")], resource: shop),
            Batch([log("stock of 13 refused"), log("Größe 価格")], resource: stock),
        ])
        #expect(try found("refused") == ["order 13 refused: no money", "stock of 13 refused"])
        #expect(try found("order ref*") == ["order 13 refused: no money"])
        #expect(try found("\"13 refused\" -stock") == ["order 13 refused: no money"])
        #expect(try found("paid OR money") == ["order 12 paid", "order 13 refused: no money"])
        #expect(try found("GRÖSSE") == [])
        #expect(try found("größe 価格") == ["Größe 価格"])
        #expect(try found("nothing") == [])
        #expect(try found("-order") == ["stock of 13 refused", "Größe 価格"])
        #expect(try shards() == [1, 0, 1])
    }

    @Test func onlyBatchesThatCanHoldItAreRead() throws {
        store([Batch([log("alpha")], resource: shop), Batch([log("beta")], resource: shop)])
        // What is damaged is counted when it is read.
        try database().queue.inDatabase { try $0.execute(sql: "UPDATE body SET payload = x'0000' WHERE id = 1") }
        let reader = try StoreReader(directory: directory.path)
        #expect(try reader.lastLogs(query("beta"), count: 5).logs.count == 1)
        #expect(reader.damagedBatches == 0)
        #expect(try reader.lastLogs(query("alpha"), count: 5).logs.isEmpty)
        #expect(reader.damagedBatches == 1)
    }

    @Test func aStoreOfVersionOneIsReadAndBroughtUpToDate() throws {
        store([Batch([log("old needle")], resource: shop)])
        let first = try database()
        try first.queue.inDatabase { db in
            try db.execute(
                sql: """
                    DROP TABLE words_1; DROP TABLE shard; ALTER TABLE batch DROP COLUMN shard; PRAGMA user_version = 1
                    """)
        }
        let reader = try StoreReader(directory: directory.path)
        #expect(try reader.lastLogs(query("needle"), count: 5).logs.count == 1)
        store([Batch([log("new needle")], resource: shop)])
        #expect(try reader.lastLogs(query("needle"), count: 5).logs.count == 2, "opened before")
        #expect(try found("needle") == ["old needle", "new needle"])
        #expect(try shards() == [0, 1])
        let version = try database().queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(version == 2)
    }

    @Test func withoutAnIndexEverythingIsRead() throws {
        #expect(store([Batch([log("plain needle")], resource: shop)]) { $0.indexesWords = false } == 0)
        #expect(try shards() == [0])
        #expect(try found("needle") == ["plain needle"])
    }

    @Test func aBatchWithTooManyWordsIsNotIndexedAndFoundAllTheSame() throws {
        let hostile = (0..<100_000).map { "w\($0)" }.joined(separator: " ")
        let unindexed = store([Batch([log(hostile), log("needle")], resource: shop)])
        #expect((1...2).contains(unindexed))
        #expect(try shards().last == 0 || shards().contains(0))
        #expect(try found("needle") == ["needle"])
        #expect(try found("w99999").count == 1)
    }

    @Test func batchesThatComeFasterThanTheyCanBeIndexedAreStoredAllTheSame() throws {
        var budget = IndexBudget(share: 0.5)
        let atFirst = budget.hasRoom(1_000)
        budget.take(UInt64(IndexBudget.savedMax) + 100)
        let later = [1_100, 1_202].map { budget.hasRoom($0) }
        budget.take(500)
        let last = budget.hasRoom(1_203)
        #expect([atFirst] + later + [last] == [true, false, true, false])
        store([Batch([log("first needle")], resource: shop)]) { $0.indexShareMax = 0 }
        #expect(try shards() == [1], "what is saved up is used")
        #expect(try found("needle") == ["first needle"])
    }

    @Test func whatAttributesSayAgainIsFoundInEveryBatch() throws {
        func record(_ text: String, _ value: String) -> LogRecord {
            var record = log(text)
            record.attributes = [Attribute("a", .string(value)), Attribute("b", "")]
            return record
        }
        store([
            Batch([record("x", "same one"), record("y", "same one"), record("same one", "z")], resource: shop),
            Batch([record("x", "same one"), record("x", "same two")], resource: shop),
        ])
        #expect(try found("same one") == ["x", "y", "same one", "x"])
        #expect(try found("z") == ["same one"])
        #expect(try found("two") == ["x"])
    }

    @Test func aDamagedIndexMakesItSlowAndNotWrong() throws {
        store([Batch([log("needle")], resource: shop)])
        try database().queue.inDatabase { try $0.execute(sql: "UPDATE words_1_data SET block = x'FFFFFFFFFFFFFFFF'") }
        #expect(try found("needle") == ["needle"])
    }

    @Test func shardsGoWithTheirBatches() throws {
        var options = StoreWriter.Options()
        options.retention = StoreRetention(ageSecondsMax: 1 << 40, bytesMax: 1 << 20)
        options.rowBytes = 16 << 10
        var random = SeededGenerator(seed: 5)
        for round in 0..<12 {
            let writer = StoreWriter(directory: directory.path, options: options)
            for number in 0..<20 {
                let words = (0..<150).map { _ in String(UInt64.random(in: 0...(.max), using: &random), radix: 36) }
                writer.append(Batch([log("r\(round)n\(number) " + words.joined(separator: " "))], resource: shop))
                writer.flush()
            }
            writer.close()
        }
        let tables = try database().queue.inDatabase { db in
            var runner = RetentionRunner(options.retention)
            for _ in 0..<20 { _ = try runner.step(db, unixSeconds: 0, now: 5) }
            return try (
                Int64.fetchAll(db, sql: "SELECT id FROM shard ORDER BY id"),
                Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'") ?? 0,
                Int64.fetchOne(db, sql: "SELECT min(shard) FROM batch") ?? 0,
                (Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0)
                    - (Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0)
            )
        }
        #expect(tables.0.first! > 1, "the first have gone")
        #expect(tables.0.count == tables.1)
        #expect(tables.0.first! == tables.2)
        #expect(tables.3 * StoreDatabase.pageBytes <= 1 << 20)
        #expect(try found("r11n19").count == 1)
        #expect(try found("r0n0").isEmpty)
    }

    /// A transaction has both or neither: what a full disk took back is not in the index, and what is stored is.
    @Test func batchesAndTheirWordsAreStoredTogether() throws {
        var options = StoreWriter.Options()
        options.pagesMax = 60
        options.rowBytes = 4_096
        options.groupBytes = 4_096
        let writer = StoreWriter(directory: directory.path, options: options)
        var random = SeededGenerator(seed: 6)
        for number in 0..<150 {
            let words = (0..<400).map { _ in String(UInt64.random(in: 0...(.max), using: &random), radix: 36) }
            writer.append(Batch([log("n\(number) " + words.joined(separator: " "))], resource: shop))
            writer.flush()
        }
        let counts = writer.close().logs
        #expect(counts.stored > 0 && counts.dropped > 0)
        let stored = Set(try found("n*").map { $0.prefix { $0 != " " } })
        #expect(stored.count == counts.stored)
        for number in 0..<150 {
            #expect(try found("n\(number)").count == (stored.contains("n\(number)") ? 1 : 0), "\(number)")
        }
        let integrity = try database().queue.read { db in
            try Int64.fetchAll(db, sql: "SELECT id FROM shard ORDER BY id").map { shard in
                let table = WordIndex.table(shard)
                let last = try Int64.fetchOne(db, sql: "SELECT last_batch FROM shard WHERE id = ?", arguments: [shard])
                let inTable = try Int64.fetchOne(
                    db, sql: "SELECT max(rowid) FROM \(table) WHERE \(table) MATCH 'n*'")
                let inBatch = try Int64.fetchOne(
                    db, sql: "SELECT max(id) FROM batch WHERE shard = ?", arguments: [shard])
                return last == inBatch && inTable == inBatch
            }
        }
        #expect(!integrity.isEmpty && integrity.allSatisfy { $0 })
    }

    @Test func severalWritersShareAShard() throws {
        let writers = (0..<3).map { _ in StoreWriter(directory: directory.path) }
        for round in 0..<5 {
            for (number, writer) in writers.enumerated() {
                writer.append(Batch([log("round \(round) writer \(number)")], resource: shop))
                writer.flush()
            }
        }
        for writer in writers { writer.close() }
        #expect(try found("\"writer 1\"").count == 5)
        #expect(try Set(shards()) == [1])
    }

    /// A reader that takes its time, as a pager does, must not keep the write-ahead log from beginning anew.
    @Test func noTransactionIsOpenWhileRecordsAreTaken() throws {
        store([Batch([log("one")], resource: shop), Batch([log("two")], resource: shop)])
        let other = try StoreDatabase.openForWriting(directory.path, busyTimeoutMilliseconds: 50)
        var busy: [Int?] = []
        _ = try StoreReader(directory: directory.path).logs(LogQuery()) { _ in
            busy.append(try other.queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") })
            return true
        }
        #expect(busy == [0, 0])
    }

    /// By retention, while a reader takes its time.
    @Test func batchesThatGoMeanwhileAreLeftOut() throws {
        store([
            Batch([log("one")], resource: shop), Batch([log("two")], resource: stock),
            Batch([log("three")], resource: shop),
        ])
        let other = try database()
        let reader = try StoreReader(directory: directory.path)
        var found: [String] = []
        _ = try reader.logs(LogQuery()) { log in
            found.append(log.record.body.string ?? "")
            if found.count == 1 {
                try other.queue.inDatabase { db in
                    try db.execute(
                        sql: """
                            DELETE FROM batch WHERE id = 2; DELETE FROM body WHERE id = 2;
                            DELETE FROM resource WHERE service = 'stock'
                            """)
                }
            }
            return true
        }
        #expect(found == ["one", "three"])
        #expect(reader.damagedBatches == 0)
        store([Batch([log("four")], resource: stock)])
        #expect(try reader.lastLogs(LogQuery(), count: 1).logs.map(\.resource.serviceName) == ["stock"])
    }

    // MARK: pages

    @Test func pagesGoBackInTimeAndMeetNothingTwice() throws {
        store([
            Batch((0..<50).map { log("a\($0)", at: $0 / 3) }, resource: shop),
            Batch((0..<50).map { log("b\($0)", at: $0 / 2) }, resource: stock),
        ])
        let reader = try StoreReader(directory: directory.path)
        var all: [(UInt64, String)] = []
        var position: LogPosition?
        var pages = 0
        repeat {
            let page = try reader.logs(LogQuery(), before: position, count: 7, bytesMax: 1 << 20)
            #expect(page.logs.count <= 7)
            all += page.logs.map { ($0.time, $0.record.body.string ?? "") }
            position = page.next.flatMap { LogPosition(parsing: $0.text) }
            pages += 1
        } while position != nil && pages < 100
        #expect(all.map(\.0) == all.map(\.0).sorted(by: >))
        #expect(Set(all.map(\.1)).count == 100)
        #expect(all.count == 100)
        #expect(pages == 15)
    }

    @Test func aPageIsBoundedInBytesAndHasOneRecordAtLeast() throws {
        let large = String(repeating: "x", count: 10_000)
        store([Batch((0..<10).map { log("\($0) \(large)", at: $0) }, resource: shop)])
        let reader = try StoreReader(directory: directory.path)
        #expect(try reader.logs(LogQuery(), before: nil, count: 100, bytesMax: 35_000).logs.count == 3)
        let small = try reader.logs(LogQuery(), before: nil, count: 100, bytesMax: 5)
        #expect(small.logs.count == 1)
        let rest = try reader.logs(LogQuery(), before: small.next, count: 100, bytesMax: 1 << 20)
        #expect(rest.logs.count == 9)
        #expect(rest.next == nil)
    }

    @Test func positionsThatAreNoneAreRefused() {
        for text in ["", "1", "1.2", "1.2.x", "-1.2.3", "1.2.3.4", "1..2"] {
            #expect(LogPosition(parsing: text) == nil, "\(text)")
        }
    }
}
