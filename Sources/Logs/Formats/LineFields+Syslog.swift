extension LineFields {
    /// Takes `host program[pid]: ` behind a syslog daemon's time (RFC 3164's, or the ISO 8601 that rsyslog writes now); what follows is the message.
    /// - Parameter start: the place behind the time.
    mutating func syslog(_ text: Text, from start: UnsafePointer<UInt8>, _ names: borrowing AttributeNames) {
        guard text.end - start >= 5, start[0] == 0x20, start[1] != 0x20 else { return }
        let hostStart = start + 1
        guard let hostEnd = Text(hostStart, text.end).first(0x20), hostEnd - hostStart <= 255 else { return }
        var at = hostEnd + 1
        while at < text.end, at.pointee != UInt8(ascii: ":"), at.pointee != UInt8(ascii: "["), at.pointee > 0x20 {
            at += 1
        }
        let program = Text(hostEnd + 1, at)
        guard !program.isEmpty, program.count <= 128, at < text.end else { return }
        var process: Text?
        if at.pointee == UInt8(ascii: "[") {
            let start = at + 1
            at = start
            while at < text.end, at.pointee.isDigit { at += 1 }
            guard at > start, at < text.end, at.pointee == UInt8(ascii: "]") else { return }
            process = Text(start, at)
            at += 1
        }
        guard at < text.end, at.pointee == UInt8(ascii: ":"), levels.severity(Text(hostStart, hostEnd)) == 0 else {
            return
        }
        at += 1
        if at < text.end, at.pointee == 0x20 { at += 1 }
        guard at < text.end else { return }
        _ = append(Field(key: names.hostName, value: Text(hostStart, hostEnd), kind: .text))
        _ = append(Field(key: names.syslogProgram, value: program, kind: .text))
        if let process { _ = append(Field(key: names.syslogProcess, value: process, kind: .text)) }
        messageStart = at
    }
}
