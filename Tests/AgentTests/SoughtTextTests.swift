import Telemetry
import Testing

@testable import Agent

@Suite struct SoughtTextTests {
    private static func isFound(_ sought: [UInt8], in text: [UInt8]) -> Bool {
        sought.count <= text.count
            && (0...text.count - sought.count).contains { text[$0..<$0 + sought.count].elementsEqual(sought) }
    }

    /// All texts of two letters of up to eight bytes, against all that are sought of up to five.
    @Test func whatStandsSomewhereIsFoundAndNothingElse() throws {
        func texts(_ counts: ClosedRange<Int>) -> [[UInt8]] {
            counts.flatMap { count in (0..<1 << count).map { bits in (0..<count).map { bits >> $0 & 1 == 0 ? 0x61 : 0x62 } } }
        }
        for sought in texts(1...5) {
            let search = try #require(SoughtText(String(decoding: sought, as: UTF8.self)))
            for text in texts(0...8) {
                let isFound = text.withUnsafeBytes { search.isFound(in: $0) }
                #expect(isFound == Self.isFound(sought, in: text), "\(sought) in \(text)")
            }
        }
    }

    @Test func nothingIsNotSought() { #expect(SoughtText("") == nil) }

    @Test func keysAndTextsAreLookedThroughAtAnyDepth() throws {
        let search = try #require(SoughtText("näh"))
        let inner = AttributeValue.map([Attribute("x", .array([.int(1), .string("ein nähkorb")]))])
        #expect(search.isFound(in: .array([inner])))
        #expect(search.isFound(in: .map([Attribute("näher", .bool(true))])))
        #expect(!search.isFound(in: .array([.string("nah"), .bytes(Array("näh".utf8)), .empty])))
    }
}
