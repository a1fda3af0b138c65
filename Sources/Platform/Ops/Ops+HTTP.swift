internal import Engine

extension PlatformOps {
    /// httpRespond(slot, status, statusText, headers, content): 1 when the kernel has all of it. httpHead(slot, status, statusText, headers, length),
    /// httpWrite(slot, content), httpEnd(slot), httpAbort(slot): a response in pieces. httpRead(slot): asks for content of the request.
    /// httpContinue(slot): lets the client send it.
    /// httpUpgrade(slot, headers): answers 101; pieces both ways are frames from then on. False: it cannot be done.
    /// httpAttributes(slot, at, limit), httpEnding(slot, ringHead): the span's record. httpRoute(slot, route), httpErrorType(slot, type): for the metrics.
    /// httpOutlived(slot): the handler goes on though the request is over. httpHandlerEnded(slot, place): it is over, too; with what that gave.
    /// httpOwner(slot): what runs next is for that request. httpNote(), httpNoteText(): what happened in this turn; the rest of it is in the cells.
    /// httpHealth(status, reason): what the module's `health` says. httpScheduled(failed): a run of a schedule is over.
    /// See `HTTPHost`.
    static let http = [
        Op("httpRespond") {
            let call = OpCall($0, $1)
            guard let http = call.platform.http else { return call.returns(0) }
            call.returns(http.respond(call.integer(0, nan: -1), status: call.integer(1), call) ? 1 : 0)
        },
        Op("httpHead") {
            let call = OpCall($0, $1)
            call.platform.http?.startResponse(
                call.integer(0, nan: -1), status: call.integer(1), length: call.integer(4, nan: -1), call)
        },
        Op("httpWrite") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.http?.send(call.integer(0, nan: -1), call) ?? -1))
        },
        Op("httpEnd") {
            let call = OpCall($0, $1)
            call.returns(call.platform.http?.endResponse(call.integer(0, nan: -1)) == true ? 1 : 0)
        },
        Op("httpAbort") {
            let call = OpCall($0, $1)
            call.platform.http?.abort(call.integer(0, nan: -1))
        },
        Op("httpUpgrade") {
            let call = OpCall($0, $1)
            call.returns(call.platform.http?.upgrade(call.integer(0, nan: -1), call) ?? false)
        },
        Op("httpContinue") {
            let call = OpCall($0, $1)
            call.platform.http?.askForContent(call.integer(0, nan: -1))
        },
        Op("httpRead") {
            let call = OpCall($0, $1)
            call.platform.http?.readContent(call.integer(0, nan: -1))
        },
        Op("httpAttributes") {
            let call = OpCall($0, $1)
            let next = call.platform.http?.putAttributes(
                call.integer(0, nan: -1), at: call.integer(1, nan: -1), limit: call.integer(2, nan: -1))
            call.returns(Double(next ?? -1))
        },
        Op("httpEnding") {
            let call = OpCall($0, $1)
            call.platform.http?.isEnding(
                call.integer(0, nan: -1), ringHead: UInt32(truncatingIfNeeded: call.integer(1)))
        },
        Op("httpNote") {
            let call = OpCall($0, $1)
            if let context = call.platform.http?.nextNote() { call.returns(context) }
        },
        Op("httpOwner") {
            let call = OpCall($0, $1)
            call.platform.http?.goesOn(for: call.integer(0, nan: -1))
        },
        Op("httpNoteText") {
            let call = OpCall($0, $1)
            call.returns(call.platform.http?.noteText() ?? "")
        },
        Op("httpOutlived") {
            let call = OpCall($0, $1)
            call.returns(Double(call.platform.http?.outlives(call.integer(0, nan: -1)) ?? -1))
        },
        Op("httpHandlerEnded") {
            let call = OpCall($0, $1)
            call.platform.http?.handlerEnded(call.integer(0, nan: -1), place: call.integer(1, nan: -1))
        },
        Op("httpRoute") {
            let call = OpCall($0, $1)
            call.platform.http?.setRoute(call.integer(0, nan: -1), call.string(1))
        },
        Op("httpHealth") {
            let call = OpCall($0, $1)
            call.platform.http?.setHealth(call.integer(0), call.string(1))
        },
        Op("httpScheduled") {
            let call = OpCall($0, $1)
            call.platform.http?.scheduledRunEnded(isFailed: call.integer(0) != 0)
        },
        Op("httpErrorType") {
            let call = OpCall($0, $1)
            call.platform.http?.setErrorType(call.integer(0, nan: -1), call.string(1))
        },
    ]
}
