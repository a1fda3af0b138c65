// Snappy's block format, <https://github.com/google/snappy/blob/main/format_description.txt>, the encoder alone: Loki and Prometheus take nothing else.
//
// The input is cut into blocks of 64 KiB, so that every distance fits two bytes. In a block a table remembers where four bytes like these stood last; where they
// did, what is equal from there on becomes a copy. After a while without one the search takes larger steps, so what does not compress costs little.

public enum Snappy {
    private static let blockBytes = 1 << 16
    private static let tableBits = 14
    /// The last bytes of a block are not searched, so four can always be loaded.
    private static let margin = 15

    /// `bytes` as one snappy block with its length in front.
    public static func compress(_ bytes: [UInt8]) -> [UInt8] {
        let sizeMax = 32 + bytes.count + bytes.count / 6
        return [UInt8](unsafeUninitializedCapacity: sizeMax) { output, count in
            var encoder = Encoder(output: output)
            encoder.putVarint(bytes.count)
            bytes.withUnsafeBytes { input in
                withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 1 << tableBits) { table in
                    var start = 0
                    while start < input.count {
                        let end = min(start + blockBytes, input.count)
                        encoder.put(UnsafeRawBufferPointer(rebasing: input[start..<end]), table)
                        start = end
                    }
                }
            }
            count = encoder.count
        }
    }

    private struct Encoder {
        let output: UnsafeMutableBufferPointer<UInt8>
        var count = 0

        init(output: UnsafeMutableBufferPointer<UInt8>) { self.output = output }

        mutating func putByte(_ byte: Int) {
            output[count] = UInt8(truncatingIfNeeded: byte)
            count &+= 1
        }

        mutating func putVarint(_ value: Int) {
            var rest = value
            while rest >= 0x80 {
                putByte(rest | 0x80)
                rest >>= 7
            }
            putByte(rest)
        }

        mutating func put(_ block: UnsafeRawBufferPointer, _ table: UnsafeMutableBufferPointer<UInt16>) {
            guard block.count > margin else { return putLiteral(block, 0..<block.count) }
            table.update(repeating: 0)
            let limit = block.count - margin
            var literal = 0
            var position = 1
            // Steps of one for the first 32 tries, then of two, and so on.
            var tries = 32
            while position < limit {
                let word = load(block, position)
                let slot = hash(word)
                let candidate = Int(table[slot])
                table[slot] = UInt16(truncatingIfNeeded: position)
                guard load(block, candidate) == word, candidate < position else {
                    position += tries >> 5
                    tries += 1
                    continue
                }
                putLiteral(block, literal..<position)
                let length = matchLength(block, candidate, position)
                putCopy(distance: position - candidate, length: length)
                position += length
                literal = position
                tries = 32
            }
            putLiteral(block, literal..<block.count)
        }

        private func load(_ block: UnsafeRawBufferPointer, _ position: Int) -> UInt32 {
            block.loadUnaligned(fromByteOffset: position, as: UInt32.self)
        }

        private func hash(_ word: UInt32) -> Int { Int((word &* 0x1E35_A7BD) >> UInt32(32 - tableBits)) }

        private func matchLength(_ block: UnsafeRawBufferPointer, _ earlier: Int, _ later: Int) -> Int {
            var length = 4
            while later + length + 8 <= block.count {
                let left = block.loadUnaligned(fromByteOffset: earlier + length, as: UInt64.self)
                let right = block.loadUnaligned(fromByteOffset: later + length, as: UInt64.self)
                if left != right { return length + (left ^ right).littleEndian.trailingZeroBitCount / 8 }
                length += 8
            }
            while later + length < block.count, block[earlier + length] == block[later + length] { length += 1 }
            return length
        }

        private mutating func putLiteral(_ block: UnsafeRawBufferPointer, _ range: Range<Int>) {
            guard !range.isEmpty else { return }
            let length = range.count - 1
            if length < 60 {
                putByte(length << 2)
            } else if length < 1 << 8 {
                putByte(60 << 2)
                putByte(length)
            } else {
                putByte(61 << 2)
                putByte(length)
                putByte(length >> 8)
            }
            UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(output)[count..<count + range.count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[range]))
            count += range.count
        }

        private mutating func putCopy(distance: Int, length: Int) {
            var rest = length
            // No copy may be shorter than four bytes; one of the first kind takes 4 to 11.
            while rest >= 68 {
                putLongCopy(distance: distance, length: 64)
                rest -= 64
            }
            if rest > 64 {
                putLongCopy(distance: distance, length: 60)
                rest -= 60
            }
            if rest < 12, distance < 2_048 {
                putByte(1 | (rest - 4) << 2 | (distance >> 8) << 5)
                putByte(distance)
            } else {
                putLongCopy(distance: distance, length: rest)
            }
        }

        private mutating func putLongCopy(distance: Int, length: Int) {
            putByte(2 | (length - 1) << 2)
            putByte(distance)
            putByte(distance >> 8)
        }
    }
}
