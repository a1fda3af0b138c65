import Logs
import Telemetry
import Wire

/// Runs lines through a formatter and decodes what comes of them.
final class FormatProbe {
    static let observed: UInt64 = 1_795_687_200_000_000_000  // 2026-11-26T10:00:00Z

    let workspace = LogWorkspace()
    let formatter: LogFormatter
    private(set) var records: [LogRecord] = []
    private(set) var resources: [Resource] = []
    private var offset: UInt64

    init(
        _ format: LogFormatSettings.Format = .auto, path: String = "/var/log/shop.log",
        resume: ResumePoint = ResumePoint(0),
        change: (inout LogFormatSettings) -> Void = { _ in }
    ) {
        var settings = LogFormatSettings()
        settings.format = format
        settings.utcOffsetSeconds = 0
        change(&settings)
        formatter = LogFormatter(LogSource(path: path, receiver: "files"), settings, workspace, resume: resume)
        offset = resume.start
    }

    func take(_ text: String) { take(Array(text.utf8)) }

    func take(_ bytes: [UInt8]) {
        // A copy of its own, so that a sanitizer sees what is read beyond the end.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        formatter.take(
            UnsafeRawBufferPointer(copy), at: offset, sourceBytes: UInt64(bytes.count), observed: Self.observed)
        copy.deallocate()
        offset += UInt64(bytes.count)
        collect()
    }

    func turn(now: UInt64) -> UInt64? {
        let next = formatter.turn(now: now, observed: Self.observed)
        collect()
        return next
    }

    func end() {
        formatter.end(observed: Self.observed)
        collect()
    }

    private func collect() {
        for batch in workspace.takeBatches() {
            let resource = try! OTLP.decodeResource(batch.resource)
            for item in batch.items {
                let frame = Array(batch.bytes[Int(item.offset)..<Int(item.offset + item.length)])
                let record = try! Self.message(frame)
                precondition(
                    item.status == record.severity && item.traceID == record.traceID && item.spanID == record.spanID,
                    "index of \(record)")
                precondition(item.start == (record.time == 0 ? record.observedTime : record.time), "time of \(record)")
                records.append(record)
                resources.append(resource)
            }
        }
    }

    /// The record in a frame, whose length is as short as it can be.
    private static func message(_ frame: [UInt8]) throws(DecodeError) -> LogRecord {
        precondition(frame[0] == 0x12, "frame \(frame.prefix(4))")
        var length = 0
        var at = 1
        var shift = 0
        repeat {
            length |= Int(frame[at] & 0x7F) << shift
            shift += 7
            at += 1
        } while frame[at - 1] & 0x80 != 0
        precondition(length == frame.count - at && at == 1 + Protobuf.varintSize(UInt64(length)), "length of the frame")
        return try OTLP.decodeLog(Array(frame[at...]))
    }

    /// The records of a whole text.
    static func records(
        _ text: String, _ format: LogFormatSettings.Format = .auto, path: String = "/var/log/shop.log",
        change: (inout LogFormatSettings) -> Void = { _ in }
    ) -> [LogRecord] {
        let probe = FormatProbe(format, path: path, change: change)
        probe.take(text)
        probe.end()
        return probe.records
    }

    /// The one record of a line.
    static func record(_ line: String, _ format: LogFormatSettings.Format = .auto) -> LogRecord {
        let records = records(line + "\n", format)
        precondition(records.count == 1, "\(records.count) records of \(line)")
        return records[0]
    }
}

extension LogRecord {
    var text: String { body.string ?? "" }

    /// Without those of the source.
    var fields: [String: AttributeValue] {
        var fields: [String: AttributeValue] = [:]
        for attribute in attributes where attribute.key != "log.file.name" && attribute.key != "log.file.path" {
            fields[attribute.key] = attribute.value
        }
        return fields
    }
}

/// Nanoseconds of 26 November 2026.
func onTheDay(_ hours: UInt64, _ minutes: UInt64 = 0, _ seconds: UInt64 = 0, nanoseconds: UInt64 = 0) -> UInt64 {
    1_795_651_200_000_000_000 + (hours * 3_600 + minutes * 60 + seconds) * 1_000_000_000 + nanoseconds
}
