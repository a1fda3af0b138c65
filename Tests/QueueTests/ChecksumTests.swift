import CLinux
import Testing

func checksumOfEntry(_ seed: UInt32, _ bytes: [UInt8]) -> UInt32 { sl_crc32c(seed, bytes, bytes.count) }
func portableChecksum(_ seed: UInt32, _ bytes: [UInt8]) -> UInt32 { sl_crc32c_portable(seed, bytes, bytes.count) }

@Suite struct ChecksumTests {
    /// RFC 3720, appendix B.4, and the check value of the catalogues.
    @Test func theStandardsExamples() {
        let examples: [(bytes: [UInt8], sum: UInt32)] = [
            ([], 0), (Array("123456789".utf8), 0xE306_9283), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 255, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E),
            (Array((0..<32).reversed()), 0x113F_DB5C),
        ]
        for (bytes, sum) in examples {
            #expect(checksumOfEntry(0, bytes) == sum)
            #expect(portableChecksum(0, bytes) == sum)
        }
    }

    /// At every length and offset the instruction says what the table says, in one piece or two.
    @Test func bothWaysAgree() {
        var generator = Generator(seed: 3)
        let bytes = (0..<600).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        for start in 0..<9 {
            for end in start..<bytes.count {
                let piece = Array(bytes[start..<end])
                let sum = checksumOfEntry(17, piece)
                #expect(sum == portableChecksum(17, piece))
                let cut = generator.below(piece.count + 1)
                #expect(checksumOfEntry(portableChecksum(17, Array(piece[..<cut])), Array(piece[cut...])) == sum)
            }
        }
    }
}
