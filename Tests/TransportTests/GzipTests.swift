import CZlib
import Testing

@testable import Transport

private func gunzip(_ bytes: [UInt8], sizeMax: Int) -> [UInt8]? {
    var stream = z_stream()
    guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var input = bytes
    var code: Int32 = 0
    let output = [UInt8](unsafeUninitializedCapacity: sizeMax) { output, count in
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(sizeMax)
            code = inflate(&stream, Z_FINISH)
            count = sizeMax - Int(stream.avail_out)
        }
    }
    return code == Z_STREAM_END ? output : nil
}

@Suite struct GzipTests {
    @Test(arguments: [0, 1, 100, 65_536, 1_000_000])
    func whatIsCompressedDecompressesToTheSame(count: Int) {
        var generator = SystemRandomNumberGenerator()
        let random = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let repetitive = (0..<count).map { UInt8($0 % 7) }
        for bytes in [random, repetitive] { #expect(gunzip(Gzip.compress(bytes), sizeMax: count + 1) == bytes) }
    }

    @Test func compressorGivesTheSameBytesWhenUsedAgain() {
        var compressor = GzipCompressor()
        let first = compressor.compress(Array("the same".utf8))
        _ = compressor.compress([UInt8](repeating: 1, count: 10_000))
        #expect(compressor.compress(Array("the same".utf8)) == first)
    }
}
