internal import Engine

extension PlatformOps {
    /// clone(value, transfer, refuse, revived): https://html.spec.whatwg.org/#structuredserializeinternal. 38_clone.js makes a DOMException of what it
    /// throws. serializable(prototype, payload): see 04_serializable.js.
    static let clone = [
        Op("clone") {
            let call = OpCall($0, $1)
            // There is no argument 4: no ports are transferred.
            if let message = call.writeMessage(0, transfer: 1, refuse: 2) {
                call.returns(message, objects: 4, revived: 3)
            }
        },
        Op("serializable") { OpCall($0, $1).returnsSerializable(prototype: 0, payload: 1) },
    ]
}
