// Request line and fields, RFC 9112 sections 2, 3 and 5.

extension HTTP1RequestParser {
    /// How far a line was read.
    enum Line {
        case whole
        /// It ends behind the bytes that may be looked at.
        case short
        case bad(HTTP1Failure)
    }

    /// A field line being read: offsets in the input and in the text.
    struct FieldLine {
        var position: Int
        var out: Int
        var nameStart = 0
        var nameLength = 0
        var valueStart = 0
        var valueLength = 0

        @inline(__always)
        init(position: Int, out: Int) {
            self.position = position
            self.out = out
        }
    }

    mutating func nextOfHead(_ input: UnsafeRawBufferPointer) -> Event {
        guard let base = input.baseAddress, !input.isEmpty else { return .needMore(consumed: 0) }
        var position = 0
        if case .start = state {
            if let event = startOfRequest(base, input.count, &position) { return event }
        }
        if case .requestLine = state {
            let start = position
            if let event = nextOfRequestLine(base, input.count, &position) { return event }
            sectionBytes = position &- start
            state = .fields
        }
        return fields(base, input.count, position)
    }

    /// Passes over one empty line (RFC 9112 section 2.2) and forgets the last request.
    private mutating func startOfRequest(_ base: UnsafeRawPointer, _ count: Int, _ position: inout Int) -> Event? {
        let first = base.load(as: UInt8.self)
        if _slowPath(first == HTTP1Syntax.cr || first == HTTP1Syntax.lf) {
            if first == HTTP1Syntax.lf { return fail(.lineEnd) }
            if skippedEmptyLine { return fail(.emptyLines) }
            guard count > 1 else { return .needMore(consumed: 0) }
            guard base.load(fromByteOffset: 1, as: UInt8.self) == HTTP1Syntax.lf else { return fail(.lineEnd) }
            skippedEmptyLine = true
            guard count > 2 else { return .needMore(consumed: 2) }
            let event = startOfRequest(base + 2, count - 2, &position)
            position = 2
            return event
        }
        // The type of a TLS handshake record.
        if first == 0x16 { return fail(.tls) }
        if _slowPath(capacity > Self.capacityKeptMax) { giveBack() }
        head.clear()
        framing = Framing()
        skippedEmptyLine = false
        used = 0
        sectionBytes = 0
        state = .requestLine
        return nil
    }

    // MARK: request line

    private mutating func nextOfRequestLine(_ base: UnsafeRawPointer, _ count: Int, _ position: inout Int) -> Event? {
        let start = position
        let end = min(count, start &+ limits.requestLineBytesMax)
        while true {
            let readable = min(end, start &+ capacity &- Self.slack)
            switch requestLine(base, readable, &position) {
            case .whole: return nil
            case .bad(let failure): return fail(failure)
            case .short:
                position = start
                if readable < end {
                    grow()
                } else {
                    return end < count || end &- start == limits.requestLineBytesMax
                        ? fail(.requestLineTooLong) : .needMore(consumed: start)
                }
            }
        }
    }

