import Configuration
import Linux
import Telemetry
import Testing
import Wire

@testable import Agent

@Suite struct FencePlanTests {
    private func worker(_ change: (inout FenceConfiguration) -> Void = { _ in }) -> WorkerConfiguration {
        var worker = WorkerConfiguration(resource: Resource(attributes: []))
        change(&worker.fence)
        return worker
    }

    private func json(_ plan: FencePlan) -> String {
        var json = JSONWriter()
        plan.write(&json)
        return json.text
    }

    @Test func offIsNoPlan() throws {
        #expect(try FencePlan(worker { $0 = .off }, cacheDirectory: nil) == nil)
    }

    @Test func everythingIsReadAndTheCacheAndFoldersOfGuestsAreWritten() throws {
        var worker = worker()
        worker.folders = [WorkerConfiguration.GuestFolder(host: "/srv/data", guest: "/data")]
        let plan = try #require(try FencePlan(worker, cacheDirectory: "/home/u/.cache/sidelight"))
        #expect(json(plan).contains(#""read":["/"],"write":["/home/u/.cache/sidelight","/srv/data"],"ports":null"#))
    }

    @Test func whatIsRequiredAndNotThereIsRefusedBeforeAnythingStarts() {
        let available = Fence.available()
        for layer in FenceLayer.allCases where !available.contains(layer) {
            #expect(throws: FenceError.self) {
                _ = try FencePlan(worker { $0.require = [layer] }, cacheDirectory: nil)
            }
        }
        #expect(throws: FenceError.self) {
            _ = try FencePlan(worker { $0.user = "nobody-of-this-name" }, cacheDirectory: nil)
        }
    }

    @Test func whatIsThereMayBeRequired() throws {
        let available = Fence.available().subtracting(FenceLayers([.user, .net, .ipc])).layers
        let plan = try #require(try FencePlan(worker { $0.require = available }, cacheDirectory: nil))
        #expect(plan.layers == FenceLayers(available))
    }

    @Test func wordsTellWhatIsUpAndWhatIsNot() throws {
        let plan = try #require(try FencePlan(worker(), cacheDirectory: nil))
        #expect(plan.text([]).hasPrefix("fence: none; not to be had here: seccomp, landlock, "))
        #expect(plan.text(FenceLayers([.seccomp, .limits])).hasPrefix("fence: seccomp, limits; not to be had here: "))
    }

    @Test func layersKeepTheirBits() {
        #expect(FenceLayers([.seccomp]).rawValue == 1)
        #expect(FenceLayers([.ipc]).rawValue == 512)
        #expect(FenceLayers(FenceLayer.allCases).layers == FenceLayer.allCases)
        #expect(FenceLayers(rawValue: .max).layers == FenceLayer.allCases)
    }

    @Test func aRingTellsTheFenceOnceItIsThere() throws {
        let ring = try RingMapping(capacity: RingMapping.capacityBounds.lowerBound)
        #expect(ring.fence == nil)
        ring.tellFence([])
        #expect(ring.fence == [])
        ring.tellFence(FenceLayers([.seccomp, .net]))
        #expect(ring.fence?.layers == [.seccomp, .net])
    }

    @Test func aWorkerThatTheFenceKilledWasRefused() {
        let named = WorkerOutcome(
            status: .signaled(31, coreDumped: false), deathNote: (.fence, "execve"), ringBroken: nil, requestedBy: nil)
        #expect(named.exitCode == 3)
        #expect(named.openSpanReason == "killed by the fence: syscall execve")
        #expect(named.openSpanErrorType == WorkerOutcome.ErrorType.fence)
        // The kernel's own doing, with nobody to say which: another machine's numbers.
        let nameless = WorkerOutcome(
            status: .signaled(31, coreDumped: false), deathNote: nil, ringBroken: nil, requestedBy: nil)
        #expect(nameless.exitCode == 3)
        #expect(nameless.openSpanReason == "killed by the fence: syscall of no known name")
    }
}
