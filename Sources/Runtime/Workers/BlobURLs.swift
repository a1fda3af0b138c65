// The blob URL store (https://w3c.github.io/FileAPI/#BlobURLStore): what URL.createObjectURL has named, for all isolates of the process. An isolate that
// ends takes what it has named with it.

internal import Engine
internal import Synchronization

/// Any thread.
final class BlobURLs: Sendable {
    /// URLs of a process at once.
    static let countMax = 65_536

    private struct Entry {
        /// Moves nothing, so it may be read again and again, but by one isolate at a time.
        let blob: Message
        let owner: Int
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// False: there are as many as there may be.
    /// - Parameter owner: the mailbox of the isolate that names it, or another number that is that isolate's alone.
    func add(_ url: String, _ blob: Message, owner: Int) -> Bool {
        entries.withLock { entries in
            guard entries.count < Self.countMax else { return false }
            entries[url] = Entry(blob: blob, owner: owner)
            return true
        }
    }

    func remove(_ url: String) { entries.withLock { $0[url] = nil } }

    func removeAll(of owner: Int) {
        entries.withLock { entries in
            // Most isolates have none.
            guard entries.values.contains(where: { $0.owner == owner }) else { return }
            entries = entries.filter { $0.value.owner != owner }
        }
    }

    /// Calls `body` with the blob of a URL, if it has one.
    func withBlob(_ url: String, _ body: (Message) -> Void) -> Bool {
        entries.withLock { entries in
            guard let entry = entries[url] else { return false }
            body(entry.blob)
            return true
        }
    }
}
