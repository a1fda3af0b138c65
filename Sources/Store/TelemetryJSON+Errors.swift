internal import Telemetry
internal import Wire

extension TelemetryJSON {
    public static func text(_ listing: ErrorListing) -> String {
        var json = JSONWriter()
        json.object { json in
            json.name("errors")
            json.array { json in for group in listing.groups { put(group, into: &json) } }
            json.name("omittedErrors")
            json.integer(listing.omittedGroups)
            json.name("ungroupedCount")
            json.integer(listing.ungrouped)
        }
        return json.text
    }

    public static func text(_ group: ErrorGroup) -> String {
        var json = JSONWriter()
        put(group, into: &json)
        return json.text
    }

    public static func text(_ detail: ErrorDetail) -> String {
        var json = JSONWriter()
        put(detail.group, into: &json) { json in
            let latest = detail.group.latest
            let stack = ErrorStack(latest.stack)
            json.name("frames")
            put(stack.frames, into: &json)
            json.name("causes")
            put(stack.others.filter { $0.relation == .cause }, into: &json)
            json.name("errors")
            put(stack.others.filter { $0.relation == .member }, into: &json)
            json.field("stacktrace", latest.stack)
            json.name("logs")
            json.array { json in for log in detail.logs { put(log, into: &json) } }
        }
        return json.text
    }

    private static func put(
        _ group: ErrorGroup, into json: inout JSONWriter, _ more: (inout JSONWriter) -> Void = { _ in }
    ) {
        let latest = group.latest
        json.object { json in
            json.field("fingerprint", group.fingerprint)
            json.field("type", latest.type)
            json.field("message", latest.message)
            json.name("count")
            json.integer(group.count)
            putTime("first", group.firstTime, into: &json)
            putTime("last", group.lastTime, into: &json)
            json.name("services")
            json.object { json in
                for (service, count) in group.services.sorted(by: { $0.key < $1.key }) {
                    json.name(service)
                    json.integer(count)
                }
            }
            json.field("source", latest.source.rawValue)
            if latest.traceID.isValid { json.field("traceId", latest.traceID.hex) }
            if latest.spanID.isValid { json.field("spanId", latest.spanID.hex) }
            more(&json)
        }
    }

    static func putTime(_ name: String, _ time: UInt64, into json: inout JSONWriter) {
        json.field(name + "Time", UnixTime.text(time, fractionDigits: 9))
        json.name(name + "TimeUnixNano")
        json.quotedInteger(time)
    }

    private static func put(_ texts: [String], into json: inout JSONWriter) {
        json.array { json in for text in texts { json.string(text) } }
    }

    private static func put(_ others: [ErrorStack.Other], into json: inout JSONWriter) {
        json.array { json in
            for other in others {
                json.object { json in
                    json.field("headline", other.headline)
                    json.name("frames")
                    put(other.frames, into: &json)
                }
            }
        }
    }
}
