internal import Engine

extension PlatformOps {
    /// sourceMap(script): the JSON of its map, or null.
    /// lateSource(name): a source of `js/late`, compiled: function(ops, internal, primordials); null when there is none
    /// of that name. brand(value): a number of `sl_v8_brand`.
    /// inside(value): an array of two, or null (`sl_v8_args_return_inside`). makeSlow(object): for 54_frozen.js.
    static let sources = [
        Op("lateSource") {
            let call = OpCall($0, $1)
            do throws(JSFailure) {
                guard let function = try PlatformSources.late(call.string(0), in: call.realm) else {
                    return call.returnsNull()
                }
                call.returns(function)
            } catch {
                call.rethrow(error)
            }
        },
        Op("brand") {
            let call = OpCall($0, $1)
            call.returns(Double(call.brand(0)))
        },
        Op("inside") {
            let call = OpCall($0, $1)
            call.returnsInside(of: 0)
        },
        Op("makeSlow") {
            let call = OpCall($0, $1)
            call.makeSlow(0)
        },
        Op("sourceMap") {
            let call = OpCall($0, $1)
            guard let map = call.platform.host.sourceMap(ofScript: call.string(0)) else { return call.returnsNull() }
            map.withUnsafeBytes { call.returns(utf8: $0) }
        },
    ]
}
