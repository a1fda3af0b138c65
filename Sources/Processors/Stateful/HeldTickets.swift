/// How many things are held of each entry of the queue, by the entry's ticket. Tickets come growing, or nearly so.
struct HeldTickets {
    private var tickets: [(ticket: UInt64, held: Int)] = []
    private var head = 0
    /// Where the last one was found.
    private var hint = 0

    /// The lowest ticket of which something is held.
    var oldest: UInt64? { head < tickets.count ? tickets[head].ticket : nil }

    mutating func add(_ ticket: UInt64, _ count: Int = 1) {
        guard ticket != 0, count > 0 else { return }
        if let last = tickets.last, head < tickets.count, ticket <= last.ticket {
            let position = ticket == last.ticket ? tickets.count - 1 : position(of: ticket)
            if tickets[position].ticket == ticket {
                tickets[position].held += count
            } else {
                tickets.insert((ticket, count), at: position)
            }
        } else {
            tickets.append((ticket, count))
        }
    }

    mutating func remove(_ ticket: UInt64) {
        guard ticket != 0 else { return }
        if hint < head || hint >= tickets.count || tickets[hint].ticket != ticket { hint = position(of: ticket) }
        precondition(
            hint < tickets.count && tickets[hint].ticket == ticket && tickets[hint].held > 0,
            "nothing of entry \(ticket) is held")
        tickets[hint].held -= 1
        while head < tickets.count, tickets[head].held == 0 { head += 1 }
        if head == tickets.count {
            tickets.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1_024, head * 2 > tickets.count {
            tickets.removeFirst(head)
            head = 0
        }
    }

    /// The first that is not lower.
    private func position(of ticket: UInt64) -> Int {
        var (low, high) = (head, tickets.count)
        while low < high {
            let middle = (low + high) / 2
            if tickets[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
