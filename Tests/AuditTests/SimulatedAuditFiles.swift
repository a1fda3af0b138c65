@testable import Audit

/// A folder in memory, whose disk gets full and whose writers are killed.
final class SimulatedAuditFiles: AuditFiles {
    var files: [String: [UInt8]] = [:]
    /// Bytes that can still be written before the disk is full, or the writer killed.
    var room = Int.max
    /// The writer is killed there, and does not take back what it wrote.
    var kills = false
    private var isLocked = false

    func lock() throws(AuditFileError) {
        precondition(!isLocked, "locked twice")
        isLocked = true
    }

    func unlock() { isLocked = false }

    func list() throws(AuditFileError) -> [String: Int] { files.mapValues(\.count) }

    func read(_ name: String, from offset: Int, bytesMax: Int) throws(AuditFileError) -> [UInt8]? {
        files[name].map { Array($0.dropFirst(offset).prefix(bytesMax)) }
    }

    func write(_ name: String, _ bytes: [UInt8], at offset: Int) throws(AuditFileError) {
        var file = files[name] ?? []
        precondition(offset == file.count, "a log is written at its end: \(offset) of \(file.count)")
        file += bytes.prefix(room)
        files[name] = file
        try take(bytes.count)
    }

    private func take(_ count: Int) throws(AuditFileError) {
        if count > room {
            room = 0
            throw AuditFileError("no room", isNoSpace: true)
        }
        if room != .max { room -= count }
    }

    func truncate(_ name: String, to bytes: Int) throws(AuditFileError) {
        if kills { throw AuditFileError("killed") }
        files[name] = files[name].map { Array($0.prefix(bytes)) }
    }

    func sync(_ name: String) throws(AuditFileError) {}

    func replace(_ name: String, with bytes: [UInt8], isPublic: Bool) throws(AuditFileError) {
        try take(bytes.count)
        files[name] = bytes
    }

    func remove(_ name: String) throws(AuditFileError) { files[name] = nil }

    // MARK: for who tampers

    var segments: [String] { files.keys.filter { $0.hasSuffix(".jsonl") }.sorted() }

    /// The lines of the only segment, without their ends.
    var lines: [String] {
        get { String(decoding: files[segments[0]]!, as: UTF8.self).split(separator: "\n").map(String.init) }
        set { files[segments[0]] = Array(newValue.map { $0 + "\n" }.joined().utf8) }
    }
}
