import Testing

@testable import sidelight

@Suite struct TopScreenTests {
    private func model() throws -> TopModel {
        try TopModel.of(
            topAnswer(at: 10, served: 1_000), topAnswer(at: 12, served: 1_400, errors: 4, restarts: 2),
            counters: [topCounters(at: 10, sent: 50), topCounters(at: 12, sent: 70, dropped: 1)])
    }

    @Test func theFrameFitsTheTerminal() throws {
        let model = try model()
        for view in TopView.allCases {
            for (width, height) in [(200, 50), (120, 24), (80, 24), (40, 10), (20, 5), (1, 1), (3, 2), (7, 3)] {
                let screen = DrawnScreen(view)
                let lines = screen.text(model, width: width, height: height)
                #expect(lines.count <= height, "\(view) \(width)x\(height)")
                #expect(lines.allSatisfy { $0.columns <= width }, "\(view) \(width)x\(height) \(lines)")
            }
        }
    }

    @Test func theSummaryTellsOfTheWorkload() throws {
        let screen = DrawnScreen(.isolates)
        let lines = screen.text(try model(), width: 160)
        #expect(
            lines[0]
                == "? help  1 workloads 2 isolates 3 routes 4 requests 5 errors 6 exporters  by PLACE  every 1 s")
        #expect(lines[1] == "shop  app.mjs  http://127.0.0.1:8080  up 12 s  1 isolate  2 restarts")
        #expect(
            lines[2].hasPrefix(
                "200 req/s   1% errors   avg 8 ms   p50 7.5 ms   p99 9.5 ms   2 in flight   connections 4"))
        #expect(lines[3].hasPrefix("cpu 10%   heap 20M of 64M   gc 1%   loop p99 2 ms   a request: 500 µs cpu"))
        #expect(lines[4] == "")
        let heading = lines[5].split(separator: " ").map(String.init)
        #expect(heading.prefix(5) == ["PLACE", "PID", "STATE", "REQ/S", "ERR/S"])
        let row = lines[6].split(separator: " ").map(String.init)
        #expect(row.prefix(5) == ["0", "100", "serving", "200", "2"])
    }

    @Test func narrowTerminalsLeaveColumnsOutByRank() throws {
        let screen = DrawnScreen(.isolates)
        let lines = screen.text(try model(), width: 40)
        let heading = lines[5]
        #expect(heading.contains("REQ/S") && heading.contains("CPU"))
        #expect(!heading.contains("TIMERS") && !heading.contains("GC"))
    }

    @Test func theTableKeepsItsRoomWhenThereAreFewLines() throws {
        let screen = DrawnScreen(.isolates)
        let lines = screen.text(try model(), height: 3)
        #expect(lines[1].contains("REQ/S"))
        #expect(lines[2].contains("serving"))
    }

    @Test(arguments: [Int.min, Int.max, -1]) func noNumberOfAProcessEndsIt(_ pid: Int) throws {
        let model = try TopModel.of(topAnswer(at: 1, served: 5, pid: pid), topAnswer(at: 2, served: 9, pid: pid))
        for view in TopView.allCases {
            #expect(!DrawnScreen(view).text(model, width: 160).isEmpty)
        }
        #expect(DrawnScreen(.isolates).text(model, width: 160).contains { $0.contains(String(pid)) })
    }

    @Test func textFromOutsideIsNotObeyedByTheTerminal() throws {
        let evil = "\u{1B}]0;owned\u{07}\u{1B}[2J\u{202E}\n日本"
        let model = try TopModel.of(
            topAnswer(at: 1, served: 5, errors: 5, service: evil, route: evil, path: evil, entry: evil),
            topAnswer(at: 2, served: 9, errors: 9, service: evil, route: evil, path: evil, entry: evil))
        for view in TopView.allCases {
            let screen = DrawnScreen(view)
            for line in screen.text(model, width: 100) {
                #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E }, "\(view): \(line)")
                #expect(line.columns <= 100)
            }
            let printed = screen.table(model).joined()
            #expect(printed.contains("\\e]0;owned\\x07") || view == .exporters)
        }
    }

    @Test func rowsAreSortedByTheColumnAndTheOtherWayRound() {
        var table = TopTable(columns: [TopTable.Column(title: "A"), TopTable.Column(title: "B", isRight: false)])
        typealias Cell = TopTable.Cell
        table.rows = [(3.0, "x"), (nil, "y"), (10.0, "a"), (3.0, "b")].map {
            [Cell($0.map { "\($0)" } ?? "-", $0), Cell($1)]
        }
        table.sort(by: "A", isReversed: false)
        #expect(table.rows.map { $0[1].text } == ["a", "x", "b", "y"])
        table.sort(by: "A", isReversed: true)
        #expect(table.rows.map { $0[1].text } == ["y", "x", "b", "a"])
        table.sort(by: "B", isReversed: false)
        #expect(table.rows.map { $0[1].text } == ["a", "b", "x", "y"])
        table.sort(by: "none", isReversed: false)
        #expect(table.rows.count == 4)
    }

    @Test func keysChangeTheView() throws {
        let model = try model()
        let screen = DrawnScreen(.isolates)
        #expect(screen.take(.nextSort))
        #expect(screen.screen.sortedBy == "PID")
        #expect(screen.take(.previousSort) && screen.take(.previousSort))
        #expect(screen.screen.sortedBy == "SERVICE")
        #expect(screen.take(.nextView))
        #expect(screen.screen.view == .routes && screen.screen.sortedBy == "REQ/S")
        #expect(screen.take(.view(.errors)) && screen.take(.reverse) && screen.take(.pause))
        let lines = screen.text(model)
        #expect(lines[0].contains("by ERR/S reversed") && lines[0].contains("PAUSED"))
        #expect(screen.take(.help))
        #expect(screen.text(model).contains { $0.contains("pause, and go on") })
        // Any key but that one leads back.
        #expect(screen.take(.pause))
        #expect(screen.screen.isPaused && !screen.screen.showsHelp)
        #expect(screen.take(.help))
        #expect(!screen.take(.quit))
    }

    @Test func longTablesScrollAndStopAtTheirEnds() throws {
        var rows: [String] = []
        for number in 0..<50 {
            rows.append(
                "{\"method\":\"GET\",\"route\":\"/\(number)\",\"errors\":0,\"duration\":{\"buckets\":[\(100 - number)],\"sum\":1}}"
            )
        }
        let answer =
            "{\"timeUnixNano\":\"\(topStart)\",\"workloads\":[{\"service\":\"s\",\"url\":\"http://a\",\"routes\":[\(rows.joined(separator: ","))]}]}"
        let model = try TopModel.of(answer)
        let screen = DrawnScreen(.routes)
        func first() -> String {
            screen.text(model, height: 16).first { $0.contains("/") && $0.hasPrefix("GET") } ?? ""
        }
        #expect(first().hasPrefix("GET     /0 "))
        #expect(screen.take(.down) && screen.take(.down))
        #expect(first().hasPrefix("GET     /2 "))
        #expect(screen.take(.pageDown))
        #expect(first().hasPrefix("GET     /12 "))
        #expect(screen.take(.last))
        #expect(screen.text(model, height: 16).last?.hasPrefix("GET     /49 ") == true)
        #expect(screen.take(.down))
        #expect(screen.text(model, height: 16).last?.hasPrefix("GET     /49 ") == true)
        #expect(screen.take(.first) && screen.take(.up))
        #expect(first().hasPrefix("GET     /0 "))
        // Fewer rows than were scrolled over.
        #expect(screen.take(.last))
        _ = screen.text(model, height: 16)
        let few = try TopModel.of(topAnswer(at: 1, served: 5))
        #expect(screen.text(few, height: 16).contains { $0.contains("/cart") })
    }

    @Test func severalWorkloadsHaveAColumnForTheService() throws {
        var model = TopModel(places: ["a:1", "b:2"])
        for (index, service) in ["shop", "stock"].enumerated() {
            for (seconds, served) in [(10.0, 100), (11.0, 200)] {
                let sample = TopSample(
                    workloads: try json(topAnswer(at: seconds, served: served, service: service)), counters: nil,
                    resources: nil)
                model.take(try #require(sample), from: index)
            }
        }
        let screen = DrawnScreen(.isolates)
        let lines = screen.text(model, width: 160)
        #expect(lines[1].hasPrefix("2 workloads   200 req/s"))
        #expect(lines.contains { $0.hasPrefix("stock") && $0.contains("serving") })
        model.fail("connection refused", from: 1)
        #expect(screen.text(model)[1] == "b:2: connection refused")
    }

    @Test func emptyTablesSayWhatThereIsNot() throws {
        let model = TopModel(places: ["a:1"])
        for view in TopView.allCases {
            let screen = DrawnScreen(view)
            #expect(screen.text(model).last == view.emptyText(isKnown: true))
        }
    }

    @Test func whatMattersIsSeenOnAStandardTerminal() throws {
        let model = try model()
        let screen = DrawnScreen(.isolates)
        let lines = screen.text(model, width: 80)
        #expect(lines[0].hasPrefix("? help  1 workloads 2 isolates"))
        #expect(lines.allSatisfy { !$0.contains("…") }, "\(lines)")
        #expect(lines[2].hasPrefix("200 req/s   1% errors   avg 8 ms   p50 7.5 ms   p99 9.5 ms   2 in flight"))
        let heading = Set(lines[5].split(separator: " "))
        #expect(heading.isSuperset(of: ["REQ/S", "ERR/S", "P99", "UP", "CPU", "STATE"]), "\(lines[5])")
        // All of it is there where there is room.
        #expect(screen.text(model, width: 200)[2].hasSuffix("in 20K/s   out 400K/s"))
    }

    @Test func sortingPassesOverWhatIsNotOnTheScreen() throws {
        let model = try model()
        let screen = DrawnScreen(.isolates)
        for key in [TopKey.nextSort, .previousSort] {
            for _ in 0..<40 {
                let lines = screen.text(model, width: 60)
                #expect(lines[5].contains(screen.screen.sortedBy), "\(screen.screen.sortedBy): \(lines[5])")
                #expect(screen.take(key))
            }
        }
    }

    @Test func oneIsNotSeveral() throws {
        let model = try TopModel.of(topAnswer(at: 10, served: 1_000, restarts: 1))
        #expect(DrawnScreen(.isolates).text(model)[1].hasSuffix("1 isolate  1 restart"))
    }

    @Test func anExporterSaysOnceWhatIsOfAllItsSignals() throws {
        let counters = """
            {"counters":[{"name":"sidelight_export_sent_total","labels":{"exporter":"otlp","signal":"traces"},"value":1},
            {"name":"sidelight_export_sent_total","labels":{"exporter":"otlp","signal":"logs"},"value":5},
            {"name":"sidelight_export_sent_total","labels":{"exporter":"file","signal":"logs"},"value":5},
            {"name":"sidelight_export_retries_total","labels":{"exporter":"otlp"},"value":7},
            {"name":"sidelight_queue_bytes","labels":{"exporter":"otlp"},"value":4096}]}
            """
        var model = TopModel(places: ["a:1"])
        model.take(try #require(TopSample(workloads: nil, counters: json(counters), resources: nil)), from: 0)
        let rows = DrawnScreen(.exporters).table(model).map { $0.split(separator: " ").map(String.init) }
        #expect(
            rows.suffix(3) == [
                ["file", "logs", "0", "0", "0B", "0", "0"], ["otlp", "logs", "0", "0", "4K", "0", "7"],
                ["otlp", "traces", "0", "0", "0"],
            ])
    }

    @Test func anAgentOpensOnItsExportersAndAServiceOnItsIsolates() throws {
        var agent = TopModel(places: ["a:1"])
        let screen = DrawnScreen(nil)
        // Nothing is known yet.
        _ = screen.text(agent)
        #expect(screen.screen.view == .isolates)
        agent.take(
            try #require(TopSample(workloads: nil, counters: json(topCounters(at: 1, sent: 5)), resources: nil)),
            from: 0)
        #expect(screen.text(agent).contains { $0.hasPrefix("otlp  traces") })
        #expect(DrawnScreen(nil).table(agent).contains { $0.hasPrefix("otlp  traces") })
        #expect(screen.take(.view(.isolates)))
        #expect(screen.text(agent).last == "no workload is served here")
        #expect(DrawnScreen(.isolates).text(agent).last == "no workload is served here")
        let service = DrawnScreen(nil)
        #expect(service.text(try model()).contains { $0.hasPrefix("PLACE") })
    }

    /// What `run --admin` answers: its worker writes no figures.
    @Test func whatIsNotKnownIsNotMadeUp() throws {
        let figures =
            "{\"requests\":0,\"duration\":{\"buckets\":[0]},\"heap\":{\"used\":0,\"limit\":0},\"cpuSeconds\":0}"
        let model = try TopModel.of(
            """
            {"timeUnixNano":"\(topStart + 5_000_000_000)","workloads":[{"service":"job","entry":"job.mjs","url":null,"startTimeUnixNano":"\(topStart)",
            "total":\(figures),"routes":[],"errors":[],
            "isolates":[{"pid":100,"place":0,"state":null,"startTimeUnixNano":"\(topStart)","figures":\(figures),"requests":[]}]}]}
            """)
        let lines = DrawnScreen(.isolates).text(model, width: 200)
        #expect(lines[1...3] == ["job  job.mjs  up 5 s  1 isolate", "cpu -", ""])
        let dashes = [Substring](repeating: "-", count: 15)
        #expect(lines[5].split(separator: " ") == ["0", "100"] + dashes + ["5", "s"])
        let row = DrawnScreen(.workloads).text(model, width: 200)[5].split(separator: " ")
        #expect(row == ["job", "job.mjs", "1"] + dashes.prefix(11) + ["0", "5", "s"])
        for view in [TopView.routes, .requests, .errors] {
            #expect(DrawnScreen(view).text(model).last == "not known: `sidelight run` counts no requests")
        }
        guard case .array(let works)? = try json(TopJSON.text(model))["workloads"], let work = works.first,
            case .array(let isolates)? = work["isolates"]
        else {
            Issue.record("no workload")
            return
        }
        for name in ["requestsPerSecond", "inFlight", "heapUsedBytes", "gc", "cpu", "p99Seconds", "bytesInPerSecond"] {
            #expect(work[name] == .null && isolates[0][name] == .null, "\(name)")
        }
        #expect(isolates[0]["state"] == .null)
    }
}

