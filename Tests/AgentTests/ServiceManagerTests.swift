import Glibc
import Health
import Testing

@testable import Agent
@testable import Linux

/// A service manager that reads when it is told to.
private final class Listener {
    let descriptor: Int32
    let name = "@sidelight-manager-\(UInt64.random(in: .min ... .max))"

    init() {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: [0] + Array(name.utf8).dropFirst()) }
        let length = socklen_t(2 + name.utf8.count)
        let code = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        precondition(code == 0, "bind: \(errno)")
    }

    deinit { close(descriptor) }

    /// All that has come.
    func messages() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count >= 0 {
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
        return messages
    }
}

@Suite struct ServiceManagerTests {
    private static func report(isStarting: Bool = false) -> HealthReport {
        var report = HealthReport(service: "shop", version: "1", description: "")
        report.isStarting = isStarting
        return report
    }

    private static func manager(_ listener: Listener) throws -> (ServiceManager, NotifySocket) {
        let socket = try #require(NotifySocket(path: listener.name))
        return (ServiceManager(NotifySocket.Wish(socket: socket, watchdogNanoseconds: nil)), socket)
    }

    @Test func whatItsQueueDoesNotTakeIsSaidAgain() throws {
        let listener = Listener()
        let (manager, socket) = try Self.manager(listener)
        while socket.send("WATCHDOG=1") {}
        manager.tick(Self.report(), now: 1)
        #expect(!listener.messages().contains { $0.contains("READY=1") })
        manager.tick(Self.report(), now: 2)
        manager.tick(Self.report(), now: 3)
        #expect(listener.messages() == ["READY=1\nSTATUS=ready"])
    }

    @Test func aReloadBeforeItIsReadyDoesNotSayThatItIs() throws {
        let listener = Listener()
        let (manager, _) = try Self.manager(listener)
        manager.tick(Self.report(isStarting: true), now: 1)
        manager.reloading(now: 2)
        manager.reloaded()
        #expect(listener.messages() == ["STATUS=starting"])
        manager.tick(Self.report(), now: 3)
        manager.reloading(now: 4_000)
        manager.reloaded()
        #expect(listener.messages() == ["READY=1\nSTATUS=ready", "RELOADING=1\nMONOTONIC_USEC=4", "READY=1"])
    }
}
