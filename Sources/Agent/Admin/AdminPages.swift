internal import Server

/// Some of what the admin port answers.
protocol AdminPages: Sendable {
    /// Its paths, for whoever asks for one that is not there.
    var paths: [String] { get }

    /// On the server's thread. False: the path is none of its.
    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool
}

/// The admin port: who answers which path. On the server's thread.
final class AdminHandler: RequestHandler {
    private let pages: [any AdminPages]

    init(_ pages: [any AdminPages]) { self.pages = pages }

    func handle(_ request: borrowing ServedRequest, _ responder: Responder) {
        for page in pages where page.answer(request, responder) { return }
        guard Self.isReading(request, responder) else { return }
        let paths = pages.flatMap(\.paths).sorted()
        if request.pathIs("/") { return Self.showPaths(paths, responder) }
        let known = paths.dropLast().joined(separator: ", ") + (paths.count > 1 ? " and " : "") + (paths.last ?? "")
        Self.refuse(responder, 404, "nothing is here; there are \(known)")
    }

    func refuse(_ head: borrowing ServedRequest, _ answer: ServerAnswer) -> ServerAnswer {
        var answer = answer
        if !answer.body.isEmpty { answer.fields = answer.fields.adding(Self.plain) }
        return answer
    }

    private static let html = ResponseFields(["content-type": "text/html; charset=utf-8"])

    /// For people who come by.
    private static func showPaths(_ paths: [String], _ responder: Responder) {
        let items = paths.map { path in
            // Those with a part in capitals have to be completed.
            path.contains(where: \.isUppercase) ? "<li>\(path)" : "<li><a href=\"\(path)\">\(path)</a>"
        }
        let text = """
            <!doctype html><html lang=en><title>Sidelight</title><h1>Sidelight \(Release.version)</h1>
            <p>The admin port. <code>sidelight top</code> shows it live.<ul>\(items.joined())</ul></html>

            """
        responder.respond(200, html, body: Array(text.utf8))
    }

    // MARK: who asks

    /// What a browser asks because a page of somebody else's made it. For the door.
    static func stray(_ head: borrowing ServedRequest) -> DoorGuard.Stray? {
        if let host = head.header("host"), isPublicName(host), case let peer = head.peer, !peer.isEmpty, isLocal(peer) {
            return DoorGuard.Stray(
                status: 421, counted: .host, reason: "this is no port of that host; ask for 127.0.0.1 or localhost")
        }
        // A page of somebody else's may lead people here, and no more.
        if let site = head.header("sec-fetch-site"), site == "cross-site" || site == "same-site",
            head.header("sec-fetch-mode") != "navigate"
        {
            return DoorGuard.Stray(status: 403, counted: .origin, reason: "this is not for web pages of others")
        }
        return nil
    }

    /// Whether `Host` is a name of the public DNS. What asks for one over loopback is a browser whose page is of somebody who has that name lead here (DNS rebinding): to the
    /// browser the page is of the same origin, and may read the answers. Names without a dot, those below `localhost`, and addresses are nobody's to give.
    static func isPublicName(_ host: String) -> Bool {
        guard !host.hasPrefix("[") else { return false }
        var name = host.prefix { $0 != ":" }.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        guard name.utf8.contains(UInt8(ascii: ".")), !name.hasSuffix(".localhost") else { return false }
        // An address, however short: browsers read a name whose last part is a number as one.
        return name.split(separator: ".").last.map { !$0.utf8.allSatisfy { (0x30...0x39).contains($0) } } ?? false
    }

    /// Whether an address is this machine's. A socket in the file system has none, and permissions of its own.
    ///
    /// - Parameter peer: As `ServedRequest.peer` has it, with or without its port.
    static func isLocal(_ peer: String) -> Bool {
        let host = peer.hasPrefix("[") ? peer.dropFirst() : peer[...]
        return host.isEmpty || host == "::1" || host.hasPrefix("::1]") || host.hasPrefix("127.")
            || host.hasPrefix("::ffff:127.")
    }

    // MARK: for the pages

    /// Of a request's body.
    static let bodyBytesMax = 4_096

    static let json = ResponseFields(["content-type": "application/json"])
    static let plain = ResponseFields(["content-type": "text/plain; charset=utf-8"])

    static func refuse(_ responder: Responder, _ status: Int, _ why: String) {
        responder.respond(status, plain, body: Array((why + "\n").utf8))
    }

    /// Whether it asks for something without changing anything; if not, it is refused.
    static func isReading(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        if request.method == .get || request.method == .head { return true }
        responder.respond(405, ResponseFields(["allow": "GET, HEAD"]))
        return false
    }

    /// Whether it can be answered without end; if not, it is refused.
    static func isGetting(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        if request.method == .get { return true }
        responder.respond(405, ResponseFields(["allow": "GET"]))
        return false
    }

    /// A field of the query that is not understood.
    static func refuse(_ responder: Responder, _ field: (name: String, value: String), _ known: String) {
        let text = "\(field.name)=\(field.value)".prefix(80)
        refuse(responder, 400, "\"\(text)\" is not understood; there are \(known)")
    }
}