@Suite struct TopKeysTests {
    private func keys(_ text: String) -> [TopKey] {
        var keys = TopKeys()
        return keys.take(Array(text.utf8))
    }

    @Test func lettersAndCursorKeysAreUnderstood() {
        #expect(keys("sSrp?q") == [.nextSort, .previousSort, .reverse, .pause, .help, .quit])
        #expect(keys("\u{1B}[A\u{1B}[B\u{1B}OC\u{1B}OD") == [.up, .down, .nextSort, .previousSort])
        #expect(
            keys("\u{1B}[5~\u{1B}[6~\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~") == [
                .pageUp, .pageDown, .first, .last, .first, .last,
            ])
        #expect(keys("\u{1B}[1;5A\t\u{1B}[Z") == [.up, .nextView, .previousView])
        #expect(keys("125") == [.view(.workloads), .view(.isolates), .view(.errors)])
    }

    @Test func whatIsUnknownMeansNothing() {
        // F5, a mouse report, a bracketed paste's begin, and letters that mean nothing: they lead back from the help.
        #expect(
            keys("\u{1B}[15~\u{1B}[<0;3;4M\u{1B}[200~x\u{FF}p") == [
                .other, .other, .other, .other, .other, .other, .pause,
            ])
        // Escape right before another key takes nothing from it.
        #expect(keys("\u{1B}q") == [.other, .quit])
        #expect(keys("\u{1B}[" + String(repeating: "9", count: 500) + "q").last == .quit)
        #expect(keys("\u{1B}\u{1B}[A") == [.up])
        #expect(keys("\u{1B}[12\u{1B}[Ap") == [.up, .pause])
    }

    @Test func sequencesMayComeInPieces() {
        var parser = TopKeys()
        var keys: [[TopKey]] = []
        for byte in [0x1B, UInt8(ascii: "["), UInt8(ascii: "B")] { keys.append(parser.take([byte])) }
        #expect(keys == [[], [], [.down]])
        // Escape by itself, and a letter a while later.
        keys = [parser.take([0x1B])]
        let settled = [parser.settle(), parser.settle()]
        #expect(settled == [.other, nil])
        keys.append(parser.take([UInt8(ascii: "q")]))
        #expect(keys == [[], [.quit]])
    }
}

