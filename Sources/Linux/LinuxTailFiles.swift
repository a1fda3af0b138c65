internal import CLinux
internal import Glibc
public import System

/// Files of this machine for who follows them, with inotify(7) for its folders. One thread.
public final class LinuxTailFiles: TailFiles {
    /// Readable when something has happened in a watched folder; -1 where the system gives no inotify: then looking is all there is.
    public let fileDescriptor: Int32
    /// Folders watched at most; of further ones nothing is told.
    public static let foldersMax = 8192

    private var folders: [Int32: String] = [:]
    private var numbers: [String: Int32] = [:]
    private let buffer: UnsafeMutableRawPointer
    private static let bufferBytes = 64 << 10

    public init() {
        fileDescriptor = sl_inotify()
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 8)
    }

    deinit {
        if fileDescriptor >= 0 { Glibc.close(fileDescriptor) }
        buffer.deallocate()
    }

    public func list(_ folder: String, _ body: (_ name: String, _ kind: TailEntryKind) -> Bool) -> Bool {
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return false }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            let kind: TailEntryKind =
                switch Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .folder
                // Where the file system does not say it has to be looked at, like a link.
                case Int(DT_LNK), Int(DT_UNKNOWN): .link
                default: .other
                }
            guard body(name, kind) else { break }
        }
        return true
    }

    public func status(_ path: String) -> TailFileStatus? {
        var status = stat()
        return stat(path.isEmpty ? "." : path, &status) == 0 ? Self.status(status) : nil
    }

    public func status(_ file: TailFile) -> TailFileStatus? {
        var status = stat()
        return fstat(file.number, &status) == 0 ? Self.status(status) : nil
    }

    private static func status(_ status: stat) -> TailFileStatus {
        let kind: TailEntryKind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        return TailFileStatus(
            identity: TailFileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)), kind: kind,
            bytes: UInt64(max(0, status.st_size)),
            modified: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
    }

    public func resolved(_ path: String) -> String? {
        guard let real = realpath(path.isEmpty ? "." : path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    public func open(_ path: String) -> TailFile? {
        // Without waiting for the other end, should it have become a pipe.
        let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let file = TailFile(number: descriptor)
        guard status(file)?.kind == .file else {
            Glibc.close(descriptor)
            return nil
        }
        return file
    }

    public func close(_ file: TailFile) { Glibc.close(file.number) }

    public func read(_ file: TailFile, into bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int? {
        var total = 0
        while total < bytes.count {
            let count = retryingInterrupted {
                pread(file.number, bytes.baseAddress! + total, bytes.count - total, Int(offset) + total)
            }
            guard let count else { return nil }
            if count == 0 { break }
            total += count
        }
        return total
    }

    // MARK: Hints

    public func watch(_ folder: String) -> Bool {
        guard fileDescriptor >= 0 else { return false }
        if numbers[folder] != nil { return true }
        guard numbers.count < Self.foldersMax else { return false }
        let number = sl_inotify_watch_writes(fileDescriptor, folder.isEmpty ? "." : folder)
        guard number >= 0 else { return false }
        // Two paths of one folder have one number: the first has it.
        guard folders[number] == nil else { return false }
        folders[number] = folder
        numbers[folder] = number
        return true
    }

    public func forget(_ folder: String) {
        guard let number = numbers.removeValue(forKey: folder) else { return }
        folders[number] = nil
        sl_inotify_forget(fileDescriptor, number)
    }

    public func takeChanges(_ body: (TailChange) -> Void) {
        guard fileDescriptor >= 0 else { return }
        while let count = retryingInterrupted({ Glibc.read(fileDescriptor, buffer, Self.bufferBytes) }), count > 0 {
            var at = 0
            while count - at >= SL_INOTIFY_HEADER_BYTES {
                let nameBytes = Int(buffer.load(fromByteOffset: at + 12, as: UInt32.self))
                let name = nameBytes > 0 ? String(cString: (buffer + at + 16).assumingMemoryBound(to: CChar.self)) : ""
                take(
                    buffer.load(fromByteOffset: at, as: Int32.self),
                    mask: buffer.load(fromByteOffset: at + 4, as: UInt32.self), name, body)
                at += SL_INOTIFY_HEADER_BYTES + nameBytes
            }
        }
    }

    private func take(_ number: Int32, mask: UInt32, _ name: String, _ body: (TailChange) -> Void) {
        func has(_ bit: Int) -> Bool { mask & UInt32(bit) != 0 }
        if has(SL_INOTIFY_OVERFLOW) { return body(.lost) }
        if has(SL_INOTIFY_IGNORED) {
            // The folder is gone; one of the same name is watched when it is found.
            if let folder = folders.removeValue(forKey: number) { numbers[folder] = nil }
            return
        }
        guard let folder = folders[number] else { return }
        body(has(SL_INOTIFY_WRITTEN) ? .written(folder: folder, name: name) : .named(folder: folder, name: name))
    }
}
