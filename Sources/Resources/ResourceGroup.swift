public import System

/// What is sampled together, at an interval of its own.
public enum ResourceGroup: Int, CaseIterable, Sendable {
    /// Times of the CPUs, load, uptime.
    case cpu
    case memory
    /// Pressure stall information of the machine.
    case pressure
    /// CPU time, memory, input and output, and waiting of each process.
    case processes
    /// Which threads and children processes have, open files, and how often they were switched.
    case threads
    /// Proportional set sizes: the kernel walks all pages for it.
    case pss
    case container
    case network
    case disk
    case filesystems

    public var name: String {
        switch self {
        case .cpu: "cpu"
        case .memory: "memory"
        case .pressure: "pressure"
        case .processes: "processes"
        case .threads: "threads"
        case .pss: "pss"
        case .container: "container"
        case .network: "network"
        case .disk: "disk"
        case .filesystems: "filesystems"
        }
    }
}

/// Some groups.
public struct ResourceGroups: OptionSet, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public init(_ group: ResourceGroup) { rawValue = 1 << UInt16(group.rawValue) }

    public static let all = ResourceGroups(rawValue: UInt16(1 << ResourceGroup.allCases.count) - 1)
    /// What is looked at ten times a second while something is up: a few files.
    public static let burst: ResourceGroups = [
        ResourceGroups(.cpu), ResourceGroups(.memory), ResourceGroups(.pressure), ResourceGroups(.processes),
        ResourceGroups(.container),
    ]

    public func contains(_ group: ResourceGroup) -> Bool { contains(ResourceGroups(group)) }
}

/// Of what there is more than is watched.
public enum ResourceBound: Int, CaseIterable, Sendable {
    case processes, threads, interfaces, disks, filesystems

    public var name: String {
        switch self {
        case .processes: "processes"
        case .threads: "threads"
        case .interfaces: "interfaces"
        case .disks: "disks"
        case .filesystems: "filesystems"
        }
    }
}

/// What the sampler has done.
public struct ResourceCounts: Equatable, Sendable {
    /// Samples taken, by group.
    public internal(set) var samples = [UInt64](repeating: 0, count: ResourceGroup.allCases.count)
    private var failures = [UInt64](
        repeating: 0, count: ResourceGroup.allCases.count * KernelFileFailure.allCases.count)
    /// What there is more than is watched, at the latest look.
    public internal(set) var leftOut = [UInt64](repeating: 0, count: ResourceBound.allCases.count)
    /// Texts that were longer than the buffer; the lines that fit were read.
    public internal(set) var cutTexts: UInt64 = 0

    private static let reasons: [KernelFileFailure: Int] = Dictionary(
        uniqueKeysWithValues: KernelFileFailure.allCases.enumerated().map { ($1, $0) })

    mutating func failed(_ group: ResourceGroup, _ reason: KernelFileFailure) {
        failures[group.rawValue * KernelFileFailure.allCases.count + Self.reasons[reason]!] += 1
    }

    /// Files that could not be read, or had no sense.
    public subscript(group: ResourceGroup, reason: KernelFileFailure) -> UInt64 {
        failures[group.rawValue * KernelFileFailure.allCases.count + Self.reasons[reason]!]
    }
}
