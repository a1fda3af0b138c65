/// Names that records of syslog messages have, where writers may read beyond them.
struct SyslogNames: ~Copyable {
    /// RFC 5424, table 1; the keywords of syslog(3).
    private static let facilityWords: [StaticString] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "security", "console", "solaris-cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
        "local7",
    ]
    private static let severityWords: [StaticString] = [
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
    ]
    private static let bytesMax = 4_096

    private let memory: UnsafeMutablePointer<UInt8>
    let facility: Text
    let version: Text
    let process: Text
    let messageID: Text
    /// Of the journal alone.
    let unit: Text
    /// By number.
    let facilities: [Text]
    let severities: [Text]
    /// Of OTLP, by syslog's: the table of the data model's appendix B.
    /// <https://opentelemetry.io/docs/specs/otel/logs/data-model-appendix/#appendix-b-severitynumber-example-mappings>
    let severityNumbers: [UInt8] = [21, 19, 18, 17, 13, 10, 9, 5]

    init() {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.bytesMax)
        memory.initialize(repeating: 0, count: Self.bytesMax)
        var used = 0
        func keep(_ name: StaticString) -> Text {
            precondition(used + name.utf8CodeUnitCount + Text.slack <= Self.bytesMax, "no room for \(name)")
            let start = memory + used
            start.update(from: name.utf8Start, count: name.utf8CodeUnitCount)
            used += name.utf8CodeUnitCount
            return Text(UnsafePointer(start), count: name.utf8CodeUnitCount)
        }
        facility = keep("syslog.facility")
        version = keep("syslog.version")
        process = keep("syslog.procid")
        messageID = keep("syslog.msgid")
        unit = keep("systemd.unit")
        facilities = Self.facilityWords.map { keep($0) }
        severities = Self.severityWords.map { keep($0) }
        self.memory = memory
    }

    deinit { memory.deallocate() }
}
