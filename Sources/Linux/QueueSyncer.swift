// Syncs a queue's files on a thread of its own, which the first sync starts and which lives as long as the queue's driver.
//
// The active file is synced through a duplicate of the owner's descriptor: that one knows of every error since the file was made, and the owner may close its own.
// Others are opened by name one at a time, so that a long list takes one descriptor.

internal import Glibc
internal import Queue
internal import System

/// `begin`, `end` and `close` are the owner's.
final class QueueSyncer: Sendable {
    private struct Work: Sendable {
        var request: QueueSyncRequest
        /// For each file: a duplicate of the open one, or why there is none. Nil: to be opened by name.
        var descriptors: [Result<Int32, QueueFileError>?]
    }

    private struct State {
        var work: Work?
        var end: QueueSyncEnd?
        /// Begun, and the end not taken.
        var isUnderWay = false
        var hasThread = false
        var isClosing = false
    }

    private let state = Monitor(State())
    /// The driver's, which closes it after this.
    private let directory: Int32

    init(_ directory: Int32) { self.directory = directory }

    func begin(_ request: QueueSyncRequest) {
        let descriptors = request.files.map { file in file.open.map { Self.duplicate($0.number, file.name) } }
        let work = Work(request: request, descriptors: descriptors)
        let mustStart = state.withLock { state in
            precondition(!state.isUnderWay && !state.isClosing, "a sync is under way, or the driver is closed")
            state.isUnderWay = true
            state.work = work
            defer { state.hasThread = true }
            return !state.hasThread
        }
        guard mustStart else { return state.wake() }
        if startThread({ self.run() }) { return }
        // Without a thread the owner waits after all.
        state.withLock { state in
            state.hasThread = false
            state.work = nil
        }
        finish(work)
    }

    func end(waiting: Bool) -> QueueSyncEnd? {
        state.wait { state in
            if let end = state.end {
                state.end = nil
                state.isUnderWay = false
                return .done(end)
            }
            return waiting && state.isUnderWay ? .untilWoken : .done(nil)
        }
    }

    /// Ends the thread: waits for the file that is being synced, and leaves the rest of them.
    func close() {
        state.withLock { $0.isClosing = true }
        state.wake()
        state.wait { $0.hasThread ? .untilWoken : .done(()) }
    }

    private static func duplicate(_ descriptor: Int32, _ name: String) -> Result<Int32, QueueFileError> {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        return duplicate >= 0 ? .success(duplicate) : .failure(QueueFileError(errno: errno, "duplicate", name))
    }

    // MARK: On the thread

    private func run() {
        let next = { (state: inout State) -> Monitor<State>.Wait<Work?> in
            if let work = state.work {
                state.work = nil
                return .done(work)
            }
            return state.isClosing ? .done(nil) : .untilWoken
        }
        while let work = state.wait(next) { finish(work) }
        state.withLock { $0.hasThread = false }
        state.wake()
    }

    private func finish(_ work: Work) {
        var end = QueueSyncEnd()
        for (file, descriptor) in zip(work.request.files, work.descriptors) {
            end.files.append(sync(file.name, descriptor))
        }
        if work.request.folder, !isClosing {
            do throws(QueueFileError) { try syncFolder(directory) } catch { end.folder = error }
        }
        state.withLock { $0.end = end }
        state.wake()
    }

    private var isClosing: Bool { state.withLock { $0.isClosing } }

    private func sync(_ name: String, _ open: Result<Int32, QueueFileError>?) -> QueueFileError? {
        do throws(QueueFileError) {
            let descriptor =
                if let open { try open.get() } else { try openInQueue(directory, name, O_RDWR | O_NONBLOCK) }
            defer { Glibc.close(descriptor) }
            if !isClosing { try syncFile(descriptor, name) }
            return nil
        } catch {
            return error
        }
    }
}
