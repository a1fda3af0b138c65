internal import Health
internal import Linux

/// What the service manager that started this process is told: sd_notify(3), systemd.service(5) `Type=notify` and `notify-reload`, `WatchdogSec=`. Main thread.
final class ServiceManager {
    private let socket: NotifySocket
    /// Half of what it wants, so that one can come late.
    private let watchdogNanoseconds: UInt64?
    private var watchdogAt: UInt64 = 0
    private var isReadySaid = false
    private var isReloading = false
    private var isStopping = false
    private var status = ""

    init(_ wish: NotifySocket.Wish) {
        socket = wish.socket
        watchdogNanoseconds = wish.watchdogNanoseconds.map { max(1_000_000, $0 / 2) }
    }

    /// When it is to hear something.
    var timer: UInt64 { watchdogNanoseconds == nil ? .max : watchdogAt }

    /// - Parameter isAlive: whether to be started anew would not help.
    func tick(_ report: HealthReport, now: UInt64) {
        if !isReadySaid, report.passes(.startup) {
            // What it does not take, for its queue is full, is said again.
            isReadySaid = say(report.line, "READY=1\n")
        } else if report.line != status {
            say(report.line)
        }
        guard let watchdogNanoseconds, watchdogAt <= now else { return }
        watchdogAt = now &+ watchdogNanoseconds
        // Who does not live says nothing, and is started anew.
        if report.passes(.liveness) { socket.send("WATCHDOG=1") }
    }

    @discardableResult
    private func say(_ line: String, _ before: String = "") -> Bool {
        guard socket.send("\(before)STATUS=\(line)") else { return false }
        status = line
        return true
    }

    /// Another configuration, or other code, is being taken.
    func reloading(now: UInt64) {
        // Before it is ready, the end of this would say that it is.
        guard isReadySaid, !isReloading, !isStopping else { return }
        isReloading = true
        socket.send("RELOADING=1\nMONOTONIC_USEC=\(now / 1_000)")
    }

    /// Whatever came of it.
    func reloaded() {
        guard isReloading, !isStopping else { return }
        isReloading = false
        socket.send("READY=1")
    }

    func stopping() {
        guard !isStopping else { return }
        isStopping = true
        socket.send("STOPPING=1\nSTATUS=ending")
    }
}
