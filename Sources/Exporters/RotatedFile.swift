// A file of lines that others may read at any time, and that gets a successor when it is large or old enough.
//
// The file that is written has its configured name; one that is done is renamed to have its last moment in it, `traces-20261126T160400.123Z.jsonl`, so
// that names sort by age. A line is in the file as a whole or not at all: what a write leaves behind when the disk is full is cut off again, and what an
// earlier process left when it was killed is cut off when the file is opened. Nothing of that was told to be delivered, so it comes again.

import CLinux
import Configuration
import Glibc
import System
import Transport

/// What the system said to an operation on a file, for people: "traces.jsonl: write: No space left on device".
struct FileFailure: Error {
    var message: String

    init(_ path: String, _ call: String, _ code: Int32 = errno) {
        message = "\(path): \(call): \(String(cString: strerror(code)))"
    }

    init(_ path: String, saying message: String) { self.message = "\(path): \(message)" }
}

/// Used by one thread at a time.
final class RotatedFile {
    /// Read and compressed at a time; each piece is a member of the gzip file.
    private static let pieceBytes = 1 << 20

    private let settings: ExporterConfiguration.File
    private let path: String
    private let folder: String
    /// Names of rotated files begin and end so.
    private let prefix: String
    private let suffix: String

    private let write: (Int32, UnsafeRawPointer?, Int) -> Int
    private var descriptor: Int32 = -1
    private var identity = stat()
    /// Up to the end of the last line.
    private var byteCount = 0
    /// When the file was begun, seconds since 1970.
    private var began: Int64 = 0
    /// More is in the file than its lines.
    private var hasRest = false
    private(set) var isUnsynced = false

    /// - Parameter write: write(2), or in tests a disk that is full.
    init(
        _ path: String, _ settings: ExporterConfiguration.File,
        write: @escaping (Int32, UnsafeRawPointer?, Int) -> Int = Glibc.write
    ) {
        self.write = write
        self.path = path
        self.settings = settings
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let name = path[slash...]
        let dot = name.lastIndex(of: ".").flatMap { $0 > name.startIndex ? $0 : nil } ?? name.endIndex
        folder = String(path[..<slash])
        prefix = String(name[..<dot]) + "-"
        suffix = String(name[dot...])
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    // MARK: Lines

    /// Adds a line, its end included; when that fails there is nothing of it in the file.
    /// - Parameter now: nanoseconds since 1970.
    func append(_ line: [UInt8], now: UInt64) throws(FileFailure) {
        if descriptor >= 0, !isStillThere { close() }
        if descriptor < 0 { try open(now: now) }
        if byteCount > 0, byteCount + line.count > settings.rotateBytesMax || isOld(now) { try rotate(now: now) }
        try cutRest()
        hasRest = true
        var written = 0
        while written < line.count {
            let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed("write", count == 0 ? ENOSPC : errno) }
            written += count
        }
        isUnsynced = true
        if settings.sync == .batch {
            guard fdatasync(descriptor) == 0 else { throw failed("fdatasync", errno) }
            isUnsynced = false
        }
        hasRest = false
        byteCount += line.count
    }

    /// What was written survives a loss of power. It is not lost by a failure to do so now.
    func sync() {
        guard descriptor >= 0, isUnsynced, fdatasync(descriptor) == 0 else { return }
        isUnsynced = false
    }

    private func failed(_ call: String, _ code: Int32) -> FileFailure {
        // What cannot be cut off now is before the next line.
        try? cutRest()
        return FileFailure(path, call, code)
    }

    private func cutRest() throws(FileFailure) {
        guard hasRest else { return }
        guard ftruncate(descriptor, byteCount) == 0 else { throw FileFailure(path, "ftruncate") }
        hasRest = false
    }

    private func isOld(_ now: UInt64) -> Bool {
        guard let age = settings.rotateAgeNanoseconds else { return false }
        return Int64(now / 1_000_000_000) - began >= Int64(age / 1_000_000_000)
    }

