public import System

/// The first bytes of a file, by which it is known again: rotated, copied, or another one under the same number.
public struct HeadPrint: Hashable, Sendable {
    /// Of the file's head at most.
    public static let bytesMax = 1024

    /// How many of the first bytes `hash` is of. It grows with the file.
    public var bytes: Int
    /// FNV-1a of 64 bits: the print of each shorter head is a step on the way.
    public var hash: UInt64

    static let empty = HeadPrint(bytes: 0, hash: 0xcbf2_9ce4_8422_2325)

    public init(bytes: Int, hash: UInt64) {
        self.bytes = bytes
        self.hash = hash
    }

    /// Of the first `bytesMax` bytes of `head`.
    init(of head: UnsafeRawBufferPointer) { self = Self.empty.grown(with: head) }

    mutating func add(_ byte: UInt8) {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        bytes += 1
    }

    /// The print of `head`, which begins as this print says.
    func grown(with head: UnsafeRawBufferPointer) -> HeadPrint {
        var print = self
        for index in bytes..<max(bytes, min(head.count, Self.bytesMax)) { print.add(head[index]) }
        return print
    }

    /// Whether a file that begins with `head` may be the one that this is the print of.
    func matches(_ head: UnsafeRawBufferPointer) -> Bool {
        guard head.count >= bytes else { return false }
        return HeadPrint(of: UnsafeRawBufferPointer(rebasing: head[..<bytes])).hash == hash
    }
}

/// What is known of one file: which it is, and what of it is done.
public struct TailPlace: Hashable, Sendable {
    /// Of this content for as long as it is known; never given again.
    public var id: UInt64
    public var identity: TailFileIdentity
    public var head: HeadPrint
    /// In bytes of the content: of a compressed file as it was before.
    public var resume: ResumePoint
    /// It was read to its end; more is read only if it grows.
    public var isEnded: Bool
    /// Where it lies.
    public var path: String
    /// Where that led, if it is a link to a file of another name; else empty. What a rotation makes lies there.
    public var target: String
    /// Where it lay when it was found first, and who reads it.
    public var source: LogSource

    public init(
        id: UInt64, identity: TailFileIdentity, head: HeadPrint, resume: ResumePoint, isEnded: Bool, path: String,
        target: String = "",
        source: LogSource
    ) {
        self.id = id
        self.identity = identity
        self.head = head
        self.resume = resume
        self.isEnded = isEnded
        self.path = path
        self.target = target
        self.source = source
    }
}

/// The places of all files that moved between two looks.
public struct TailMark: Sendable {
    /// Grows from mark to mark of one tailer.
    public let number: UInt64
    public let places: [TailPlace]
    /// Files that are known no more.
    public let forgotten: [UInt64]

    public init(number: UInt64, places: [TailPlace], forgotten: [UInt64]) {
        self.number = number
        self.places = places
        self.forgotten = forgotten
    }
}
