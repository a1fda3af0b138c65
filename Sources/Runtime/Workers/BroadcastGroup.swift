internal import Synchronization

/// The BroadcastChannels of the process, by name. Any thread.
final class BroadcastGroup: Sendable {
    /// Those of one name.
    private struct Members {
        /// By id, which grows. Of one that has left, only the id, until half of them are such.
        var entries: [(id: Int, mailbox: Mailbox?)] = []
        var count = 0

        mutating func append(_ mailbox: Mailbox) {
            // Another thread may have been faster with a later one.
            let index = entries.lastIndex { $0.id < mailbox.id }.map { $0 + 1 } ?? 0
            entries.insert((mailbox.id, mailbox), at: index)
            count += 1
        }

        mutating func remove(_ mailbox: Mailbox) {
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].id < mailbox.id { low = middle + 1 } else { high = middle }
            }
            guard low < entries.count, entries[low].mailbox === mailbox else { return }
            entries[low].mailbox = nil
            count -= 1
            if count < entries.count / 2 { entries.removeAll { $0.mailbox == nil } }
        }
    }

    private let members = Mutex<[String: Members]>([:])

    func join(_ mailbox: Mailbox, _ name: String) { members.withLock { $0[name, default: Members()].append(mailbox) } }

    func leave(_ mailbox: Mailbox, _ name: String) {
        members.withLock { members in
            members[name]?.remove(mailbox)
            if members[name]?.count == 0 { members[name] = nil }
        }
    }

    /// All but the sender, the oldest first.
    func others(than mailbox: Mailbox, _ name: String) -> [Mailbox] {
        members.withLock { members in
            (members[name]?.entries ?? []).compactMap { $0.mailbox === mailbox ? nil : $0.mailbox }
        }
    }
}
