import Queue

/// Numbers that a seed repeats.
struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// A disk beneath a page cache. What a process wrote is in the cache until it is synced; a loss of power keeps of the rest what it likes: sectors of writes in any
/// subset, sizes without contents, entries of the folder in any subset.
final class SimulatedDisk {
    enum Change {
        case write(Int, [UInt8])
        case size(Int)
    }

    enum NameChange {
        case link(String, Inode)
        case unlink(String)
    }

    final class Inode {
        var cached: [UInt8] = []
        var durable: [UInt8] = []
        var unsynced: [Change] = []
        /// After a failed sync nobody writes these again, and no later sync tells.
        var limbo: [Change] = []
    }

    var names: [String: Inode] = [:]
    var capacity = Int.max
    /// Syncs say that they worked and do nothing.
    var lies = false
    private var durableNames: [String: Inode] = [:]
    private var nameChanges: [NameChange] = []

    var bytes: Int { names.values.reduce(0) { $0 + $1.cached.count } }

    /// A loss of power would change nothing.
    var isDurable: Bool {
        nameChanges.isEmpty && names.values.allSatisfy { $0.unsynced.isEmpty && $0.limbo.isEmpty }
    }

    /// The same, of the contents of segments.
    var segmentsAreDurable: Bool {
        names.allSatisfy { !$0.key.hasSuffix(".queue") || $0.value.unsynced.isEmpty && $0.value.limbo.isEmpty }
    }

    func link(_ name: String, _ inode: Inode) {
        names[name] = inode
        nameChanges.append(.link(name, inode))
    }

    func unlink(_ name: String) {
        names[name] = nil
        nameChanges.append(.unlink(name))
    }

    func write(_ inode: Inode, _ bytes: [UInt8], at offset: Int) {
        Self.apply(.write(offset, bytes), to: &inode.cached)
        inode.unsynced.append(.write(offset, bytes))
    }

    func resize(_ inode: Inode, to bytes: Int) {
        Self.apply(.size(bytes), to: &inode.cached)
        inode.unsynced.append(.size(bytes))
    }

    func sync(_ inode: Inode) {
        if lies { return }
        for change in inode.unsynced { Self.apply(change, to: &inode.durable) }
        inode.unsynced = []
    }

    func syncNames() {
        if lies { return }
        durableNames = names
        nameChanges = []
    }

    func losePower(_ generator: inout Generator) {
        for change in keptNames(&generator) {
            switch change {
            case .link(let name, let inode): durableNames[name] = inode
            case .unlink(let name): durableNames[name] = nil
            }
        }
        nameChanges = []
        names = durableNames
        for inode in names.values {
            let percent = [0, 50, 90, 100][generator.below(4)]
            for change in inode.limbo + inode.unsynced { lose(change, of: inode, percent, &generator) }
            inode.limbo = []
            inode.unsynced = []
            inode.cached = inode.durable
        }
    }

    private func keptNames(_ generator: inout Generator) -> [NameChange] {
        if generator.chance(50) { return Array(nameChanges.prefix(generator.below(nameChanges.count + 1))) }
        return nameChanges.filter { _ in generator.chance(50) }
    }

    private func lose(_ change: Change, of inode: Inode, _ percent: Int, _ generator: inout Generator) {
        switch change {
        case .size:
            if generator.chance(percent) { Self.apply(change, to: &inode.durable) }
        case .write(let offset, let bytes):
            if generator.chance(percent), inode.durable.count < offset + bytes.count {
                Self.apply(.size(offset + bytes.count), to: &inode.durable)
            }
            var place = 0
            while place < bytes.count {
                let end = min(bytes.count, (offset + place) / 512 * 512 + 512 - offset)
                if generator.chance(percent) {
                    Self.apply(.write(offset + place, Array(bytes[place..<end])), to: &inode.durable)
                }
                place = end
            }
        }
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .size(let size):
            if size < bytes.count {
                bytes.removeLast(bytes.count - size)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
            }
        case .write(let offset, let new):
            if bytes.count < offset + new.count {
                bytes.append(contentsOf: repeatElement(0, count: offset + new.count - bytes.count))
            }
            bytes.replaceSubrange(offset..<offset + new.count, with: new)
        }
    }
}

