import Linux
import Telemetry
import Testing

@testable import Agent

@Suite struct WorkerOutcomeTests {
    private func outcome(
        _ status: ChildProcess.Status, note: (DeathCode, String)? = nil, ringBroken: String? = nil,
        requestedBy: Int32? = nil
    ) -> WorkerOutcome {
        WorkerOutcome(
            status: status, deathNote: note.map { (code: $0.0, message: $0.1) }, ringBroken: ringBroken,
            requestedBy: requestedBy)
    }

    @Test(arguments: [0, 1, 2, 3] as [Int32])
    func orderlyEndsKeepTheirCodeAndAreNoDeath(code: Int32) {
        #expect(outcome(.exited(code)) == WorkerOutcome(exitCode: code))
    }

    @Test func aSignalNobodyAskedForMeansTheWorkloadFailed() {
        let killed = outcome(.signaled(9, coreDumped: false))
        #expect(killed.exitCode == 1)
        #expect(killed.endSignal == nil)
        #expect(killed.openSpanReason == "worker killed by SIGKILL (9)")
        #expect(killed.openSpanErrorType == "SIGKILL")
        #expect(killed.death?.isRequested == false)
        #expect(outcome(.signaled(11, coreDumped: true)).openSpanReason == "worker killed by SIGSEGV (11)")
    }

    @Test func aSignalThatTheAgentPassedOnIsPassedOnToItsOwnEnd() {
        let interrupted = outcome(.signaled(2, coreDumped: false), requestedBy: 2)
        #expect(interrupted.endSignal == 2)
        #expect(interrupted.death?.isRequested == true)
    }

    @Test func aWorkerThatWindsUpWhenAskedToEndsTheAgentByTheSignal() {
        let interrupted = outcome(.exited(1), requestedBy: 2)
        #expect(interrupted.endSignal == 2)
        #expect(interrupted.death == nil)
        #expect(interrupted.openSpanReason == "interrupted by SIGINT")
        #expect(interrupted.openSpanErrorType == "SIGINT")
        #expect(outcome(.exited(0), requestedBy: 2).endSignal == nil, "it ended well all the same")
    }

    @Test func aSecondSignalKillsHardAndTheAgentStillEndsByTheFirst() {
        #expect(outcome(.signaled(9, coreDumped: false), requestedBy: 15).endSignal == 15)
    }

    @Test func aCrashWhileBeingStoppedIsACrash() {
        let crashed = outcome(.signaled(11, coreDumped: false), requestedBy: 15)
        #expect(crashed.endSignal == nil)
        #expect(crashed.death?.isRequested == false)
    }

    @Test(
        arguments: [
            (DeathCode.fatal, 1, "v8_fatal_error", "V8 fatal error: Check failed"),
            (.heapLimit, 4, "heap_limit", "Check failed"),
            (.cpuLimit, 4, "cpu_limit", "Check failed"),
            (.wallLimit, 4, "wall_limit", "Check failed"),
            (.internal, 70, "internal_error", "internal error of the worker: Check failed"),
        ] as [(DeathCode, Int32, String, String)])
    func theDeathNoteSaysMoreThanTheSignal(code: DeathCode, exitCode: Int32, errorType: String, reason: String) {
        let noted = outcome(.signaled(6, coreDumped: true), note: (code, "Check failed"))
        #expect(noted.exitCode == exitCode)
        #expect(noted.openSpanErrorType == errorType)
        #expect(noted.openSpanReason == reason)
    }

    @Test func aLimitByExitCodeIsALimitWithAndWithoutNote() {
        #expect(outcome(.exited(4), note: (.heapLimit, "")).openSpanReason == "heap limit reached")
        #expect(outcome(.exited(4), note: (.heapLimit, "")).death?.isOwn == true)
        #expect(outcome(.exited(4)).exitCode == 4)
    }

    @Test func whatAWorkerLeavesOfAnOrderlyEndIsSaid() {
        let unread = outcome(.exited(2), note: (.start, "cannot read 'x.js': no such file"))
        #expect(unread.exitCode == 2)
        #expect(unread.death == nil)
        #expect(unread.reason == "cannot read 'x.js': no such file")
        #expect(unread.lastWords == unread.reason)
        let exited = outcome(.exited(1), note: (.exit, "it called process.exit(3)"))
        #expect(exited.reason == "it called process.exit(3)")
        #expect(exited.openSpanReason == exited.reason)
        #expect(outcome(.exited(0)).reason == "it ended with exit code 0, and did not say why")
        #expect(outcome(.exited(0)).lastWords == nil)
        #expect(outcome(.exited(4), note: (.heapLimit, "heap limit reached")).lastWords == "heap limit reached")
        #expect(outcome(.signaled(9, coreDumped: false)).lastWords == nil, "a warning has it")
    }

    @Test(arguments: [5, 70, 127] as [Int32])
    func anExitCodeThatAWorkerDoesNotUseIsInternal(code: Int32) {
        #expect(outcome(.exited(code)).exitCode == 70)
        #expect(outcome(.exited(code)).death != nil)
    }

    @Test func aBrokenRingOutweighsEverythingElse() {
        let broken = outcome(
            .signaled(9, coreDumped: false), note: (.heapLimit, ""), ringBroken: "length", requestedBy: 15)
        #expect(broken.exitCode == 70)
        #expect(broken.openSpanErrorType == "ring_broken")
        #expect(broken.endSignal == nil)
    }

    @Test func spansOpenAtAnOrderlyEndSaySo() {
        #expect(outcome(.exited(0)).openSpanReason == "the program ended before this span did")
        #expect(outcome(.exited(0)).openSpanErrorType == "span_not_ended")
    }
}
