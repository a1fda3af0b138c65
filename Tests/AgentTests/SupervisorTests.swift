import Linux
import Testing

@testable import Agent

@Suite struct SupervisorTests {
    private let later = Supervisor.duplicateNanoseconds + 1

    @Test func signalsGoOnToTheWorker() {
        for number in Signals.end {
            var supervisor = Supervisor()
            #expect(supervisor.received(.init(number: number, sender: 7), now: 0) == .signalWorker(number))
        }
    }

    @Test func whatTheTerminalSentReachedTheWorkerAlready() {
        var supervisor = Supervisor()
        #expect(supervisor.received(.init(number: Signals.interrupt, fromTerminal: true), now: 0) == .none)
        #expect(supervisor.workerEnded(.signaled(2, coreDumped: false), deathNote: nil).endSignal == 2)
    }

    @Test func theSameSignalLaterKillsHard() {
        var supervisor = Supervisor()
        _ = supervisor.received(.init(number: Signals.interrupt, fromTerminal: true), now: 0)
        #expect(
            supervisor.received(.init(number: Signals.interrupt, fromTerminal: true), now: later)
                == .signalWorker(Signals.kill))
        #expect(supervisor.workerEnded(.signaled(9, coreDumped: false), deathNote: nil).endSignal == 2)
    }

    @Test func aSignalThatComesTwiceAtOnceCountsOnce() {
        var supervisor = Supervisor()
        _ = supervisor.received(.init(number: Signals.terminate, sender: 7), now: 0)
        #expect(supervisor.received(.init(number: Signals.terminate, sender: 7), now: later - 2) == .none)
    }

    @Test func anotherSignalGoesOnAndDoesNotKill() {
        var supervisor = Supervisor()
        _ = supervisor.received(.init(number: Signals.terminate, sender: 7), now: 0)
        #expect(supervisor.received(.init(number: Signals.hangup, sender: 7), now: 1) == .signalWorker(Signals.hangup))
    }

    @Test func aSignalWhileExportingEndsTheWaiting() {
        var supervisor = Supervisor()
        _ = supervisor.workerEnded(.exited(0), deathNote: nil)
        #expect(supervisor.received(.init(number: Signals.interrupt, sender: 7), now: 0) == .abandonExport)
    }

    @Test func theSignalThatEndedTheWorkerDoesNotEndTheExportAsWell() {
        var supervisor = Supervisor()
        _ = supervisor.received(.init(number: Signals.terminate, sender: 7), now: 0)
        _ = supervisor.workerEnded(.signaled(15, coreDumped: false), deathNote: nil)
        #expect(supervisor.received(.init(number: Signals.terminate, sender: 7), now: 1) == .none)
    }

    @Test func aBrokenRingKillsTheWorkerOnce() {
        var supervisor = Supervisor()
        #expect(supervisor.ringBroke("length") == .signalWorker(Signals.kill))
        #expect(supervisor.ringBroke("length") == .none)
        #expect(supervisor.workerEnded(.signaled(9, coreDumped: false), deathNote: nil).exitCode == 70)
    }

    @Test func aRingThatTurnsOutBrokenAtTheEndChangesTheOutcome() {
        var supervisor = Supervisor()
        #expect(supervisor.workerEnded(.exited(0), deathNote: nil).exitCode == 0)
        #expect(supervisor.ringBrokeAtTheEnd("length").exitCode == 70)
    }
}
