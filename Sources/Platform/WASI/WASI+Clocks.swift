// Clocks of WASI, and poll_oneoff, by which a module sleeps and waits.

internal import Glibc
internal import Linux

extension WASI {
    /// Of one poll_oneoff.
    private static let subscriptionsMax = 4096

    private func clock(_ id: UInt32) throws(WASIErrno) -> clockid_t {
        switch id {
        case 0: return CLOCK_REALTIME
        case 1: return CLOCK_MONOTONIC
        case 2: return CLOCK_PROCESS_CPUTIME_ID
        case 3: return CLOCK_THREAD_CPUTIME_ID
        default: throw .inval
        }
    }

    func time(_ id: UInt32) throws(WASIErrno) -> UInt64 {
        var time = timespec()
        try Self.check(clock_gettime(try clock(id), &time))
        let nanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        return nanoseconds - nanoseconds % clockStep
    }

    func resolution(_ id: UInt32) throws(WASIErrno) -> UInt64 {
        var time = timespec()
        try Self.check(clock_getres(try clock(id), &time))
        return max(UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec), clockStep)
    }

    private struct Subscription {
        enum Kind {
            /// Nanoseconds of CLOCK_MONOTONIC at which it is due.
            case clock(due: UInt64)
            /// With its place among what is polled.
            case descriptor(Int, isWrite: Bool)
            case failed(WASIErrno, type: UInt8)
        }
        let userData: UInt64
        let kind: Kind
    }

    func poll(
        _ memory: GuestMemory, _ input: UInt32, _ output: UInt32, _ count: UInt32, _ result: UInt32
    ) throws(WASIErrno) {
        guard count > 0, count <= Self.subscriptionsMax else { throw .inval }
        _ = try memory.range(input, Int(count) * 48)
        _ = try memory.range(output, Int(count) * 32)
        _ = try memory.range(result, 4)
        var polled = [pollfd(fd: stop, events: Int16(POLLIN), revents: 0)]
        var subscriptions: [Subscription] = []
        var due: UInt64?
        var isReady = false
        for index in 0..<count {
            let subscription = try subscription(memory, input + 48 * index, &polled)
            switch subscription.kind {
            case .clock(let time): due = min(due ?? .max, time)
            case .failed: isReady = true
            case .descriptor: break
            }
            subscriptions.append(subscription)
        }
        try wait(&polled, due: isReady ? 0 : due)
        var events: UInt32 = 0
        let now = try time(1)
        for subscription in subscriptions {
            if try put(subscription, polled, now: now, memory, output + 32 * events) { events += 1 }
        }
        try memory.store(events, at: result)
    }

    private func subscription(
        _ memory: GuestMemory, _ at: UInt32, _ polled: inout [pollfd]
    ) throws(WASIErrno) -> Subscription {
        let userData = try memory.load(at, as: UInt64.self)
        let type = try memory.load(at + 8, as: UInt8.self)
        switch type {
        case 0:
            let id = try memory.load(at + 16, as: UInt32.self)
            let timeout = try memory.load(at + 24, as: UInt64.self)
            let isAbsolute = try memory.load(at + 40, as: UInt16.self) & 1 != 0
            do throws(WASIErrno) {
                // CPU clocks stand still while one sleeps.
                guard id <= 1 else { throw .notsup }
                let left = isAbsolute ? try timeout.subtractingOr0(time(id)) : timeout
                let (due, overflows) = try time(1).addingReportingOverflow(left)
                return Subscription(userData: userData, kind: .clock(due: overflows ? .max : due))
            } catch {
                return Subscription(userData: userData, kind: .failed(error, type: type))
            }
        case 1, 2:
            let number = try memory.load(at + 16, as: UInt32.self)
            do throws(WASIErrno) {
                let descriptor = try descriptor(number, .poll)
                polled.append(pollfd(fd: descriptor.host, events: Int16(type == 1 ? POLLIN : POLLOUT), revents: 0))
                return Subscription(userData: userData, kind: .descriptor(polled.count - 1, isWrite: type == 2))
            } catch {
                return Subscription(userData: userData, kind: .failed(error, type: type))
            }
        default: throw .inval
        }
    }

    /// Until something is ready, or `due` on CLOCK_MONOTONIC; nil: for as long as it takes.
    private func wait(_ polled: inout [pollfd], due: UInt64?) throws(WASIErrno) {
        while true {
            let left = try due.map { (due) throws(WASIErrno) in try due.subtractingOr0(time(1)) }
            let milliseconds = left.map { Int32(min($0 / 1_000_000, 1 << 30)) } ?? -1
            let ready = Glibc.poll(&polled, nfds_t(polled.count), milliseconds)
            if ready < 0, errno == EINTR { continue }
            try Self.check(ready)
            if polled[0].revents != 0 { throw .interrupted }
            guard ready == 0, let left, left > 0 else { return }
            // The rest of the last millisecond, in which nothing else is waited for.
            if left < 1_000_000 {
                var rest = timespec(tv_sec: 0, tv_nsec: Int(left))
                nanosleep(&rest, nil)
            }
        }
    }

    /// Writes an event when the subscription has one.
    private func put(
        _ subscription: Subscription, _ polled: [pollfd], now: UInt64, _ memory: GuestMemory, _ at: UInt32
    ) throws(WASIErrno) -> Bool {
        var code: UInt16 = 0
        var type: UInt8 = 0
        var bytes: UInt64 = 0
        var flags: UInt16 = 0
        switch subscription.kind {
        case .failed(let error, let failedType):
            code = error.code
            type = failedType
        case .clock(let due):
            guard due <= now else { return false }
        case .descriptor(let index, let isWrite):
            let seen = Int32(polled[index].revents)
            guard seen != 0 else { return false }
            type = isWrite ? 2 : 1
            if seen & POLLNVAL != 0 { code = WASIErrno.badf.code }
            if seen & POLLHUP != 0 { flags = 1 }
            if !isWrite { bytes = UInt64(bytesWaiting(polled[index].fd)) }
        }
        let event = try GuestStruct(memory, at, size: 32)
        event.set(subscription.userData, at: 0)
        event.set(code, at: 8)
        event.set(type, at: 10)
        event.set(bytes, at: 16)
        event.set(flags, at: 24)
        return true
    }
}

extension UInt64 {
    fileprivate func subtractingOr0(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
