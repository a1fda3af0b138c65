/// 128 bits of any bytes, by multiplication with secrets drawn at the start (in the manner of wyhash): who sends the bytes
/// cannot make them collide, and by chance two collide once in 2^128. Not for ever: another process has other secrets.
struct KeyedHash {
    typealias Value = (UInt64, UInt64)

    private let secrets = (0..<4).map { _ in UInt64.random(in: .min ... .max) | 1 }

    /// - Parameter seed: what these bytes go on from.
    func hash(_ bytes: UnsafeRawBufferPointer, seed: Value = (0, 0)) -> Value {
        secrets.withUnsafeBufferPointer { secrets in
            var (first, second) = (seed.0 ^ secrets[0], seed.1 ^ secrets[1])
            var offset = 0
            while offset + 16 <= bytes.count {
                mix(
                    bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
                offset += 16
            }
            var rest: Value = (0, 0)
            withUnsafeMutableBytes(of: &rest) {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset...]))
            }
            mix(rest.0, rest.1)
            mix(UInt64(bytes.count), secrets[2])
            return (first, second)

            func mix(_ low: UInt64, _ high: UInt64) {
                first = Self.multiply(low ^ secrets[2], high ^ first)
                second = Self.multiply(low ^ secrets[3], high ^ second)
            }
        }
    }

    @inline(__always)
    private static func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
