import Foundation
import Glibc
import Linux
import Logs
import Telemetry
import Testing

@testable import Receivers

private func settings() -> LogFormatSettings {
    var settings = LogFormatSettings()
    settings.serviceName = "job"
    settings.multiline = .off
    return settings
}

@Suite struct StreamInputTests {
    private static func write(_ text: String, to path: String) {
        let descriptor = open(path, O_WRONLY)
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
        close(descriptor)
    }

    @Test func writersOfANamedPipeComeAndGo() throws {
        let path = temporaryFolder() + "/pipe"
        let world = try InputWorld { world in
            do throws(StreamInput.Failure) {
                return [try StreamInput("pipe", pipe: path, settings())]
            } catch {
                world.say(error.reason)
                return []
            }
        }
        while !FileManager.default.fileExists(atPath: path) { usleep(1_000) }
        Self.write("one\ntwo\nthr", to: path)
        #expect(world.records(2).map(\.body) == ["one", "two"])
        Self.write("ee\n{\"msg\":\"four\",\"level\":\"warn\"}\n", to: path)
        let got = world.records(4)
        #expect(got.map(\.body) == ["one", "two", "three", "four"] && got[3].severity == 13)
        #expect(got.allSatisfy { $0.resource == ["service.name": "job"] && $0.receiver == "pipe" })
        Self.write("unfinished", to: path)
        world.wait("pipe") { $0.bytes == 54 }
        #expect(world.stop() == 0)
        #expect(world.state.withLock(\.got).last?.body == "unfinished")
    }

    @Test func whatIsNoPipeIsRefused() throws {
        let path = temporaryFolder() + "/file"
        try "text".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: StreamInput.Failure(reason: "it is there, and no named pipe")) {
            try StreamInput("pipe", pipe: path, settings())
        }
    }

    @Test func aProgramsStreamsAreReadAndItsEndIsTold() throws {
        let world = try InputWorld { world in
            var program = ProgramInput.Program(
                executable: "/bin/sh", arguments: ["-c", "echo $WHAT; echo bad >&2; read x && echo $x; exit 3"],
                environment: ["WHAT=good", "PATH=/usr/bin:/bin"])
            program.restart = .never
            return [ProgramInput("exec", program, settings()) { [unowned world] in world.say($0) }]
        }
        let got = world.records(2).sorted { $0.body > $1.body }
        #expect(got.map(\.body) == ["good", "bad"])
        #expect(got.map { $0.attributes["log.iostream"] } == ["stdout", "stderr"])
        let said = world.state.wait { $0.over == ["exec"] ? .done($0.said) : .untilWoken }
        #expect(said == ["exec: /bin/sh ended with exit code 3"])
        #expect(world.stop() == 0)
    }

    @Test func aProgramIsStartedAgain() throws {
        let world = try InputWorld { world in
            let program = ProgramInput.Program(
                executable: "/bin/sh", arguments: ["-c", "echo run; kill -9 $$"], environment: [], restart: .onFailure)
            return [ProgramInput("exec", program, settings()) { [unowned world] in world.say($0) }]
        }
        _ = world.records(2)
        #expect(world.state.withLock(\.said).first == "exec: /bin/sh was ended by signal 9; it is started again in 1 s")
        world.wait("exec") { $0.restarts >= 1 && $0.records >= 2 }
        #expect(world.stop() == 0)
    }

    @Test func whatCannotBeStartedIsTold() throws {
        let world = try InputWorld { world in
            let program = ProgramInput.Program(executable: "/nonexistent", arguments: [], environment: [])
            return [ProgramInput("exec", program, settings()) { [unowned world] in world.say($0) }]
        }
        let said = world.state.wait { $0.said.isEmpty ? .untilWoken : .done($0.said) }
        #expect(said[0].hasPrefix("exec: /nonexistent cannot be started: "))
        #expect(world.stop() == 0)
    }

    /// One that is asked to end may say something more.
    @Test func anEndingProgramIsReadToItsEnd() throws {
        let world = try InputWorld { world in
            let program = ProgramInput.Program(
                executable: "/bin/sh",
                arguments: ["-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"],
                environment: ["PATH=/usr/bin:/bin"])
            return [ProgramInput("exec", program, settings()) { [unowned world] in world.say($0) }]
        }
        _ = world.records(1)
        #expect(world.stop() == 0)
        #expect(world.state.withLock(\.got).map(\.body) == ["up", "bye"])
    }
}
