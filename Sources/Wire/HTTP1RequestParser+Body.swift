// Content and trailers, RFC 9112 sections 6 and 7.

extension HTTP1RequestParser {
    mutating func nextOfContent(_ input: UnsafeRawBufferPointer, _ left: Int) -> Event {
        if left == 0 {
            state = .start
            return .end(consumed: 0)
        }
        let count = min(left, input.count)
        if count == 0 { return .needMore(consumed: 0) }
        state = .content(left &- count)
        return .body(0..<count, consumed: count)
    }

    mutating func nextOfChunked(_ input: UnsafeRawBufferPointer) -> Event {
        guard let base = input.baseAddress else { return .needMore(consumed: 0) }
        var position = 0
        while true {
            switch state {
            case .chunkSize:
                switch chunkSize(base, input.count, &position) {
                case .whole: continue
                case .short: return .needMore(consumed: position)
                case .bad(let failure): return fail(failure)
                }
            case .chunk(let left):
                let count = min(left, input.count &- position)
                if count == 0 { return .needMore(consumed: position) }
                state = count == left ? .chunkEnd : .chunk(left &- count)
                return .body(position..<position &+ count, consumed: position &+ count)
            case .chunkEnd:
                guard position < input.count else { return .needMore(consumed: position) }
                guard input[position] == HTTP1Syntax.cr else { return fail(.chunkEnd) }
                guard position &+ 1 < input.count else { return .needMore(consumed: position) }
                guard input[position &+ 1] == HTTP1Syntax.lf else { return fail(.chunkEnd) }
                position &+= 2
                state = .chunkSize
            default: return trailers(base, input.count, position)
            }
        }
    }

    /// `chunk-size [ chunk-ext ] CRLF`. The extension's grammar is not checked beyond its characters: nothing reads it.
    private mutating func chunkSize(_ base: UnsafeRawPointer, _ end: Int, _ position: inout Int) -> Line {
        var index = position
        var size: UInt64 = 0
        while index < end {
            let digit = HTTP1Syntax.hexValue(base.load(fromByteOffset: index, as: UInt8.self))
            guard digit < 16 else { break }
            guard index &- position < 16 else { return .bad(.chunkSize) }
            size = size &<< 4 | UInt64(digit)
            index &+= 1
        }
        guard index < end else { return .short }
        guard index > position else { return .bad(.chunkSize) }
        let extensionStart = index
        var byte = base.load(fromByteOffset: index, as: UInt8.self)
        if byte != HTTP1Syntax.cr {
            // White space may only lead to an extension.
            while HTTP1Syntax.isWhiteSpace(byte) {
                guard index &- extensionStart < limits.chunkExtensionBytesMax else {
                    return .bad(.chunkExtensionTooLong)
                }
                index &+= 1
                guard index < end else { return .short }
                byte = base.load(fromByteOffset: index, as: UInt8.self)
            }
            guard byte == UInt8(ascii: ";") else {
                return .bad(byte == HTTP1Syntax.lf ? .lineEnd : index == extensionStart ? .chunkSize : .chunkExtension)
            }
            while HTTP1Syntax.isValue(byte) {
                guard extensionBytes &+ index &- extensionStart < limits.chunkExtensionBytesMax else {
                    return .bad(.chunkExtensionTooLong)
                }
                index &+= 1
                guard index < end else { return .short }
                byte = base.load(fromByteOffset: index, as: UInt8.self)
            }
            guard byte == HTTP1Syntax.cr else { return .bad(byte == HTTP1Syntax.lf ? .lineEnd : .chunkExtension) }
        }
        guard index &+ 1 < end else { return .short }
        guard base.load(fromByteOffset: index &+ 1, as: UInt8.self) == HTTP1Syntax.lf else { return .bad(.lineEnd) }
        guard size <= UInt64(limits.bodyBytesMax &- bodyBytes) else { return .bad(.bodyTooLarge) }
        extensionBytes &+= index &- extensionStart
        bodyBytes &+= Int(size)
        position = index &+ 2
        if size == 0 {
            state = .trailers
            sectionBytes = 0
            head.fieldCount = 0
        } else {
            state = .chunk(Int(size))
        }
        return .whole
    }

    /// `trailer-section CRLF`: checked like fields of a head and dropped, so that nothing in them can pass for one.
    private mutating func trailers(_ base: UnsafeRawPointer, _ count: Int, _ start: Int) -> Event {
        // The head's text is over (RFC 9112 section 7.1.2: nothing of the trailers is merged into it): its place is used.
        head.textCount = 0
        used = 0
        let end = min(count, start &+ limits.trailerBytesMax &- sectionBytes)
        var position = start
        while true {
            let readable = min(end, position &+ capacity &- Self.slack)
            if readable &- position >= 2,
                base.loadUnaligned(fromByteOffset: position, as: UInt16.self).littleEndian == 0x0A0D
            {
                state = .start
                return .end(consumed: position &+ 2)
            }
            guard position < readable else {
                sectionBytes &+= position &- start
                return sectionBytes == limits.trailerBytesMax ? fail(.trailersTooLarge) : .needMore(consumed: position)
            }
            var line = FieldLine(position: position, out: 0)
            switch Self.fieldLine(base, readable, buffer, &line) {
            case .whole:
                guard head.fieldCount < limits.headerCountMax else { return fail(.tooManyFields) }
                head.fieldCount &+= 1
                position = line.position
            case .bad(let failure): return fail(failure)
            case .short:
                if readable < end {
                    grow()
                } else {
                    sectionBytes &+= position &- start
                    return sectionBytes &+ end &- position == limits.trailerBytesMax
                        ? fail(.trailersTooLarge) : .needMore(consumed: position)
                }
            }
        }
    }
}
