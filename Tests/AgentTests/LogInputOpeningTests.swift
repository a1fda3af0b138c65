import Configuration
import Foundation
import Glibc
import Telemetry
import Testing

@testable import Agent

/// What is made in the file system for inputs of logs.
@Suite struct LogInputOpeningTests {
    private let folder = TemporaryFolder()

    private func open(_ sources: [(String, LogInputConfiguration.Source)]) throws -> LogInputOpening {
        try LogInputOpening(
            sources.map { LogInputConfiguration(name: $0, source: $1) }, folder.path + "/queue", keeping: [], [:],
            Messages(isQuiet: true, level: .critical))
    }

    private var socket: (String, LogInputConfiguration.Source) {
        var syslog = LogInputConfiguration.Syslog()
        (syslog.listen, syslog.transports) = (.unix(folder.path + "/log"), [.datagram])
        return ("syslog", .syslog(syslog))
    }

    private var pipe: (String, LogInputConfiguration.Source) { ("pipe", .pipe(folder.path + "/pipe")) }

    private var names: [String] {
        ["log", "pipe"].filter { FileManager.default.fileExists(atPath: folder.path + "/" + $0) }
    }

    /// A writer to a pipe that nobody reads would wait for ever.
    @Test func whatFailsLeavesNothingBehind() throws {
        let missing = LogInputConfiguration.Program(command: ["no-such-program"])
        #expect(throws: LogInputOpening.Failure.self) { try open([socket, pipe, ("exec", .exec(missing))]) }
        #expect(names == [])
    }

    @Test func whatWasThereStays() throws {
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let missing = LogInputConfiguration.Program(command: ["no-such-program"])
        #expect(throws: LogInputOpening.Failure.self) { try open([pipe, socket, ("exec", .exec(missing))]) }
        #expect(names == ["pipe"])
    }

    /// Something else may be wrong with the configuration that it was opened for.
    @Test func whatIsNotHandedOverGoesAgain() throws {
        var opening: LogInputOpening? = try open([socket, pipe])
        #expect(names == ["log", "pipe"])
        opening = nil
        #expect(names == [])
        opening = try open([socket, pipe])
        opening!.made.isHandedOver = true
        opening = nil
        #expect(names == ["log", "pipe"])
    }
}
