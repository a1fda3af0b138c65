import Testing

@testable import Runtime

struct WorkerOptionsTests {
    @Test func whatFollowsTheEntryBelongsToTheProgram() throws {
        let options = try WorkerOptions(["--ring-fd", "3", "--wake-fd", "4", "--", "/a.js", "--version", "--", "x"])
        #expect(options.command == .run(entry: "/a.js"))
        #expect(options.arguments == ["--version", "--", "x"])
        #expect(options.ringDescriptor == 3 && options.wakeDescriptor == 4 && options.isTraced)
    }

    @Test func optionsEndAtTheEntry() throws {
        let options = try WorkerOptions(["/a.js", "--ring-fd"])
        #expect(options.command == .run(entry: "/a.js"))
        #expect(options.arguments == ["--ring-fd"])
        #expect(!options.isTraced)
    }

    @Test func anEntryMayBeginWithADash() throws {
        #expect(try WorkerOptions(["--", "/-a.js"]).command == .run(entry: "/-a.js"))
    }

    @Test func otherCommands() throws {
        #expect(try WorkerOptions(["--version"]).command == .version)
        #expect(try WorkerOptions(["--build-snapshot", "/x"]).command == .buildSnapshot(path: "/x"))
        #expect(try WorkerOptions(["--tls-fd", "3", "--answer-fd", "4", "--check-tls"]).command == .checkTLS)
    }

    @Test(arguments: [
        [], ["--"], ["--ring-fd"], ["--ring-fd", "x", "a"], ["--ring-fd", "-1", "a"], ["--nope", "a"],
        ["--build-snapshot"], ["--check-tls", "x"], ["--tls-fd", "x", "--check-tls"],
    ])
    func nonsenseIsRefused(arguments: [String]) {
        #expect(throws: UsageError.self) { try WorkerOptions(arguments) }
    }
}
