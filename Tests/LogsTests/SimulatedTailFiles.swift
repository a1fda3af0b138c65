import Logs
import System

/// Numbers that a seed repeats.
struct Generator: RandomNumberGenerator {
    private var state: UInt64

    /// Neighbours have nothing in common: without mixing, one's numbers would be the other's, a step later.
    init(seed: UInt64) {
        state = seed &* 0xD1B5_4A32_D192_ED03
        state = next() ^ next() << 32
    }

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

/// Files in one folder, "logs". The number of a file that is gone is the next one's.
final class SimulatedTailFiles: TailFiles {
    final class Node {
        var number: UInt64
        var bytes: [UInt8] = []
        var modified: Int64
        var names = 0
        var opens = 0

        init(number: UInt64, modified: Int64) {
            self.number = number
            self.modified = modified
        }
    }

    private(set) var names: [String: Node] = [:]
    private var free: [UInt64] = []
    private var nextNumber: UInt64 = 1
    private var open: [Int32: Node] = [:]
    private var nextFile: Int32 = 1
    private var time: Int64 = 1
    private var changes: [TailChange] = []
    private var isWatched = false
    /// Of 100 hints, how many are told.
    var hintsTold = 100
    var generator: Generator

    init(seed: UInt64) { generator = Generator(seed: seed) }

    var openCount: Int { open.count }
    private(set) var opened = 0

    // MARK: Who writes

    private func tick() -> Int64 {
        time += 1
        return time
    }

    private func told(_ change: TailChange) {
        if isWatched, generator.chance(hintsTold) { changes.append(change) }
    }

    func append(_ name: String, _ bytes: [UInt8]) {
        if names[name] == nil { link(Node(number: takeNumber(), modified: tick()), name) }
        append(names[name]!, bytes)
        told(.written(folder: "logs", name: name))
    }

    func append(_ node: Node, _ bytes: [UInt8]) {
        node.bytes += bytes
        node.modified = tick()
    }

    func rename(_ name: String, _ other: String) {
        guard let node = names[name] else { return }
        if names[other] != nil { remove(other) }
        names[name] = nil
        names[other] = node
        told(.named(folder: "logs", name: name))
        told(.named(folder: "logs", name: other))
    }

    func copyTruncate(_ name: String, _ other: String) {
        guard let node = names[name] else { return }
        append(other, node.bytes)
        node.bytes = []
        node.modified = tick()
        told(.written(folder: "logs", name: name))
    }

    func remove(_ name: String) {
        guard let node = names.removeValue(forKey: name) else { return }
        node.names -= 1
        letGo(node)
        told(.named(folder: "logs", name: name))
    }

    private func link(_ node: Node, _ name: String) {
        names[name] = node
        node.names += 1
        told(.named(folder: "logs", name: name))
    }

    private func takeNumber() -> UInt64 {
        if let number = free.popLast() { return number }
        nextNumber += 1
        return nextNumber
    }

    private func letGo(_ node: Node) {
        if node.names == 0, node.opens == 0 { free.append(node.number) }
    }

    /// The process that reads has ended.
    func closeAll() {
        for node in open.values {
            node.opens -= 1
            letGo(node)
        }
        open = [:]
        changes = []
        isWatched = false
    }

    // MARK: Who reads

    func list(_ folder: String, _ body: (_ name: String, _ kind: TailEntryKind) -> Bool) -> Bool {
        guard folder == "logs" else { return false }
        for name in names.keys.sorted().shuffled(using: &generator) { guard body(name, .file) else { break } }
        return true
    }

    private static func name(_ path: String) -> String { String(path.dropFirst("logs/".count)) }

    private static func status(_ node: Node) -> TailFileStatus {
        TailFileStatus(
            identity: TailFileIdentity(device: 1, inode: node.number), kind: .file, bytes: UInt64(node.bytes.count),
            modified: node.modified)
    }

    func status(_ path: String) -> TailFileStatus? { names[Self.name(path)].map(Self.status) }
    func status(_ file: TailFile) -> TailFileStatus? { open[file.number].map(Self.status) }
    func resolved(_ path: String) -> String? { path }

