internal import Engine
internal import Glibc

extension PlatformOps {
    /// random(bytes): fills them. memoryUsage(f64array): rss, heapTotal, heapUsed, external, arrayBuffers.
    /// readFile(path): a Uint8Array; an Error with a `code` such as ENOENT. cwd(), hrUnix(): Unix time in ms with fraction.
    static let machine = [
        Op("random") {
            let call = OpCall($0, $1)
            guard var rest = call.bytes(0)?[...] else { return }
            while !rest.isEmpty {
                let count = getrandom(rest.base.baseAddress! + rest.startIndex, rest.count, 0)
                if count > 0 { rest = rest.dropFirst(count) }
            }
        },
        Op("memoryUsage") {
            let call = OpCall($0, $1)
            guard let target = call.bytes(0), target.count >= 40 else { return }
            let heap = call.isolate.heapStatistics
            let figures = [residentBytes(), heap.total, heap.used, heap.external, heap.arrayBuffers]
            for (index, figure) in figures.enumerated() {
                target.storeBytes(of: Double(figure), toByteOffset: 8 * index, as: Double.self)
            }
        },
        Op("readFile") {
            let call = OpCall($0, $1)
            let path = call.string(0)
            do {
                call.returns(try readWholeFile(path).withUnsafeBytes(call.realm.makeUint8Array))
            } catch {
                call.throwError(.error, "\(error.name): \(error.reason), open '\(path)'", code: error.name)
            }
        },
        Op("cwd") {
            let call = OpCall($0, $1)
            guard let path = getcwd(nil, 0) else {
                return call.throwError(.error, "ENOENT: the working directory is gone", code: "ENOENT")
            }
            defer { free(path) }
            call.returns(String(cString: path))
        },
        Op("hrUnix") {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            OpCall($0, $1).returns(Double(now.tv_sec) * 1e3 + Double(now.tv_nsec) / 1e6)
        },
    ]

    /// Second field of /proc/self/statm, in bytes. proc(5).
    private static func residentBytes() -> Int {
        guard let bytes = try? readWholeFile("/proc/self/statm") else { return 0 }
        let fields = bytes.split(separator: UInt8(ascii: " "))
        let pages = fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)) : nil
        return (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// Why a file could not be read.
struct FileError: Error {
    let code: Int32
    /// As in C, such as "ENOENT".
    var name: String { strerrorname_np(code).map { String(cString: $0) } ?? "E\(code)" }
    var reason: String { String(cString: strerror(code)) }
}

private func readWholeFile(_ path: String) throws(FileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(code: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count > 0 {
            bytes += chunk[..<count]
        } else if count == 0 {
            return bytes
        } else if errno != EINTR {
            throw FileError(code: errno)
        }
    }
}
