// The file `sidelight.db`, version 2.
//
//     resource(id, schema_url, message, service)       id: hash of the content, so that writers agree without asking each other
//     batch(id, signal, stored_at, min_time, max_time, items, errors, bytes, resource_id, traces, shard)
//     body(id, scopes, payload)                         id: the batch's
//     shard(id, last_batch, bytes), words_N(words)      the word index (WordIndex); N: the shard's id
//
// Version 1 had no word index. Who writes makes version 2 of it in place; readers take both.
//
// A row of `batch` is small: finding one trace among millions of spans reads this table only. `traces` is a sorted array of
// the distinct trace keys in the batch (TraceKey, u64 little-endian). `payload` is the batch's OTLP bytes, compressed (BatchBody).
// Nothing else is indexed, because one row and one index entry a span would cost the writer several microseconds each.
// Times are Unix nanoseconds, `stored_at` Unix seconds, `bytes` what the row takes on disk.
//
// Processes share the file: WAL, short write transactions, a busy timeout. Making the schema and moving a damaged file aside happen
// under a lock on the directory (flock), because SQLite's own locks do not cover renaming.

import Foundation
import GRDB
import Glibc
import System

/// One connection, and what its file was when it was opened.
struct StoreDatabase {
    static let fileName = "sidelight.db"
    static let schemaVersion = 2
    /// "SLT1" in the file's header: `file` and `PRAGMA application_id` show whose it is.
    static let applicationID = 0x534C_5431
    /// Large pages: a batch's payload is tens of kilobytes, and each page costs the WAL a header, a system call and a checksum.
    static let pageBytes = 16_384
    static let checkpointPages = 256
    static let cacheKiB = 1_024
    static let walBytesKept = 8 << 20

    let directory: String
    let queue: DatabaseQueue
    /// Of the schema, when it was opened.
    let version: Int
    private let identity: FileIdentity

    var path: String { Self.path(directory) }

    static func path(_ directory: String) -> String { directory + "/" + fileName }

    /// Whether `path` is still the file that was opened. It is not when a user or another process moved it.
    var isInPlace: Bool { FileIdentity(path) == identity }

    // MARK: opening

    /// Opens the store for writing; makes directory and schema where there are none.
    static func openForWriting(
        _ directory: String, busyTimeoutMilliseconds: Int, pagesMax: Int? = nil
    ) throws(StoreError) -> StoreDatabase {
        try makeDirectory(directory)
        makePrivate(path(directory))
        return try catching(directory, .unwritable) {
            var configuration = commonConfiguration(busyTimeoutMilliseconds)
            configuration.prepareDatabase { db in
                // Debian's SQLite overwrites what it deletes unless told otherwise.
                try db.execute(
                    sql: """
                        PRAGMA synchronous = NORMAL; PRAGMA secure_delete = OFF; PRAGMA wal_autocheckpoint = \(checkpointPages);
                        PRAGMA journal_size_limit = \(walBytesKept); PRAGMA cache_size = -\(cacheKiB)
                        """)
            }
            let queue = try DatabaseQueue(path: path(directory), configuration: configuration)
            try queue.inDatabase { db in
                if try version(db, directory) < schemaVersion { try makeSchema(db, directory) }
                if let pagesMax { try db.execute(sql: "PRAGMA max_page_count = \(pagesMax)") }
            }
            return try StoreDatabase(directory: directory, queue: queue, version: schemaVersion)
        }
    }

