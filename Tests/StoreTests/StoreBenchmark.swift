import Foundation
import Telemetry
import Testing

@testable import Store

private let folder = ProcessInfo.processInfo.environment["SIDELIGHT_BENCH_STORE"]

/// Figures, no assertions: SIDELIGHT_BENCH_STORE=FOLDER swift test -c release -Xswiftc -enable-testing --filter StoreBenchmark.
@Suite(.enabled(if: folder != nil, "SIDELIGHT_BENCH_STORE is not set"), .serialized) struct StoreBenchmark {
    private static let records = 1_000_000
    private static let batchRecords = 1_000

    /// Log lines with few, some and many words that no other has.
    enum Kind: String, CaseIterable { case plain, requests, identifiers }

    private func record(_ kind: Kind, _ number: Int, _ random: inout SeededGenerator) -> LogRecord {
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
        let text =
            switch kind {
            case .plain: "connection to the pool was closed by the other side, trying again in \(below(30)) s"
            case .requests:
                "GET /api/orders/\(below(100_000)) 200 in \(below(500)) ms for user \(below(5_000)) from 10.0.1.\(below(256))"
            case .identifiers:
                "request \(UUID(uuid: withUnsafeBytes(of: (random.next(), random.next())) { $0.load(as: uuid_t.self) })) finished in \(below(1_000)) ms"
            }
        var record = log(text, at: UInt64(number), trace: traceID(UInt64(number / 5)), span: UInt64(number + 1))
        record.attributes = [
            Attribute("http.request.method", "GET"), Attribute("code.file.path", "/srv/shop/src/orders.js"),
            Attribute("code.line.number", 42),
        ]
        return record
    }

    private func cpuSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

    @Test(arguments: Kind.allCases) func aMillionRecords(_ kind: Kind) throws {
        var random = SeededGenerator(seed: 1)
        let batches = (0..<Self.records / Self.batchRecords).map { number in
            Batch(
                (0..<Self.batchRecords).map { record(kind, number * Self.batchRecords + $0, &random) }, resource: shop)
        }
        for indexes in [false, true, false, true] {
            let path = "\(folder!)/store-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            var options = StoreWriter.Options()
            options.indexesWords = indexes
            options.indexShareMax = 1_000
            let writer = StoreWriter(directory: path, options: options)
            let start = cpuSeconds()
            for (number, batch) in batches.enumerated() {
                writer.append(batch)
                if number % 8 == 7 { writer.flush() }
            }
            writer.close()
            let spent = cpuSeconds() - start
            let size = try FileManager.default.attributesOfItem(atPath: path + "/sidelight.db")[.size] as? Int ?? 0
            print("\(kind.rawValue), index \(indexes): \(spent) CPU s, \(size / Self.records) bytes a record")
            let reader = try StoreReader(directory: path)
            for search in ["closed", "\"orders 4711\"", "nothing", "finished f*"] {
                var query = LogQuery()
                query.search = try SearchQuery(parsing: search)
                let start = cpuSeconds()
                var count = 0
                _ = try reader.logs(query) { _ in
                    count += 1
                    return count < 10_000
                }
                print("  search \(search): \(count) found in \(cpuSeconds() - start) CPU s")
            }
            let before = cpuSeconds()
            let patterns = try reader.logPatterns(LogQuery(), limit: 50)
            let between = cpuSeconds()
            let errors = try reader.errors(ErrorQuery())
            print(
                "  \(patterns.patterns.count) patterns in \(between - before), \(errors.groups.count) errors in \(cpuSeconds() - between) CPU s"
            )
        }
    }
}