    /// `method SP request-target SP HTTP-version CRLF`.
    private mutating func requestLine(_ base: UnsafeRawPointer, _ end: Int, _ position: inout Int) -> Line {
        let start = position
        let buffer = buffer
        var index = start
        // Method.
        if end &- start >= 4, base.loadUnaligned(fromByteOffset: start, as: UInt32.self).littleEndian == 0x2054_4547 {
            buffer.storeBytes(of: 0x2054_4547 as UInt32, as: UInt32.self)
            head.method = .get
            index = start &+ 3
        } else {
            let token = HTTP1Syntax.token
            let methodEnd = min(end, start &+ limits.methodBytesMax &+ 1)
            while index < methodEnd {
                let byte = base.load(fromByteOffset: index, as: UInt8.self)
                if token[Int(byte)] == 0 { break }
                buffer.storeBytes(of: byte, toByteOffset: index &- start, as: UInt8.self)
                index &+= 1
            }
            guard index &- start <= limits.methodBytesMax else { return .bad(.methodTooLong) }
            guard index < end else { return .short }
            guard base.load(fromByteOffset: index, as: UInt8.self) == HTTP1Syntax.space, index > start else {
                return .bad(.method)
            }
            head.method = Self.method(UnsafeRawBufferPointer(start: buffer, count: index &- start))
            buffer.storeBytes(of: HTTP1Syntax.space, toByteOffset: index &- start, as: UInt8.self)
        }
        head.methodSpan = HTTP1Span(0, index &- start)
        index &+= 1
        // Target.
        let target = index
        var out = index &- start
        Self.copyTarget(base, &index, end, buffer, &out)
        guard index < end else { return .short }
        let stop = base.load(fromByteOffset: index, as: UInt8.self)
        guard stop == HTTP1Syntax.space, index > target else {
            return .bad(
                stop == HTTP1Syntax.space || stop == HTTP1Syntax.cr || stop == HTTP1Syntax.lf ? .requestLine : .target)
        }
        head.target = HTTP1Span(target &- start, index &- target)
        index &+= 1
        // Version and line end.
        if _fastPath(
            end &- index >= 10
                && base.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian == 0x312E_312F_5054_5448
                && base.loadUnaligned(fromByteOffset: index &+ 8, as: UInt16.self).littleEndian == 0x0A0D)
        {
            head.version = .http11
        } else {
            let line = version(base, index, end)
            guard case .whole = line else { return line }
        }
        buffer.storeBytes(of: HTTP1Syntax.lf, toByteOffset: out, as: UInt8.self)
        used = out &+ 1
        if let failure = checkTarget() { return .bad(failure) }
        position = index &+ 10
        return .whole
    }

