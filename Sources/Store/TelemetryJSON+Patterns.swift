internal import Telemetry
internal import Wire

extension TelemetryJSON {
    public static func text(_ found: LogPatterns) -> String {
        var json = JSONWriter()
        json.object { json in
            json.name("patterns")
            json.array { json in for pattern in found.patterns { put(pattern, of: found.total, into: &json) } }
            json.name("omittedPatterns")
            json.integer(found.omittedPatterns)
            json.name("total")
            json.integer(found.total)
            json.name("unsorted")
            json.integer(found.unsorted)
            putTime("start", found.start, into: &json)
            putTime("recentStart", found.recentStart, into: &json)
            putTime("end", found.end, into: &json)
        }
        return json.text
    }

    /// - Parameter total: all records, for the pattern's share.
    public static func text(_ pattern: LogPattern, of total: Int) -> String {
        var json = JSONWriter()
        put(pattern, of: total, into: &json)
        return json.text
    }

    private static func put(_ pattern: LogPattern, of total: Int, into json: inout JSONWriter) {
        json.object { json in
            json.field("template", pattern.template)
            json.name("count")
            json.integer(pattern.count)
            json.name("share")
            json.double(total > 0 ? Double(pattern.count) / Double(total) : 0)
            json.name("recent")
            json.integer(pattern.recent)
            json.name("new")
            json.bool(pattern.isNew)
            json.name("growing")
            json.bool(pattern.isGrowing)
            json.name("levels")
            json.object { json in
                for level in SeverityLevel.allCases {
                    guard let count = pattern.levels[level] else { continue }
                    json.name(level.rawValue)
                    json.integer(count)
                }
            }
            json.name("services")
            json.object { json in
                for (service, count) in pattern.services.sorted(by: { $0.key < $1.key }) {
                    json.name(service)
                    json.integer(count)
                }
            }
            putTime("first", pattern.firstTime, into: &json)
            putTime("last", pattern.lastTime, into: &json)
            json.field("example", pattern.example)
            if pattern.traceID.isValid { json.field("traceId", pattern.traceID.hex) }
        }
    }
}
