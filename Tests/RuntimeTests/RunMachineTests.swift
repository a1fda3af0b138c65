import Testing

@testable import Runtime

struct RunMachineTests {
    private func started() -> RunMachine {
        var machine = RunMachine()
        machine.entryStarted()
        return machine
    }

    @Test func aRunThatHasNotStartedWaits() {
        #expect(RunMachine().turnEnded(hasPendingWork: false) == .wait)
    }

    @Test func nothingPendingIsTheEnd() {
        var machine = started()
        machine.entrySettled()
        #expect(machine.turnEnded(hasPendingWork: false) == .finish)
    }

    @Test func anEntryThatStillAwaitsWithNothingPendingNeverWill() {
        #expect(started().turnEnded(hasPendingWork: false) == .finishUnsettled)
    }

    @Test func referencesKeepItAlive() {
        var machine = started()
        machine.entrySettled()
        machine.referencesChanged(by: 2)
        #expect(machine.turnEnded(hasPendingWork: false) == .wait)
        machine.referencesChanged(by: -2)
        #expect(machine.turnEnded(hasPendingWork: false) == .finish)
    }

    @Test func workOfV8KeepsItAlive() {
        var machine = started()
        machine.entrySettled()
        #expect(machine.turnEnded(hasPendingWork: true) == .wait)
    }

    @Test func immediatesArePlannedOnceATurn() {
        var machine = started()
        machine.entrySettled()
        var isNew = machine.immediatesScheduled()
        #expect(isNew)
        isNew = machine.immediatesScheduled()
        #expect(!isNew)
        #expect(machine.turnEnded(hasPendingWork: false) == .wait)
        machine.immediatesTaken()
        #expect(machine.turnEnded(hasPendingWork: false) == .finish)
        isNew = machine.immediatesScheduled()
        #expect(isNew)
    }

    @Test func theFirstEndWinsWhateverIsPending() {
        var machine = started()
        machine.referencesChanged(by: 1)
        machine.end(.exited(code: 3))
        machine.end(.failed)
        #expect(machine.isEnding)
        #expect(machine.turnEnded(hasPendingWork: true) == .end(.exited(code: 3)))
    }
}

struct OutcomeTests {
    @Test(arguments: [
        (Outcome.completed(code: 0), 0 as Int32), (.completed(code: 9), 1), (.exited(code: 0), 0),
        (.exited(code: 255), 1), (.failed, 1),
        (.unsettledAwait(modules: []), 1), (.interrupted(signal: 2), 1), (.entryUnreadable(reason: ""), 2),
        (.limit(.heap(bytes: 0)), 4),
        (.limit(.cpu(milliseconds: 1)), 4), (.limit(.wall(milliseconds: 1)), 4), (.internalError(""), 70),
    ])
    func exitCodesAreThoseOfTheDesign(outcome: Outcome, code: Int32) {
        #expect(outcome.exitCode == code)
    }

    @Test(arguments: [
        (Outcome.Limit.heap(bytes: 0), "heap limit reached"), (.heap(bytes: 64 << 20), "heap limit of 64 MB reached"),
        (.memory(bytes: 1536 << 10), "memory limit of 1536 KB reached"),
        (.memory(bytes: 1025), "memory limit of 1025 bytes reached"),
        (.resident(bytes: 64 << 20), "resident limit of 64 MB reached"),
    ])
    func aLimitOfMemoryNamesItsSize(limit: Outcome.Limit, reason: String) {
        #expect(Outcome.limit(limit).reason == reason)
    }

    @Test func theProgramsOwnCodeIsKeptForTheSpan() {
        #expect(Outcome.exited(code: 42).programCode == 42)
        #expect(Outcome.failed.programCode == 1)
    }

    @Test func reasonsNameSignalAndLimit() {
        #expect(Outcome.interrupted(signal: 2).reason == "interrupted by SIGINT")
        #expect(Outcome.limit(.cpu(milliseconds: 200)).reason == "CPU limit of 200 ms reached")
        #expect(Outcome.completed(code: 0).reason == nil)
    }
}
