import Glibc
import Linux

/// `sidelight top` on a terminal. One thread.
final class TopLive {
    private var screen: TopScreen
    private var model: TopModel
    private var keys = TopKeys()
    private let fetcher: TopFetcher
    private let signals: SignalDescriptor
    private let terminal: TerminalSession
    private let clock = LinuxClock()
    private let paint = Painter(hasColor: Terminal.standardOutput().hasColor)
    /// When a sequence that was begun is the key Escape, if nothing more has come.
    private var escapeAt = UInt64.max

    /// Bytes of one key come closer together than this, through slow connections too.
    private static let escapeNanoseconds: UInt64 = 100_000_000

    init(_ screen: TopScreen, places: [String], _ access: AdminAccess) throws {
        self.screen = screen
        model = TopModel(places: places)
        // Before there are other threads.
        signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH])
        terminal = TerminalSession(signals)
        fetcher = try TopFetcher(places: places, access)
    }

    func run() throws {
        terminal.enter()
        defer { terminal.leave() }
        var poller = Poller([signals.fileDescriptor, terminal.keysDescriptor, fetcher.ready.fileDescriptor])
        var next = clock.monotonicNanoseconds()
        while true {
            let now = clock.monotonicNanoseconds()
            if !screen.isPaused, now >= next {
                fetcher.ask()
                next = max(next &+ screen.intervalNanoseconds, now)
            }
            guard draw() else { return }
            let wake = min(screen.isPaused ? .max : next, escapeAt)
            try poller.wait(nanoseconds: wake == .max ? nil : wake > now ? wake - now : 0)
            while let signal = signals.next() {
                guard take(signal.number) else { return }
            }
            if poller.isReady(1) {
                guard let bytes = terminal.read() else { return }
                for key in keys.take(bytes) {
                    if key == .redraw { terminal.forget() }
                    guard screen.take(key) else { return }
                }
                escapeAt = keys.isWaiting ? clock.monotonicNanoseconds() + Self.escapeNanoseconds : .max
            } else if clock.monotonicNanoseconds() >= escapeAt {
                escapeAt = .max
                if let key = keys.settle() { _ = screen.take(key) }
            }
            if poller.isReady(2) {
                let outcomes = fetcher.take()
                // One that comes after the pause began is let go: what is shown stands still.
                if !screen.isPaused { for outcome in outcomes { model.take(outcome) } }
            }
        }
    }

    private func draw() -> Bool {
        let size = terminal.currentSize()
        let lines = screen.frame(model, width: size.width, height: size.height)
        return terminal.draw(lines.map { $0.painted(paint, width: size.width) }, size)
    }

    /// False: that is the end.
    private func take(_ signal: Int32) -> Bool {
        switch signal {
        case SIGTSTP:
            terminal.leave()
            kill(getpid(), SIGSTOP)
            terminal.enter()
        case SIGCONT: terminal.enter()
        case SIGWINCH: break
        default: return false
        }
        return true
    }
}
