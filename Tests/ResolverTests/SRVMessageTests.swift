import System
import Testing

@testable import Discovery

/// A DNS message, made by hand.
private struct Message {
    var bytes: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]

    init(question: [String] = ["_otlp", "_tcp", "example", "com"]) {
        append(name: question)
        bytes += [0, 33, 0, 1]
    }

    mutating func append(name: [String]) {
        for label in name { bytes += [UInt8(label.utf8.count)] + Array(label.utf8) }
        bytes.append(0)
    }

    static func uint16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }

    mutating func answer(type: Int = 33, seconds: UInt32 = 60, _ data: [UInt8], length: Int? = nil) {
        let count = Int(bytes[6]) << 8 | Int(bytes[7])
        bytes.replaceSubrange(6..<8, with: Self.uint16(count + 1))
        bytes += [0xC0, 12] + Self.uint16(type) + [0, 1]
        bytes += Self.uint16(Int(seconds >> 16)) + Self.uint16(Int(seconds & 0xFFFF))
        bytes += Self.uint16(length ?? data.count) + data
    }

    mutating func srv(_ priority: Int, _ weight: Int, _ port: Int, _ target: [String], seconds: UInt32 = 60) {
        var name = Message(question: target).bytes.dropFirst(12)
        name.removeLast(4)
        answer(
            seconds: seconds, Self.uint16(priority) + Self.uint16(weight) + Self.uint16(port) + Array(name))
    }

    func read() throws(ServiceFailure) -> ServiceAnswer { try Self.read(bytes) }

    static func read(_ bytes: [UInt8]) throws(ServiceFailure) -> ServiceAnswer {
        let result: Result<ServiceAnswer, ServiceFailure> = bytes.withUnsafeBytes { bytes in
            do throws(ServiceFailure) { return .success(try SRVMessage.read(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

@Suite struct SRVMessageTests {
    @Test func recordsComeInTheOrderOfTheirPrioritiesWithTheShortestTime() throws {
        var message = Message()
        message.srv(20, 5, 4318, ["B", "Example", "com"], seconds: 30)
        message.srv(10, 0, 4317, ["a-1", "example", "com"], seconds: 90)
        let answer = try message.read()
        #expect(
            answer
                == ServiceAnswer(
                    records: [
                        ServiceRecord(priority: 10, weight: 0, host: "a-1.example.com", port: 4317),
                        ServiceRecord(priority: 20, weight: 5, host: "b.example.com", port: 4318),
                    ], seconds: 30))
    }

    @Test func anAliasCountsForTheTimeAndOtherRecordsForNothing() throws {
        var message = Message()
        message.answer(type: 5, seconds: 7, [0xC0, 12])
        message.answer(type: 46, seconds: 1, [1, 2, 3])
        message.srv(1, 1, 1, ["a"])
        #expect(try message.read().seconds == 7)
    }

    @Test func aTimeBeyond31BitsIsNone() throws {
        var message = Message()
        message.srv(1, 1, 1, ["a"], seconds: 0x8000_0000)
        #expect(try message.read().seconds == 0)
    }

    @Test func theTargetRootSaysThatThereIsNoService() throws {
        var message = Message()
        message.srv(0, 0, 0, [])
        #expect(try message.read() == ServiceAnswer(records: [], seconds: 60))
    }

    @Test func whatCannotBeUsedIsLeftOut() throws {
        var message = Message()
        message.srv(0, 0, 0, ["port-zero"])
        message.srv(0, 0, 1, ["bad host"])
        message.srv(0, 0, 1, ["quote\"d"])
        message.srv(0, 0, 1, ["new\nline"])
        #expect(throws: ServiceFailure("none of its 4 SRV records names a host and a port")) { try message.read() }
        message.srv(0, 0, 1, ["good"])
        message.srv(0, 0, 1, ["good"])
        #expect(try message.read().records.map(\.host) == ["good"])
    }

    @Test func noRecordIsAFailure() {
        #expect(throws: ServiceFailure("it has no SRV record")) { try Message().read() }
    }

    @Test func aTargetMayPointBack() throws {
        var message = Message()
        // "x" and then the question's "example.com", which begins at 12 + 6 + 5.
        message.answer([0, 1, 0, 2, 0, 3, 1, UInt8(ascii: "x"), 0xC0, 23])
        #expect(try message.read().records.map(\.host) == ["x.example.com"])
    }

    @Test(
        arguments: [
            [0, 1, 0, 2, 0, 3, 0xC0, 54], [0, 1, 0, 2, 0, 3, 0xFF, 0xFF], [0, 1, 0, 2, 0, 3, 1, 0x61, 0xC0, 54],
            [0, 1, 0, 2, 0, 3, 0x80, 0], [0, 1, 0, 2, 0, 3, 63, 0x61], [0, 1, 0, 2, 0, 3, 0xC0], [0, 1, 0, 2, 0, 3], [],
        ] as [[UInt8]])
    func namesInCirclesAndTooShortOnesAreRefused(data: [UInt8]) {
        var message = Message()
        // Where the target stands.
        let target = message.bytes.count + 12 + 6
        message.answer(data.map { $0 == 54 ? UInt8(target) : $0 })
        #expect(throws: ServiceFailure.self) { try message.read() }
    }

    @Test func aNameOfManyPointersHasAnEnd() {
        var message = Message()
        var chain: [UInt8] = [0]
        let start = message.bytes.count + 12
        for index in 0..<4_000 {
            let target = index == 0 ? start : start + 1 + 3 * (index - 1)
            chain += [0] + [0xC0 | UInt8(target >> 8), UInt8(target & 0xFF)]
        }
        message.answer(type: 16, chain)
        let last = start + 1 + 3 * 3_999 + 1
        message.answer([0, 1, 0, 2, 0, 3, 0xC0 | UInt8(last >> 8 & 0x3F), UInt8(last & 0xFF)])
        _ = try? message.read()
    }

    @Test func aLengthBeyondTheEndIsRefused() {
        var message = Message()
        message.answer([0, 1, 0, 2, 0, 3, 1, 0x61, 0], length: 10_000)
        #expect(throws: ServiceFailure.self) { try message.read() }
    }

    @Test func ofThousandsTheBestAreKept() throws {
        var message = Message()
        for number in 0..<3_000 { message.srv(number % 100, 1, 1, ["h\(number)"]) }
        let records = try message.read().records
        #expect(records.count == SRVMessage.recordsMax)
        #expect(records.allSatisfy { $0.priority < 3 })
    }

    @Test func everyPrefixAndEveryFlippedByteEndsWithoutAFault() {
        var message = Message()
        message.answer(type: 5, [0xC0, 12])
        for number in 0..<4 { message.srv(number, 1, 4318, ["host\(number)", "example", "com"]) }
        for count in 0..<message.bytes.count { _ = try? Message.read(Array(message.bytes.prefix(count))) }
        for index in message.bytes.indices {
            for bit in 0..<8 {
                var changed = message.bytes
                changed[index] ^= 1 << bit
                if let answer = try? Message.read(changed) {
                    #expect(answer.records.allSatisfy { !$0.host.isEmpty && $0.port > 0 && $0.host.utf8.count < 254 })
                }
            }
        }
    }

    @Test func garbageEndsWithoutAFault() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0..<200)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if bytes.count > 12 { (bytes[2], bytes[4], bytes[5], bytes[6]) = (0x80, 0, 0, 0) }
            _ = try? Message.read(bytes)
        }
    }
}
