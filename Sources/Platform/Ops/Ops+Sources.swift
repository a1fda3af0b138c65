internal import Engine

extension PlatformOps {
    /// sourceMap(script): the JSON of its map, or null.
    static let sources = [
        Op("sourceMap") {
            let call = OpCall($0, $1)
            guard let map = call.platform.host.sourceMap(ofScript: call.string(0)) else { return call.returnsNull() }
            map.withUnsafeBytes { call.returns(utf8: $0) }
        }
    ]
}
