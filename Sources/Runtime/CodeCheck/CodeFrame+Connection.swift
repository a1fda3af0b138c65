internal import CodeCheck
internal import Linux

extension CodeFrame {
    /// Nil at the end, and when it makes no sense.
    static func receive(_ connection: LocalConnection) -> [UInt8]? {
        guard let header = connection.receive(exactly: 4), let length = length(header) else { return nil }
        return connection.receive(exactly: length)
    }

    static func send(_ bytes: [UInt8], to connection: LocalConnection) -> Bool {
        connection.send(header(bytes.count) + bytes)
    }
}
