/// What agent and worker say to each other about files: a length of four bytes, little-endian, and so many bytes.
public enum CodeFrame {
    /// Larger than anything that is looked at.
    public static let bytesMax = 80 << 20
    /// Of a worker whose memory ran out.
    public static let memoryExitCode: Int32 = 4

    public static func header(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }

    /// Nil when it announces more than there may be.
    public static func length(_ header: [UInt8]) -> Int? {
        let count = header.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        return count <= bytesMax ? count : nil
    }

    public static func byte(_ kind: CodeKind) -> UInt8 {
        switch kind {
        case .either: 0
        case .module: 1
        case .script: 2
        }
    }

    public static func kind(_ byte: UInt8) -> CodeKind? { [.either, .module, .script].first { self.byte($0) == byte } }
}
