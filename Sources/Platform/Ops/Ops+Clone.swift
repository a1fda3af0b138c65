internal import Engine

extension PlatformOps {
    /// clone(value, transfer): https://html.spec.whatwg.org/#structuredserializeinternal. 38_clone.js makes a DOMException of what it throws.
    static let clone = [
        Op("clone") {
            let call = OpCall($0, $1)
            do throws(JSFailure) {
                let transfer = call.isNullOrUndefined(1) ? nil : call.value(1)
                call.returns(try call.realm.clone(call.value(0), transfer: transfer))
            } catch {
                call.rethrow(error)
            }
        }
    ]
}
