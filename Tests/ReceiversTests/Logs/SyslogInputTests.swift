import Foundation
import Glibc
import Linux
import Logs
import Telemetry
import Testing

@testable import Receivers

private func tcp() throws -> ListeningSocket { try ListeningSocket(.tcp(host: "127.0.0.1", port: 0)) }

private func udp(bufferBytes: Int32 = SyslogInput.Sockets.bufferBytes) throws -> DatagramSocket {
    try DatagramSocket(.tcp(host: "127.0.0.1", port: 0), bufferBytes: bufferBytes)
}

private func port(_ place: ListeningSocket.Place) -> UInt16 {
    guard case .tcp(_, let port) = place else { return 0 }
    return port
}

private func world(
    _ sockets: SyslogInput.Sockets, _ limits: SyslogInput.Limits = .init(), refuses: Bool = false
) throws -> InputWorld {
    var settings = SyslogSettings()
    settings.utcOffsetSeconds = 0
    return try InputWorld(refuses: refuses) { [settings] _ in [SyslogInput("syslog", settings, limits, sockets)] }
}

@Suite struct SyslogInputTests {
    @Test func messagesComeOverTCPAndUDP() throws {
        var sockets = SyslogInput.Sockets()
        sockets.datagrams = [try udp()]
        sockets.listeners = [try tcp()]
        let world = try world(sockets)
        let datagrams = Client(udp: port(sockets.datagrams[0].place))
        datagrams.send("<13>1 - host app 7 - - one")
        #expect(world.records(1).last!.body == "one")
        var stream: Client? = Client(tcp: port(sockets.listeners[0].place))
        for byte in "<11>1 - host app 7 - - two\n22 <12>1 - host b - - - x" { stream!.send(String(byte)) }
        #expect(world.records(3).suffix(2).map(\.body) == ["two", "x"])
        // The last may lack its end.
        stream!.send("<14>1 - host c - - - three")
        stream = nil
        let got = world.records(4)
        #expect(got[3].body == "three" && got.map(\.severity) == [10, 17, 13, 9])
        #expect(got[0].resource == ["service.name": "app", "host.name": "host"] && got[0].receiver == "syslog")
        #expect(got[0].attributes == ["syslog.facility": "user", "syslog.version": "1", "syslog.procid": "7"])
        world.wait("syslog") { $0.connections == 0 && $0.messages == 4 }
        #expect(world.stop() == 0)
    }

    @Test(arguments: ["datagram", "stream"])
    func loggerWritesToASocketInTheFileSystem(kind: String) throws {
        let path = temporaryFolder() + "/log"
        var sockets = SyslogInput.Sockets()
        if kind == "datagram" {
            sockets.datagrams = [try DatagramSocket(.unix(path: path), bufferBytes: SyslogInput.Sockets.bufferBytes)]
        } else {
            sockets.listeners = [try ListeningSocket(.unix(path: path))]
        }
        let world = try world(sockets)
        guard
            let status = run(
                "/usr/bin/logger", ["-u", path, "-t", "tool", "-p", "local3.warning", "--id=4711", "it is said"])
        else { return }
        #expect(status == 0)
        let got = world.records(1)[0]
        #expect(got.body == "it is said" && got.severity == 13)
        #expect(got.resource["service.name"] == "tool")
        #expect(got.attributes["syslog.facility"] == "local3" && got.attributes["syslog.procid"] == "4711")
        #expect(world.stop() == 0)
    }

