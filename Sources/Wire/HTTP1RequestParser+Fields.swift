// Fields that decide how the message and the connection go on, RFC 9112 sections 6 and 9.

extension HTTP1RequestParser {
    /// Notes where a known field stands and reads the few that frame the message.
    @inline(__always)
    mutating func note(_ line: FieldLine) -> HTTP1Failure? {
        guard let field = Self.field(buffer + line.nameStart, line.nameLength) else { return nil }
        let bit: UInt32 = 1 &<< UInt32(field.rawValue)
        if _fastPath(head.present & bit == 0) {
            head.present |= bit
            head.spans[Int(field.rawValue)] = HTTP1Span(line.valueStart, line.valueLength)
        } else {
            head.repeated |= bit
        }
        guard field.rawValue <= HTTP1Field.transferEncoding.rawValue else { return nil }
        return apply(field, UnsafeRawBufferPointer(start: buffer + line.valueStart, count: line.valueLength))
    }

    /// By length first: most names of no interest end there.
    @inline(__always)
    private static func field(_ name: UnsafeRawPointer, _ length: Int) -> HTTP1Field? {
        typealias Syntax = HTTP1Syntax
        switch length {
        case 2: return Syntax.equal(name, "b3") ? .b3 : nil
        case 4: return Syntax.equal(name, "host") ? .host : nil
        case 6: return Syntax.equal(name, "expect") ? .expect : nil
        case 7: return Syntax.equal(name, "upgrade") ? .upgrade : Syntax.equal(name, "baggage") ? .baggage : nil
        case 9: return Syntax.equal(name, "forwarded") ? .forwarded : nil
        case 10:
            if Syntax.equal(name, "connection") { return .connection }
            if Syntax.equal(name, "user-agent") { return .userAgent }
            return Syntax.equal(name, "tracestate")
                ? .tracestate : Syntax.equal(name, "x-b3-flags") ? .xB3Flags : nil
        case 11:
            return Syntax.equal(name, "traceparent")
                ? .traceparent : Syntax.equal(name, "x-b3-spanid") ? .xB3SpanID : nil
        case 12:
            if Syntax.equal(name, "content-type") { return .contentType }
            return Syntax.equal(name, "x-b3-traceid")
                ? .xB3TraceID : Syntax.equal(name, "x-b3-sampled") ? .xB3Sampled : nil
        case 13: return Syntax.equal(name, "uber-trace-id") ? .uberTraceID : nil
        case 14: return Syntax.equal(name, "content-length") ? .contentLength : nil
        case 15:
            return Syntax.equal(name, "accept-encoding")
                ? .acceptEncoding : Syntax.equal(name, "x-forwarded-for") ? .xForwardedFor : nil
        case 17:
            if Syntax.equal(name, "transfer-encoding") { return .transferEncoding }
            return Syntax.equal(name, "x-forwarded-proto")
                ? .xForwardedProto : Syntax.equal(name, "x-b3-parentspanid") ? .xB3ParentSpanID : nil
        default: return nil
        }
    }

    private mutating func apply(_ field: HTTP1Field, _ value: UnsafeRawBufferPointer) -> HTTP1Failure? {
        switch field {
        case .host:
            guard !head.isRepeated(.host) else { return .hostRepeated }
            return HTTP1Syntax.isAuthority(value) ? nil : .host
        case .connection: applyConnection(value)
        case .expect:
            guard head.version == .http11 else { return nil }
            guard HTTP1Syntax.equalInAnyCase(value, "100-continue") else { return .expectation }
            framing.expectsContinue = true
        case .contentLength:
            guard !head.isRepeated(.contentLength) else { return .contentLengthRepeated }
            guard let length = HTTP1Framing.contentLength(value) else { return .contentLength }
            framing.contentLength = length
        case .transferEncoding:
            guard framing.transferEncoding.add(value) else { return .transferEncoding }
        default: break
        }
        return nil
    }

    private mutating func applyConnection(_ value: UnsafeRawBufferPointer) {
        if HTTP1Syntax.equalInAnyCase(value, "keep-alive") { return framing.keepAlive = true }
        if HTTP1Syntax.equalInAnyCase(value, "close") { return framing.close = true }
        HTTP1Framing.forEachMember(of: value) { member in
            if HTTP1Syntax.equalInAnyCase(member, "keep-alive") { framing.keepAlive = true }
            if HTTP1Syntax.equalInAnyCase(member, "close") { framing.close = true }
            if HTTP1Syntax.equalInAnyCase(member, "upgrade") { framing.upgrade = true }
        }
    }

    /// The empty line is there: what the head as a whole means.
    mutating func endOfHead(_ consumed: Int) -> Event {
        head.textCount = used
        let is11 = head.version == .http11
        guard head.has(.host) || !is11 else { return fail(.hostMissing) }
        if _fastPath(framing.contentLength == nil && framing.transferEncoding == .none) {
            state = .content(0)
        } else {
            switch HTTP1Framing.request(
                version: head.version, contentLength: framing.contentLength,
                transferEncoding: framing.transferEncoding, bodyBytesMax: limits.bodyBytesMax)
            {
            case .success(let body): begin(body)
            case .failure(let failure): return fail(failure)
            }
        }
        head.keepAlive = !framing.close && (is11 || framing.keepAlive)
        head.expectsContinue = framing.expectsContinue && head.body != .none
        head.wantsUpgrade = is11 && framing.upgrade && head.has(.upgrade)
        return .head(consumed: consumed)
    }

    private mutating func begin(_ body: HTTP1RequestBody) {
        head.body = body
        switch body {
        case .none: state = .content(0)
        case .length(let length): state = .content(length)
        case .chunked:
            state = .chunkSize
            bodyBytes = 0
            extensionBytes = 0
        }
    }
}
