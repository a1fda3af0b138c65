internal import CV8

extension String {
    /// Copies a borrowed string.
    init(_ string: sl_v8_string) {
        guard let bytes = string.bytes else {
            self = ""
            return
        }
        self = bytes.withMemoryRebound(to: UInt8.self, capacity: string.length) {
            String(decoding: UnsafeBufferPointer(start: $0, count: string.length), as: UTF8.self)
        }
    }

    /// Copies an owned string and frees it.
    init(taking string: sl_v8_string) {
        self.init(string)
        sl_v8_string_free(string)
    }
}

extension Array where Element == UInt8 {
    /// Copies an owned string's bytes and frees it; nil when it has none.
    init?(taking string: sl_v8_string) {
        guard let bytes = string.bytes else { return nil }
        self = Array(UnsafeRawBufferPointer(start: bytes, count: string.length))
        sl_v8_string_free(string)
    }
}