    /// What util-linux sends, in both forms and over both protocols.
    @Test(arguments: ["-d", "-T"], ["--rfc5424", "--rfc3164"])
    func loggerIsUnderstood(transport: String, form: String) throws {
        var sockets = SyslogInput.Sockets()
        sockets.datagrams = [try udp()]
        sockets.listeners = [try tcp()]
        let place = transport == "-d" ? sockets.datagrams[0].place : sockets.listeners[0].place
        let world = try world(sockets)
        var arguments = [
            "-n", "127.0.0.1", "-P", "\(port(place))", transport, form, "-t", "shop", "-p", "daemon.err", "--id=12",
        ]
        if form == "--rfc5424" {
            arguments += ["--msgid", "ID9", "--sd-id", "zoo@123", "--sd-param", "tiger=\"hungry\""]
        }
        let before = UInt64(Date().timeIntervalSince1970) * 1_000_000_000
        guard let status = run("/usr/bin/logger", arguments + ["broken: pipe é"]) else { return }
        #expect(status == 0)
        let got = world.records(1)[0]
        #expect(got.body == "broken: pipe é" && got.severity == 17)
        #expect(
            got.resource == [
                "service.name": "shop", "host.name": ProcessInfo.processInfo.hostName.prefix { $0 != "." }.description,
            ]
                || got.resource["service.name"] == "shop" && got.resource["host.name"] != nil)
        #expect(got.attributes["syslog.facility"] == "daemon" && got.attributes["syslog.procid"] == "12")
        if form == "--rfc5424" {
            #expect(got.time >= before)
            #expect(got.attributes["syslog.msgid"] == "ID9" && got.attributes["syslog.zoo@123.tiger"] == "hungry")
        } else {
            #expect(got.time > 0)
        }
        #expect(world.stop() == 0)
    }

    /// Nothing is lost over a connection, whatever the queues say: the sender waits.
    @Test func aFullQueueMakesSendersWait() throws {
        var sockets = SyslogInput.Sockets()
        sockets.listeners = [try tcp()]
        let world = try world(sockets, refuses: true)
        let port = port(sockets.listeners[0].place)
        let count = 12_000
        Thread.detachNewThread {
            let client = Client(tcp: port)
            let text = String(repeating: "x", count: 2_000)
            for start in stride(from: 0, to: count, by: 100) {
                client.send((start..<start + 100).map { "<13>1 - h a - - - \($0) \(text)\n" }.joined())
            }
        }
        // It stands still: what was read is bounded, and nothing is taken.
        world.state.wait { $0.attempts >= 3 ? .done(()) : .untilWoken }
        var read = world.counts("syslog").bytes
        while true {
            usleep(50_000)
            let now = world.counts("syslog").bytes
            if now == read, now > 1 << 20 { break }
            read = now
        }
        #expect(read < 16 << 20)
        world.state.withLock { $0.takes = .max }
        let got = world.records(count)
        #expect(got.map { Int($0.body.split(separator: " ")[0])! } == Array(0..<count))
        #expect(world.stop() == 0)
    }

    /// Datagrams that the kernel has no room for are counted.
    @Test func lostDatagramsAreCounted() throws {
        var sockets = SyslogInput.Sockets()
        sockets.datagrams = [try udp(bufferBytes: 8_192)]
        let world = try world(sockets, refuses: true)
        let client = Client(udp: port(sockets.datagrams[0].place))
        let text = String(repeating: "x", count: 8_000)
        let count = 4_000
        for _ in 0..<count { client.send("<13>1 - h a - - - " + text) }
        world.state.withLock { $0.takes = .max }
        // The kernel tells with the next one that it has room for.
        var sent = count
        while true {
            client.send("<13>1 - h a - - - last")
            sent += 1
            usleep(20_000)
            let counts = world.counts("syslog")
            if counts.messages + counts.datagramsDropped == UInt64(sent) { break }
        }
        #expect(world.counts("syslog").datagramsDropped > 0)
        #expect(world.stop() == 0)
    }

    @Test func connectionsAndMessagesAreBounded() throws {
        var sockets = SyslogInput.Sockets()
        sockets.listeners = [try tcp()]
        var limits = SyslogInput.Limits()
        (limits.connections, limits.messageBytes) = (2, 1_024)
        let world = try world(sockets, limits)
        let port = port(sockets.listeners[0].place)
        let clients = [Client(tcp: port), Client(tcp: port)]
        world.wait("syslog") { $0.connections == 2 }
        #expect(Client(tcp: port).isClosed())
        world.wait("syslog") { $0.connectionsRefused == 1 }
        clients[0].send("<13>1 - h a - - - " + String(repeating: "y", count: 100_000) + "\n<13>1 - h a - - - next\n")
        let got = world.records(2)
        #expect(got[0].body.count == 1_024 - 18 && got[1].body == "next")
        world.wait("syslog") { $0.cut == 1 && $0.cutBytes == 100_000 + 18 - 1_024 }
        #expect(world.stop() == 0)
    }

    /// Whoever forwards with rsyslog, in both of its formats: octet counting over TCP, lines, datagrams.
    @Test(arguments: ["udp", "tcp"], ["RSYSLOG_ForwardFormat", "RSYSLOG_SyslogProtocol23Format"])
    func rsyslogForwards(transport: String, template: String) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/sbin/rsyslogd"),
            FileManager.default.isExecutableFile(atPath: "/usr/bin/logger")
        else { return }
        var sockets = SyslogInput.Sockets()
        sockets.datagrams = [try udp()]
        sockets.listeners = [try tcp()]
        let place = transport == "udp" ? sockets.datagrams[0].place : sockets.listeners[0].place
        let world = try world(sockets)
        let folder = temporaryFolder()
        let framing = transport == "tcp" ? "TCP_Framing=\"octet-counted\"" : ""
        try """
        global(workDirectory="\(folder)")
        module(load="imuxsock" SysSock.Use="off")
        input(type="imuxsock" Socket="\(folder)/log" CreatePath="on")
        action(type="omfwd" Target="127.0.0.1" Port="\(port(place))" Protocol="\(transport)" Template="\(template)" \(framing))
        """.write(toFile: folder + "/rsyslog.conf", atomically: true, encoding: .utf8)
        let daemon = start("/usr/sbin/rsyslogd", ["-n", "-f", folder + "/rsyslog.conf", "-i", folder + "/pid"])!
        while !FileManager.default.fileExists(atPath: folder + "/log") { usleep(10_000) }
        for number in 0..<3 {
            #expect(
                run(
                    "/usr/bin/logger",
                    ["-u", folder + "/log", "-t", "shop", "-p", "mail.crit", "--id=5", "message \(number)"]) == 0)
        }
        let got = world.records(3)
        daemon.send(SIGTERM)
        _ = try daemon.reap()
        // In RFC 5424 rsyslog's texts begin with the space that came before them in RFC 3164.
        let space = template.contains("Protocol23") ? " " : ""
        #expect(got.map(\.body) == (0..<3).map { "\(space)message \($0)" })
        #expect(got.allSatisfy { $0.severity == 18 && $0.attributes["syslog.facility"] == "mail" && $0.time > 0 })
        #expect(got.allSatisfy { $0.resource["service.name"] == "shop" && $0.resource["host.name"] != nil })
        #expect(got.allSatisfy { $0.attributes["syslog.procid"] == "5" })
        #expect(world.stop() == 0)
    }
}
