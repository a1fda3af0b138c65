import Testing

@testable import Store

@Suite struct BlockCompressionTests {
    private func compress(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: BlockCompressor.bytesMax(bytes.count))
        let compressor = BlockCompressor()
        let count = bytes.withUnsafeBytes { source in
            out.withUnsafeMutableBytes { compressor.compress(source, into: $0) }
        }
        return Array(out[..<count])
    }

    /// Nil when the block was refused.
    private func expand(_ block: [UInt8], _ count: Int) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: count)
        let intact = block.withUnsafeBytes { source in
            out.withUnsafeMutableBytes { BlockExpander.expand(source, into: $0) }
        }
        return intact ? out : nil
    }

    /// Bytes with repetitions near and far, of lengths around the format's borders.
    private func sample(_ random: inout SeededGenerator, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                bytes += (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            case 1:
                bytes += [UInt8](
                    repeating: UInt8.random(in: 0...3, using: &random), count: Int.random(in: 1...600, using: &random))
            default:
                guard !bytes.isEmpty else { continue }
                let start = Int.random(in: 0..<bytes.count, using: &random)
                bytes += bytes[start..<min(bytes.count, start + Int.random(in: 1...300, using: &random))]
            }
        }
        return Array(bytes[..<count])
    }

    @Test(arguments: 0..<300) func whatIsCompressedComesBack(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bytes = sample(&random, count: seed < 40 ? Int(seed) : Int.random(in: 40...200_000, using: &random))
        let block = compress(bytes)
        #expect(block.count <= BlockCompressor.bytesMax(bytes.count))
        #expect(expand(block, bytes.count) == bytes, "seed \(seed)")
    }

    @Test func repetitionsBeyondTheWindowComeBack() {
        var random = SeededGenerator(seed: 1)
        let part = (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(expand(compress(part + part), 140_000) == part + part)
    }

    /// Made by the `lz4` command, version 1.9.4 (the block out of its frame).
    @Test func aBlockOfTheReferenceEncoderExpands() {
        let text = "abcabcabcabcabcabcabcabc, hello hello hello, and a longer tail for the margin"
        let block: [UInt8] = [
            0x3F, 0x61, 0x62, 0x63, 0x03, 0x00, 0x02, 0x78, 0x2C, 0x20, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x06,
            0x00, 0xF0, 0x13, 0x2C, 0x20, 0x61, 0x6E, 0x64, 0x20, 0x61, 0x20, 0x6C, 0x6F, 0x6E, 0x67, 0x65,
            0x72, 0x20, 0x74, 0x61, 0x69, 0x6C, 0x20, 0x66, 0x6F, 0x72, 0x20, 0x74, 0x68, 0x65, 0x20, 0x6D,
            0x61, 0x72, 0x67, 0x69, 0x6E,
        ]
        #expect(expand(block, text.utf8.count) == Array(text.utf8))
    }

    @Test func damagedBlocksAreRefusedOrGiveOtherBytesButNeverLeaveTheOutput() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<3_000 {
            let bytes = sample(&random, count: Int.random(in: 20...400, using: &random))
            var block = compress(bytes)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: block[Int.random(in: 0..<block.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            case 1: block.removeLast(Int.random(in: 1...block.count, using: &random))
            default: block = (0..<block.count).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            // Guard bytes behind the output would show a write beyond it.
            var out = [UInt8](repeating: 0xA5, count: bytes.count + 64)
            _ = block.withUnsafeBytes { source in
                out.withUnsafeMutableBytes {
                    BlockExpander.expand(source, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<bytes.count]))
                }
            }
            #expect(out[bytes.count...].allSatisfy { $0 == 0xA5 })
        }
    }

    @Test func aBlockOfAnotherLengthThanPromisedIsRefused() {
        let bytes = [UInt8](repeating: 9, count: 500)
        #expect(expand(compress(bytes), 499) == nil)
        #expect(expand(compress(bytes), 501) == nil)
    }
}
