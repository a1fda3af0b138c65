// Bytes on their way out. What the kernel takes at once is written here, past the channel: its queue of writes, promises and options costs more
// than the system call. The channel gets what the kernel does not take, and then everything until that is gone.

internal import Glibc
internal import NIOCore
internal import Telemetry

extension HTTPConnection {
    /// Bytes that wait before the program is asked to wait, and below which it may go on.
    static let backlogBytesMax = 256 << 10
    static let backlogBytesLow = 64 << 10
    /// The channel tells after so many that they are gone, which is how a slow client is told from a dead one.
    static let sliceBytes = 256 << 10

    /// Whether the program may go on writing.
    var takesMore: Bool { backlog + unsent.readableBytes < Self.backlogBytesMax }
    /// All is with the kernel.
    var isSent: Bool { backlog == 0 && unsent.readableBytes == 0 }

    /// Bytes that the kernel has and the client's has not acknowledged.
    var kernelBacklog: Int {
        var count: Int32 = 0
        return context != nil && ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 ? Int(count) : 0
    }

    /// The kernel has bytes of the client's that were not read.
    var hasUnread: Bool {
        var count: Int32 = 0
        return context != nil && ioctl(descriptor, UInt(FIONREAD), &count) == 0 && count > 0
    }

    /// Puts bytes behind those that wait for `flush`.
    func write(_ bytes: ByteBuffer) {
        if unsent.readableBytes == 0 {
            unsent = bytes
        } else {
            var bytes = bytes
            unsent.writeBuffer(&bytes)
        }
    }

    func writeNow(_ bytes: ByteBuffer) {
        if unsent.readableBytes > 0 {
            write(bytes)
            flush()
        } else {
            send(bytes)
        }
    }

    func flush() {
        guard unsent.readableBytes > 0 else { return }
        let bytes = unsent
        unsent = HTTPServer.noBytes
        send(bytes)
    }

    private func send(_ bytes: ByteBuffer) {
        guard let context else { return }
        if let tls { return seal(bytes, with: tls) }
        server.board?.add(.bytesOut, UInt64(bytes.readableBytes))
        var rest = bytes
        if backlog == 0 {
            guard let written = rest.withUnsafeReadableBytes({ writeAtOnce($0) }) else { return }
            if written == rest.readableBytes { return }
            rest.moveReaderIndex(forwardBy: written)
        }
        queue(rest, context)
    }

    /// What the kernel takes; nil when the socket has failed, which closes it.
    func writeAtOnce(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let written = Glibc.write(descriptor, bytes.baseAddress!, bytes.count)
        if written < 0, errno != EAGAIN, errno != EINTR {
            close(.closedReset)
            return nil
        }
        return max(written, 0)
    }

    /// What waits for `flush`, and then a piece between two others, without TLS and with no backlog. Only what the kernel does not take is copied. False: the
    /// socket has failed, which closes it.
    func writePiece(
        _ piece: UnsafeRawBufferPointer,
        before: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        after: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> Bool {
        guard let context else { return false }
        let waiting = unsent
        unsent = HTTPServer.noBytes
        return waiting.withUnsafeReadableBytes { waiting in
            withUnsafeTemporaryAllocation(of: iovec.self, capacity: 4) { parts in
                var total = 0
                for (index, part) in [waiting, before, piece, after].enumerated() {
                    parts[index] = iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress), iov_len: part.count)
                    total += part.count
                }
                server.board?.add(.bytesOut, UInt64(total))
                let written = writev(descriptor, parts.baseAddress!, 4)
                if written < 0, errno != EAGAIN, errno != EINTR {
                    close(.closedReset)
                    return false
                }
                let skipped = max(written, 0)
                if skipped < total { queue(parts, skipping: skipped, context) }
                return true
            }
        }
    }

    /// What it did not take of several parts. Each slice has memory of its own: it goes with the slice, and all together may be more than one buffer has.
    private func queue(
        _ parts: UnsafeMutableBufferPointer<iovec>, skipping skipped: Int, _ context: ChannelHandlerContext
    ) {
        var skipped = skipped
        var slice = ByteBuffer()
        for part in parts {
            var rest = UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len)[...].dropFirst(skipped)
            skipped = max(0, skipped - part.iov_len)
            while !rest.isEmpty {
                let count = min(rest.count, Self.sliceBytes - slice.readableBytes)
                slice.writeBytes(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
                rest = rest.dropFirst(count)
                guard slice.readableBytes == Self.sliceBytes else { continue }
                handOver(slice, context)
                slice = ByteBuffer()
            }
        }
        if slice.readableBytes > 0 { handOver(slice, context) }
        context.flush()
    }

    /// What it did not take.
    func queue(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var rest = bytes
        while let slice = rest.readSlice(length: min(rest.readableBytes, Self.sliceBytes)), slice.readableBytes > 0 {
            handOver(slice, context)
        }
        context.flush()
    }

    private func handOver(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        let count = bytes.readableBytes
        backlog += count
        let promise = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { result in
            let connection = bound.value
            connection.backlog -= count
            // What failed was not sent: the end of the socket tells, which follows.
            if case .success = result { connection.isGone() }
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    /// The request is over when the last byte is with the kernel. Not within a turn.
    func finishIfSent() {
        guard phase == .handling, answer == .leaving, isSent else { return }
        answer = .done
        let (code, status) = request.isHeadRefused ? (3.0, Double(request.status)) : (0, 0)
        server.tell(server.functions.ended, self, code, status)
    }

    /// The channel has written a slice.
    private func isGone() {
        movedAt = server.isolate.now
        guard phase == .handling, !request.isOver, context != nil else { return }
        switch answer {
        case .leaving where isSent:
            server.outsideOfTurn(self) { $0.finishIfSent() }
        case .streaming where backlog <= Self.backlogBytesLow && wasToldToWait:
            wasToldToWait = false
            server.outsideOfTurn(self) { connection in
                guard connection.phase == .handling, connection.answer == .streaming else { return }
                connection.server.tell(connection.server.functions.drained, connection)
            }
        default: break
        }
    }
}
