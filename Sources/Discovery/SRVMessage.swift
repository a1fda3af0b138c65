public import System

/// Reads the answer to a question for SRV records: RFC 1035 section 4.1, RFC 2782. The bytes are a stranger's.
public enum SRVMessage {
    /// Records that are kept, those of the lowest priorities. Who has more is not found by DNS alone.
    public static let recordsMax = 64

    private static let headerBytes = 12
    private static let (typeCNAME, typeSRV, classInternet): (UInt16, UInt16, UInt16) = (5, 33, 1)
    /// RFC 2181, section 8: what is more counts as 0.
    private static let secondsMax = UInt32(Int32.max)

    /// The whole of a DNS message, as it came. Takes time in proportion to the message, which has at most 64 KiB.
    public static func read(_ message: UnsafeRawBufferPointer) throws(ServiceFailure) -> ServiceAnswer {
        guard message.count >= headerBytes, message[2] & 0x80 != 0 else {
            throw ServiceFailure("the answer is no DNS answer")
        }
        var reader = Reader(bytes: message, position: 4)
        let (questions, answers) = (try reader.uint16(), try reader.uint16())
        reader.position = headerBytes
        for _ in 0..<questions {
            try reader.skipName()
            try reader.skip(4)
        }
        var found = Found()
        for _ in 0..<answers { try readRecord(&reader, &found) }
        return try found.answer()
    }

    private struct Found {
        var records: [ServiceRecord] = []
        var seconds = secondsMax
        /// Records with which nothing can be done: port 0, a target that is no host's name.
        var unusable = 0
        var isWithheld = false

        func answer() throws(ServiceFailure) -> ServiceAnswer {
            guard records.isEmpty else {
                // A stable order, so that equal answers are equal, and the lowest priorities first.
                var seen: Set<ServiceRecord> = []
                let sorted = records.filter { seen.insert($0).inserted }.sorted {
                    ($0.priority, $0.host, $0.port, $0.weight) < ($1.priority, $1.host, $1.port, $1.weight)
                }
                return ServiceAnswer(records: Array(sorted.prefix(recordsMax)), seconds: seconds)
            }
            if unusable > 0 {
                throw ServiceFailure("none of its \(unusable) SRV records names a host and a port")
            }
            guard isWithheld else { throw ServiceFailure("it has no SRV record") }
            return ServiceAnswer(records: [], seconds: seconds)
        }
    }

    private static func readRecord(_ reader: inout Reader, _ found: inout Found) throws(ServiceFailure) {
        try reader.skipName()
        let (type, kind) = (try reader.uint16(), try reader.uint16())
        let seconds = try UInt32(reader.uint16()) << 16 | UInt32(reader.uint16())
        let length = Int(try reader.uint16())
        let end = reader.position + length
        guard end <= reader.bytes.count else { throw Reader.tooShort }
        defer { reader.position = end }
        guard kind == classInternet, type == typeSRV || type == typeCNAME else { return }
        found.seconds = min(found.seconds, seconds > secondsMax ? 0 : seconds)
        guard type == typeSRV else { return }
        // Name compression is not to be used in a target, and is understood all the same.
        guard length >= 7 else { throw Reader.tooShort }
        let (priority, weight, port) = (try reader.uint16(), try reader.uint16(), try reader.uint16())
        let host = try reader.name(end: end)
        if host?.isEmpty == true {
            found.isWithheld = true
        } else if let host, port > 0 {
            found.records.append(ServiceRecord(priority: priority, weight: weight, host: host, port: port))
        } else {
            found.unusable += 1
        }
    }

    private struct Reader {
        static let tooShort = ServiceFailure("the answer ends too early")

        let bytes: UnsafeRawBufferPointer
        var position: Int

        mutating func skip(_ count: Int) throws(ServiceFailure) {
            guard count <= bytes.count - position else { throw Self.tooShort }
            position += count
        }

        mutating func uint16() throws(ServiceFailure) -> UInt16 {
            try skip(2)
            return UInt16(bytes[position - 2]) << 8 | UInt16(bytes[position - 1])
        }

        mutating func skipName() throws(ServiceFailure) {
            while true {
                try skip(1)
                let length = bytes[position - 1]
                switch length >> 6 {
                case 0b00 where length == 0: return
                case 0b00: try skip(Int(length))
                case 0b11: return try skip(1)
                default: throw ServiceFailure("the answer has a name that is none")
                }
            }
        }

        /// In lower case, without a "." at its end; "" for the root. Nil: no name of a host. What is read where the name stands must lie before `end`; each pointer
        /// leads further back than the one before, so that there is an end to them.
        mutating func name(end: Int) throws(ServiceFailure) -> String? {
            var (place, limit) = (position, end)
            var name: [UInt8] = []
            var isHost = true
            while true {
                guard place < limit else { throw Self.tooShort }
                let length = Int(bytes[place])
                switch length >> 6 {
                case 0b00 where length == 0:
                    return isHost ? String(decoding: name, as: UTF8.self) : nil
                case 0b00:
                    guard place + 1 + length < limit else { throw Self.tooShort }
                    guard name.count + length < 254 else {
                        throw ServiceFailure("the answer has a name that is too long")
                    }
                    if !name.isEmpty { name.append(UInt8(ascii: ".")) }
                    for byte in bytes[place + 1...place + length] {
                        isHost = isHost && Self.isHostByte(byte)
                        name.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
                    }
                    place += 1 + length
                case 0b11:
                    guard place + 1 < limit else { throw Self.tooShort }
                    let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                    guard target < min(place, position) else {
                        throw ServiceFailure("the answer has a name that leads in a circle")
                    }
                    (limit, position, place) = (place, target, target)
                default: throw ServiceFailure("the answer has a name that is none")
                }
            }
        }

        /// Letters, digits, "-", and "_", which container networks use.
        private static func isHostByte(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
            default: false
            }
        }
    }
}
