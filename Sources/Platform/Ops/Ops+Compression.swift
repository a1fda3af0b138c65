internal import CZlib
internal import Engine

extension PlatformOps {
    /// zlibOpen(memory, format, inflates): makes an ArrayBuffer the whole memory of a stream. Format 0: zlib, 1: raw
    /// deflate, 2: gzip. False: it is too small.
    /// zlibRun(memory, bytes, finish, target): goes on with `bytes` until they are used up or the target is full (at
    /// most 64 KiB of it are filled).
    /// Bytes consumed * 2^18 + bytes produced * 2 + 1 when the compressed data is complete; -1: it is not valid.
    static let compression = [
        Op("zlibOpen") {
            let call = OpCall($0, $1)
            guard let memory = call.bytes(0), let start = memory.baseAddress else { return call.returns(false) }
            call.returns(sl_zlib_open(start, memory.count, Int32(call.integer(1)), call.bool(2)))
        },
        Op("zlibRun") {
            let call = OpCall($0, $1)
            guard let memory = call.bytes(0), memory.count >= sl_zlib_memory_min, let start = memory.baseAddress,
                let target = call.bytes(3)
            else {
                return call.returns(-1)
            }
            let bytes = call.bytes(1)
            let consumedMax = min(bytes?.count ?? 0, 1 << 30)
            let producedMax = min(target.count, 64 << 10)
            var consumed = 0
            var produced = 0
            let result = sl_zlib_run(
                start, bytes?.baseAddress, consumedMax, call.bool(2), target.baseAddress, producedMax, &consumed,
                &produced)
            guard result >= 0 else { return call.returns(-1) }
            call.returns(Double(consumed) * 0x1p18 + Double(produced) * 2 + Double(result))
        },
    ]
}
