import CScan
import Logs
import Testing

@Suite("Raw lines")
struct RawLineTests {
    @Test("Nothing is looked for, lines stay as they are, and stack traces are joined all the same")
    func raw() {
        let probe = FormatProbe(.raw)
        probe.take(
            "2026-11-26 10:00:00 ERROR trace_id=0123456789abcdef0123456789abcdef\n{\"level\":\"warn\"}\nError: no\n    at f (a.js:1:1)\n"
        )
        probe.end()
        #expect(probe.records.map(\.severity) == [0, 0, 0])
        #expect(probe.records.allSatisfy { !$0.traceID.isValid })
        #expect(
            probe.records.map(\.body) == [
                .string("2026-11-26 10:00:00 ERROR trace_id=0123456789abcdef0123456789abcdef"),
                .string("{\"level\":\"warn\"}"),
                .string("Error: no\n    at f (a.js:1:1)"),
            ])
    }

    @Test(
        "Bytes are counted, whatever the length and where they stand",
        arguments: [0, 1, 15, 16, 17, 255 * 16, 255 * 16 + 5, 9_999])
    func count(length: Int) {
        var state = UInt64(length) &+ 1
        let bytes = (0..<length).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return state >> 60 < 8 ? 10 : UInt8(truncatingIfNeeded: state >> 32)
        }
        #expect(
            bytes.withUnsafeBufferPointer { $0.baseAddress.map { sl_scan_count($0, length, 10) } ?? 0 }
                == bytes.count { $0 == 10 })
        let all = Array(repeating: UInt8(10), count: length)
        #expect(all.withUnsafeBufferPointer { $0.baseAddress.map { sl_scan_count($0, length, 10) } ?? 0 } == length)
    }
}