/// A process's view of a simulated disk, which may fail and die.
final class SimulatedFiles: QueueFiles {
    /// How much of the operation in which the process dies is done.
    enum Tear: Equatable {
        case nothing, everything
        /// Of a write; nothing of anything else.
        case bytes(Int)
        case half
    }

    enum Fault {
        case noSpace, input
    }

    let folder = "/simulated"
    let disk: SimulatedDisk
    private(set) var operations = 0
    private(set) var isDead = false
    /// The process dies in this operation.
    var deathAt: (operation: Int, tear: Tear)?
    /// Asked at each operation.
    var fault: (_ operation: Int) -> Fault? = { _ in nil }
    private(set) var faults = 0
    private var open: [Int32: SimulatedDisk.Inode] = [:]
    private var nextFile: Int32 = 3
    private var generator: Generator

    /// When the thread beside the owner does its work, an operation at a time.
    enum Pace {
        /// Between any of the owner's operations, as the seed says.
        case any
        /// When `endSyncBeside` is called, or the owner waits.
        case held
    }

    private struct Beside {
        let request: QueueSyncRequest
        /// Of the files that the owner had open.
        let inodes: [SimulatedDisk.Inode?]
        var end = QueueSyncEnd()
        var isOver = false
    }

    var pace = Pace.any
    private var beside: Beside?
    private var isBeside = false
    private var besideGenerator: Generator
    /// A sync begins beside the owner; all of it has been done, and worked.
    var began: () -> Void = {}
    var endedWell: () -> Void = {}

    init(_ disk: SimulatedDisk, seed: UInt64) {
        self.disk = disk
        generator = Generator(seed: seed)
        besideGenerator = Generator(seed: ~seed)
    }

    var openCount: Int { open.count }

    private enum Course {
        case whole
        case part(Tear)
    }

    private func begin(_ call: String, _ name: String = "file") throws(QueueFileError) -> Course {
        if pace == .any, !isBeside, beside != nil, besideGenerator.chance(20) { syncNextBeside() }
        if isDead { throw QueueFileError(.other, call, reason: "dead") }
        operations += 1
        if let (operation, tear) = deathAt, operation == operations {
            isDead = true
            return .part(tear)
        }
        if let fault = fault(operations) {
            faults += 1
            if call == "write" { return .part(generator.chance(50) ? .half : .nothing) }
            switch fault {
            case .noSpace where call != "read" && call != "open" && call != "sync":
                throw QueueFileError(.noSpace, "\(call) \(name)", reason: "no space")
            default: throw QueueFileError(.damaged, "\(call) \(name)", reason: "input/output error")
            }
        }
        return .whole
    }

    /// Does what a process still does when it dies in the call.
    private func perform(
        _ call: String, _ name: String = "file", _ action: () throws(QueueFileError) -> Void
    ) throws(QueueFileError) {
        switch try begin(call, name) {
        case .whole: try action()
        case .part(let tear):
            if tear == .everything { try? action() }
            throw QueueFileError(.other, call, reason: "dead")
        }
    }

    func list() throws(QueueFileError) -> [QueueListing] {
        try perform("list") { () throws(QueueFileError) in }
        return disk.names.map { QueueListing(name: $0.key, bytes: $0.value.cached.count) }.shuffled(using: &generator)
    }

    func create(_ name: String) throws(QueueFileError) -> QueueFile {
        try perform("create", name) { () throws(QueueFileError) in
            guard disk.names[name] == nil else { throw QueueFileError(.other, "create", reason: "exists") }
            disk.link(name, SimulatedDisk.Inode())
        }
        return handle(disk.names[name]!)
    }

    func open(_ name: String) throws(QueueFileError) -> QueueFile {
        try perform("open", name) { () throws(QueueFileError) in
            guard disk.names[name] != nil else { throw QueueFileError(.damaged, "open", reason: "none") }
        }
        return handle(disk.names[name]!)
    }

    private func handle(_ inode: SimulatedDisk.Inode) -> QueueFile {
        nextFile += 1
        open[nextFile] = inode
        return QueueFile(number: nextFile)
    }

    func close(_ file: QueueFile) {
        precondition(open.removeValue(forKey: file.number) != nil, "closed twice")
    }

