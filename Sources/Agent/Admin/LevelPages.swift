internal import Configuration
internal import Server
internal import Telemetry
internal import Wire

// Levels of the agent's own messages. Changing them is the one thing that this port does to the agent, so it has to come from this machine, and not out of a browser: a
// page of somebody else's can send requests to loopback, but none of type JSON without being asked first, and none without `Origin`.

/// `/api/v1/loglevel`.
struct LevelPages: AdminPages {
    let levels: MessageLevels
    let notes: DoorNotes?
    let paths = ["/api/v1/loglevel"]

    /// Stands for all categories.
    private static let every = "all"

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        guard request.pathIs("/api/v1/loglevel") else { return false }
        change(request, responder)
        return true
    }

    private func change(_ request: borrowing ServedRequest, _ responder: Responder) {
        switch request.method {
        case .get, .head: break
        case .put:
            if let (status, why) = Self.refusal(
                request.peer, isKnown: request.client != nil, request.header("origin"), request.header("content-type"))
            {
                return AdminHandler.refuse(responder, status, why)
            }
            do throws(LevelsProblem) {
                let changes = try Self.changes(request.body)
                levels.change(changes)
                let text = changes.map { "\($0.key.rawValue)=\($0.value)" }.sorted().joined(separator: " ")
                notes?.changed(request.client, peer: request.peer, "loglevel", text)
            } catch {
                return AdminHandler.refuse(responder, 400, error.text)
            }
        default: return responder.respond(405, ResponseFields(["allow": "GET, HEAD, PUT"]))
        }
        responder.respond(200, AdminHandler.json, body: Array(Self.text(levels.all).utf8))
    }

    /// Why a change is not taken from there; nil: it is.
    /// - Parameter isKnown: It came with a token or a certificate.
    static func refusal(
        _ peer: String, isKnown: Bool = false, _ origin: String?, _ type: String?
    ) -> (status: Int, why: String)? {
        guard isKnown || AdminHandler.isLocal(peer) else {
            return (403, "levels are changed from the agent's own machine")
        }
        guard origin == nil else { return (403, "levels are not changed by a web page") }
        let mediaType = type?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard mediaType == "application/json" else { return (415, "the content-type has to be application/json") }
        return nil
    }

    struct LevelsProblem: Error {
        let text: String
    }

    /// `{"store": "debug"}`; "all" stands for every category, those that are named beside it excepted.
    static func changes(_ body: [UInt8]) throws(LevelsProblem) -> [MessageCategory: LogLevel] {
        guard let json = try? JSONValue(parsing: body), case .object(let members) = json, !members.isEmpty else {
            throw LevelsProblem(
                text: "the body has to be an object of categories and levels, as {\"store\": \"debug\"}")
        }
        var changes: [MessageCategory: LogLevel] = [:]
        for (name, value) in members {
            guard let level = value.string.flatMap({ LogLevel(parsing: $0) }) else {
                let known = LogLevel.allCases.map { "\($0)" }.joined(separator: ", ")
                throw LevelsProblem(text: "\(name.prefix(40)): there are the levels \(known)")
            }
            if name == every {
                for category in MessageCategory.allCases where members[category.rawValue] == nil {
                    changes[category] = level
                }
            } else if let category = MessageCategory(rawValue: name) {
                changes[category] = level
            } else {
                let known = MessageCategory.allCases.map(\.rawValue).joined(separator: ", ")
                throw LevelsProblem(
                    text: "there is no category \"\(name.prefix(40))\"; there are \(known), and all")
            }
        }
        return changes
    }

    private static func text(_ levels: [MessageCategory: LogLevel]) -> String {
        var json = JSONWriter()
        json.object { json in
            json.name("levels")
            json.object { json in
                for category in MessageCategory.allCases {
                    if let level = levels[category] { json.field(category.rawValue, "\(level)") }
                }
            }
        }
        return json.text
    }
}
