internal import CLinux
internal import Glibc
public import System

/// Files of /proc and /sys of this machine. Descriptors stay open and are read from their beginning with pread(2), which makes the text anew.
public final class LinuxKernelFiles: KernelFiles {
    private let entries: UnsafeMutableRawBufferPointer
    private static let entriesBytes = 16 << 10

    public init() { entries = .allocate(byteCount: Self.entriesBytes, alignment: 8) }

    deinit { entries.deallocate() }

    public func open(_ path: String) throws(KernelFileFailure) -> KernelFile {
        let descriptor = path.withCString { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) }
        guard descriptor >= 0 else { throw KernelFileFailure(errno: errno) }
        return KernelFile(number: descriptor)
    }

    public func close(_ file: KernelFile) { Glibc.close(file.number) }

    public func read(_ file: KernelFile, into bytes: UnsafeMutableRawBufferPointer) throws(KernelFileFailure) -> Int {
        var total = 0
        // Lists come by the page: only a read of nothing is the end.
        while total < bytes.count {
            let count = retryingInterrupted {
                pread(file.number, bytes.baseAddress! + total, bytes.count - total, total)
            }
            guard let count else { throw KernelFileFailure(errno: errno) }
            if count == 0 { break }
            total += count
        }
        return total
    }

    public func numbers(in folder: String, countMax: Int, _ body: (Int32) -> Void) throws(KernelFileFailure) {
        var count = 0
        try forEachName(in: folder) { name in
            guard count < countMax, let number = Self.number(name) else { return }
            body(number)
            count += 1
        }
    }

    public func count(in folder: String) throws(KernelFileFailure) -> Int {
        // Of /proc/PID/fd the size says it, from Linux 6.2 on.
        var status = stat()
        guard folder.withCString({ stat($0, &status) }) == 0 else { throw KernelFileFailure(errno: errno) }
        if folder.hasPrefix("/proc/"), status.st_size > 0 { return Int(status.st_size) }
        var count = 0
        try forEachName(in: folder) { name in
            if name[0] != UInt8(ascii: ".") { count += 1 }
        }
        return count
    }

    /// - Parameter body: gets a name with the zero that ends it, and what may follow.
    private func forEachName(
        in folder: String, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(KernelFileFailure) {
        let file = try open(folder)
        defer { close(file) }
        while true {
            let count = retryingInterrupted { sl_folder_entries(file.number, entries.baseAddress!, entries.count) }
            guard let count else { throw KernelFileFailure(errno: errno) }
            if count == 0 { return }
            var at = 0
            // struct linux_dirent64: inode, offset, length of the entry, kind, name.
            while at + 19 < count {
                let length = Int(entries.load(fromByteOffset: at + 16, as: UInt16.self))
                guard length > 19, at + length <= count else { return }
                body(UnsafeRawBufferPointer(rebasing: entries[(at + 19)..<(at + length)]))
                at += length
            }
        }
    }

    private static func number(_ name: UnsafeRawBufferPointer) -> Int32? {
        var number: Int32 = 0
        var digits = 0
        for byte in name {
            if byte == 0 { return digits > 0 ? number : nil }
            guard (0x30...0x39).contains(byte), digits < 9 else { return nil }
            number = number * 10 + Int32(byte - 0x30)
            digits += 1
        }
        return nil
    }

    public func exists(_ path: String) -> Bool { path.withCString { access($0, F_OK) } == 0 }

    public func target(of path: String) throws(KernelFileFailure) -> String {
        let text = entries.assumingMemoryBound(to: CChar.self)
        let count = path.withCString { readlink($0, text.baseAddress!, text.count) }
        guard count >= 0 else { throw KernelFileFailure(errno: errno) }
        return String(decoding: UnsafeRawBufferPointer(rebasing: entries[..<count]), as: UTF8.self)
    }

    public func space(_ path: String) throws(KernelFileFailure) -> FileSystemSpace {
        var space = statvfs()
        guard retryingInterrupted({ path.withCString { statvfs($0, &space) } }) != nil else {
            throw KernelFileFailure(errno: errno)
        }
        let unit = UInt64(space.f_frsize)
        func bytes(_ blocks: UInt) -> UInt64 { UInt64(blocks).multipliedReportingOverflow(by: unit).partialValue }
        return FileSystemSpace(
            total: bytes(space.f_blocks), available: bytes(space.f_bavail), free: bytes(space.f_bfree),
            nodes: UInt64(space.f_files), nodesFree: UInt64(space.f_ffree))
    }
}

extension KernelFileFailure {
    fileprivate init(errno code: Int32) {
        switch code {
        case ENOENT, ENOTDIR, ESRCH, ENODEV, ENXIO: self = .absent
        case EACCES, EPERM: self = .denied
        case EOPNOTSUPP, EINVAL: self = .unsupported
        case EMFILE, ENFILE, ENOMEM: self = .exhausted
        default: self = .other
        }
    }
}

extension Machine {
    /// Bytes of a page of memory.
    public static var pageBytes: UInt64 { UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1)) }
    /// What times in /proc/PID/stat and /proc/stat count.
    public static var ticksPerSecond: UInt64 { UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1)) }
}