    /// `HTTP-version CRLF`, byte by byte: a wrong one is told at once, before the rest of the line is there.
    private mutating func version(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Line {
        let pattern: StaticString = "HTTP/0.0\r\n"
        for offset in 0..<10 {
            guard start &+ offset < end else { return .short }
            let byte = base.load(fromByteOffset: start &+ offset, as: UInt8.self)
            let expected = pattern.utf8Start[offset]
            guard byte == expected || (expected == UInt8(ascii: "0") && HTTP1Syntax.isDigit(byte)) else {
                return .bad(offset < 8 ? .version : byte == HTTP1Syntax.lf || offset == 9 ? .lineEnd : .version)
            }
        }
        let major = base.load(fromByteOffset: start &+ 5, as: UInt8.self)
        let minor = base.load(fromByteOffset: start &+ 7, as: UInt8.self)
        switch (major, minor) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): head.version = .http11
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): head.version = .http10
        case (UInt8(ascii: "2"), UInt8(ascii: "0")):
            let isPreface = HTTP1Syntax.equalInAnyCase(bytes(at: head.methodSpan), "pri")
            return .bad(isPreface ? .http2 : .versionUnsupported)
        default: return .bad(.versionUnsupported)
        }
        return .whole
    }

    @inline(__always)
    private static func copyTarget(
        _ base: UnsafeRawPointer, _ index: inout Int, _ end: Int, _ buffer: UnsafeMutableRawPointer, _ out: inout Int
    ) {
        while end &- index >= 8 {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            buffer.storeBytes(of: word, toByteOffset: out, as: UInt64.self)
            let ends = HTTP1Syntax.targetEnds(in: word.littleEndian)
            if ends != 0 {
                let count = ends.trailingZeroBitCount &>> 3
                index &+= count
                out &+= count
                return
            }
            index &+= 8
            out &+= 8
        }
        while index < end {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            guard HTTP1Syntax.isTarget(byte) else { return }
            buffer.storeBytes(of: byte, toByteOffset: out, as: UInt8.self)
            index &+= 1
            out &+= 1
        }
    }

    private static func method(_ name: UnsafeRawBufferPointer) -> HTTP1Method {
        guard let base = name.baseAddress else { return .other }
        switch name.count {
        case 3: return HTTP1Syntax.equal(base, "GET") ? .get : HTTP1Syntax.equal(base, "PUT") ? .put : .other
        case 4: return HTTP1Syntax.equal(base, "POST") ? .post : HTTP1Syntax.equal(base, "HEAD") ? .head : .other
        case 5: return HTTP1Syntax.equal(base, "PATCH") ? .patch : HTTP1Syntax.equal(base, "TRACE") ? .trace : .other
        case 6: return HTTP1Syntax.equal(base, "DELETE") ? .delete : .other
        case 7:
            return HTTP1Syntax.equal(base, "OPTIONS")
                ? .options : HTTP1Syntax.equal(base, "CONNECT") ? .connect : .other
        default: return .other
        }
    }

    /// The four forms, RFC 9112 section 3.2.
    @inline(__always)
    private mutating func checkTarget() -> HTTP1Failure? {
        let first = buffer.load(fromByteOffset: Int(head.target.offset), as: UInt8.self)
        if _fastPath(first == UInt8(ascii: "/") && head.method != .connect) { return nil }
        return checkOtherTarget(first)
    }

    @inline(never)
    private mutating func checkOtherTarget(_ first: UInt8) -> HTTP1Failure? {
        let target = bytes(at: head.target)
        if head.method == .connect {
            guard HTTP1Syntax.isAuthority(target, needsPort: true) else { return .target }
            head.targetAuthority = head.target
            return nil
        }
        if target.count == 1, first == UInt8(ascii: "*") { return head.method == .options ? nil : .target }
        // Absolute-form of the two schemes that a server of HTTP can answer for.
        let scheme: Int
        if HTTP1Syntax.equalInAnyCase(UnsafeRawBufferPointer(rebasing: target.prefix(7)), "http://") {
            scheme = 7
        } else if HTTP1Syntax.equalInAnyCase(UnsafeRawBufferPointer(rebasing: target.prefix(8)), "https://") {
            scheme = 8
        } else {
            return .target
        }
        let rest = target[scheme...]
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? target.count
        // Userinfo falls with the rest: `@` is no character of an authority here (RFC 9110 section 4.2.4).
        guard HTTP1Syntax.isAuthority(UnsafeRawBufferPointer(rebasing: target[scheme..<end])) else { return .target }
        head.targetAuthority = HTTP1Span(Int(head.target.offset) + scheme, end - scheme)
        return nil
    }

    // MARK: fields

    private mutating func fields(_ base: UnsafeRawPointer, _ count: Int, _ start: Int) -> Event {
        let end = min(count, start &+ limits.headBytesMax &- sectionBytes)
        var position = start
        while true {
            let readable = min(end, position &+ capacity &- used &- Self.slack)
            if readable &- position >= 2,
                base.loadUnaligned(fromByteOffset: position, as: UInt16.self).littleEndian == 0x0A0D
            {
                return endOfHead(position &+ 2)
            }
            var line = FieldLine(position: position, out: used)
            switch Self.fieldLine(base, readable, buffer, &line) {
            case .whole:
                guard head.fieldCount < limits.headerCountMax else { return fail(.tooManyFields) }
                head.fieldCount &+= 1
                position = line.position
                used = line.out
                if let failure = note(line) { return fail(failure) }
            case .bad(let failure): return fail(failure)
            case .short:
                if readable < end {
                    grow()
                } else {
                    sectionBytes &+= position &- start
                    return end < count || sectionBytes &+ end &- position == limits.headBytesMax
                        ? fail(.headTooLarge) : .needMore(consumed: position)
                }
            }
        }
    }

    /// `field-name ":" OWS field-value OWS CRLF`, written as `name LF value LF`.
    @inline(__always)
    static func fieldLine(
        _ base: UnsafeRawPointer, _ end: Int, _ buffer: UnsafeMutableRawPointer, _ line: inout FieldLine
    ) -> Line {
        let token = HTTP1Syntax.token
        let start = line.position
        var index = start
        var out = line.out
        line.nameStart = out
        while index < end {
            let byte = token[Int(base.load(fromByteOffset: index, as: UInt8.self))]
            if byte == 0 { break }
            buffer.storeBytes(of: byte, toByteOffset: out, as: UInt8.self)
            index &+= 1
            out &+= 1
        }
        guard index < end else { return .short }
        guard base.load(fromByteOffset: index, as: UInt8.self) == HTTP1Syntax.colon, index > start else {
            return badName(base, start, index, end)
        }
        line.nameLength = index &- start
        buffer.storeBytes(of: HTTP1Syntax.lf, toByteOffset: out, as: UInt8.self)
        index &+= 1
        out &+= 1
        while index < end, HTTP1Syntax.isWhiteSpace(base.load(fromByteOffset: index, as: UInt8.self)) { index &+= 1 }
        line.valueStart = out
        copyValue(base, &index, end, buffer, &out)
        guard index < end else { return .short }
        guard base.load(fromByteOffset: index, as: UInt8.self) == HTTP1Syntax.cr else {
            return .bad(base.load(fromByteOffset: index, as: UInt8.self) == HTTP1Syntax.lf ? .lineEnd : .fieldValue)
        }
        guard end &- index >= 2 else { return .short }
        guard base.load(fromByteOffset: index &+ 1, as: UInt8.self) == HTTP1Syntax.lf else { return .bad(.lineEnd) }
        while out > line.valueStart, HTTP1Syntax.isWhiteSpace(buffer.load(fromByteOffset: out &- 1, as: UInt8.self)) {
            out &-= 1
        }
        line.valueLength = out &- line.valueStart
        buffer.storeBytes(of: HTTP1Syntax.lf, toByteOffset: out, as: UInt8.self)
        line.out = out &+ 1
        line.position = index &+ 2
        return .whole
    }

    /// Why the name that begins at `start` and ends at `index` is none.
    @inline(never)
    private static func badName(_ base: UnsafeRawPointer, _ start: Int, _ index: Int, _ end: Int) -> Line {
        let byte = base.load(fromByteOffset: index, as: UInt8.self)
        guard index == start else { return .bad(.fieldName) }
        switch byte {
        case HTTP1Syntax.cr:
            // Half of the empty line, or a CR on its own.
            guard index &+ 1 < end else { return .short }
            return .bad(.lineEnd)
        case HTTP1Syntax.lf: return .bad(.lineEnd)
        case HTTP1Syntax.space, HTTP1Syntax.tab: return .bad(.fieldFold)
        default: return .bad(.fieldName)
        }
    }

    /// Copies up to the first byte that may not stand in a value. May write up to seven bytes more than it counts.
    @inline(__always)
    static func copyValue(
        _ base: UnsafeRawPointer, _ index: inout Int, _ end: Int, _ buffer: UnsafeMutableRawPointer, _ out: inout Int
    ) {
        while end &- index >= 8 {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            buffer.storeBytes(of: word, toByteOffset: out, as: UInt64.self)
            let controls = HTTP1Syntax.controls(in: word.littleEndian)
            if controls == 0 {
                index &+= 8
                out &+= 8
                continue
            }
            let count = controls.trailingZeroBitCount &>> 3
            index &+= count
            out &+= count
            guard base.load(fromByteOffset: index, as: UInt8.self) == HTTP1Syntax.tab else { return }
            index &+= 1
            out &+= 1
        }
        while index < end {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            guard HTTP1Syntax.isValue(byte) else { return }
            buffer.storeBytes(of: byte, toByteOffset: out, as: UInt8.self)
            index &+= 1
            out &+= 1
        }
    }
}