    func write(_ file: QueueFile, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(QueueFileError) {
        let inode = open[file.number]!
        var count = bytes.count
        var failure: QueueFileError?
        if case .part(let tear) = try begin("write") {
            failure = QueueFileError(.noSpace, "write", reason: "no space")
            switch tear {
            case .nothing: count = 0
            case .half: count /= 2
            case .everything: break
            case .bytes(let bytes): count = min(count, bytes)
            }
        }
        let growth = max(0, offset + count - inode.cached.count)
        if disk.bytes + growth > disk.capacity {
            failure = QueueFileError(.noSpace, "write", reason: "no space")
            count = max(0, count - (disk.bytes + growth - disk.capacity))
        }
        if count > 0 { disk.write(inode, Array(bytes[..<count]), at: offset) }
        if let failure { throw failure }
    }

    func read(
        _ file: QueueFile, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(QueueFileError) -> Int {
        try perform("read") { () throws(QueueFileError) in }
        let contents = open[file.number]!.cached
        let count = max(0, min(bytes.count, contents.count - offset))
        contents.withUnsafeBytes {
            bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[min(offset, contents.count)...].prefix(count)))
        }
        return count
    }

    func truncate(_ file: QueueFile, to bytes: Int) throws(QueueFileError) {
        try perform("truncate") { () throws(QueueFileError) in disk.resize(open[file.number]!, to: bytes) }
    }

    func sync(_ file: QueueFile) throws(QueueFileError) {
        let inode = open[file.number]!
        do throws(QueueFileError) {
            try perform("sync") { () throws(QueueFileError) in disk.sync(inode) }
        } catch {
            if !isDead {
                inode.limbo += inode.unsynced
                inode.unsynced = []
            }
            throw error
        }
    }

    func syncFolder() throws(QueueFileError) {
        try perform("syncFolder") { () throws(QueueFileError) in disk.syncNames() }
    }

    // MARK: Beside the owner

    var isSyncUnderWay: Bool { beside != nil }
    var hasSyncFailedBeside: Bool { beside?.end.folder != nil || beside?.end.files.contains { $0 != nil } ?? false }

    func beginSync(_ request: QueueSyncRequest) {
        precondition(beside == nil, "two syncs at a time")
        beside = Beside(request: request, inodes: request.files.map { $0.open.map { open[$0.number]! } })
        began()
    }

    func endOfSync(waiting: Bool) -> QueueSyncEnd? {
        if waiting || pace == .any && besideGenerator.chance(20) { endSyncBeside() }
        guard let done = beside, done.isOver, waiting || pace == .held || besideGenerator.chance(50) else { return nil }
        beside = nil
        return done.end
    }

    func endSyncBeside() { while beside?.isOver == false { syncNextBeside() } }

    private func syncNextBeside() {
        guard var beside, !beside.isOver else { return }
        isBeside = true
        defer { isBeside = false }
        let index = beside.end.files.count
        if index < beside.request.files.count {
            beside.end.files.append(sync(beside.request.files[index].name, beside.inodes[index]))
        } else if beside.request.folder {
            do throws(QueueFileError) { try syncFolder() } catch { beside.end.folder = error }
        }
        beside.isOver = index >= beside.request.files.count
        self.beside = beside
        if beside.isOver, !isDead, !hasSyncFailedBeside { endedWell() }
    }

    private func sync(_ name: String, _ inode: SimulatedDisk.Inode?) -> QueueFileError? {
        do throws(QueueFileError) {
            let file = if let inode { handle(inode) } else { try open(name) }
            defer { close(file) }
            try sync(file)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Names

    func rename(_ name: String, to other: String) throws(QueueFileError) {
        try perform("rename", name) { () throws(QueueFileError) in
            guard let inode = disk.names[name] else { throw QueueFileError(.damaged, "rename", reason: "none") }
            disk.link(other, inode)
            disk.unlink(name)
        }
    }

    func remove(_ name: String) throws(QueueFileError) {
        try perform("remove", name) { () throws(QueueFileError) in
            if disk.names[name] != nil { disk.unlink(name) }
        }
    }

    func random() -> UInt64 { generator.next() }
}
