import Telemetry
import Testing

@testable import Pipeline

@Suite struct BatchSplitTests {
    @Test func bothPartsKeepTheirItemsBytes() {
        let whole = batch(ids: 1...5, itemBytes: 3)
        let (first, second) = whole.split(at: 2)
        #expect(first.ids == [1, 2])
        #expect(second.ids == [3, 4, 5])
        #expect(first.bytes + second.bytes == whole.bytes)
        #expect(second.items.map(\.offset) == [0, 3, 6])
        #expect(first.resource == whole.resource)
        #expect(second.scopes == whole.scopes)
    }

    @Test func prefixKeepsWithinBothLimits() {
        let whole = batch(ids: 1...10, itemBytes: 100)
        #expect(whole.prefixCount(itemsMax: 4, memoryBytesMax: .max / 2) == 4)
        #expect(whole.prefixCount(itemsMax: .max, memoryBytesMax: whole.memoryBytes) == 10)
        #expect(whole.prefixCount(itemsMax: .max, memoryBytesMax: whole.memoryBytes - 1) == 9)
        #expect(whole.prefixCount(itemsMax: .max, memoryBytesMax: 0) == 0)
        #expect(whole.prefixCount(itemsMax: 0, memoryBytesMax: .max / 2) == 0)
        for count in 1...9 {
            let (first, _) = whole.split(at: count)
            #expect(whole.prefixCount(itemsMax: .max, memoryBytesMax: first.memoryBytes) == count)
        }
    }
}
