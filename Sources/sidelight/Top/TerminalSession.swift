import Glibc
import Linux

/// A terminal while a command draws on all of it: another screen, no cursor, keys as they are pressed. `leave` gives it back. One thread.
final class TerminalSession {
    private let signals: SignalDescriptor
    /// How the terminal was; nil: it is not drawn on, or standard input is none.
    private var saved: termios?
    private var isInside = false
    /// What stands on the screen; nil: nobody knows.
    private var shown: [String]?
    private var size: (width: Int, height: Int) = (0, 0)

    private static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[H\u{1B}[2J"
    private static let leave = "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"
    private static let standard = (width: 80, height: 24)
    /// A write of more may wait for the terminal after it said that it takes some.
    private static let writeBytesMax = 1_024
    private static let readBytesMax = 4_096

    /// - Parameter signals: A write that the terminal does not take is given up for them.
    init(_ signals: SignalDescriptor) { self.signals = signals }

    /// Whether standard output is a terminal that can be drawn on.
    static var isPossible: Bool {
        guard isatty(STDOUT_FILENO) == 1, let name = getenv("TERM") else { return false }
        let term = String(cString: name)
        return !term.isEmpty && term != "dumb"
    }

    /// Negative: keys cannot be read.
    var keysDescriptor: Int32 { isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : -1 }

    /// Also after the process was stopped and goes on.
    func enter() {
        if !isInside {
            var mode = termios()
            saved = tcgetattr(STDIN_FILENO, &mode) == 0 ? mode : nil
        }
        isInside = true
        if var mode = saved {
            mode.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
            mode.c_iflag &= ~tcflag_t(IXON | ICRNL)
            withUnsafeMutableBytes(of: &mode.c_cc) { characters in
                characters[Int(VMIN)] = 1
                characters[Int(VTIME)] = 0
            }
            tcsetattr(STDIN_FILENO, TCSANOW, &mode)
        }
        shown = nil
        _ = put(Self.enter)
    }

    func leave() {
        guard isInside else { return }
        isInside = false
        _ = put(Self.leave)
        if var mode = saved { tcsetattr(STDIN_FILENO, TCSANOW, &mode) }
    }

    /// Columns and lines. Those that the terminal does not say are taken from `COLUMNS` and `LINES`.
    func currentSize() -> (width: Int, height: Int) {
        var window = winsize()
        if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) != 0 { window = winsize() }
        func value(_ cells: UInt16, _ variable: String, _ standard: Int) -> Int {
            if cells > 0 { return Int(cells) }
            guard let text = getenv(variable), let number = Int(String(cString: text)), (1...10_000).contains(number)
            else { return standard }
            return number
        }
        return (
            value(window.ws_col, "COLUMNS", Self.standard.width), value(window.ws_row, "LINES", Self.standard.height)
        )
    }

    /// What was typed; nil: the terminal is gone.
    func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Self.readBytesMax)
        let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
        if count > 0 { return Array(bytes[..<count]) }
        return count < 0 && (errno == EINTR || errno == EAGAIN) ? [] : nil
    }

    /// What was drawn before is drawn again.
    func forget() { shown = nil }

    /// Draws lines of at most the screen's width; those that are there already are left alone. False: the terminal is gone.
    func draw(_ lines: [String], _ size: (width: Int, height: Int)) -> Bool {
        var out = ""
        if shown == nil || self.size != size {
            out += "\u{1B}[0m\u{1B}[2J"
            shown = nil
        }
        self.size = size
        let old = shown ?? []
        for row in 0..<max(size.height, old.count) {
            let line = row < lines.count ? lines[row] : ""
            guard line != (row < old.count ? old[row] : "") else { continue }
            // Erased first: behind a full line the cursor stands on its last character.
            out += "\u{1B}[\(row + 1);1H\u{1B}[K\(line)"
        }
        shown = lines
        if out.isEmpty { return true }
        switch put(out) {
        case .done: return true
        case .interrupted:
            shown = nil
            return true
        case .gone: return false
        }
    }

    private enum Outcome { case done, interrupted, gone }

    private func put(_ text: String) -> Outcome {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            var descriptors = [
                pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&descriptors, 2, -1) > 0 || errno == EINTR else { return .gone }
            if descriptors[0].revents == 0 {
                if descriptors[1].revents != 0 { return .interrupted }
                continue
            }
            let count = bytes.withUnsafeBytes {
                write(STDOUT_FILENO, $0.baseAddress! + written, min(bytes.count - written, Self.writeBytesMax))
            }
            if count >= 0 {
                written += count
            } else if errno != EINTR, errno != EAGAIN {
                return .gone
            }
        }
        return .done
    }
}