    func open(_ path: String) -> TailFile? {
        guard let node = names[Self.name(path)] else { return nil }
        node.opens += 1
        nextFile += 1
        opened += 1
        open[nextFile] = node
        return TailFile(number: nextFile)
    }

    func close(_ file: TailFile) {
        let node = open.removeValue(forKey: file.number)!
        node.opens -= 1
        letGo(node)
    }

    func read(_ file: TailFile, into bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int? {
        let contents = open[file.number]!.bytes
        guard offset < UInt64(contents.count) else { return 0 }
        let count = min(bytes.count, contents.count - Int(offset))
        contents.withUnsafeBytes {
            bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + count]))
        }
        return count
    }

    func watch(_ folder: String) -> Bool {
        isWatched = folder == "logs" && hintsTold > 0
        return isWatched
    }

    func forget(_ folder: String) { isWatched = false }

    func takeChanges(_ body: (TailChange) -> Void) {
        let taken = changes
        changes = []
        for change in taken { body(change) }
    }
}

/// The file of places on a disk with a cache; the process may die in any operation on it.
final class SimulatedPositionFiles: PositionFiles, @unchecked Sendable {
    // @unchecked: the tests use one thread.

    final class Disk {
        var bytes: [UInt8] = []
        /// What a loss of power leaves for certain.
        var synced = 0
    }

    let path = "positions"
    let disk: Disk
    private(set) var operations = 0
    private(set) var isDead = false
    /// The process dies in this operation.
    var deathAt: Int?
    var isFull = false
    /// A full disk kept something out that no later rewrite has made good.
    private(set) var hasMissed = false
    private var generator: Generator

    init(_ disk: Disk, seed: UInt64) {
        self.disk = disk
        generator = Generator(seed: seed)
    }

    /// How much of what is written in this operation gets there; nil: all, and it works.
    private func begin(_ call: String, writes count: Int) throws(PositionFileError) -> Int? {
        if isDead { throw PositionFileError(call, reason: "dead") }
        operations += 1
        if operations == deathAt {
            isDead = true
            return generator.below(count + 1)
        }
        return nil
    }

    func contents() throws(PositionFileError) -> [UInt8] { disk.bytes }

    func append(_ bytes: [UInt8]) throws(PositionFileError) {
        var part = try begin("append", writes: bytes.count)
        if isFull, part == nil {
            part = generator.below(bytes.count)
            hasMissed = true
        }
        disk.bytes += bytes.prefix(part ?? bytes.count)
        if part != nil { throw PositionFileError("append", reason: "no space") }
    }

    func truncate(to bytes: Int) throws(PositionFileError) {
        let part = try begin("truncate", writes: 1)
        if part != 0 {
            disk.bytes.removeLast(max(0, disk.bytes.count - bytes))
            disk.synced = min(disk.synced, disk.bytes.count)
        }
        if part != nil { throw PositionFileError("truncate", reason: "dead") }
    }

    func sync() throws(PositionFileError) {
        let part = try begin("sync", writes: 1)
        if part != 0 { disk.synced = disk.bytes.count }
        if part != nil { throw PositionFileError("sync", reason: "dead") }
    }

    func replace(with bytes: [UInt8]) throws(PositionFileError) {
        let part = try begin("replace", writes: 1)
        if isFull, part == nil {
            hasMissed = true
            throw PositionFileError("replace", reason: "no space")
        }
        if part != 0 {
            disk.bytes = bytes
            disk.synced = bytes.count
            hasMissed = false
        }
        if part != nil { throw PositionFileError("replace", reason: "dead") }
    }

    /// Of what was not synced some may be there, and something else in the place of the rest.
    static func losePower(_ disk: Disk, _ generator: inout Generator) {
        let unsynced = disk.bytes.count - disk.synced
        var kept = Array(disk.bytes.prefix(disk.synced + generator.below(unsynced + 1)))
        if generator.chance(30), kept.count > disk.synced {
            for _ in 0..<3 {
                kept[disk.synced + generator.below(kept.count - disk.synced)] = UInt8(generator.below(256))
            }
        }
        if generator.chance(30) { kept += [UInt8](repeating: 0, count: generator.below(100)) }
        disk.bytes = kept
        disk.synced = kept.count
    }
}
