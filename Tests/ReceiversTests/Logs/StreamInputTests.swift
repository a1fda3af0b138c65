import Foundation
import Glibc
import Linux
import Logs
import System
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
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o660)
        // What the last writer left unfinished is a line of its own, and does not wait for the next.
        Self.write("one\ntwo\nthree", to: path)
        #expect(world.records(3).map(\.body) == ["one", "two", "three"])
        Self.write("{\"msg\":\"four\",\"level\":\"warn\"}\n", to: path)
        Self.write("five", to: path)
        let got = world.records(5)
        #expect(got.map(\.body) == ["one", "two", "three", "four", "five"] && got[3].severity == 13)
        #expect(got.allSatisfy { $0.resource == ["service.name": "job"] && $0.receiver == "pipe" })
        // A writer that is still there goes on with its line.
        let writer = open(path, O_WRONLY)
        _ = Glibc.write(writer, "si", 2)
        world.wait("pipe") { $0.bytes == 49 }
        Self.write("x\nunfinished", to: path)
        #expect(world.records(6).last?.body == "six")
        #expect(world.stop() == 0)
        #expect(world.state.withLock(\.got).last?.body == "unfinished")
        close(writer)
    }

    /// Each writes a line or leaves one unfinished, and goes: whatever comes between two looks, no byte is lost.
    @Test func nothingIsLostWhenWritersTakeTurns() throws {
        let path = temporaryFolder() + "/pipe"
        let world = try InputWorld { world in [try! StreamInput("pipe", pipe: path, settings())] }
        while !FileManager.default.fileExists(atPath: path) { usleep(1_000) }
        let (writers, count) = (4, 500)
        for writer in 0..<writers {
            Thread.detachNewThread {
                for number in 0..<count {
                    Self.write("\(number % 3 == 0 ? "" : "\n")<\(writer)-\(number)>", to: path)
                }
            }
        }
        let bytes = (0..<count).map { "<0-\($0)>".utf8.count + ($0 % 3 == 0 ? 0 : 1) }.reduce(0, +) * writers
        world.wait("pipe") { $0.bytes == UInt64(bytes) }
        #expect(world.stop() == 0)
        let pieces = world.state.withLock(\.got).flatMap { $0.body.split(separator: "<").map(String.init) }
        let wanted = (0..<writers).flatMap { writer in (0..<count).map { "\(writer)-\($0)>" } }
        #expect(pieces.sorted() == wanted.sorted())
    }

    @Test func aPipeThatNobodyWillReadIsRemoved() throws {
        let path = temporaryFolder() + "/pipe"
        let made = try StreamInput("pipe", pipe: path, settings())
        let found = try StreamInput("pipe", pipe: path, settings())
        found.removeNewPath()
        #expect(FileManager.default.fileExists(atPath: path))
        made.removeNewPath()
        #expect(!FileManager.default.fileExists(atPath: path))
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

    /// It is not asked for ever, nor read without a bound.
    @Test func aProgramThatDoesNotEndIsMadeTo() throws {
        let program = ProgramInput.Program(
            executable: "/bin/sh", arguments: ["-c", "trap '' TERM; exec yes all along"],
            environment: ["PATH=/usr/bin:/bin"])
        let said = Monitor<[String]>([])
        let input = ProgramInput("exec", program, settings()) { text in said.withLock { $0.append(text) } }
        let time = LogInputTime(now: 0, unix: 0)
        input.begin(LogInputWatcher(ready: try ReadySet(), number: 1), time)
        while input.counts.bytes == 0 { input.readable(0, time) }
        let before = input.counts.bytes
        input.askToEnd()
        input.end(time)
        let read = input.counts.bytes - before
        #expect(read >= ProgramInput.endBytesMax && read < ProgramInput.endBytesMax + LineStream.readBytes)
        #expect(said.withLock { $0 } == ["exec: /bin/sh went on writing when it was to end; the rest is not read"])
    }

    @Test func programsThatEndTogetherAreAllReadToTheirEnd() throws {
        let names = ["exec/a", "exec/b", "exec/c"]
        let world = try InputWorld { world in
            names.map { name in
                let program = ProgramInput.Program(
                    executable: "/bin/sh",
                    arguments: ["-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"],
                    environment: ["PATH=/usr/bin:/bin"])
                return ProgramInput(name, program, settings()) { [unowned world] in world.say($0) }
            }
        }
        _ = world.records(3)
        #expect(world.stop() == 0)
        let got = world.state.withLock(\.got)
        #expect(names.allSatisfy { name in got.filter { $0.receiver == name }.map(\.body) == ["up", "bye"] })
    }
}

