internal import Engine
internal import Glibc
internal import Synchronization

extension PlatformOps {
    /// print(fd, text): writes all of it. The host is told of a reader of standard output that went away.
    /// masked(text): without the values of secrets; undefined: there are none.
    static let output = [
        Op("print") {
            let call = OpCall($0, $1)
            let descriptor = Int32(truncatingIfNeeded: call.integer(0))
            let host = call.platform.host
            let isHeard = call.withUTF8(1) { text in
                let masked = host.masked(text)
                return isWriting.withLock { _ in
                    masked?.withUnsafeBytes { writeAll($0, to: descriptor) } ?? writeAll(text, to: descriptor)
                }
            }
            if !isHeard, descriptor == STDOUT_FILENO { host.outputIsClosed() }
        },
        Op("masked") {
            let call = OpCall($0, $1)
            let host = call.platform.host
            guard let masked = call.withUTF8(0, { host.masked($0) }) else { return }
            call.returns(String(decoding: masked, as: UTF8.self))
        },
    ]
}

/// One isolate at a time: a pipe may take a text in pieces, and the lines of two would be mixed.
private let isWriting = Mutex(())

/// False: nobody reads it any more.
private func writeAll(_ text: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = text[...]
    while !rest.isEmpty {
        let written = write(descriptor, text.baseAddress! + rest.startIndex, rest.count)
        if written >= 0 {
            rest = rest.dropFirst(written)
            continue
        }
        switch errno {
        case EINTR: continue
        case EAGAIN:
            // Somebody made the shared description non-blocking.
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            poll(&ready, 1, -1)
        default: return errno != EPIPE
        }
    }
    return true
}