    /// Opens the store for reading; changes nothing.
    static func openForReading(_ directory: String) throws(StoreError) -> StoreDatabase {
        guard FileIdentity(path(directory)) != nil else {
            throw StoreError(
                .missing, "no store in \(directory): `sidelight run` makes one; another place is named with --store DIR"
            )
        }
        return try catching(directory, .unreadable) {
            var configuration = commonConfiguration(5_000)
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path(directory), configuration: configuration)
            let present = try queue.inDatabase { try version($0, directory) }
            guard present > 0 else { throw StoreError(.missing, "the store \(path(directory)) is empty") }
            return try StoreDatabase(directory: directory, queue: queue, version: present)
        }
    }

    private init(directory: String, queue: DatabaseQueue, version: Int) throws {
        self.directory = directory
        self.queue = queue
        self.version = version
        guard let identity = FileIdentity(Self.path(directory)) else {
            throw StoreError(.unwritable, "the store \(Self.path(directory)) disappeared while it was opened")
        }
        self.identity = identity
    }

    private static func commonConfiguration(_ busyTimeoutMilliseconds: Int) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(Double(busyTimeoutMilliseconds) / 1_000)
        configuration.label = "sidelight.store"
        return configuration
    }

    /// Of our schema; 0: an empty file. Throws for everything else.
    private static func version(_ db: Database, _ directory: String) throws -> Int {
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if application == applicationID, 1...schemaVersion ~= version { return version }
        if application == applicationID, version > schemaVersion {
            throw StoreError(
                .newerVersion,
                "the store \(path(directory)) has format \(version), this version of sidelight reads \(schemaVersion): "
                    + "use the newer sidelight, or another directory with --store DIR")
        }
        guard application == 0, version == 0, try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0
        else {
            throw StoreError(
                .foreign,
                "\(path(directory)) is a database of another program: name another directory with --store DIR")
        }
        return 0
    }

    private static func makeSchema(_ db: Database, _ directory: String) throws {
        let lock = try DirectoryLock(directory)
        defer { lock.unlock() }
        let present = try version(db, directory)
        if present == 0 {
            // These three take effect only before the first page is written, and outside a transaction.
            try db.execute(sql: "PRAGMA page_size = \(pageBytes)")
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
        }
        guard present < schemaVersion else { return }
        try db.inTransaction(.immediate) {
            if present < 1 { try db.execute(sql: firstSchema) }
            if present < 2 { try db.execute(sql: wordIndexSchema) }
            try db.execute(sql: "PRAGMA user_version = \(schemaVersion)")
            return .commit
        }
    }

    private static let firstSchema = """
        CREATE TABLE resource(
            id INTEGER PRIMARY KEY, schema_url TEXT NOT NULL, message BLOB NOT NULL, service TEXT NOT NULL);
        CREATE TABLE batch(
            id INTEGER PRIMARY KEY, signal INTEGER NOT NULL, stored_at INTEGER NOT NULL, min_time INTEGER NOT NULL,
            max_time INTEGER NOT NULL, items INTEGER NOT NULL, errors INTEGER NOT NULL, bytes INTEGER NOT NULL,
            resource_id INTEGER NOT NULL, traces BLOB NOT NULL);
        CREATE TABLE body(id INTEGER PRIMARY KEY, scopes BLOB NOT NULL, payload BLOB NOT NULL);
        PRAGMA application_id = \(applicationID);
        """

    /// Batches of before have no words in it.
    private static let wordIndexSchema = """
        ALTER TABLE batch ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE shard(id INTEGER PRIMARY KEY, last_batch INTEGER NOT NULL, bytes INTEGER NOT NULL);
        """

    /// SQLite would let everybody read a file that it makes; its other files get the mode of this one. A file that is there keeps what its owner gave it.
    private static func makePrivate(_ path: String) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    private static func makeDirectory(_ directory: String) throws(StoreError) {
        if let reason = makeFolders(directory) {
            throw StoreError(.unwritable, "cannot make the store's directory \(directory): \(reason)")
        }
        guard access(directory, W_OK | X_OK) == 0 else {
            throw StoreError(.unwritable, "cannot write the store in \(directory): \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw StoreError(.unwritable, "cannot write the store in \(directory): it is not a directory")
        }
    }

    // MARK: damage

    /// Moves the file and its companions to `sidelight.db.corrupt-<time>`; nothing is deleted. Another process may have done it
    /// meanwhile: nil then. No connection of this process may be open.
    static func moveAside(
        _ directory: String, damaged: FileIdentity?, unixSeconds: Int
    ) throws(StoreError) -> String? {
        let lock = try DirectoryLock(directory)
        defer { lock.unlock() }
        let path = path(directory)
        guard let present = FileIdentity(path), damaged == nil || damaged == present else { return nil }
        var target = path + ".corrupt-" + timestamp(unixSeconds)
        var number = 1
        while FileIdentity(target) != nil {
            number += 1
            target = path + ".corrupt-" + timestamp(unixSeconds) + "-\(number)"
        }
        for suffix in ["-wal", "-shm", ""] where FileIdentity(path + suffix) != nil {
            guard rename(path + suffix, target + suffix) == 0 else {
                let reason = String(cString: strerror(errno))
                throw StoreError(.corrupt, "the store \(path) is damaged and cannot be moved aside: \(reason)")
            }
        }
        return target
    }

    /// Identity of the file in `directory`, for `moveAside`.
    static func identity(_ directory: String) -> FileIdentity? { FileIdentity(path(directory)) }

    /// UTC, as in `20261123T143000Z`.
    private static func timestamp(_ unixSeconds: Int) -> String {
        var time = time_t(unixSeconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1_900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))Z"
    }

    // MARK: errors

    /// Runs `body` and turns what SQLite throws into a StoreError.
    static func catching<Result>(
        _ directory: String, _ otherwise: StoreError.Code, _ body: () throws -> Result
    ) throws(StoreError) -> Result {
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            throw StoreError(error, path: path(directory), otherwise)
        } catch {
            throw StoreError(otherwise, "the store \(path(directory)): \(error)")
        }
    }
}

extension StoreError {
    fileprivate init(_ error: DatabaseError, path: String, _ otherwise: Code) {
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode.primaryResultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self.init(.corrupt, "the store \(path) is damaged: \(reason)")
        case .SQLITE_FULL: self.init(.diskFull, "no room for the store \(path): \(reason)")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.busy, "the store \(path) is locked by another process: \(reason)")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN, .SQLITE_AUTH:
            self.init(otherwise == .unreadable ? .unreadable : .unwritable, "cannot open the store \(path): \(reason)")
        default: self.init(otherwise, "the store \(path): \(reason)")
        }
    }
}

/// Which file a path leads to, and whether that has been replaced.
struct FileIdentity: Equatable, Sendable {
    private let device: UInt
    private let inode: UInt

    /// Nil when there is no file, or none that we may look at.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }
}

/// An exclusive lock between processes, held on the directory itself so that no lock file is left over.
struct DirectoryLock {
    private let descriptor: Int32

    init(_ directory: String) throws(StoreError) {
        descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StoreError(.unwritable, "cannot open the directory \(directory): \(String(cString: strerror(errno)))")
        }
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    }

    func unlock() { close(descriptor) }
}