@Suite struct JournalInputTests {
    private static func program(_ folder: String, _ text: String) throws -> String {
        let path = folder + "/journalctl"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    /// Stands for journalctl: notes how it was called, and prints what there is behind the cursor.
    private static func program(_ folder: String) throws -> String {
        try program(
            folder,
            """
            #!/bin/sh
            echo "$@" >> \(folder)/calls
            case "$*" in *after-cursor=c2*) first=3 ;; *) first=1 ;; esac
            for number in $(seq $first 4); do
                [ $number -gt 2 ] && [ ! -e \(folder)/more ] && break
                echo "{\\"__CURSOR\\":\\"c$number\\",\\"MESSAGE\\":\\"entry $number\\",\\"PRIORITY\\":\\"3\\",\\"SYSLOG_IDENTIFIER\\":\\"app\\"}"
            done
            exec sleep 1000
            """)
    }

    @Test func theNextRunGoesOnBehindTheCursor() throws {
        let folder = temporaryFolder()
        var journal = JournalInput.Journal(
            executable: try Self.program(folder), arguments: ["--unit=app"], environment: ["PATH=/usr/bin:/bin"],
            cursorFile: folder + "/cursor")
        journal.readsAll = true
        let make: @Sendable (InputWorld) -> [any LogInput] = { [journal] world in
            [JournalInput("journald", journal, SyslogSettings()) { [unowned world] in world.say($0) }]
        }
        let first = try InputWorld(make)
        #expect(first.records(2).map(\.body) == ["entry 1", "entry 2"])
        #expect(first.records(2)[0].severity == 17 && first.records(2)[0].resource == ["service.name": "app"])
        #expect(first.stop() == 0)
        #expect(try String(contentsOfFile: folder + "/cursor", encoding: .utf8) == "c2")
        try "".write(toFile: folder + "/more", atomically: true, encoding: .utf8)
        let second = try InputWorld(make)
        #expect(second.records(2).map(\.body) == ["entry 3", "entry 4"])
        #expect(second.stop() == 0)
        let calls = try String(contentsOfFile: folder + "/calls", encoding: .utf8).split(separator: "\n")
        #expect(
            calls == [
                "--output=json --all --follow --quiet --lines=all --unit=app",
                "--output=json --all --follow --quiet --lines=all --after-cursor=c2 --unit=app",
            ])
    }

    /// Two entries, each a delivery of its own, the first of them on its way; and the end.
    private static func cursorAtTheEnd(_ deliveries: Int, graceMilliseconds: Int) throws -> (left: Int, cursor: String)
    {
        let folder = temporaryFolder()
        let program = try Self.program(
            folder,
            """
            #!/bin/sh
            echo '{"__CURSOR":"c1","MESSAGE":"one"}'
            until [ -e \(folder)/more ]; do sleep 0.01; done
            echo '{"__CURSOR":"c2","MESSAGE":"two"}'
            exec sleep 1000
            """)
        var journal = JournalInput.Journal(
            executable: program, arguments: [], environment: ["PATH=/usr/bin:/bin"], cursorFile: folder + "/cursor")
        journal.readsAll = true
        let world = try InputWorld(refuses: true) { [journal] world in
            [JournalInput("journald", journal, SyslogSettings()) { [unowned world] in world.say($0) }]
        }
        world.state.wait { $0.attempts > 0 ? .done(()) : .untilWoken }
        if deliveries > 1 {
            try "".write(toFile: folder + "/more", atomically: true, encoding: .utf8)
            world.wait("journald") { $0.messages == 2 }
        }
        world.inputs.stop(graceMilliseconds: graceMilliseconds)
        world.state.withLock { $0.takes = 1 }
        let left = world.stop()
        return (left, try String(contentsOfFile: folder + "/cursor", encoding: .utf8))
    }

    @Test func whatIsOnItsWayAtTheEndMovesTheCursor() throws {
        #expect(try Self.cursorAtTheEnd(1, graceMilliseconds: 60_000) == (0, "c1"))
    }

    @Test func whatIsTakenAtTheEndMovesTheCursorAndWhatIsLeftDoesNot() throws {
        #expect(try Self.cursorAtTheEnd(2, graceMilliseconds: 3_000) == (1, "c1"))
    }
}
