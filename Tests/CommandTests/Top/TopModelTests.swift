import Testing
import Wire

@testable import sidelight

@Suite struct TopModelTests {
    @Test func ratesAreOfTheTimeBetweenTwoSamples() throws {
        let model = try TopModel.of(
            topAnswer(at: 10, served: 1_000, errors: 10), topAnswer(at: 12, served: 1_400, errors: 30))
        let work = try #require(model.workloads.first)
        #expect(work.total.seconds == 2)
        #expect(work.total.requestRate == 200)
        #expect(work.total.errorRate == 10)
        #expect(work.total.errorShare == 0.05)
        // Half a millisecond a request; the loop was measured for two seconds.
        #expect(abs((work.cpuShare ?? 0) - 0.1) < 1e-9)
        #expect(abs(work.total.collectionShare - 0.01) < 1e-9)
        #expect(work.total.loopShare == 0.25)
        #expect(abs((work.total.figures.duration.mean ?? 0) - 0.008) < 1e-9)
        #expect(abs((work.total.cpuOfRequest(isolates: 1) ?? 0) - 0.0005) < 1e-12)
        #expect(work.total.figures.active == 2)
        #expect(work.routes[0].change.count == 400)
        #expect(work.failures[0].count == 20)
        #expect(model.hasInterval)
    }

    @Test func theFirstSampleIsOfTheTimeSinceTheStart() throws {
        let model = try TopModel.of(topAnswer(at: 10, served: 1_000))
        #expect(model.workloads[0].total.requestRate == 100)
        #expect(!model.hasInterval)
    }

