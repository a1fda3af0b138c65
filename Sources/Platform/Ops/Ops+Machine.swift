internal import Engine
internal import Glibc
internal import Linux
internal import System

extension PlatformOps {
    /// random(bytes): fills them. memoryUsage(f64array): rss, heapTotal, heapUsed, external, arrayBuffers.
    /// readFile(path): a Uint8Array; an Error with a `code` such as ENOENT. cwd(), hrUnix(): Unix time in ms with fraction.
    static let machine = [
        Op("random") {
            let call = OpCall($0, $1)
            if let bytes = call.bytes(0), let start = bytes.baseAddress { arc4random_buf(start, bytes.count) }
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
            do throws(FileError) {
                call.returns(try readFile(path).withUnsafeBytes(call.realm.makeUint8Array))
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
        guard let bytes = try? readFile("/proc/self/statm") else { return 0 }
        let fields = bytes.split(separator: UInt8(ascii: " "))
        let pages = fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)) : nil
        return (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
