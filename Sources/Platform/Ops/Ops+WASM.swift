internal import Engine

extension PlatformOps {
    /// wasmStores(): whether compiled code is kept at all. wasmLoad(bytes): the module of these bytes from stored code; null: there is none.
    /// wasmPush(stream, bytes): more of a module. wasmFinish(stream): it is complete; true when stored code is used.
    /// wasmAbort(stream, reason): it will not come. See `WasmHost`.
    static let wasm = [
        Op("wasmStores") {
            let call = OpCall($0, $1)
            call.returns(call.platform.wasm?.storesCode ?? false)
        },
        Op("wasmLoad") {
            let call = OpCall($0, $1)
            let module = call.bytes(0).flatMap { call.platform.wasm?.load(UnsafeRawBufferPointer($0)) }
            if let module { call.returns(module) } else { call.returnsNull() }
        },
        Op("wasmPush") {
            let call = OpCall($0, $1)
            guard let bytes = call.bytes(1) else { return }
            call.platform.wasm?.push(stream(call), UnsafeRawBufferPointer(bytes))
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
