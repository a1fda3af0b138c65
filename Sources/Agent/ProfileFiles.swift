// Profiles and heap snapshots that the agent keeps, in `profiles` of the store's folder: so many, and so many bytes.

internal import Glibc

/// One thread at a time.
struct ProfileFiles: Sendable {
    static let countMax = 50
    static let bytesMax = 2 << 30
    static let profileBytesMax = 256 << 20
    static let snapshotBytesMax = 1 << 30

    let folder: String

    /// - Parameter store: folder of the store.
    init(store: String) {
        var path = store
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        folder = path + "/profiles"
    }

    /// A file that is being written.
    final class File {
        let path: String
        private let descriptor: Int32
        private var left: Int

        fileprivate init(path: String, descriptor: Int32, bytesMax: Int) {
            self.path = path
            self.descriptor = descriptor
            left = bytesMax
        }

        /// False: there is no more room, by its bound or on the disk.
        func append(_ bytes: ArraySlice<UInt8>) -> Bool {
            guard bytes.count <= left else { return false }
            left -= bytes.count
            var rest = bytes
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }

        deinit { close(descriptor) }
    }

    /// Makes one. Nil: it cannot be made, and errno says why.
    /// - Parameter name: what follows the time in its name, with the ending.
    func make(_ name: String, bytesMax: Int) -> File? {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { return nil }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let path = "\(folder)/\(time.tv_sec * 1000 + time.tv_nsec / 1_000_000)-\(name)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        return descriptor < 0 ? nil : File(path: path, descriptor: descriptor, bytesMax: bytesMax)
    }

    func remove(_ path: String) { unlink(path) }

    /// Removes the oldest until what is left is within the bounds. The newest stays.
    func prune() {
        guard let listing = opendir(folder) else { return }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.first?.isNumber == true { names.append(name) }
        }
        closedir(listing)
        // Times have as many digits for the next 200 years.
        names.sort(by: >)
        var bytes = 0
        for (index, name) in names.enumerated() {
            var status = stat()
            guard stat("\(folder)/\(name)", &status) == 0 else { continue }
            bytes += Int(status.st_size)
            if index > 0, index >= Self.countMax || bytes > Self.bytesMax { unlink("\(folder)/\(name)") }
        }
    }

    /// With no symbolic link in it, for who has another working directory.
    static func absolute(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
