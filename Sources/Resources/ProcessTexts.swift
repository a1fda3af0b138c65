// What /proc/PID says of a process: proc(5), Documentation/scheduler/sched-stats.rst.

/// /proc/PID/stat.
struct ProcessStat {
    var parent: Int32
    var minorFaults: UInt64
    var majorFaults: UInt64
    /// Ticks, of its living and dead threads, without its children.
    var userTicks: UInt64
    var systemTicks: UInt64
    var threads: UInt64
    /// Ticks since the machine was started.
    var startTicks: UInt64
    var virtualBytes: UInt64
    var residentPages: UInt64
    var isZombie: Bool

    init?(_ bytes: UnsafeRawBufferPointer, name: inout ProcessName) {
        // The name is what the process calls itself, so it may have any byte in it: its end is the last parenthesis.
        guard let open = bytes.firstIndex(of: UInt8(ascii: "(")), let close = bytes.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { return nil }
        name = ProcessName(UnsafeRawBufferPointer(rebasing: bytes[(open + 1)..<close]))
        var rest = KernelText(UnsafeRawBufferPointer(rebasing: bytes[(close + 1)...]))
        let state = rest.word()
        guard state.count == 1, let parent = rest.signedNumber() else { return nil }
        isZombie = state[0] == UInt8(ascii: "Z") || state[0] == UInt8(ascii: "X")
        self.parent = Int32(clamping: parent)
        // Group, session, terminal, its group.
        for _ in 5...8 where rest.signedNumber() == nil { return nil }
        guard rest.number() != nil, let minor = rest.number(), rest.number() != nil, let major = rest.number(),
            rest.number() != nil,
            let user = rest.number(), let system = rest.number()
        else { return nil }
        // Times of children, priority, nice.
        for _ in 16...19 where rest.signedNumber() == nil { return nil }
        guard let threads = rest.number(), rest.signedNumber() != nil, let start = rest.number(),
            let size = rest.number(),
            let pages = rest.signedNumber()
        else { return nil }
        (minorFaults, majorFaults, userTicks, systemTicks) = (minor, major, user, system)
        (self.threads, startTicks, virtualBytes, residentPages) = (threads, start, size, UInt64(max(pages, 0)))
    }
}

/// The name of a process as the kernel keeps it, at most fifteen bytes.
public struct ProcessName: Equatable, Sendable {
    private var words: (UInt64, UInt64) = (0, 0)

    public init() {}

    init(_ bytes: UnsafeRawBufferPointer) {
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(16))) }
    }

    /// There may have been more of it.
    var isFull: Bool { withUnsafeBytes(of: words) { $0[14] != 0 } }

    public static func == (left: ProcessName, right: ProcessName) -> Bool { left.words == right.words }

    /// What is no UTF-8 in it is replaced.
    public var text: String {
        withUnsafeBytes(of: words) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// /proc/PID/status: memory, and how often its first thread was switched.
struct ProcessStatus {
    var residentPeak: UInt64?
    var swap: UInt64?
    var voluntary: UInt64?
    var involuntary: UInt64?

    init(_ bytes: UnsafeRawBufferPointer) {
        bytes.pairs { key, value in
            if key.isText("VmHWM") {
                residentPeak = .kibibytes(value)
            } else if key.isText("VmSwap") {
                swap = .kibibytes(value)
            } else if key.isText("voluntary_ctxt_switches") {
                voluntary = value
            } else if key.isText("nonvoluntary_ctxt_switches") {
                involuntary = value
            }
        }
    }
}

/// /proc/PID/io, bytes that reached or came from the storage layer.
struct ProcessIO {
    var read: UInt64
    var written: UInt64

    init?(_ bytes: UnsafeRawBufferPointer) {
        var (read, written): (UInt64?, UInt64?) = (nil, nil)
        bytes.pairs { key, value in
            if key.isText("read_bytes") {
                read = value
            } else if key.isText("write_bytes") {
                written = value
            }
        }
        guard let read, let written else { return nil }
        (self.read, self.written) = (read, written)
    }
}

/// /proc/PID/task/TID/schedstat, nanoseconds.
struct ThreadSchedule {
    var ran: UInt64
    /// Ready to run and waiting for a CPU.
    var waited: UInt64

    init?(_ bytes: UnsafeRawBufferPointer) {
        var text = KernelText(bytes)
        guard let ran = text.number(), let waited = text.number() else { return nil }
        (self.ran, self.waited) = (ran, waited)
    }
}

/// The proportional set size of /proc/PID/smaps_rollup, bytes: each page shared by n processes counts 1/n.
func proportionalBytes(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
    var size: UInt64?
    bytes.pairs { key, value in if key.isText("Pss") { size = .kibibytes(value) } }
    return size
}
