internal import CLinux
internal import Glibc

/// Sees files of a folder tree change (inotify). One thread.
///
/// The kernel tells of a folder's entries by the folder's number, so each folder is watched, and its path kept here. Numbers of folders that
/// went are given back: a tool that makes and removes folders all day must not use up the numbers that the code needs.
public final class FolderWatch {
    /// Readable when something may have changed.
    public let fileDescriptor: Int32
    /// Folders watched at most; what lies in further ones goes unseen.
    public static let foldersMax = 8192

    private struct Folder {
        let path: String
        /// A wanted file was in it: when it goes as a whole, that is a change.
        var hasWanted = false
    }

    private let root: String
    private let limit: Int
    private let isWanted: (_ file: String) -> Bool
    private let isSkipped: (_ folder: String) -> Bool
    private var folders: [Int32: Folder] = [:]
    private var rootNumber: Int32 = -1
    private var problem: String?
    private var isProblemTold = false
    private let buffer: UnsafeMutableRawPointer
    private static let bufferBytes = 64 << 10

    /// - Parameters:
    ///   - limit: of folders.
    ///   - isWanted: whether a change of a file with this name counts.
    ///   - isSkipped: whether a folder with this name is left out, all in it included.
    public init(
        _ root: String, limit: Int = foldersMax, isWanted: @escaping (_ file: String) -> Bool,
        isSkipped: @escaping (_ folder: String) -> Bool
    ) throws(SystemCallError) {
        self.root = root
        self.limit = limit
        self.isWanted = isWanted
        self.isSkipped = isSkipped
        fileDescriptor = sl_inotify()
        guard fileDescriptor >= 0 else { throw SystemCallError("inotify_init1", errno: errno) }
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 8)
        rootNumber = sl_inotify_watch(fileDescriptor, root)
        guard rootNumber >= 0 else { throw SystemCallError("watching \(root)", errno: errno) }
        add(root)
    }

    deinit {
        close(fileDescriptor)
        buffer.deallocate()
    }

    public var folderCount: Int { folders.count }

    /// Why some changes go unseen, if so: once.
    public func takeProblem() -> String? {
        guard let problem, !isProblemTold else { return nil }
        isProblemTold = true
        return problem
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
                    buffer.load(fromByteOffset: at, as: Int32.self),
                    mask: buffer.load(fromByteOffset: at + 4, as: UInt32.self), name: name)
                {
                    hasChanged = true
                }
                at += SL_INOTIFY_HEADER_BYTES + nameBytes
            }
        }
        return hasChanged
    }

    private func take(_ number: Int32, mask: UInt32, name: String) -> Bool {
        func has(_ bit: Int) -> Bool { mask & UInt32(bit) != 0 }
        if has(SL_INOTIFY_OVERFLOW) {
            // Whatever was lost, folders that are new among it.
            add(root)
            return true
        }
        if has(SL_INOTIFY_IGNORED) {
            folders[number] = nil
            if number == rootNumber { problem = "\(root) is gone; changes are no longer seen" }
            return false
        }
        guard let folder = folders[number] else { return false }
        guard has(SL_INOTIFY_FOLDER) else {
            guard isWanted(name) else { return false }
            folders[number]?.hasWanted = true
            return true
        }
        guard !isSkipped(name) else { return false }
        let path = "\(folder.path)/\(name)"
        // Files may have been put into a new folder before it was watched.
        if has(SL_INOTIFY_APPEARED) { return add(path) }
        return has(SL_INOTIFY_MOVED_AWAY) && forget(path)
    }

    /// Watches a folder and those in it, as far as they are there. Whether a wanted file is in one of them.
    @discardableResult
    private func add(_ path: String) -> Bool {
        var found = false
        var rest = [path]
        while let path = rest.popLast() {
            let number = sl_inotify_watch(fileDescriptor, path)
            guard number >= 0 else {
                if errno == ENOSPC {
                    problem =
                        problem
                        ?? "the system gives no more watches (fs.inotify.max_user_watches); changes in further folders are not seen"
                }
                continue
            }
            guard folders[number] != nil || folders.count < limit else {
                sl_inotify_forget(fileDescriptor, number)
                problem = problem ?? "there are more than \(limit) folders; changes in further ones are not seen"
                continue
            }
            folders[number] = Folder(path: path)
            forEachEntry(path) { name, isFolder in
                if isFolder {
                    if !isSkipped(name) { rest.append("\(path)/\(name)") }
                } else if isWanted(name) {
                    folders[number]?.hasWanted = true
                    found = true
                }
            }
        }
        return found
    }

    /// The entries of a folder; nothing when it is gone.
    private func forEachEntry(_ path: String, _ body: (_ name: String, _ isFolder: Bool) -> Void) {
        guard let list = opendir(path) else { return }
        defer { closedir(list) }
        while let entry = readdir(list) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            var isFolder = entry.pointee.d_type == UInt8(DT_DIR)
            if entry.pointee.d_type == UInt8(DT_UNKNOWN) {
                var status = stat()
                isFolder = lstat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            }
            body(name, isFolder)
        }
    }

    /// A folder has been moved away, with all in it. Whether a wanted file was among that.
    private func forget(_ path: String) -> Bool {
        var hadWanted = false
        for (number, folder) in folders where folder.path == path || folder.path.hasPrefix(path + "/") {
            hadWanted = hadWanted || folder.hasWanted
            folders[number] = nil
            sl_inotify_forget(fileDescriptor, number)
        }
        return hadWanted
    }
}
