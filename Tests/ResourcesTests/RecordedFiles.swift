import Foundation
import System

@testable import Resources

/// A recorded tree, parts of which a test may replace.
final class RecordedFiles: KernelFiles {
    private let folder: String
    /// Instead of what is in the tree.
    var texts: [String: String] = [:]
    /// What fails, and how.
    var failures: [String: KernelFileFailure] = [:]
    var links: [String: String] = [:]
    private(set) var linksRead = 0
    /// Room by mount point; elsewhere there is some.
    var spaces: [String: FileSystemSpace] = [:]
    /// Folders that are not there any more, with all in them.
    var gone: Set<String> = []

    private var open: [Int32: String] = [:]
    private var next: Int32 = 1
    private(set) var opened = 0

    init(_ tree: String) {
        folder =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("trees/\(tree)").path
    }

    var openCount: Int { open.count }

    private func isGone(_ path: String) -> Bool { gone.contains { path == $0 || path.hasPrefix($0 + "/") } }

    func bytes(_ path: String) throws(KernelFileFailure) -> [UInt8] {
        if let failure = failures[path] { throw failure }
        if isGone(path) { throw .absent }
        if let text = texts[path] { return Array(text.utf8) }
        guard let data = FileManager.default.contents(atPath: folder + path) else { throw .absent }
        return Array(data)
    }

    func open(_ path: String) throws(KernelFileFailure) -> KernelFile {
        _ = try bytes(path)
        let file = KernelFile(number: next)
        open[next] = path
        next += 1
        opened += 1
        return file
    }

    func close(_ file: KernelFile) {
        precondition(open.removeValue(forKey: file.number) != nil, "closed twice")
    }

    func read(_ file: KernelFile, into buffer: UnsafeMutableRawBufferPointer) throws(KernelFileFailure) -> Int {
        let bytes = try bytes(open[file.number]!).prefix(buffer.count)
        bytes.withUnsafeBytes { buffer.copyMemory(from: $0) }
        return bytes.count
    }

    private func names(_ path: String) throws(KernelFileFailure) -> [String] {
        if let failure = failures[path] { throw failure }
        if isGone(path) { throw .absent }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder + path) else { throw .absent }
        return names.filter { !isGone(path + "/" + $0) }
    }

    func numbers(in path: String, countMax: Int, _ body: (Int32) -> Void) throws(KernelFileFailure) {
        for name in try names(path).compactMap(Int32.init).sorted().prefix(countMax) { body(name) }
    }

    func count(in path: String) throws(KernelFileFailure) -> Int { try names(path).count }

    func exists(_ path: String) -> Bool {
        !isGone(path) && (texts[path] != nil || FileManager.default.fileExists(atPath: folder + path))
    }

    func target(of path: String) throws(KernelFileFailure) -> String {
        linksRead += 1
        guard let target = links[path] else { throw .denied }
        return target
    }

    func space(_ path: String) throws(KernelFileFailure) -> FileSystemSpace {
        if let failure = failures[path] { throw failure }
        return spaces[path]
            ?? FileSystemSpace(total: 1000, available: 250, free: 300, nodes: 100, nodesFree: 60)
    }
}

/// A sampler over a tree, and time that passes when the test says so.
struct SampledTree {
    let files: RecordedFiles
    let sampler: ResourceSampler
    var snapshot = ResourceSnapshot()
    var now: UInt64 = 1_000_000_000
    /// The end of November 2026.
    var time: UInt64 = 1_795_800_000_000_000_000

    init(_ tree: String) {
        files = RecordedFiles(tree)
        sampler = ResourceSampler(files, ResourceSampler.Machine(pageBytes: 4096, ticksPerSecond: 100))
    }

    mutating func sample(_ groups: ResourceGroups = .all, afterSeconds seconds: Double = 1) {
        now += UInt64(seconds * 1e9)
        time += UInt64(seconds * 1e9)
        sampler.sample(groups, into: &snapshot, now: now, time: time)
    }

    func text(_ path: String) throws -> String { String(decoding: try files.bytes(path), as: UTF8.self) }

    /// The value of a point by its name and the attributes that are given.
    func value(_ name: String, _ attributes: [String: String] = [:]) -> Double? {
        snapshot.points().first { point in
            point.instrument.name == name
                && attributes.allSatisfy { key, value in
                    switch point.attributes[key] {
                    case .string(let text)?: text == value
                    case .int(let number)?: String(number) == value
                    default: false
                    }
                }
        }?.value
    }
}

func withBytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    Array(text.utf8).withUnsafeBytes(body)
}