    @Test func ratesAreOfNoLessThanTwoSecondsWhereLooksAreCloser() throws {
        var model = TopModel(places: ["a:1"])
        for tenth in 0..<50 {
            let answer = topAnswer(at: 10 + Double(tenth) / 10, served: 1_000 + tenth)
            model.take(try #require(TopSample(workloads: json(answer), counters: nil, resources: nil)), from: 0)
        }
        #expect((1.9..<2.1).contains(model.workloads[0].total.seconds))
        #expect((9.9..<10.1).contains(model.workloads[0].total.requestRate))
        // A clock that stands still fills no memory.
        for _ in 0..<200 {
            model.take(
                try #require(TopSample(workloads: json(topAnswer(at: 11, served: 5)), counters: nil, resources: nil)),
                from: 0)
        }
        #expect(model.workloads[0].total.requestRate == 0)
    }

    @Test func aWorkerThatIsNewCountsFromItsOwnStart() throws {
        let model = try TopModel.of(
            topAnswer(at: 9, served: 900, pid: 100), topAnswer(at: 11, served: 1_100, pid: 101))
        let work = model.workloads[0]
        #expect(work.total.requestRate == 100)
        // It is said to have begun with the workload.
        #expect(work.isolates[0].interval.seconds == 11)
        #expect(work.isolates[0].interval.requestRate == 100)
    }

    /// A worker's thread has used CPU time before its loop begins to be measured: a share of the loop's time alone would be thousands of percent.
    @Test(arguments: [0.000_01, 0.02, 0.3, 1.1]) func aWorkerThatWasJustReplacedUsesNoMoreThanACPU(age: Double) throws {
        func answer(pid: Int, at seconds: Double, start: Double, cpu: Double, loop: Double, count: Int) -> String {
            let figures = """
                {"cpuSeconds":\(cpu),"loop":{"activeSeconds":\(loop),"idleSeconds":0},"duration":{"sum":0,"max":0,"buckets":[\(count)]},
                "collections":{"major":{"seconds":\(cpu / 10)}},"bytesIn":\(count * 100)}
                """
            return """
                {"timeUnixNano":"\(topStart + UInt64(seconds * 1e9))","workloads":[{"startTimeUnixNano":"\(topStart)","url":"http://a","total":\(figures),
                "isolates":[{"pid":\(pid),"place":0,"state":"serving","startTimeUnixNano":"\(topStart + UInt64(start * 1e9))","figures":\(figures)}]}]}
                """
        }
        let now = answer(pid: 2, at: 60, start: 60 - age, cpu: 0.12, loop: 0.000_005, count: 3)
        let first = try TopModel.of(now).workloads[0]
        let second = try TopModel.of(
            answer(pid: 1, at: 58, start: 57.9, cpu: 0, loop: 0, count: 0), now
        ).workloads[0]
        for work in [first, second] {
            for interval in [work.total, work.isolates[0].interval] {
                let cpu = try #require(interval.cpuShare(isolates: 1))
                #expect(cpu > 0 && cpu <= 0.13, "\(cpu)")
                #expect(interval.seconds >= 1 && interval.requestRate <= 3 && interval.collectionShare < 0.02)
            }
        }
        // It counted all of it since the look before.
        #expect(abs(second.isolates[0].interval.seconds - 2) < 1e-6)
    }

    @Test func cpuIsNeverMoreThanTheThreadsThatThereAre() throws {
        let figures = "{\"cpuSeconds\":1e9,\"loop\":{\"activeSeconds\":60,\"idleSeconds\":0}}"
        let model = try TopModel.of(
            """
            {"timeUnixNano":"\(topStart + 60_000_000_000)","workloads":[{"startTimeUnixNano":"\(topStart)","total":\(figures),
            "isolates":[{"pid":1,"startTimeUnixNano":"\(topStart)","figures":\(figures)},{"pid":2,"figures":{}}]}]}
            """)
        #expect(model.workloads[0].cpuShare == 2)
        #expect(model.workloads[0].isolates[0].interval.cpuShare(isolates: 1) == 1)
    }

    @Test func nothingIsNegativeWhenCountsGoBackOrTimeStands() throws {
        let model = try TopModel.of(topAnswer(at: 10, served: 1_000), topAnswer(at: 10, served: 10))
        let total = model.workloads[0].total
        #expect(total.requestRate == 0 && total.cpuShare(isolates: 1) == nil && total.errorShare == nil)
        #expect(total.seconds > 0)
    }

    @Test func quantilesAreThoseOfPrometheusAndNothingIsMadeUpAtTheEnds() {
        var duration = TopDuration()
        #expect(duration.quantile(0.5) == .none)
        duration.buckets[0] = 10
        #expect(duration.quantile(0.99) == .below(0.0001))
        duration.buckets[7] = 10
        // Rank 15 of 20: half way through 0.01 to 0.025.
        #expect(duration.quantile(0.75) == .at(0.0175))
        #expect(duration.quantile(0.5) == .below(0.0001))
        duration.buckets[19] = 80
        #expect(duration.quantile(0.99) == .above(10))
    }

    @Test func noQuantileIsBeyondTheLongest() {
        var duration = TopDuration()
        duration.buckets[7] = 10
        duration.max = 0.0127
        #expect(duration.quantile(0.99) == .at(0.0127, most: 0.0127))
        #expect(TopText.quantile(duration.quantile(0.99)) == "12.7 ms")
        // Two digits of it would be more.
        #expect(TopText.quantile(.at(0.01265, most: 0.0127)) == "12.7 ms")
    }

    @Test func delaysAreThoseOfTheInterval() throws {
        let model = try TopModel.of(topAnswer(at: 10, served: 0), topAnswer(at: 20, served: 0))
        // 100 delays up to 10 µs and 10 up to 2 ms came.
        #expect(model.workloads[0].total.delay(0.5) == 0.00001)
        #expect(model.workloads[0].total.delay(0.99) == 0.002)
        let still = try TopModel.of(topAnswer(at: 10, served: 0), topAnswer(at: 10, served: 0))
        #expect(still.workloads[0].total.delay(0.99) == nil)
    }

    @Test func exportersAreOfTheCounters() throws {
        let model = try TopModel.of(
            topAnswer(at: 10, served: 0), topAnswer(at: 12, served: 0),
            counters: [topCounters(at: 10, sent: 50), topCounters(at: 12, sent: 70, queued: 3, dropped: 2)])
        let outlet = try #require(model.outlets.first)
        #expect((outlet.agent, outlet.name, outlet.signal) == ("shop", "otlp", "traces"))
        #expect(outlet.sentRate == 10)
        #expect(outlet.queued == 3 && outlet.dropped == 2 && outlet.droppedChange == 2)
        #expect(outlet.retries == 7 && outlet.queueBytes == 4_096)
    }

    @Test func anAgentWithoutWorkloadHasExportersAlone() throws {
        let sample = try #require(
            TopSample(workloads: nil, counters: json(topCounters(at: 1, sent: 5)), resources: nil))
        var model = TopModel(places: ["127.0.0.1:9464"])
        model.take(sample, from: 0)
        #expect(model.workloads.isEmpty)
        #expect(model.outlets.map(\.agent) == ["127.0.0.1:9464"])
        #expect(TopSample(workloads: nil, counters: nil, resources: nil) == nil)
    }

