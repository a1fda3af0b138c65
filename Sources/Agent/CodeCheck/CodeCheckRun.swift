public import CodeCheck
public import Configuration
internal import Dispatch
internal import Linux
internal import Synchronization

/// Looks at many files, in confined workers.
public enum CodeCheckRun {
    /// What became of one file, and its bytes as far as they were read.
    public struct File: Sendable {
        public let name: String
        public let report: CodeReport
        public let bytes: [UInt8]
    }

    /// The rules cannot be used, or the worker does not start.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private static let bytesMax = 64 << 20

    /// Calls `each` for all files, in their order, on the calling thread or another, one at a time.
    /// - Parameter jobs: workers at once.
    public static func check(
        _ files: [String], _ options: CodeCheckOptions, jobs: Int, each: @escaping @Sendable (File) -> Void
    ) throws(Failure) {
        let state = Mutex(State())
        DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, files.count))) { _ in
            var process: CodeCheckProcess?
            while let index = state.withLock({ $0.take(files.count) }) {
                let file = check(files[index], options, &process, state)
                state.withLock { $0.put(file, at: index, each) }
            }
        }
        if let failure = state.withLock({ $0.failure }) { throw Failure(description: failure) }
    }

    private struct State {
        private var next = 0
        /// Those whose turn has not come.
        private var waiting: [Int: File] = [:]
        private var told = 0
        var failure: String?

        mutating func take(_ count: Int) -> Int? {
            guard next < count, failure == nil else { return nil }
            defer { next += 1 }
            return next
        }

        mutating func put(_ file: File?, at index: Int, _ each: (File) -> Void) {
            waiting[index] = file
            while let file = waiting.removeValue(forKey: told) {
                each(file)
                told += 1
            }
        }
    }

    /// Nil: there is no worker.
    private static func check(
        _ name: String, _ options: CodeCheckOptions, _ process: inout CodeCheckProcess?, _ state: borrowing Mutex<State>
    ) -> File? {
        let bytes: [UInt8]
        do {
            bytes = try readFile(name, bytesMax: bytesMax)
        } catch {
            return File(name: name, report: .failed("it cannot be read: \(error.reason)"), bytes: [])
        }
        do throws(WorkerStartError) {
            if process == nil { process = try CodeCheckProcess(options) }
        } catch {
            state.withLock { $0.failure = error.description }
            return nil
        }
        if let report = process!.check(bytes, kind(name)) { return File(name: name, report: report, bytes: bytes) }
        let ending = process!.ending
        process = nil
        return File(name: name, report: .failed("the validator \(ending)"), bytes: bytes)
    }

    private static func kind(_ name: String) -> CodeKind {
        name.hasSuffix(".mjs") ? .module : name.hasSuffix(".cjs") ? .script : .either
    }
}

extension CodeCheckOptions {
    public init(_ configuration: CodeCheckConfiguration) {
        self.init()
        own = configuration.rules.map {
            OwnRule(id: $0.id, pattern: $0.pattern, message: $0.message, level: CodeLevel($0.level))
        }
        (globals, imports, off) = (configuration.globals, configuration.imports, configuration.off)
        levels = configuration.levels.mapValues { CodeLevel($0) }
        if let bytes = configuration.fileBytesMax { fileBytesMax = bytes }
        allowsSuppressions = configuration.allowsSuppressions
    }
}

extension CodeLevel {
    public init(_ level: CodeCheckConfiguration.Level) {
        switch level {
        case .note: self = .note
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}
