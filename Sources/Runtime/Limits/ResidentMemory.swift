internal import Glibc

/// What the process has in memory, of whatever kind. Opened before the fence closes, read by the watchdog's thread.
struct ResidentMemory: Sendable {
    private static let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
    private let descriptor: Int32

    /// Nil: there is no /proc.
    init?() {
        descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    /// Nil: it could not be read.
    var bytes: Int? {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
            let count = pread(descriptor, buffer.baseAddress!, buffer.count, 0)
            guard count > 0 else { return nil }
            return Self.pages(in: UnsafeRawBufferPointer(rebasing: buffer[..<count])).map { $0 * Self.pageBytes }
        }
    }

    /// The second field. proc_pid_statm(5).
    static func pages(in text: UnsafeRawBufferPointer) -> Int? {
        guard let space = text.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        var pages: Int?
        for byte in text[(space + 1)...] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            let (product, isTooLarge) = (pages ?? 0).multipliedReportingOverflow(by: 10)
            if isTooLarge { return nil }
            pages = product + Int(byte - UInt8(ascii: "0"))
        }
        return pages
    }
}
