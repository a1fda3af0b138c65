internal import CLinux
internal import Glibc

/// Sees files of a folder tree change (inotify). One thread.
public final class FolderWatch {
    /// Readable when something may have changed.
    public let fileDescriptor: Int32
    /// Folders watched at most; what lies in further ones goes unseen.
    public static let foldersMax = 8192

    private let isWanted: (_ file: String) -> Bool
    private let isSkipped: (_ folder: String) -> Bool
    private var folders: [Int32: String] = [:]
    private let buffer: UnsafeMutableRawPointer
    private static let bufferBytes = 64 << 10

    /// - Parameters:
    ///   - isWanted: whether a change of a file with this name counts.
    ///   - isSkipped: whether a folder with this name is left out, all in it included.
    public init(
        _ root: String, isWanted: @escaping (_ file: String) -> Bool, isSkipped: @escaping (_ folder: String) -> Bool
    ) throws(SystemCallError) {
        self.isWanted = isWanted
        self.isSkipped = isSkipped
        fileDescriptor = sl_inotify()
        guard fileDescriptor >= 0 else { throw SystemCallError("inotify_init1", errno: errno) }
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 8)
        guard add(root) else { throw SystemCallError("watching \(root)", errno: errno) }
    }

    deinit {
        close(fileDescriptor)
        buffer.deallocate()
    }

    /// Takes what was seen; whether a wanted file was among it.
    public func next() -> Bool {
        var hasChanged = false
        while let count = retryingInterrupted({ read(fileDescriptor, buffer, Self.bufferBytes) }), count > 0 {
            var at = 0
            while count - at >= SL_INOTIFY_HEADER_BYTES {
                let nameBytes = Int(buffer.load(fromByteOffset: at + 12, as: UInt32.self))
                let name = nameBytes > 0 ? String(cString: (buffer + at + 16).assumingMemoryBound(to: CChar.self)) : ""
                if take(
                    folder: buffer.load(fromByteOffset: at, as: Int32.self),
                    mask: buffer.load(fromByteOffset: at + 4, as: UInt32.self), name: name)
                {
                    hasChanged = true
                }
                at += SL_INOTIFY_HEADER_BYTES + nameBytes
            }
        }
        return hasChanged
    }

    private func take(folder: Int32, mask: UInt32, name: String) -> Bool {
        if mask & UInt32(SL_INOTIFY_OVERFLOW) != 0 { return true }
        guard let path = folders[folder] else { return false }
        guard mask & UInt32(SL_INOTIFY_FOLDER) != 0 else { return isWanted(name) }
        guard !isSkipped(name) else { return false }
        // Files may have been put into a new folder before it was watched.
        if mask & UInt32(SL_INOTIFY_APPEARED) != 0 { _ = add("\(path)/\(name)") }
        return true
    }

    /// Watches a folder and those in it. False: this one could not be.
    @discardableResult
    private func add(_ path: String) -> Bool {
        guard folders.count < Self.foldersMax else { return true }
        let number = sl_inotify_watch(fileDescriptor, path)
        guard number >= 0 else { return false }
        folders[number] = path
        guard let list = opendir(path) else { return true }
        defer { closedir(list) }
        while let entry = readdir(list) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != "..", !isSkipped(name) { add("\(path)/\(name)") }
        }
        return true
    }
}
