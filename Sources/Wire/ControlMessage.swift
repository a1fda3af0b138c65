// What agent and worker say to each other over the control stream, beside the ring: profiles and heap snapshots on demand.
//
// To the worker: commands of eight bytes, two u32: what, and a number. From the worker: frames of two u32 (kind, bytes) and then the bytes.
// Little-endian. The answer to a command is data frames and then done or failed. A frame of another `purpose` belongs to no command.

/// What the agent asks of a worker.
public enum ControlCommand: Hashable, Sendable {
    public static let byteCount = 8

    /// Microseconds between two samples.
    case startProfile(interval: UInt32)
    /// Answered with the profile.
    case stopProfile
    /// Answered with the snapshot; so many MiB at most.
    case heapSnapshot(mebibytesMax: UInt32)
    /// Another worker has taken its place: when it is told to end, kept connections may have a while in which a request that is on its way is answered.
    /// Not answered.
    case followed

    public var bytes: [UInt8] {
        switch self {
        case .startProfile(let interval): ControlFrame.words(1, interval)
        case .stopProfile: ControlFrame.words(2, 0)
        case .heapSnapshot(let mebibytes): ControlFrame.words(3, mebibytes)
        case .followed: ControlFrame.words(4, 0)
        }
    }

    /// Nil: not known, or not eight bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let number = ControlFrame.word(bytes, 4)
        switch ControlFrame.word(bytes, 0) {
        case 1: self = .startProfile(interval: number)
        case 2: self = .stopProfile
        case 3: self = .heapSnapshot(mebibytesMax: number)
        case 4: self = .followed
        default: return nil
        }
    }
}

/// The head of what a worker sends.
public struct ControlFrame: Hashable, Sendable {
    public enum Kind: UInt32, Sendable {
        case data = 1
        case done = 2
        /// With a text for people.
        case failed = 3
    }

    /// What it is part of.
    public enum Purpose: UInt32, Sendable, CaseIterable {
        /// The answer to a command.
        case answer = 0
        /// The profile of a slow turn.
        case slow = 1
        /// The heap as it was when its limit was reached.
        case outOfMemory = 2
    }

    public static let headBytes = 8
    public static let payloadBytesMax = 1 << 20

    public var kind: Kind
    public var purpose: Purpose
    public var payloadBytes: Int

    public init(kind: Kind, purpose: Purpose, payloadBytes: Int) {
        self.kind = kind
        self.purpose = purpose
        self.payloadBytes = payloadBytes
    }

    public var head: [UInt8] { Self.words(kind.rawValue | purpose.rawValue << 8, UInt32(payloadBytes)) }

    /// Nil: it makes no sense.
    public init?(head: [UInt8]) {
        guard head.count == Self.headBytes, let kind = Kind(rawValue: Self.word(head, 0) & 0xFF),
            let purpose = Purpose(rawValue: Self.word(head, 0) >> 8), Self.word(head, 4) <= UInt32(Self.payloadBytesMax)
        else { return nil }
        self.init(kind: kind, purpose: purpose, payloadBytes: Int(Self.word(head, 4)))
    }

    static func words(_ first: UInt32, _ second: UInt32) -> [UInt8] {
        let both = UInt64(first) | UInt64(second) << 32
        return (0..<8).map { UInt8(truncatingIfNeeded: both >> (8 * UInt64($0))) }
    }

    static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
    }
}
