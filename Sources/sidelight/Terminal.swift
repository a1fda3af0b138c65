import Glibc

/// What the output can show.
struct Terminal: Sendable {
    /// Columns.
    var width: Int
    var hasColor: Bool
    /// False for a pipe or file.
    var isInteractive: Bool

    static let widthInPipe = 120
    static let widthMin = 40

    /// Standard output: its size, `COLUMNS`, and the conventions of <https://no-color.org> and `FORCE_COLOR`.
    static func standardOutput() -> Terminal {
        let isInteractive = isatty(STDOUT_FILENO) == 1
        var size = winsize()
        var width = widthInPipe
        if isInteractive, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            width = Int(size.ws_col)
        }
        if let columns = environment("COLUMNS").flatMap({ Int($0) }), columns > 0 { width = columns }
        let hasColor: Bool
        if let force = environment("FORCE_COLOR"), force != "0", force != "false" {
            hasColor = true
        } else if environment("NO_COLOR") != nil || environment("TERM") == "dumb" {
            hasColor = false
        } else {
            hasColor = isInteractive
        }
        return Terminal(width: max(width, widthMin), hasColor: hasColor, isInteractive: isInteractive)
    }

    /// A variable that is set and not empty.
    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// Select Graphic Rendition codes (ECMA-48, section 8.3.117).
enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case blue = "34"
    case magenta = "35"
    case cyan = "36"
    case boldRed = "1;31"
    case brightGreen = "92"
    case brightBlue = "94"
    case brightMagenta = "95"
    case brightCyan = "96"
    /// What was looked for.
    case found = "1;7"

    /// One of those that mean nothing else, always the same for a service.
    static func of(service: String) -> Style {
        let styles: [Style] = [.cyan, .green, .blue, .magenta, .brightCyan, .brightGreen, .brightBlue, .brightMagenta]
        // FNV-1a.
        let hash = service.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return styles[Int(hash >> 32) % styles.count]
    }
}

/// Colours text, or does not.
struct Painter {
    let hasColor: Bool

    func callAsFunction(_ text: String, _ style: Style?) -> String {
        guard hasColor, let style, !text.isEmpty else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }
}

/// Lines to standard output, in large writes. A reader that goes away (EPIPE) is no error: `isOpen` turns false. What cannot be written otherwise ends the
/// process with exit code 1.
final class Output {
    private var buffer: [UInt8] = []
    private(set) var isOpen = true
    private static let bufferBytesMax = 64 << 10

    /// Text that is escaped already, and may be coloured.
    func line(_ text: String) { put(text.escapedButColors) }

    /// A line of JSON.
    func json(_ text: String) { put(text.escapedJSON) }

    private func put(_ text: String) {
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.bufferBytesMax { flush() }
    }

    func flush() {
        if isOpen { isOpen = buffer.withUnsafeBytes(Self.write) }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes them as they are. False: the reader has gone away.
    static func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(STDOUT_FILENO, bytes.baseAddress! + written, bytes.count - written)
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                var descriptor = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&descriptor, 1, -1)
            } else if errno == EPIPE {
                return false
            } else if errno != EINTR {
                complain("standard output cannot be written: \(String(cString: strerror(errno)))")
                exit(1)
            }
        }
        return true
    }
}

/// A message of the tool's own, for people. What may steer a terminal is escaped.
func complain(_ message: String) {
    let line = Array("sidelight: \(message.escapedText)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}