    @Test func resourcesAreThoseOfTheProcesses() throws {
        let resources = """
            {"host":{"cpu":{"busy":0.35},"load":[1.25,1,1],"memory":{"used":3221225472,"total":8589934592},
            "pressure":{"cpu":{"some10":0.02},"io":{"some10":0}}},
            "processes":[{"pid":100,"resident":104857600,"cpu":0.4},{"pid":7,"resident":1,"cpu":9},{"pid":"x"},5]}
            """
        var model = TopModel(places: ["a:1"])
        let sample = TopSample(
            workloads: try json(topAnswer(at: 10, served: 1_000)), counters: nil, resources: try json(resources))
        model.take(try #require(sample), from: 0)
        let work = model.workloads[0]
        #expect(work.resident == 104_857_600)
        #expect(work.cpuShare == 0.4)
        let screen = DrawnScreen(.isolates)
        let lines = screen.text(model, width: 160)
        #expect(lines[3].hasPrefix("cpu 40%   rss 100M   heap"))
        #expect(lines[4] == "host  cpu 35%   load 1.3   memory 3G of 8G   cpu pressure 2%   io pressure 0%")
        // One that is not known is told as such.
        let none = TopHost(try json("{\"host\":{\"cpu\":null},\"processes\":[{\"pid\":1,\"resident\":null}]}"))
        #expect(none.cpuShare == nil && none.processes.isEmpty)
    }

    /// What the agent tells is of its last second: a burst before that is seen, too.
    @Test func cpuOfProcessesIsOfTheTimeBetweenTwoSamples() throws {
        var model = TopModel(places: ["a:1"])
        func take(at seconds: Int, user: Double, start: Int = 5) throws {
            let resources = """
                {"timeUnixNano":"\(topStart + UInt64(seconds) * 1_000_000_000)","processes":[{"pid":100,"resident":1,"cpu":0.01,
                "startTimeUnixNano":"\(start)","userSeconds":\(user),"systemSeconds":0.5}]}
                """
            let sample = TopSample(
                workloads: try json(topAnswer(at: Double(seconds), served: 0)), counters: nil,
                resources: try json(resources))
            model.take(try #require(sample), from: 0)
        }
        try take(at: 10, user: 1)
        #expect(model.workloads[0].cpuShare == 0.01)
        try take(at: 12, user: 1.75)
        #expect(model.workloads[0].cpuShare == 0.375)
        #expect(model.workloads[0].process(100)?.cpuShare == 0.375)
        // Another process of that number.
        try take(at: 14, user: 3, start: 6)
        #expect(model.workloads[0].cpuShare == 0.01)
    }

    @Test func aPortThatFailsKeepsWhatItSaidLast() throws {
        var model = try TopModel.of(topAnswer(at: 10, served: 1_000))
        model.fail("connection refused", from: 0)
        #expect(model.workloads.count == 1)
        #expect(model.sources[0].problem == "connection refused")
        model.take(
            try #require(TopSample(workloads: json(topAnswer(at: 12, served: 1_000)), counters: nil, resources: nil)),
            from: 0)
        #expect(model.sources[0].problem == nil)
    }

    @Test func whatMakesNoSenseIsNothing() throws {
        for answer in [
            "[]", "{}", "{\"workloads\":5}", "{\"workloads\":[5,null,[]]}",
            "{\"workloads\":[{\"total\":[],\"isolates\":{}}]}",
            "{\"timeUnixNano\":\"x\",\"workloads\":[{\"total\":{\"requests\":-1,\"cpuSeconds\":1e999,\"duration\":{\"buckets\":[-5,1e999,\"NaN\"]}}}]}",
            "{\"workloads\":[{\"total\":{\"loop\":{\"delays\":[[1,5],[1,5],[0.5,3],[],[2]]}}}]}",
        ] {
            guard let sample = TopSample(workloads: try json(answer), counters: nil, resources: nil) else { continue }
            var model = TopModel(places: ["a:1"])
            model.take(sample, from: 0)
            model.take(sample, from: 0)
            for work in model.workloads {
                #expect(work.total.requestRate == 0 && work.cpuShare == nil, "\(answer)")
            }
            for view in TopView.allCases {
                let screen = DrawnScreen(view)
                #expect(screen.text(model).count <= 24)
            }
            #expect(throws: Never.self) { try json(TopJSON.text(model)) }
        }
    }

    @Test func aLineOfJSONHasTheRates() throws {
        let model = try TopModel.of(
            topAnswer(at: 10, served: 1_000), topAnswer(at: 12, served: 1_400, errors: 4),
            counters: [topCounters(at: 10, sent: 50), topCounters(at: 12, sent: 70)])
        let line = TopJSON.text(model)
        #expect(!line.contains("\n"))
        let parsed = try json(line)
        guard case .array(let works)? = parsed["workloads"], let work = works.first else {
            Issue.record("no workload")
            return
        }
        #expect(work["requestsPerSecond"]?.integer == 200)
        #expect(work["errorsPerSecond"]?.integer == 2)
        #expect(work["residentBytes"] == .null)
        #expect(work["restarts"]?["SIGKILL"]?.integer == 0)
        guard case .array(let outlets)? = parsed["exporters"] else { return }
        #expect(outlets.first?["sentPerSecond"]?.integer == 10)
    }

    /// Bytes of an answer changed at random: whatever comes of it is shown, or refused.
    @Test func spoiledAnswersAreShownOrRefused() throws {
        let seed: UInt64 = 7
        var random = SplitMix(state: seed)
        let good = Array(topAnswer(at: 10, served: 1_000, errors: 5).utf8)
        var shown = 0
        for round in 0..<3_000 {
            var bytes = good
            for _ in 0..<(1 + Int(random.next() % 4)) {
                let at = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: at)
                default: bytes.insert(UInt8(ascii: "9"), at: at)
                }
            }
            guard let value = try? JSONValue(parsing: bytes),
                let sample = TopSample(workloads: value, counters: value, resources: value)
            else { continue }
            shown += 1
            var model = TopModel(places: ["a:1"])
            model.take(
                try #require(TopSample(workloads: json(topAnswer(at: 9, served: 900)), counters: nil, resources: nil)),
                from: 0)
            model.take(sample, from: 0)
            for view in TopView.allCases {
                let screen = DrawnScreen(view)
                for line in screen.text(model, width: 60, height: 12) {
                    #expect(line.columns <= 60 && line == line.escaped, "seed \(seed) round \(round): \(line)")
                }
            }
            _ = TopJSON.text(model)
        }
        #expect(shown > 300)
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
