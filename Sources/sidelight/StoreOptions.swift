import ArgumentParser
import Glibc
import Store
import Telemetry

/// The options of all commands that read the store.
struct StoreOptions: ParsableArguments {
    static let defaultDirectory = ".sidelight"

    @Option(help: ArgumentHelp("Where records are kept.", valueName: "DIR"))
    var store = Self.defaultDirectory

    /// Without a slash at its end, so that messages read well.
    var directory: String {
        var directory = store[...]
        while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
        return String(directory)
    }

    /// Runs `body` with a reader. What goes wrong is said on stderr; exit code 2 where there is no store that can be read.
    func withReader<Result>(_ body: (StoreReader) throws -> Result) throws -> Result {
        do {
            let reader = try StoreReader(directory: directory)
            let result = try body(reader)
            if reader.damagedBatches > 0 {
                complain("a part of the store is damaged and was left out (batches: \(reader.damagedBatches))")
            }
            return result
        } catch let error as StoreError {
            complain(Self.advice(error))
            throw ExitCode(2)
        }
    }

    private static func advice(_ error: StoreError) -> String {
        error.code == .corrupt
            ? error.message + "; the next `sidelight run` moves it aside and makes a new one" : error.message
    }

    /// The trace that a person means by "latest", an id or its beginning. Says on stderr why there is none, and ends with 1.
    static func find(_ text: String, _ reader: StoreReader) throws -> TraceID {
        if text == "latest" {
            var query = TraceQuery()
            query.limit = 1
            if let latest = try reader.traces(query).first { return latest.id }
            complain("there is no trace in \(reader.directory) yet")
            throw ExitCode(1)
        }
        let isHex = text.utf8.allSatisfy { $0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit }
        guard isHex, (StoreReader.prefixDigitsMin...32).contains(text.utf8.count) else {
            throw ValidationError(
                "'\(text.escaped)' is no trace id: give 4 to 32 hex digits, or \"latest\"; `sidelight trace ls` lists them"
            )
        }
        switch try reader.match(prefix: text) {
        case .one(let id): return id
        case .none:
            complain("no trace \(text) in \(reader.directory); `sidelight trace ls` lists what is there")
        case .several(let ids):
            let more = ids.count == StoreReader.ambiguousMax ? "\n  …" : ""
            complain("several traces begin with \(text):\n" + ids.map { "  " + $0.hex }.joined(separator: "\n") + more)
        }
        throw ExitCode(1)
    }
}
