internal import Engine

extension PlatformOps {
    /// wasmStores(): whether compiled code is kept at all. wasmKey(bytes): names stored code of a module; "": there is none.
    /// wasmPush(stream, bytes, key): more of a module; the key, or "", with the first. wasmFinish(stream): it is complete; true when stored code is used.
    /// wasmAbort(stream, reason): it will not come. See `WasmHost`.
    static let wasm = [
        Op("wasmStores") {
            let call = OpCall($0, $1)
            call.returns(call.platform.wasm?.storesCode ?? false)
        },
        Op("wasmKey") {
            let call = OpCall($0, $1)
            let key = call.bytes(0).flatMap { call.platform.wasm?.key(of: UnsafeRawBufferPointer($0)) }
            call.returns(key ?? "")
        },
        Op("wasmPush") {
            let call = OpCall($0, $1)
            guard let bytes = call.bytes(1) else { return }
            call.platform.wasm?.push(stream(call), UnsafeRawBufferPointer(bytes), key: call.string(2))
        },
        Op("wasmFinish") {
            let call = OpCall($0, $1)
            call.returns(call.platform.wasm?.finish(stream(call)) ?? false)
        },
        Op("wasmAbort") {
            let call = OpCall($0, $1)
            call.platform.wasm?.abort(stream(call), reason: call.value(1))
        },
    ]

    private static func stream(_ call: OpCall) -> UInt64 { UInt64(clamping: call.integer(0)) }
}
