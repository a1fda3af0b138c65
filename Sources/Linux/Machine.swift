internal import CLinux
internal import Glibc

/// What this process and its machine are called.
public enum Machine {
    /// The path of this program's file, links resolved.
    public static var executablePath: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink("/proc/self/exe", buffer.baseAddress!, buffer.count - 1)
            guard count > 0 else { return nil }
            buffer[count] = 0
            return String(cString: buffer.baseAddress!)
        }
    }

    public static var hostName: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard gethostname(buffer.baseAddress!, buffer.count - 1) == 0 else { return nil }
            buffer[255] = 0
            return String(cString: buffer.baseAddress!)
        }
    }

    /// A variable of the environment; an empty one counts as unset, as the OpenTelemetry specification wants it.
    public static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// Whether the path names a file that this process may execute.
    public static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

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
