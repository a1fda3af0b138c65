import CAres
import Discovery
import Glibc
import System

/// One question under way. The resolver's thread.
final class Lookup {
    /// A question takes no longer, whatever servers do.
    static let secondsMax: UInt64 = 15
    /// Until the first server is asked again; doubled once.
    private static let tryMilliseconds: Int32 = 2_000
    private static let tries: Int32 = 2
    /// What a UDP answer may have without being cut into pieces on its way.
    private static let datagramBytes: Int32 = 1_232
    /// Of one host.
    private static let addressesMax = 8

    private let question: ServiceQuestion
    private let ares: sl_ares
    private let deadline: UInt64
    private var channel: ares_channel?
    private var answer: Result<ServiceAnswer, ServiceFailure>?
    /// Hosts whose addresses are being asked for.
    private var hostsLeft = 0
    private var lastComplaint = ""

    /// Asks.
    init(_ question: ServiceQuestion, _ functions: Functions) {
        self.question = question
        ares = functions.pointer.pointee
        deadline = Self.now() + Self.secondsMax * 1_000_000_000
        guard open() else { return }
        ares.query(
            channel, question.name, 1, 33,
            { this, status, _, bytes, count in
                Lookup.from(this).take(status, UnsafeRawBufferPointer(start: bytes, count: Int(max(count, 0))))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> Lookup {
        Unmanaged<Lookup>.fromOpaque(pointer!).takeUnretainedValue()
    }

    private func open() -> Bool {
        var options = ares_options()
        var mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ
        options.flags = ARES_FLAG_EDNS
        options.timeout = Self.tryMilliseconds
        options.tries = Self.tries
        options.ednspsz = Self.datagramBytes
        if !question.servers.isEmpty {
            // Hosts as those servers know them, and as they are written.
            mask |= ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS
            options.lookups = strdup("b")
        }
        defer { free(options.lookups) }
        var status = ares.init_options(&channel, &options, mask)
        if status == ARES_SUCCESS, !question.servers.isEmpty {
            status = ares.set_servers_ports_csv(channel, question.servers.joined(separator: ","))
        }
        guard status == ARES_SUCCESS else {
            answer = .failure(ServiceFailure(text(status)))
            return false
        }
        return true
    }

    private func text(_ status: Int32) -> String {
        switch status {
        case ARES_ENOTFOUND: "there is no such name"
        case ARES_ENODATA: "it has no SRV record"
        case ARES_ETIMEOUT: "no name server answered"
        // Also when each has answered SERVFAIL or REFUSED.
        case ARES_ECONNREFUSED: "name servers cannot be reached, or refuse to answer"
        default: ares.strerror(status).map { String(cString: $0) } ?? "error \(status)"
        }
    }

    // MARK: What comes back

    private func take(_ status: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard status == ARES_SUCCESS else {
            answer = answer ?? .failure(ServiceFailure(text(status)))
            return
        }
        do throws(ServiceFailure) {
            let found = try SRVMessage.read(bytes)
            answer = .success(found)
            if !question.servers.isEmpty { askForAddresses(found) }
        } catch {
            answer = .failure(error)
        }
    }

    /// Of a host: which it is, and who waits for it.
    private final class Host {
        let name: String
        unowned let lookup: Lookup

        init(_ name: String, _ lookup: Lookup) {
            self.name = name
            self.lookup = lookup
        }
    }

    private func askForAddresses(_ found: ServiceAnswer) {
        var hints = ares_addrinfo_hints()
        hints.ai_family = AF_UNSPEC
        hints.ai_flags = ARES_AI_NOSORT
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        let names = Set(found.records.map(\.host))
        hostsLeft = names.count
        for name in names {
            let host = Unmanaged.passRetained(Host(name, self)).toOpaque()
            ares.getaddrinfo(
                channel, name, nil, &hints,
                { host, status, _, result in
                    let host = Unmanaged<Host>.fromOpaque(host!).takeRetainedValue()
                    host.lookup.take(host.name, status, result)
                }, host)
        }
    }

    private func take(_ name: String, _ status: Int32, _ result: UnsafeMutablePointer<ares_addrinfo>?) {
        defer { if let result { ares.freeaddrinfo(result) } }
        hostsLeft -= 1
        guard case .success(var found) = answer else { return }
        var addresses: [String] = []
        var node = status == ARES_SUCCESS ? result?.pointee.nodes : nil
        while let entry = node, addresses.count < Self.addressesMax {
            if let text = Self.text(entry.pointee.ai_addr), !addresses.contains(text) { addresses.append(text) }
            found.seconds = min(found.seconds, UInt32(max(entry.pointee.ai_ttl, 0)))
            node = entry.pointee.ai_next
        }
        if addresses.isEmpty {
            lastComplaint =
                "its host \(name) has no address"
                + (status == ARES_SUCCESS || status == ARES_ENODATA ? "" : ": \(text(status))")
            found.records.removeAll { $0.host == name }
        }
        for index in found.records.indices where found.records[index].host == name {
            found.records[index].addresses = addresses
        }
        answer = .success(found)
        // Not one that can be reached is no answer; nor does it say that there is no service.
        if hostsLeft == 0, found.records.isEmpty { answer = .failure(ServiceFailure(lastComplaint)) }
    }

    private static func text(_ address: UnsafeMutablePointer<sockaddr>?) -> String? {
        guard let address else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                _ = inet_ntop(AF_INET, &$0.pointee.sin_addr, &text, socklen_t(text.count))
            }
        case AF_INET6:
            address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                _ = inet_ntop(AF_INET6, &$0.pointee.sin6_addr, &text, socklen_t(text.count))
            }
        default: return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    // MARK: The thread's loop

    func isOver(_ now: UInt64) -> Bool { answer != nil && hostsLeft == 0 || now >= deadline }

    /// Ends it: what it came to, or why not.
    func finish(because reason: String) -> Result<ServiceAnswer, ServiceFailure> {
        let isDone = answer != nil && hostsLeft == 0
        let result = isDone ? answer! : .failure(ServiceFailure(reason))
        // What c-ares still says is not heard.
        answer = result
        if let channel { ares.destroy(channel) }
        channel = nil
        return result
    }

    /// What it waits for.
    func sockets() -> [pollfd] {
        guard let channel else { return [] }
        var sockets = [ares_socket_t](repeating: -1, count: Int(ARES_GETSOCK_MAXNUM))
        let bits = ares.getsock(channel, &sockets, ARES_GETSOCK_MAXNUM)
        var entries: [pollfd] = []
        for (index, socket) in sockets.enumerated() {
            var events: Int32 = 0
            if bits & (1 << Int32(index)) != 0 { events |= POLLIN }
            if bits & (1 << Int32(index + Int(ARES_GETSOCK_MAXNUM))) != 0 { events |= POLLOUT }
            if events != 0 { entries.append(pollfd(fd: socket, events: Int16(events), revents: 0)) }
        }
        return entries
    }

    /// How long it may be left waiting.
    func millisecondsMax(_ now: UInt64) -> Int32 {
        guard let channel, !isOver(now) else { return 0 }
        var longest = timeval(tv_sec: Int(min((deadline - now) / 1_000_000_000 + 1, Self.secondsMax)), tv_usec: 0)
        var buffer = timeval()
        guard let wait = ares.timeout(channel, &longest, &buffer)?.pointee else { return 1_000 }
        return Int32(clamping: wait.tv_sec * 1_000 + (Int(wait.tv_usec) + 999) / 1_000)
    }

    /// Something happened at a socket, or time has passed.
    func process(_ entry: pollfd?) {
        guard let channel else { return }
        let bad: ares_socket_t = -1
        let revents = Int32(entry?.revents ?? 0)
        let isReadable = revents & (POLLIN | POLLERR | POLLHUP) != 0
        let isWritable = revents & (POLLOUT | POLLERR | POLLHUP) != 0
        let socket = entry?.fd ?? bad
        ares.process_fd(channel, isReadable ? socket : bad, isWritable ? socket : bad)
    }
}
