import ArgumentParser
import Configuration
import Glibc
import System
import Transport

/// The admin port of an agent that runs, for commands that ask it something.
struct AdminOptions: ParsableArguments {
    static let standardPlace = "127.0.0.1:9464"

    @Option(
        help: ArgumentHelp(
            "The agent's admin port (default: 127.0.0.1:9464); https://HOST:PORT where it speaks TLS.",
            valueName: "HOST:PORT"))
    var admin = standardPlace

    @OptionGroup var access: AdminAccess

    func validate() throws { try Self.check(admin) }

    static func check(_ place: String) throws {
        guard AdminAccess.url(place) != nil else {
            throw ValidationError(
                "--admin '\(place.escaped)' is not HOST:PORT, as in \(standardPlace), or https://HOST:PORT")
        }
    }

    /// The answer's body; what went wrong is said on stderr, and is exit code 1.
    func get(_ path: String) throws -> [UInt8] { try answer(request(path)) }

    /// The same of a request that changes something.
    func put(_ path: String, json body: [UInt8]) throws -> [UInt8] {
        var request = request(path)
        request.method = "PUT"
        request.headers += Array("content-type:application/json\n".utf8)
        request.body = .whole(body)
        return try answer(request)
    }

    private func request(_ path: String) -> HTTPStreamRequest {
        let headers = access.authorization.map { "authorization:\($0)\n" } ?? ""
        return HTTPStreamRequest(url: (AdminAccess.url(admin) ?? "") + path, headers: Array(headers.utf8))
    }

    private func answer(_ request: HTTPStreamRequest) throws -> [UInt8] {
        final class Answer: @unchecked Sendable {
            // @unchecked: written before the monitor opens, read after.
            var bytes: [UInt8] = []
        }
        let answer = Answer()
        try stream(request) { bytes in answer.bytes += bytes }
        return answer.bytes
    }

    /// How asking ended.
    enum Ending {
        /// The answer is over.
        case complete
        /// No agent answers, or it was cut off.
        case failed(String)
        /// It will not say.
        case refused(String)
    }

    /// Hands pieces of the answer over as they come, on another thread, until it ends. What went wrong is said on stderr, and is exit code 1.
    func stream(_ path: String, _ take: @escaping @Sendable ([UInt8]) -> Void) throws {
        try stream(request(path), take)
    }

    private func stream(_ request: HTTPStreamRequest, _ take: @escaping @Sendable ([UInt8]) -> Void) throws {
        switch ask(request, take) {
        case .complete: return
        case .failed(let reason): complain("no agent answers at \(admin.escaped): \(reason)")
        case .refused(let reason): complain(reason)
        }
        throw ExitCode(1)
    }

    /// The same without a word.
    func ask(_ path: String, _ take: @escaping @Sendable ([UInt8]) -> Void) -> Ending {
        ask(request(path), take)
    }

    private func ask(_ request: HTTPStreamRequest, _ take: @escaping @Sendable ([UInt8]) -> Void) -> Ending {
        access.warn(of: admin)
        var options = access.options
        // A stream may be silent for as long as nothing happens.
        options.idleTimeoutSeconds = 0
        let end = Monitor<(isOver: Bool, failure: String?)>((false, nil))
        let state = Monitor<(status: Int, refusal: [UInt8])>((0, []))
        let transport = CurlTransport()
        let acknowledge = Monitor<HTTPStream?>(nil)
        let (place, access) = (admin, access)
        let streams = transport.streams(options) { updates in
            for update in updates {
                if let head = update.head { state.withLock { $0.status = head.status } }
                if !update.body.isEmpty {
                    let isGood = state.withLock { state in
                        if state.status != 200 { state.refusal += update.body }
                        return state.status == 200
                    }
                    if isGood { take(update.body) }
                    acknowledge.wait { $0.map { .done($0) } ?? .untilWoken }.acknowledge(update.body.count)
                }
                switch update.ending {
                case nil: continue
                case .complete: end.withLock { $0.isOver = true }
                case .failed(let error): end.withLock { $0 = (true, access.reason(error, at: place)) }
                }
                end.wake()
            }
        }
        guard let stream = streams.start(1, request) else {
            return .failed("it could not be asked")
        }
        acknowledge.withLock { $0 = stream }
        acknowledge.wake()
        let failure: String? = end.wait { $0.isOver ? .done($0.failure) : .untilWoken }
        if let failure { return .failed(failure.escaped) }
        let (status, refusal) = state.withLock { $0 }
        guard status == 200 else {
            let text = String(decoding: refusal, as: UTF8.self).split(separator: "\n").first.map(String.init)
            return .refused(text?.escaped ?? "the agent at \(admin.escaped) answers with status \(status)")
        }
        return .complete
    }
}
