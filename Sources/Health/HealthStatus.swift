/// How well something is, in the words of draft-inadarei-api-health-check-06, section 3.1. A worse one is greater.
public enum HealthStatus: Int, Comparable, Hashable, Sendable, CaseIterable {
    case pass, warn, fail

    public var word: String {
        switch self {
        case .pass: "pass"
        case .warn: "warn"
        case .fail: "fail"
        }
    }

    /// The draft's words, and those that it allows beside them for the sake of older formats.
    public init?(word: some StringProtocol) {
        switch word.lowercased() {
        case "pass", "ok", "up": self = .pass
        case "warn": self = .warn
        case "fail", "error", "down": self = .fail
        default: return nil
        }
    }

    public static func < (left: HealthStatus, right: HealthStatus) -> Bool { left.rawValue < right.rawValue }
}

/// What is asked about a process as a whole. A component counts for those that it is said to.
/// <https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/>
public struct HealthProbes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Whether it has come up: fails until every component was well once.
    public static let startup = HealthProbes(rawValue: 1)
    /// Whether starting it anew would help: fails while a component does, once that has come up.
    public static let liveness = HealthProbes(rawValue: 2)
    /// Whether it is to be sent work: fails while a component does, from the start on.
    public static let readiness = HealthProbes(rawValue: 4)
}

/// What one look at something came to.
public struct HealthFinding: Hashable, Sendable {
    public var status: HealthStatus
    /// For people; empty where nothing is wrong.
    public var reason: String
    /// What was measured.
    public var value: Double?

    /// Bytes of a reason; the rest is cut off.
    public static let reasonBytesMax = 256

    public init(_ status: HealthStatus, _ reason: String = "", value: Double? = nil) {
        self.status = status
        self.reason = Self.oneLine(reason)
        self.value = value
    }

    public static let pass = HealthFinding(.pass)

    /// Of what others say about themselves: a line of bounded length, without control characters.
    static func oneLine(_ text: String) -> String {
        var bytes = 0
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= reasonBytesMax else { break }
            // C0, DEL, C1, line and paragraph separators, marks that turn the direction of what follows.
            switch scalar.value {
            case 0...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: line.append(" ")
            default: line.append(scalar)
            }
        }
        return String(line)
    }
}

/// One moment by both clocks.
public struct HealthTime: Hashable, Sendable {
    /// CLOCK_MONOTONIC, nanoseconds.
    public var monotonic: UInt64
    /// CLOCK_REALTIME, nanoseconds since the Unix epoch.
    public var unix: UInt64

    public init(monotonic: UInt64, unix: UInt64) {
        self.monotonic = monotonic
        self.unix = unix
    }
}
