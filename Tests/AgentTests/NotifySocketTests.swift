import Foundation
import Glibc
import Testing

@testable import Linux

/// A service manager that listens.
private final class Manager {
    let descriptor: Int32
    let path: String

    /// - Parameter path: "@NAME" for the abstract namespace.
    init(_ path: String) {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(2 + name.count)
        let code = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        precondition(code == 0, "bind: \(errno)")
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}

@Suite struct NotifySocketTests {
    private static func path() -> String { "/tmp/sidelight-notify-\(UUID().uuidString)" }

    @Test func whatIsSentArrives() throws {
        for path in [Self.path(), "@sidelight-\(UUID().uuidString)"] {
            let manager = Manager(path)
            let socket = try #require(NotifySocket(path: path))
            #expect(socket.send("READY=1\nSTATUS=läuft"))
            #expect(manager.receive() == "READY=1\nSTATUS=läuft")
            #expect(manager.receive() == nil)
        }
    }

    @Test func nobodyThereIsNoMatter() throws {
        let socket = try #require(NotifySocket(path: Self.path()))
        #expect(!socket.send("READY=1"))
    }

    @Test func aManagerThatDoesNotReadBlocksNobody() throws {
        let path = Self.path()
        let manager = Manager(path)
        let socket = try #require(NotifySocket(path: path))
        var sent = 0
        while socket.send("WATCHDOG=1"), sent < 100_000 { sent += 1 }
        #expect(sent > 0 && sent < 100_000)
        #expect(manager.receive() == "WATCHDOG=1")
    }

    @Test(arguments: [
        "", "/", "@", "relative", "vsock:1:2", "/" + String(repeating: "x", count: 107),
        "@" + String(repeating: "x", count: 107),
    ])
    func otherPlacesAreNone(_ path: String) { #expect(NotifySocket(path: path) == nil) }

    @Test func theWatchdogIsForItsProcessOnly() {
        func watchdog(_ variables: [String: String]) -> UInt64? {
            NotifySocket.wish(of: variables.merging(["NOTIFY_SOCKET": "/x"]) { $1 }, pid: 7)?.watchdogNanoseconds
        }
        #expect(watchdog([:]) == nil)
        #expect(watchdog(["WATCHDOG_USEC": "30000000"]) == 30_000_000_000)
        #expect(watchdog(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]) == 30_000_000_000)
        #expect(watchdog(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"]) == nil)
        for text in ["0", "-1", "x", "", "18446744073709551615", "99999999999999999999"] {
            #expect(watchdog(["WATCHDOG_USEC": text]) == nil)
        }
        #expect(NotifySocket.wish(of: ["WATCHDOG_USEC": "1"], pid: 7) == nil)
        #expect(NotifySocket.wish(of: ["NOTIFY_SOCKET": "here"], pid: 7) == nil)
    }
}
