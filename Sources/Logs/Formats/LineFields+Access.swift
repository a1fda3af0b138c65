extension LineFields {
    /// Takes what Apache's and nginx's common and combined formats say; further fields may follow, and a virtual host come first. The body is the line as it stands. False, and nothing is
    /// worth anything, when it is of another format. <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>
    mutating func access(_ line: Text, _ names: borrowing AttributeNames) -> Bool {
        guard let bracket = line.prefix(512).first(UInt8(ascii: "[")), bracket > line.start + 3,
            line.end - bracket > 32, bracket[-1] == 0x20,
            bracket[1].isDigit, bracket[3] == UInt8(ascii: "/"), let found = times.apache(Text(bracket + 1, line.end))
        else { return false }
        var at = found.end
        guard at[0] == UInt8(ascii: "]"), at[1] == 0x20, at[2] == UInt8(ascii: "\"") else { return false }
        at += 3
        guard let request = Self.quoted(&at, line.end), line.end - at >= 4, at.pointee == 0x20 else { return false }
        let statusField = Field(key: names.responseStatus, value: Text(at + 1, count: 3), kind: .text)
        guard let status = Int64(exactDigitsChecked: statusField.value), status >= 100 else { return false }
        at += 4
        guard at == line.end || at.pointee == 0x20 else { return false }
        begin()
        time = found.time
        severity = status >= 500 ? 17 : status >= 400 ? 13 : 9
        takeClient(Text(line.start, bracket - 1), names)
        takeRequest(request, names)
        _ = append(Field(key: names.responseStatus, value: statusField.value, bits: UInt64(status), kind: .int))
        guard at < line.end else { return true }
        let size = word(&at, line.end)
        if let bytes = Int64(exactDigitsChecked: size) {
            _ = append(Field(key: names.responseSize, value: size, bits: UInt64(bytes), kind: .int))
        }
        takeQuoted(names.referer, &at, line.end)
        takeQuoted(names.userAgent, &at, line.end)
        if at < line.end { takeTrace(Text(at, line.end)) }
        return true
    }

    /// Takes what stands behind the format's own fields: `trace_id=…` and its kin, or a `traceparent` at the end.
    @inline(never)
    private mutating func takeTrace(_ rest: Text) {
        if let equals = rest.first(UInt8(ascii: "=")) { takeIDs(rest, from: equals) }
        let end = rest.end[-1] == UInt8(ascii: "\"") ? rest.end - 1 : rest.end
        guard traceHigh | traceLow == 0, end - rest.start > 55 else { return }
        let parent = Text(end - 55, end)
        if parent.start[-1] == 0x20 || parent.start[-1] == UInt8(ascii: "\""), parent.hasPrefix("00-") {
            _ = takeTraceParent(parent)
        }
    }

    /// The text up to the quote that ends it; `at` is then behind that. Escapes stay as they are.
    private static func quoted(_ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Text? {
        let start = at
        while at < end, at.pointee != UInt8(ascii: "\"") { at += at.pointee == UInt8(ascii: "\\") ? 2 : 1 }
        guard at < end else { return nil }
        at += 1
        return Text(start, at - 1)
    }

    /// The word behind the space at `at`.
    private func word(_ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Text {
        at += 1
        let start = at
        while at < end, at.pointee != 0x20 { at += 1 }
        return Text(min(start, end), at)
    }

    private mutating func takeQuoted(_ name: Text, _ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        guard end - at >= 3, at[0] == 0x20, at[1] == UInt8(ascii: "\"") else { return }
        at += 2
        guard let text = Self.quoted(&at, end) else { return }
        take(text, as: name)
    }

    /// An attribute, unless the text is none or `-`.
    private mutating func take(_ text: Text, as name: Text) {
        guard !text.isEmpty, !text.equals("-") else { return }
        _ = append(Field(key: name, value: text, kind: .text))
    }

    /// `203.0.113.7 - user`, a virtual host before it maybe.
    private mutating func takeClient(_ text: Text, _ names: borrowing AttributeNames) {
        var at = text.start - 1
        var client = word(&at, text.end)
        let second = word(&at, text.end)
        var user = Text(min(at + 1, text.end), text.end)
        if !second.equals("-"), user.hasPrefix("- ") {
            take(client, as: names.serverAddress)
            client = second
            user.start += 2
        }
        take(client, as: names.clientAddress)
        take(user, as: names.userName)
    }

    /// `GET /path?query HTTP/1.1`. Anything else says nothing.
    private mutating func takeRequest(_ text: Text, _ names: borrowing AttributeNames) {
        var at = text.start - 1
        let method = word(&at, text.end)
        guard !method.isEmpty, method.end < text.end else { return }
        for place in method.start..<method.end where !place.pointee.isLetter || place.pointee & 0x20 != 0 { return }
        let target = word(&at, text.end)
        take(method, as: names.requestMethod)
        if let query = target.first(UInt8(ascii: "?")) {
            take(Text(target.start, query), as: names.urlPath)
            take(Text(query + 1, target.end), as: names.urlQuery)
        } else {
            take(target, as: names.urlPath)
        }
        let version = Text(min(at + 1, text.end), text.end)
        if version.hasPrefix("HTTP/") { take(Text(version.start + 5, version.end), as: names.protocolVersion) }
    }
}
