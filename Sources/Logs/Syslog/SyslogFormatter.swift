public import Telemetry

/// How syslog messages become records.
public struct SyslogSettings: Sendable {
    /// `service.name` of what names no application.
    public var serviceName = "unknown_service"
    /// Further attributes of the resource.
    public var resourceAttributes: Attributes = []
    /// Of times that name no zone; nil: the machine's.
    public var utcOffsetSeconds: Int64?

    public init() {}
}

/// Makes OTLP records of syslog messages, as the appendix of OpenTelemetry's data model says: host and application are the resource, what else the header says are
/// attributes, structured data too. A text that is an object of JSON is taken apart as a line of a file is.
public final class SyslogFormatter {
    private let settings: SyslogSettings
    private let workspace: LogWorkspace
    private let names = SyslogNames()
    private let batches: OriginBatches
    private var message = ScratchMemory()
    /// Keys of structured data.
    private var keys = ScratchMemory()
    /// Messages of which bytes were replaced, since they were no UTF-8.
    public private(set) var replaced: UInt64 = 0

    /// - Parameter workspace: Of this formatter alone: it closes batches when it has to.
    public init(_ settings: SyslogSettings, _ workspace: LogWorkspace) {
        self.settings = settings
        self.workspace = workspace
        batches = OriginBatches(
            serviceName: settings.serviceName, attributes: settings.resourceAttributes, workspace)
        keys.begin(SyslogData.parametersMax * (2 * SyslogData.nameBytesMax + 8))
    }

    /// Bytes of the records that `takeBatches` would give.
    public var bytesWaiting: Int { batches.bytesWaiting }
    public func takeBatches() -> [Batch] { batches.take() }

    /// Takes one message, without what frames it.
    /// - Parameter observed: Unix nanoseconds.
    public func take(_ bytes: UnsafeRawBufferPointer, observed: UInt64) {
        workspace.counts.lines &+= 1
        var text = copy(bytes)
        while text.end > text.start, text.end[-1] == 0x0A || text.end[-1] == 0x0D || text.end[-1] == 0 { text.end -= 1 }
        guard !text.isEmpty else {
            workspace.counts.empty &+= 1
            return
        }
        workspace.line.times.utcOffset = settings.utcOffsetSeconds
        let parts = SyslogMessage(text, &workspace.line.times, observed: observed)
        if parts.isPlain { workspace.counts.misfits &+= 1 }
        readText(parts.text)
        if let priority = parts.priority {
            let severity = Int(priority & 7)
            if workspace.line.severity == 0 {
                workspace.line.severity = names.severityNumbers[severity]
                workspace.line.severityText = names.severities[severity]
            }
            add(names.facility, names.facilities[Int(priority >> 3)])
        }
        if parts.version > 0 {
            _ = workspace.line.append(
                Field(key: names.version, value: parts.text, bits: parts.version, kind: .int))
        }
        if !parts.process.isEmpty { add(names.process, parts.process) }
        if !parts.messageID.isEmpty { add(names.messageID, parts.messageID) }
        addData(parts.data)
        workspace.write(
            text, time: parts.time, observed: observed, attributes: workspace.line.empty,
            to: batches.batch(parts.host, parts.application))
    }

    /// A copy that is UTF-8.
    private func copy(_ bytes: UnsafeRawBufferPointer) -> Text {
        guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return workspace.line.empty }
        if bytes.isUTF8 { return message.copy(Text(start, count: bytes.count)) }
        replaced &+= 1
        var repaired = String(decoding: bytes, as: UTF8.self)
        return repaired.withUTF8 { message.copy(Text($0.baseAddress!, count: $0.count)) }
    }

    /// A text that is JSON may say of itself what a line of a file may; "@cee:" before it is a custom.
    private func readText(_ text: Text) {
        var object = text
        if object.hasPrefix("@cee:") { object.start += 5 }
        while object.start < object.end, object.start.pointee == 0x20 { object.start += 1 }
        let isObject =
            object.start < object.end && object.start.pointee == UInt8(ascii: "{") && workspace.line.json(object)
        if !isObject { workspace.line.begin() }
        guard !workspace.line.hasBody else { return }
        workspace.line.body = Field(key: workspace.line.empty, value: text, kind: .text)
        workspace.line.hasBody = true
    }

    private func add(_ key: Text, _ value: Text) {
        // One that has as many fields as there may be does without.
        _ = workspace.line.append(Field(key: key, value: value, kind: .text))
    }

    // MARK: structured data

    private func addData(_ data: Text) {
        guard !data.isEmpty else { return }
        keys.count = 0
        var reader = SyslogData(data)
        while let parameter = reader.next() {
            let value = parameter.hasEscapes ? SyslogData.unescape(parameter.value) : parameter.value
            add(key(parameter.id, parameter.name), value)
        }
    }

    /// "syslog.ID.NAME"
    private func key(_ id: Text, _ name: Text) -> Text {
        let start = keys.base + keys.count
        var writer = FieldWriter(start)
        writer.bytes2(UInt8(ascii: "s"), UInt8(ascii: "y"))
        writer.bytes2(UInt8(ascii: "s"), UInt8(ascii: "l"))
        writer.bytes2(UInt8(ascii: "o"), UInt8(ascii: "g"))
        writer.byte(UInt8(ascii: "."))
        writer.text(id)
        writer.byte(UInt8(ascii: "."))
        writer.text(name)
        keys.count += writer.place - start
        return Text(UnsafePointer(start), UnsafePointer(writer.place))
    }
}
