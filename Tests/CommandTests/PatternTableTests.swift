import Store
import Telemetry
import Testing

@testable import sidelight

@Suite struct PatternTableTests {
    @Test func patternsAreATable() {
        var tick = LogPattern(template: "tick <num>")
        tick.count = 900
        tick.levels = [.info: 890, .warn: 10]
        tick.services = ["shop": 900]
        (tick.firstTime, tick.lastTime) = (time(0), time(60_000))
        var disk = LogPattern(template: "disk \u{1B}[2J is full")
        disk.count = 99
        disk.levels = [.error: 99]
        disk.services = ["stock": 90, "shop": 9]
        (disk.firstTime, disk.lastTime) = (time(50_000), time(60_000))
        disk.isNew = true
        var table = PatternTable(terminal: Terminal(width: 200, hasColor: false, isInteractive: false))
        table.utc = true
        let found = LogPatterns(
            patterns: [tick, disk], omittedPatterns: 1, total: 1_000, unsorted: 1, start: time(0),
            recentStart: time(45_000), end: time(60_000))
        let lines = table.lines(found)
        #expect(lines.count == 5)
        #expect(lines[1].hasPrefix("  900  90.0%  warn        2026-11-23 14:01:00.123  2026-11-23 14:00:00.123  shop"))
        #expect(lines[1].hasSuffix("  tick <num>"))
        #expect(lines[2].hasPrefix("   99   9.9%  error  NEW  2026-11-23 14:01:00.123"))
        #expect(lines[2].hasSuffix("  shop,stock  disk \\e[2J is full"))
        #expect(lines[3] == "… 1 pattern more: --limit")
        #expect(lines[4] == "… 1 record of further kinds")
    }
}
