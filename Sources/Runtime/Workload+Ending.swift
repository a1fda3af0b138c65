// The end of a run: the program's last words, the run's span, the code cache, the exit code.

internal import Engine
internal import Glibc
internal import Linux
internal import Telemetry

extension Workload {
    /// Ends the process, or the child.
    func finish(_ outcome: Outcome) {
        if child != nil { finishChild(outcome) } else { finishProcess(outcome) }
    }

    private func finishProcess(_ outcome: Outcome) -> Never {
        // First of all: it waits for nothing, and clients wait for it.
        if let http {
            if let limit = outcome.workloadOutcome {
                http.abandon(limit, offender: monitor.offender, errorType: outcome.childEnd)
            } else if !outcome.isInOrder {
                http.abandon(nil, offender: nil, errorType: outcome.childEnd)
            }
        }
        if let name = outcome.limitName { countFinding(Finding.Kind.limit.rawValue, name) }
        resume()
        policyGate.tellUntold()
        if case .limit(.heap) = outcome { monitor.profile?.heapLimitReached() }
        let outcome = lastWords(outcome)
        children.endAll()
        if options.serves, http == nil { board?.setState(.failed) }
        if http != nil { _ = try? internals.call("serve.tellUnshown") }
        let note = outcome.deathNote(
            serves: options.serves, failure: options.serves && http == nil ? startFailure : nil)
        // What the note has says the agent, where there is one.
        if let message = outcome.message, note == nil || !options.isTraced {
            Machine.writeToStandardError(message + "\n")
        }
        if options.isTraced {
            let reason = outcome.reason.map(internals.string) ?? Value.undefined(in: isolate)
            let limit = outcome.workloadOutcome.map { internals.string($0.label) } ?? Value.undefined(in: isolate)
            _ = try? internals.call(
                "trace.endRun", [internals.number(Double(outcome.programCode)), reason, limit])
        }
        if let note { ring.leave(note.code, note.text) }
        wakeAgent()
        loader.writeCodeCache()
        modules.write()
        monitor.profile?.settle()
        if case .failed = outcome, wasRefused { _exit(Outcome.refusedExitCode) }
        _exit(outcome.exitCode)
    }

    /// JavaScript may run once more. A record that was being written when execution was terminated is given up: else nothing could be written any more.
    func resume() {
        isolate.cancelTermination()
        if options.isTraced { _ = try? internals.call("ring.abandon") }
    }

    /// Lets 'exit' listeners run; what they say or do about the code counts. Not after a limit or a signal: they could take for ever.
    func lastWords(_ outcome: Outcome) -> Outcome {
        let code: Int32?
        switch outcome {
        case .completed: code = nil
        case .failed, .unsettledAwait: code = outcome.exitCode
        default: return outcome
        }
        do throws(JSFailure) {
            let arguments = code.map { [internals.number(Double($0))] } ?? []
            let chosen = Int32(truncatingIfNeeded: Int(try internals.call("finish", arguments).number))
            return code == nil ? .completed(code: chosen) : outcome
        } catch {
            resume()
            switch error {
            case .terminated:
                // process.exit in an 'exit' listener, or something from outside.
                if case .ending(let other) = machine.state { return other }
                return stop.outcome ?? outcome
            case .exception(let exception):
                _ = try? reportUncaught(exception)
                return .failed
            }
        }
    }
}

extension RingMapping {
    /// Tells the agent why the worker ends itself.
    func leave(_ code: DeathCode, _ reason: String) {
        let bytes = Array(reason.utf8(max: RingMapping.deathMessageBytesMax))
        bytes.withUnsafeBytes { writeDeathNote(code, $0) }
    }
}
