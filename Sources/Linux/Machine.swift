internal import CLinux
internal import Glibc
internal import System

/// What this process and its machine are called.
public enum Machine {
    public static var processID: Int32 { getpid() }
    public static var userID: UInt32 { getuid() }

    /// Processors that are at work.
    public static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The kernel's number of the calling thread.
    public static var threadID: Int { Int(sl_thread_id()) }

    /// The path of this program's file, links resolved.
    public static var executablePath: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink("/proc/self/exe", buffer.baseAddress!, buffer.count - 1)
            guard count > 0 else { return nil }
            buffer[count] = 0
            return String(cString: buffer.baseAddress!)
        }
    }

    /// Keeps freed memory for the next allocation, up to `bytesMax` at the top of the heap, instead of giving each large block back to the kernel:
    /// batches come and go by the megabyte, and fresh pages cost more than what is done with them. mallopt(3).
    public static func keepFreedMemory(bytesMax: Int) {
        sl_keep_freed_memory(Int32(clamping: bytesMax))
    }

    /// What the start has mapped of this program's code and its libraries' is given back, some 13 MB; what is needed again is mapped again, without being read. To be called when
    /// the start is over. Other threads may run meanwhile.
    public static func releaseStartPages() { sl_release_start_pages() }

    /// From here on this process opens no file and no socket, starts nothing, and reaches no other process; what it holds open it can use. All its threads, for good. A kernel
    /// without seccomp(2) leaves the resource limits.
    public static func confine() { _ = sl_confine() }

    /// Another one after each start of the system; empty where it does not say.
    public static var bootID: String {
        let bytes = (try? readFile("/proc/sys/kernel/random/boot_id", bytesMax: 256)) ?? []
        return String(decoding: bytes, as: UTF8.self).filter { !$0.isNewline }
    }

    public static var hostName: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard gethostname(buffer.baseAddress!, buffer.count - 1) == 0 else { return nil }
            buffer[255] = 0
            return String(cString: buffer.baseAddress!)
        }
    }

    /// A variable of the environment; an empty one counts as unset, as the OpenTelemetry specification wants it.
    public static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// All variables of the environment; of one that is there twice, the first.
    public static var environment: [String: String] {
        var variables: [String: String] = [:]
        for text in environmentTexts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, variables[String(parts[0])] == nil { variables[String(parts[0])] = String(parts[1]) }
        }
        return variables
    }

    /// The environment as it is: `NAME=value` each.
    public static var environmentTexts: [String] {
        var texts: [String] = []
        var entry = Glibc.environ
        while let text = entry.pointee {
            texts.append(String(cString: text))
            entry += 1
        }
        return texts
    }

    /// Replaces the environment of this process. `/proc/PID/environ` stays what the process was started with. Before there are threads.
    /// - Parameter texts: `NAME=value` each; of one that is there twice, the first.
    public static func replaceEnvironment(_ texts: [String]) {
        clearenv()
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { continue }
            setenv(String(text[..<equals]), String(text[text.index(after: equals)...]), 0)
        }
    }

    /// Absolute.
    public static var workingFolder: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    /// An absolute path with its links followed, as far as it is there.
    public static func followingLinks(_ path: String) -> String {
        if let real = realpath(path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return path }
        let folder = followingLinks(String(path[..<slash]))
        return (folder == "/" ? "" : folder) + path[slash...]
    }

    public static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether there is something at the path that is no folder.
    public static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
    }

    /// Whether the path names a file that this process may execute.
    public static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// The path of a program that is named as in a shell. Nil: there is none.
    /// - Parameter folders: as PATH has them.
    public static func executable(_ name: String, searching folders: String) -> String? {
        if name.utf8.contains(UInt8(ascii: "/")) { return isExecutable(name) && !isFolder(name) ? name : nil }
        for folder in folders.split(separator: ":") {
            let path = "\(folder)/\(name)"
            if isExecutable(path), !isFolder(path) { return path }
        }
        return nil
    }

    /// The same, by the PATH of this process.
    public static func executable(_ name: String) -> String? {
        executable(name, searching: environment["PATH"] ?? "/usr/bin:/bin")
    }

    /// To a socket in the file system.
    public static func allowEverybodyToWrite(_ path: String) { _ = chmod(path, 0o666) }

    /// Why nothing could be made in this folder, which need not exist yet; nil when it looks as if it could.
    public static func reasonNotWritable(folder path: String) -> String? {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        while true {
            var status = stat()
            if stat(path, &status) == 0 {
                if status.st_mode & S_IFMT != S_IFDIR { return "\(path) is not a folder" }
                return access(path, W_OK | X_OK) == 0 ? nil : "\(path): \(String(cString: strerror(errno)))"
            }
            guard errno == ENOENT else { return "\(path): \(String(cString: strerror(errno)))" }
            // Not there yet: its parent decides.
            guard let slash = path.lastIndex(of: "/") else { path = "."; continue }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    /// Makes a folder with its parents and a file in it, which is removed again: permissions do not tell all (a file system that is read-only or takes no
    /// files). Why it cannot be, for people; nil: it can.
    public static func makeWritable(folder path: String) -> String? {
        if let reason = makeFolders(path) { return reason }
        let probe = "\(path)/.writable-\(getpid())"
        let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return errno == EEXIST ? nil : "\(path): \(String(cString: strerror(errno)))" }
        close(descriptor)
        unlink(probe)
        return nil
    }

    /// A random UUID, version 4, lower case. RFC 9562 section 5.4.
    public static func randomUUID() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & ~0xF000 | 0x4000
        let low = generator.next() & ~(0b11 << 62) | 0b10 << 62
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for position in 0..<32 {
            if [8, 12, 16, 20].contains(position) { text.append(UInt8(ascii: "-")) }
            let half = position < 16 ? high : low
            text.append(digits[Int(half >> UInt64(60 - 4 * (position & 15)) & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes all of it to the standard error stream, in one call where the system lets it.
    public static func writeToStandardError(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while !rest.isEmpty {
                let written = retryingInterrupted { write(2, rest.base.baseAddress! + rest.startIndex, rest.count) }
                guard let count = written else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
