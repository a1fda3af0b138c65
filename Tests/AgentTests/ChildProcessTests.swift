import Glibc
import Linux
import Testing

@Suite struct ChildProcessTests {
    private func run(_ script: String, descriptors: [Int32] = [], signal: Int32? = nil) throws -> ChildProcess.Status {
        let child = try ChildProcess(
            executable: "/bin/sh", arguments: ["-c", script], descriptors: descriptors, parentDeathSignal: SIGTERM)
        if let signal { child.send(signal) }
        return try child.reap().status
    }

    @Test func exitCodesAndSignalsComeBack() throws {
        #expect(try run("exit 0") == .exited(0))
        #expect(try run("exit 255") == .exited(255))
        #expect(try run("kill -9 $$") == .signaled(9, coreDumped: false))
        #expect(try run("sleep 60", signal: SIGKILL) == .signaled(9, coreDumped: false))
    }

    @Test func aProgramThatIsNotThereIsAnErrorAndNoChildIsLeft() throws {
        let error = #expect(throws: SystemCallError.self) {
            try ChildProcess(executable: "/nonexistent", arguments: [], descriptors: [], parentDeathSignal: SIGTERM)
        }
        #expect(error?.isNotFound == true)
    }

    @Test func descriptorsTakeTheirPlacesInOrderAndNoOtherIsInherited() throws {
        let files = try ["three", "four", "five"].map { try MemoryFile(name: "test", contents: Array($0.utf8)) }
        let stray = fcntl(files[0].fileDescriptor, F_DUPFD, 20)  // without close-on-exec
        defer { close(stray) }
        // Backwards: sources lie on one another's destinations more often than not.
        let descriptors = files.reversed().map(\.fileDescriptor)
        let script = """
            [ "$(cat <&3)" = five ] && [ "$(cat <&4)" = four ] && [ "$(cat <&5)" = three ] && [ ! -e /proc/self/fd/\(stray) ]
            """
        #expect(try run(script, descriptors: descriptors) == .exited(0))
    }

    @Test func theChildStartsWithoutBlockedOrIgnoredSignals() throws {
        SignalDescriptor.ignoreBrokenPipes()
        let script = """
            while read -r name value; do case $name in SigBlk:) blocked=$value ;; SigIgn:) ignored=$value ;; esac; done </proc/self/status
            [ "$blocked" = 0000000000000000 ] && [ $((0x$ignored & 0x1000)) = 0 ]
            """
        #expect(try run(script) == .exited(0))
    }

    @Test func usageIsMeasured() throws {
        let child = try ChildProcess(
            executable: "/bin/sh", arguments: ["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"],
            descriptors: [],
            parentDeathSignal: SIGTERM)
        let usage = try child.reap().usage
        #expect(usage.userNanoseconds + usage.systemNanoseconds > 0)
        #expect(usage.residentBytesMax > 100_000)
    }

    @Test func signalsHaveNames() {
        #expect(signalName(9) == "SIGKILL")
        #expect(signalName(11) == "SIGSEGV")
        #expect(signalName(99) == "signal 99")
    }

    @Test func pollerSeesEvents() throws {
        let first = try EventDescriptor()
        let second = try EventDescriptor()
        var poller = Poller([first.fileDescriptor, second.fileDescriptor])
        func ready(within nanoseconds: UInt64?) throws -> [Bool] {
            try poller.wait(nanoseconds: nanoseconds)
            return [poller.isReady(0), poller.isReady(1)]
        }
        #expect(try ready(within: 0) == [false, false])
        second.signal()
        second.signal()
        #expect(try ready(within: nil) == [false, true])
        second.clear()
        #expect(try ready(within: 0) == [false, false])
        second.signal()
        poller.ignore(1)
        #expect(try ready(within: 0) == [false, false])
    }

    @Test func randomIdentifiersAreVersionFour() {
        let text = Machine.randomUUID()
        let parts = text.split(separator: "-")
        #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
        #expect(parts[2].first == "4")
        #expect("89ab".contains(parts[3].first!))
        #expect(text != Machine.randomUUID())
    }
}
