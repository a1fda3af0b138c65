// Certificate, key and ticket keys of a server, as the agent hands them over: in descriptors, so that they are in no argument, no file and nothing
// that JavaScript sees. The agent has no OpenSSL (docs/adr/0008); before it starts or replaces workers it asks one that only looks (`check`).

internal import Glibc
internal import Linux
internal import TLS

enum ServerIdentity {
    /// u32 bytes of the certificate's PEM text, in the machine's order; that text; the key's PEM text.
    private static func read(_ descriptor: Int32) throws(UsageError) -> Result<TLSIdentity, TLSProblem> {
        defer { close(descriptor) }
        var bytes: [UInt8]
        do {
            bytes = try readToEnd(descriptor)
        } catch {
            throw UsageError("certificate and key in descriptor \(descriptor) cannot be read: \(error.reason)")
        }
        defer { wipe(&bytes) }
        let count = bytes.count >= 4 ? Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }) : .max
        guard count <= bytes.count - 4 else { throw UsageError("descriptor \(descriptor) has no certificate and key") }
        var key = Array(bytes[(4 + count)...])
        defer { wipe(&key) }
        do throws(TLSProblem) {
            return .success(try TLSIdentity(certificate: Array(bytes[4..<(4 + count)]), key: key))
        } catch {
            return .failure(error)
        }
    }

    private static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { explicit_bzero(start, $0.count) } }
    }

    /// What sessions are made with. Nil: plain HTTP. The agent has looked at it before, so a failure here is nobody's fault but ours.
    static func context(_ options: WorkerOptions) throws(UsageError) -> TLSContext? {
        guard let descriptor = options.identityDescriptor else { return nil }
        do {
            let keys = try options.ticketsDescriptor.map { try TicketKeyMemory(fileDescriptor: $0) }
            return try TLSContext(try read(descriptor).get(), ticketKeys: keys)
        } catch let error as TLSProblem {
            throw UsageError("\(error.source): \(error)")
        } catch {
            throw UsageError("\(error)")
        }
    }

    /// Looks whether a server could use them, and writes to `answer` what is odd, a line each: `error` or `warning`, `certificate` or `key`, and a text
    /// for people.
    static func check(_ options: WorkerOptions) throws(UsageError) {
        guard let descriptor = options.identityDescriptor, let answer = options.answerDescriptor else {
            throw UsageError("--check-tls needs --tls-fd and --answer-fd")
        }
        var lines = ""
        let found = try read(descriptor)
        do throws(TLSProblem) {
            let identity = try found.get()
            _ = try TLSContext(identity)
            for warning in identity.warnings { lines += "warning \(warning.source) \(warning)\n" }
        } catch {
            lines = "error \(error.source) \(error)\n"
        }
        guard lines.isEmpty || pwrite(answer, lines, lines.utf8.count, 0) == lines.utf8.count else {
            throw UsageError("the answer cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
