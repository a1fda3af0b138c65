// The validator has a thread of its own wherever it runs: its stack is large, for trees are deep and acorn recurses; what it takes counts as nobody's CPU time; and who waits
// for it can stop it.

internal import CodeCheck
internal import Engine
internal import Glibc

/// A parser behind a queue of one. Any thread may ask; the others wait.
final class CodeCheckThread: @unchecked Sendable {
    // @unchecked: `lock` guards all that changes, but `parser`, which is the thread's own.

    private static let stackBytes = 64 << 20
    /// What V8 may use of it.
    private static let stackBytesMax = 60 << 20
    /// Of one file.
    private static let secondsMax = 20

    private let checker: CodeChecker
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isBusy = false
    private var question: (source: [UInt8], kind: CodeKind)?
    private var answer: CodeReport?
    /// Whoever waited had enough; the parser may yet find out.
    private var isStopped = false
    private var handle: IsolateHandle?
    private var parser: CodeParser?

    /// Starts the thread, which lives as long as the process.
    init(_ options: CodeCheckOptions) {
        checker = CodeChecker(options)
        lock.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(lock, nil)
        var clock = pthread_condattr_t()
        pthread_condattr_init(&clock)
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &clock)
        pthread_condattr_destroy(&clock)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { context in Unmanaged<CodeCheckThread>.fromOpaque(context!).takeRetainedValue().run() },
            Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "no thread for the validator: \(code)")
        pthread_attr_destroy(&attributes)
    }

    /// Waits until the file was looked at, or has taken too long.
    func check(_ source: [UInt8], _ kind: CodeKind) -> CodeReport {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while isBusy { pthread_cond_wait(changed, lock) }
        isBusy = true
        question = (source, kind)
        pthread_cond_broadcast(changed)
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        until.tv_sec += Self.secondsMax
        while answer == nil {
            guard pthread_cond_timedwait(changed, lock, &until) == ETIMEDOUT else { continue }
            // Again and again: it may have been between two files, or not yet have begun.
            handle?.terminate()
            isStopped = true
            until.tv_sec += 1
        }
        let report = answer!
        answer = nil
        isBusy = false
        pthread_cond_broadcast(changed)
        return report
    }

    private func run() -> Never {
        while true {
            pthread_mutex_lock(lock)
            while question == nil { pthread_cond_wait(changed, lock) }
            let (source, kind) = question!
            question = nil
            pthread_mutex_unlock(lock)
            let report = checker.check(source, kind) { parse($0, $1) }
            pthread_mutex_lock(lock)
            if isStopped { (isStopped, handle, parser) = (false, nil, nil) }
            answer = report
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(lock)
        }
    }

    private func parse(_ source: [UInt8], _ kind: CodeKind) -> CodeChecker.Parsed {
        do throws(CodeParser.Failure) {
            return .answer(try readyParser().parse(source, kind))
        } catch {
            // What has filled its heap is still in it, and what stopped it may come once more.
            set(nil)
            return .failed(error.message)
        }
    }

    private func readyParser() throws(CodeParser.Failure) -> CodeParser {
        if let parser { return parser }
        let made = try CodeParser(checker.options, stackBytes: Self.stackBytesMax)
        set(made)
        return made
    }

    private func set(_ parser: CodeParser?) {
        pthread_mutex_lock(lock)
        handle = parser?.handle
        pthread_mutex_unlock(lock)
        self.parser = parser
    }
}
