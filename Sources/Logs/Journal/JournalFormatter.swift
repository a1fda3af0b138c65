internal import Glibc
public import Telemetry

/// Makes OTLP records of what `journalctl -o json` prints: an object a line, whose values are texts, lists of bytes where they are none, or null where they are too long.
/// <https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format>
public final class JournalFormatter: LineSink {
    private let workspace: LogWorkspace
    private let batches: OriginBatches
    private let names = SyslogNames()
    private var lastLine = ScratchMemory()
    /// A message that was bytes.
    private var bytes = ScratchMemory()
    /// Of the last entry that was read; empty: there was none yet.
    public private(set) var cursor: [UInt8] = []

    /// - Parameter workspace: Of this formatter alone.
    public init(_ settings: SyslogSettings, _ workspace: LogWorkspace) {
        self.workspace = workspace
        batches = OriginBatches(
            serviceName: settings.serviceName, attributes: settings.resourceAttributes, workspace)
    }

    public var bytesWaiting: Int { batches.bytesWaiting }
    public func takeBatches() -> [Batch] { batches.take() }

    // MARK: LineSink

    public func take(_ lines: UnsafeRawBufferPointer, at offset: UInt64, sourceBytes: UInt64, observed: UInt64) {
        guard let base = lines.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        var place = base
        let end = base + lines.count
        while place < end {
            let rest = Text(place, end)
            let newline = rest.first(0x0A) ?? end
            // What is parsed needs room behind it.
            let line = lastLine.copy(Text(place, newline))
            place = newline + 1
            workspace.counts.lines &+= 1
            if line.isEmpty { workspace.counts.empty &+= 1 } else { take(line, observed) }
        }
    }

    public func turn(now: UInt64, observed: UInt64) -> UInt64? { nil }
    public func end(observed: UInt64) {}
    public var resume: ResumePoint { ResumePoint(0) }

    // MARK: entries

    private struct Entry {
        var message: Field?
        // Empty where there is none.
        var priority: Text
        var facility: Text
        var identifier: Text
        var command: Text
        var process: Text
        var host: Text
        var unit: Text
        var time: Text
        var cursor: Text

        init(_ none: Text) {
            priority = none
            facility = none
            identifier = none
            command = none
            process = none
            host = none
            unit = none
            time = none
            cursor = none
        }
    }

    private func take(_ line: Text, _ observed: UInt64) {
        guard let entry = read(line) else {
            workspace.counts.misfits &+= 1
            workspace.line.begin()
            workspace.line.body = Field(key: workspace.line.empty, value: line, kind: .text)
            workspace.line.hasBody = true
            let none = workspace.line.empty
            return workspace.write(line, time: 0, observed: observed, attributes: none, to: batches.batch(none, none))
        }
        readMessage(entry.message, line)
        if workspace.line.severity == 0, let priority = Int64(exactDigitsChecked: entry.priority), priority <= 7 {
            workspace.line.severity = names.severityNumbers[Int(priority)]
            workspace.line.severityText = names.severities[Int(priority)]
        }
        if let facility = Int64(exactDigitsChecked: entry.facility), facility < names.facilities.count {
            add(names.facility, names.facilities[Int(facility)])
        }
        if !entry.process.isEmpty { add(names.process, entry.process) }
        if !entry.unit.isEmpty { add(names.unit, entry.unit) }
        // Microseconds.
        let time = Int64(exactDigitsChecked: entry.time).map { UInt64($0) &* 1_000 } ?? 0
        workspace.write(
            line, time: time, observed: observed, attributes: workspace.line.empty,
            to: batches.batch(entry.host, entry.identifier.isEmpty ? entry.command : entry.identifier))
        if !entry.cursor.isEmpty { cursor = entry.cursor.bytes }
    }

    private func add(_ key: Text, _ value: Text) {
        _ = workspace.line.append(Field(key: key, value: value, kind: .text))
    }

    /// Nil: it is no object.
    private func read(_ line: Text) -> Entry? {
        let end = line.end
        var at = line.start
        guard at.pointee == UInt8(ascii: "{") else { return nil }
        at += 1
        var entry = Entry(workspace.line.empty)
        var field = Field(key: line, value: line, kind: .null)
        JSONScan.skipSpace(&at, end)
        while at < end, at.pointee != UInt8(ascii: "}") {
            guard JSONScan.key(&at, end, &field), JSONScan.value(&at, end, &field) else { return nil }
            note(field, &entry)
            JSONScan.skipSpace(&at, end)
            guard at < end else { return nil }
            if at.pointee == UInt8(ascii: ",") {
                at += 1
                JSONScan.skipSpace(&at, end)
            } else if at.pointee != UInt8(ascii: "}") {
                return nil
            }
        }
        return at < end ? entry : nil
    }

    private func note(_ field: Field, _ entry: inout Entry) {
        if field.key.equals("MESSAGE") {
            entry.message = field
            return
        }
        guard field.kind == .text else { return }
        if field.key.equals("PRIORITY") {
            entry.priority = field.value
        } else if field.key.equals("SYSLOG_FACILITY") {
            entry.facility = field.value
        } else if field.key.equals("SYSLOG_IDENTIFIER") {
            entry.identifier = field.value
        } else if field.key.equals("_COMM") {
            entry.command = field.value
        } else if field.key.equals("_PID") {
            entry.process = field.value
        } else if field.key.equals("_HOSTNAME") {
            entry.host = field.value
        } else if field.key.equals("_SYSTEMD_UNIT") {
            entry.unit = field.value
        } else if field.key.equals("__REALTIME_TIMESTAMP") {
            entry.time = field.value
        } else if field.key.equals("__CURSOR") {
            entry.cursor = field.value
        }
    }

    // MARK: messages

    private func readMessage(_ message: Field?, _ line: Text) {
        guard let message else { return setBody(Field(key: line, value: workspace.line.empty, kind: .text)) }
        switch message.kind {
        case .text: setBody(message)
        case .escapedText:
            // A program's own JSON has escapes here.
            bytes.begin(message.value.count)
            let text = bytes.unescape(message.value)
            setBody(Field(key: line, value: text, kind: .text))
        case .json, .members, .error: setBody(Field(key: line, value: text(ofBytes: message.value), kind: .text))
        case .int, .double, .bool, .null: setBody(Field(key: line, value: workspace.line.empty, kind: .text))
        }
    }

    /// A text that is an object may say of itself what a line of a file may.
    private func setBody(_ body: Field) {
        let text = body.value
        let isObject = !text.isEmpty && text.start.pointee == UInt8(ascii: "{") && workspace.line.json(text)
        if !isObject { workspace.line.begin() }
        guard !workspace.line.hasBody else { return }
        workspace.line.body = body
        workspace.line.hasBody = true
    }

    /// `[104,105]`; what is no UTF-8 in it is replaced. Of several texts, `["a","b"]`, the whole list.
    private func text(ofBytes list: Text) -> Text {
        var found: [UInt8] = []
        var value = 0
        var hasDigits = false
        for place in (list.start + 1)..<list.end {
            let byte = place.pointee
            if byte.isDigit {
                value = value * 10 + Int(byte - 0x30)
                hasDigits = true
                guard value <= 255 else { return list }
            } else if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") {
                if hasDigits { found.append(UInt8(value)) }
                (value, hasDigits) = (0, false)
            } else if !byte.isSpace {
                return list
            }
        }
        var repaired = String(decoding: found, as: UTF8.self)
        return repaired.withUTF8 { text in
            guard let start = text.baseAddress else { return workspace.line.empty }
            return bytes.copy(Text(start, count: text.count))
        }
    }
}
