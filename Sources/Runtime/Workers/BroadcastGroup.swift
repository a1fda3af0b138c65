internal import Synchronization

/// The BroadcastChannels of the process, by name. All of an isolate's have one mailbox, so that its messages come in the order in which they were
/// posted, and each to the channels in the order of their creation. Any thread.
final class BroadcastGroup: Sendable {
    struct Member {
        let channel: Int
        let mailbox: Mailbox
    }

    /// Those of one name.
    private struct Members {
        /// By the channel's number, which grows. One that has left has no mailbox, until half of them are such.
        var entries: [(channel: Int, mailbox: Mailbox?)] = []
        var count = 0

        mutating func remove(_ channel: Int) {
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].channel < channel { low = middle + 1 } else { high = middle }
            }
            guard low < entries.count, entries[low].channel == channel, entries[low].mailbox != nil else { return }
            entries[low].mailbox = nil
            count -= 1
            if count < entries.count / 2 { entries.removeAll { $0.mailbox == nil } }
        }
    }

    private struct State {
        var lastChannel = 0
        var members: [String: Members] = [:]
    }

    private let state = Mutex(State())

    /// A new channel's number, of no other channel of the group.
    func join(_ mailbox: Mailbox, _ name: String) -> Int {
        state.withLock { state in
            state.lastChannel += 1
            state.members[name, default: Members()].entries.append((state.lastChannel, mailbox))
            state.members[name]?.count += 1
            return state.lastChannel
        }
    }

    func leave(_ channel: Int, _ name: String) {
        state.withLock { state in
            state.members[name]?.remove(channel)
            if state.members[name]?.count == 0 { state.members[name] = nil }
        }
    }

    /// All but the sender, oldest first.
    func others(than channel: Int, _ name: String) -> [Member] {
        state.withLock { state in
            (state.members[name]?.entries ?? []).compactMap { entry in
                guard entry.channel != channel, let mailbox = entry.mailbox else { return nil }
                return Member(channel: entry.channel, mailbox: mailbox)
            }
        }
    }
}
