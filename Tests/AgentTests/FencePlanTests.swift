import Configuration
import Linux
import Policy
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

    private func plan(
        _ worker: WorkerConfiguration, _ policy: Policy = .standard, cacheDirectory: String? = nil
    ) throws -> FencePlan? {
        var worker = worker
        worker.policy = policy
        return try FencePlan(worker, entry: "/srv/app/main.mjs", cacheDirectory: cacheDirectory)
    }

    private func places(_ policy: Policy, _ change: (inout WorkerConfiguration) -> Void = { _ in }) -> FencePlaces {
        var worker = worker()
        worker.policy = policy
        change(&worker)
        return FencePlaces(worker, entry: "/srv/app/main.mjs", cacheDirectory: "/cache")
    }

    private func json(_ plan: FencePlan) -> String {
        var json = JSONWriter()
        plan.write(&json)
        return json.text
    }

    @Test func offIsNoPlan() throws {
        #expect(try plan(worker { $0 = .off }) == nil)
    }

    @Test func withoutAPolicyEverythingIsReadAndTheCacheIsWritten() throws {
        let made = try #require(try plan(worker(), cacheDirectory: "/home/u/.cache/sidelight"))
        #expect(json(made).contains(#""read":["/"],"write":["/home/u/.cache/sidelight"],"ports":null"#))
    }

    @Test func theStrictestPolicyLeavesTheEntrysFolderAndWhatLibrariesRead() throws {
        let found = places(.strict)
        #expect(found.read.contains("/srv/app/"))
        #expect(found.read.contains("/usr"))
        #expect(!found.read.contains("/"))
        #expect(!found.read.contains { $0.hasPrefix("/etc") && $0.hasSuffix("shadow") })
        #expect(found.write == ["/cache"])
        #expect(found.ports == [])
    }

    @Test func whatAPolicyNamesIsLetThrough() throws {
        var policy = Policy.strict
        policy.read = PathRules(["/srv/data"], key: "files.read")
        policy.write = PathRules(["/srv/out"], key: "files.write")
        policy.network = NetworkRules(
            allow: [
                try NetworkRule(parsing: "https://api.example.com"), try NetworkRule(parsing: "db.example.com:5432"),
            ],
            privates: [try NetworkRule(parsing: "127.0.0.1:8000-8002")])
        let found = places(policy)
        #expect(found.read.contains("/srv/data"))
        #expect(found.write == ["/cache", "/srv/out"])
        #expect(found.ports == [53, 443, 5432, 8000, 8001, 8002])
    }

    @Test func aRuleWithoutAPortIsAnyPort() throws {
        var policy = Policy.strict
        policy.network = NetworkRules(allow: [
            try NetworkRule(parsing: "api.example.com"), try NetworkRule(parsing: "a.b:1"),
        ])
        #expect(places(policy).ports == nil)
        policy.network = NetworkRules(allow: [try NetworkRule(parsing: "*:443")], privates: nil)
        #expect(places(policy).ports == nil)
    }

    @Test func registriesKnowPortsThatNoRuleNames() throws {
        var policy = Policy.strict
        policy.network = NetworkRules(allow: [try NetworkRule(parsing: "http://shop.service.consul")])
        #expect(places(policy).ports == [53, 80])
        #expect(places(policy) { $0.resolve.nameServers = [] }.ports == nil)
    }

    @Test func anAuditRefusesNothing() throws {
        var policy = Policy.strict
        policy.isAudited = true
        #expect(places(policy).read == ["/"])
        #expect(places(policy).ports == nil)
    }

    @Test func whatIsRequiredAndNotThereIsRefusedBeforeAnythingStarts() {
        let available = Fence.available()
        for layer in FenceLayer.allCases where !available.contains(layer) {
            #expect(throws: FenceError.self) {
                _ = try plan(worker { $0.require = [layer] })
            }
        }
        #expect(throws: FenceError.self) {
            _ = try plan(worker { $0.user = "nobody-of-this-name" })
        }
    }

    @Test func whatIsThereMayBeRequired() throws {
        let available = Fence.available().subtracting(FenceLayers([.user, .net, .ipc, .pid])).layers
        let made = try #require(try plan(worker { $0.require = available }))
        #expect(made.layers == FenceLayers(available))
    }

    @Test func wordsTellWhatIsUpAndWhatIsNot() throws {
        let made = try #require(try plan(worker()))
        #expect(made.text([]).hasPrefix("fence: none; not to be had here: seccomp, landlock, "))
        #expect(made.text(FenceLayers([.seccomp, .limits])).hasPrefix("fence: seccomp, limits; not to be had here: "))
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
        #expect(named.death?.refusedCall == "execve")
        // The kernel's own doing, with nobody to say which: another machine's numbers.
        let nameless = WorkerOutcome(
            status: .signaled(31, coreDumped: false), deathNote: nil, ringBroken: nil, requestedBy: nil)
        #expect(nameless.exitCode == 3)
        #expect(nameless.openSpanReason == "killed by the fence: syscall of no known name")
    }
}
