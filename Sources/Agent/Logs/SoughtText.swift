internal import Glibc
internal import Telemetry

/// Text that is looked for among bytes, in time that is proportional to what is looked through, whatever is in either: by Knuth, Morris and Pratt.
struct SoughtText {
    private let bytes: [UInt8]
    /// Of each length that has matched: the next shorter one that matches as well at the same end.
    private let shorter: [Int]

    /// Nil: it is empty.
    init?(_ text: String) {
        bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return nil }
        var shorter = Array(repeating: 0, count: bytes.count + 1)
        var matched = 0
        for index in 1..<bytes.count {
            while matched > 0, bytes[index] != bytes[matched] { matched = shorter[matched] }
            if bytes[index] == bytes[matched] { matched += 1 }
            shorter[index + 1] = matched
        }
        self.shorter = shorter
    }

    func isFound(in text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= bytes.count, let base = text.baseAddress else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            shorter.withUnsafeBufferPointer { shorter in
                var (matched, index) = (0, 0)
                while index < text.count {
                    if matched == 0 {
                        guard let at = memchr(base + index, Int32(bytes[0]), text.count - index) else { return false }
                        (matched, index) = (1, UnsafeRawPointer(at) - base + 1)
                    } else if text[index] == bytes[matched] {
                        (matched, index) = (matched + 1, index + 1)
                    } else {
                        matched = shorter[matched]
                    }
                    if matched == bytes.count { return true }
                }
                return false
            }
        }
    }

    func isFound(in text: String) -> Bool {
        var text = text
        return text.withUTF8 { isFound(in: UnsafeRawBufferPointer($0)) }
    }

    /// In texts and keys; numbers are none.
    func isFound(in value: AttributeValue) -> Bool {
        switch value {
        case .string(let text): isFound(in: text)
        case .array(let values): values.contains { isFound(in: $0) }
        case .map(let entries): entries.contains { isFound(in: $0.key) || isFound(in: $0.value) }
        case .empty, .bool, .int, .double, .bytes: false
        }
    }
}
