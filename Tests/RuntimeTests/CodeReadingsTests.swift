import Testing

@testable import Runtime

struct CodeReadingsTests {
    @Test func codeIsReadWithTheFirstSampleAndThenEveryTenth() {
        var readings = CodeReadings()
        let due = (0..<31).filter { _ in readings.isDue(heapUsed: 1 << 20) }
        #expect(due == [0, 10, 20, 30])
    }

    @Test func aLargeHeapIsNotWalkedAndOneThatShrinksIsAgain() {
        var readings = CodeReadings()
        let large = (0..<20).filter { _ in readings.isDue(heapUsed: CodeReadings.heapBytesMax + 1) }
        let small = readings.isDue(heapUsed: CodeReadings.heapBytesMax)
        #expect(large.isEmpty)
        #expect(small)
    }
}