    /// Whether the name still stands for the file that is open: others may have moved or removed it.
    private var isStillThere: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_ino == identity.st_ino && status.st_dev == identity.st_dev
    }

    private func close() {
        Glibc.close(descriptor)
        descriptor = -1
        hasRest = false
        isUnsynced = false
    }

    // MARK: Opening

    private func open(now: UInt64) throws(FileFailure) {
        if !folder.isEmpty, let reason = makeFolders(folder) { throw FileFailure(path, saying: reason) }
        // Not blocking: of a pipe it is found out below that it is none.
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path, "open") }
        do throws(FileFailure) {
            guard fstat(descriptor, &identity) == 0 else { throw FileFailure(path, "fstat") }
            guard identity.st_mode & S_IFMT == S_IFREG else { throw FileFailure(path, saying: "it is no regular file") }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw errno == EWOULDBLOCK
                    ? FileFailure(path, saying: "another process writes it") : FileFailure(path, "flock")
            }
            byteCount = Int(identity.st_size)
            try cutHalfLine()
        } catch {
            close()
            throw error
        }
        let birth = sl_birth_seconds(descriptor)
        began = byteCount == 0 || birth == 0 ? Int64(now / 1_000_000_000) : birth
        finishRotated()
    }

    /// The file ends with a line after this. A half one of ours is cut off; what is not ours stays, with a line's end behind it.
    private func cutHalfLine() throws(FileFailure) {
        guard byteCount > 0, try read(at: byteCount - 1, 1).last != UInt8(ascii: "\n") else { return }
        var start = byteCount
        while start > 0 {
            let from = max(0, start - 65_536)
            if let end = try read(at: from, start - from).lastIndex(of: UInt8(ascii: "\n")) {
                start = from + end + 1
                break
            }
            start = from
        }
        let ours = Array("{\"resource".utf8)
        let found = try read(at: start, min(ours.count, byteCount - start))
        if ours.starts(with: found) {
            guard ftruncate(descriptor, start) == 0 else { throw FileFailure(path, "ftruncate") }
            byteCount = start
        } else {
            guard write(descriptor, "\n", 1) == 1 else { throw FileFailure(path, "write") }
            byteCount += 1
        }
    }

    private func read(at offset: Int, _ count: Int) throws(FileFailure) -> [UInt8] {
        var got = -1
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            got = pread(descriptor, buffer.baseAddress, count, offset)
            initialized = max(0, got)
        }
        guard got == count else { throw FileFailure(path, "read", got < 0 ? errno : EIO) }
        return bytes
    }

    // MARK: Rotation

    private func rotate(now: UInt64) throws(FileFailure) {
        try cutRest()
        if settings.sync != .never, fdatasync(descriptor) != 0 { throw FileFailure(path, "fdatasync") }
        var moment = now / 1_000_000
        while access(folder + rotatedName(moment), F_OK) == 0 || access(folder + rotatedName(moment) + ".gz", F_OK) == 0
        {
            moment += 1
        }
        guard rename(path, folder + rotatedName(moment)) == 0 else { throw FileFailure(path, "rename") }
        let mode = identity.st_mode & 0o777
        close()
        try open(now: now)
        // Who was let read the one before may read this one.
        fchmod(descriptor, mode)
    }

    /// - Parameter moment: milliseconds since 1970.
    private func rotatedName(_ moment: UInt64) -> String {
        var seconds = time_t(moment / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date =
            digits(Int(parts.tm_year) + 1_900, 4) + digits(Int(parts.tm_mon) + 1, 2) + digits(Int(parts.tm_mday), 2)
        let time = digits(Int(parts.tm_hour), 2) + digits(Int(parts.tm_min), 2) + digits(Int(parts.tm_sec), 2)
        return "\(prefix)\(date)T\(time).\(digits(Int(moment % 1_000), 3))Z\(suffix)"
    }

    /// Whether a name is one that `rotatedName` makes.
    private func isRotated(_ name: Substring) -> Bool {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix),
            name.utf8.count == prefix.utf8.count + suffix.utf8.count + 20
        else { return false }
        let shape = name.dropFirst(prefix.count).dropLast(suffix.count).utf8.map { byte in
            (0x30...0x39).contains(byte) ? UInt8(ascii: "0") : byte
        }
        return shape == Array("00000000T000000.000Z".utf8)
    }

    /// Does to rotated files what is to be done, also to those that an earlier process left: compresses, and removes those beyond the number to keep. What
    /// fails now may work after the next rotation.
    private func finishRotated() {
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".gz.part"), isRotated(name.dropLast(8)) {
                unlink(folder + name)
            } else if isRotated(name[...]) || name.hasSuffix(".gz") && isRotated(name.dropLast(3)) {
                names.append(name)
            }
        }
        closedir(stream)
        // The youngest first.
        names.sort(by: >)
        for name in names.dropFirst(settings.keep) { unlink(folder + name) }
        guard settings.compression == .gzip else { return }
        for name in names.prefix(settings.keep) where !name.hasSuffix(".gz") { compress(folder + name) }
    }

    private func compress(_ name: String) {
        let source = Glibc.open(name, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return }
        defer { Glibc.close(source) }
        let part = name + ".gz.part"
        let target = Glibc.open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard target >= 0 else { return }
        fchmod(target, identity.st_mode & 0o777)
        var isWhole = copy(source, to: target)
        if isWhole, settings.sync != .never { isWhole = fdatasync(target) == 0 }
        Glibc.close(target)
        // The plain one goes only when the other is there as a whole.
        if isWhole, rename(part, name + ".gz") == 0 {
            unlink(name)
        } else {
            unlink(part)
        }
    }

    private func copy(_ source: Int32, to target: Int32) -> Bool {
        var compressor = GzipCompressor()
        while true {
            var got = 0
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
                got = Glibc.read(source, buffer.baseAddress, Self.pieceBytes)
                count = max(0, got)
            }
            if got <= 0 { return got == 0 }
            let bytes = compressor.compress(piece)
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { write(target, $0.baseAddress! + written, $0.count - written) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                written += count
            }
        }
    }
}
