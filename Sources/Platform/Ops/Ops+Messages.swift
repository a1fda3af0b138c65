internal import Engine

extension PlatformOps {
    /// See `MessageHost`. hostObject(port): an object that serialization knows for a port. messageCells(): the shared words, an ArrayBuffer.
    /// callingScript(): name of the script that called; null when there is none.
    static let messages = [
        Op("hostObject") {
            let call = OpCall($0, $1)
            call.returnsHostObject(call.integer(0))
        },
        Op("messageCells") {
            let call = OpCall($0, $1)
            guard let messages = call.platform.messages else { return call.returnsNull() }
            call.returns(call.realm.makeExternalBuffer(messages.cells))
        },
        Op("messageChannel") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.messages?.makeChannel() ?? -1))
        },
        Op("messagePost") {
            let call = OpCall($0, $1)
            call.returns(call.platform.messages?.post(call.integer(0, nan: -1), call) ?? true)
        },
        Op("messageTake") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.messages?.take(call.integer(0, nan: -1)) ?? -1))
        },
        Op("messageRead") {
            let call = OpCall($0, $1)
            call.platform.messages?.read(call)
        },
        Op("messageText") {
            let call = OpCall($0, $1)
            call.returns(call.platform.messages?.text() ?? "")
        },
        Op("messagePort") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.messages?.portTaken(call.integer(0, nan: -1)) ?? -1))
        },
        Op("messageWrite") {
            let call = OpCall($0, $1)
            if let count = call.platform.messages?.write(call), count >= 0 { call.returns(Double(count)) }
        },
        Op("messageEnable") {
            let call = OpCall($0, $1)
            call.platform.messages?.enable(call.integer(0, nan: -1))
        },
        Op("messageClose") {
            let call = OpCall($0, $1)
            call.platform.messages?.close(call.integer(0, nan: -1))
        },
        Op("channelOpen") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.messages?.makeChannel(call.string(0)) ?? -1))
        },
        Op("channelPost") {
            let call = OpCall($0, $1)
            call.returns(call.platform.messages?.postToChannels(call.integer(0, nan: -1), call) ?? true)
        },
        Op("channelClose") {
            let call = OpCall($0, $1)
            call.platform.messages?.closeChannel(call.integer(0, nan: -1))
        },
        Op("blobPut") {
            let call = OpCall($0, $1)
            call.returns(call.platform.messages?.putBlob(call.string(0), call) ?? false)
        },
        Op("blobOf") {
            let call = OpCall($0, $1)
            if call.platform.messages?.blob(call.string(0), call) != true { call.returnsNull() }
        },
        Op("blobRevoke") {
            let call = OpCall($0, $1)
            call.platform.messages?.revokeBlob(call.string(0))
        },
        Op("workerStart") {
            let call = OpCall($0, $1)
            guard let messages = call.platform.messages else { return call.returns(-1) }
            let source = call.bytes(1).map { [UInt8]($0) }
            if let port = messages.startWorker(call.string(0), source: source) { return call.returns(Double(port)) }
            call.throwError(
                .error, "there are \(messages.workersMax) Workers already, as many as the limit \"workers\" allows",
                code: "ERR_WORKER_LIMIT")
        },
        Op("workerTerminate") {
            let call = OpCall($0, $1)
            call.platform.messages?.terminateWorker(call.integer(0, nan: -1))
        },
        Op("workerClose") { OpCall($0, $1).platform.messages?.closeSelf() },
        Op("workerError") {
            let call = OpCall($0, $1)
            call.platform.messages?.reportError(call)
        },
        Op("callingScript") {
            let call = OpCall($0, $1)
            guard let script = call.isolate.callingScript else { return call.returnsNull() }
            call.returns(script)
        },
    ]
}