@Suite struct TopTextTests {
    @Test func figuresAreShort() {
        #expect(
            [0, 0.01, 3.44, 9.97, 12, 812.4, 999.6, 12_345, 4_500_000, 1e300, .infinity].map(TopText.number)
                == ["0", "<0.1", "3.4", "10", "12", "812", "1k", "12.3k", "4.5M", "huge", "-"])
        #expect(
            [0, 512, 1_023.6, 1_536, 210 * 1_048_576, 1e300, .nan].map(TopText.bytes)
                == ["0B", "512B", "1K", "1.5K", "210M", "huge", "-"])
        #expect(
            [nil, 0, 0.0001, 0.033, 0.5, 2.5, 1e300].map(TopText.percent) == [
                "-", "0%", "<0.1%", "3.3%", "50%", "250%", "huge",
            ])
        #expect([nil, 0, 0.0004, 1e300].map(TopText.seconds) == ["-", "0", "400 µs", "104166d 16h"])
        #expect(TopText.quantile(.at(0.017512)) == "18 ms")
        #expect(TopText.quantile(.below(0.005)) == "<5 ms")
        #expect(TopText.quantile(.above(10)) == ">10 s")
        #expect(TopText.age(0, now: 5) == "-")
        #expect(TopText.age(10, now: 5) == "0 ns")
        #expect(TopText.age(0 + 1, now: 61_900_000_001) == "1m 01s")
    }
}
