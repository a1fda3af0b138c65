import Glibc
import Telemetry
import Wire

@testable import Agent

/// The same for the same seed (SplitMix64).
struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

enum ScriptWorld {
    /// Spans with ids from `first` on, in scopes that change every third span.
    static func batch(_ count: Int, first: Int = 1, nameBytes: Int = 10, ticket: UInt64 = 0) -> Batch {
        var bytes: [UInt8] = []
        var resource = ProtobufWriter()
        resource.putString(1, "resource")
        for index in first..<first + count {
            var scope = ProtobufWriter()
            scope.putString(1, "scope \(index / 3)")
            var items = ProtobufWriter()
            items.putBytes(1, Array(scope.takeBytes()))
            items.putBytes(2, span(index, name: String(repeating: "x", count: nameBytes)))
            var resourceSpans = ProtobufWriter()
            resourceSpans.putBytes(2, Array(items.takeBytes()))
            bytes += Array(resourceSpans.takeBytes())
        }
        var whole = ProtobufWriter()
        whole.putBytes(1, Array(resource.takeBytes()))
        bytes.withUnsafeBytes { whole.putRaw($0) }
        var request = ProtobufWriter()
        request.putBytes(1, Array(whole.takeBytes()))
        let received = try! OTLP.batches(fromExportRequest: Array(request.takeBytes()), signal: .traces)
        var batch = received.batches[0]
        batch.ticket = ticket
        return batch
    }

    static func span(_ id: Int, name: String) -> [UInt8] {
        var span = ProtobufWriter()
        span.putBytes(1, [UInt8](repeating: 7, count: 8) + bigEndian(id))
        span.putBytes(2, bigEndian(id))
        span.putString(5, name)
        span.putFixed64(7, UInt64(id))
        span.putFixed64(8, UInt64(id) + 1)
        return Array(span.takeBytes())
    }

    private static func bigEndian(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    /// What a worker would have written for an item of a slot.
    static func answer(_ memory: ScriptMemory, _ slot: Int, _ item: Int, _ words: [UInt32]) {
        let at = ScriptMemory.output(slot) + item * ScriptMemory.Output.resultBytes
        for (index, word) in words.enumerated() {
            memory.baseAddress.storeBytes(of: word, toByteOffset: at + 4 * index, as: UInt32.self)
        }
    }

    /// Puts a message into an output area; its offset and length.
    static func put(_ memory: ScriptMemory, _ slot: Int, _ message: [UInt8], at offset: Int) -> (UInt32, UInt32) {
        message.withUnsafeBytes {
            _ = memcpy(memory.baseAddress + ScriptMemory.output(slot) + offset, $0.baseAddress!, $0.count)
        }
        return (UInt32(offset), UInt32(message.count))
    }
}
