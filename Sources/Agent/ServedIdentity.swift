// What a server that speaks TLS shows: certificate and key, as they were when they were last found good, and the keys of its tickets.
//
// The agent only carries the bytes; it has no OpenSSL (docs/adr/0008). Whether they can be used says a `sidelight-worker --check-tls`, once before
// anything else is started, and again at each reload, while the old workers serve on. A worker that is started in between gets what was good then, so
// half-written files kill nobody.

internal import Configuration
internal import Glibc
internal import Linux
internal import System

/// Why a server cannot speak TLS; for people.
struct ServedIdentityError: Error, CustomStringConvertible {
    let description: String
    /// As the process that finds it out is to end.
    let exitCode: Int32
}

/// Main thread.
final class ServedIdentity {
    /// Of each of the two files.
    private static let fileBytesMax = 1 << 20
    /// A check at a reload that takes longer is given up.
    private static let checkNanoseconds: UInt64 = 10_000_000_000

    private let files: TLSFiles
    private let messages: Messages
    /// The newest that is good, as a worker reads it.
    private var contents: [UInt8] = []
    let ticketKeys: TicketKeyMemory
    /// When the next key of tickets is due, monotonic nanoseconds.
    private var rotationTime: UInt64

    private struct Check {
        let contents: [UInt8]
        let process: ChildProcess
        let answer: MemoryFile
    }
    private var check: Check?
    /// When it is given up.
    private var checkDeadline: UInt64 = .max
    private var isChangedMeanwhile = false

    /// Reads and checks both files; waits for the result.
    init(_ files: TLSFiles, _ messages: Messages, now: UInt64) throws(ServedIdentityError) {
        self.files = files
        self.messages = messages
        rotationTime = now &+ TicketKeyMemory.rotationNanoseconds
        do {
            ticketKeys = try TicketKeyMemory()
        } catch {
            throw ServedIdentityError(description: "\(error)", exitCode: 70)
        }
        contents = try finish(try begin())
    }

    // MARK: for workers

    /// A file with certificate and key for one worker.
    func file() throws(SystemCallError) -> MemoryFile { try MemoryFile(name: "sidelight-tls", contents: contents) }

    // MARK: time

    /// When `tick` is due.
    var timer: UInt64 { min(rotationTime, checkDeadline) }

    /// Makes a new key for tickets, and ends a check, when it is time.
    func tick(now: UInt64) {
        if now >= rotationTime {
            ticketKeys.rotate()
            rotationTime = now &+ TicketKeyMemory.rotationNanoseconds
        }
        if now >= checkDeadline {
            // Its end is then a result like any other.
            check?.process.send(Signals.kill)
            checkDeadline = .max
        }
    }

    // MARK: the check

    /// Readable when `endCheck` is due; -1: nothing is being checked.
    var checkDescriptor: Int32 { check?.process.fileDescriptor ?? -1 }

    /// Looks at the files as they are now. False: they are no good, which was said.
    func beginCheck(now: UInt64) -> Bool {
        guard check == nil else {
            isChangedMeanwhile = true
            return true
        }
        do throws(ServedIdentityError) {
            check = try begin()
            checkDeadline = now &+ Self.checkNanoseconds
            return true
        } catch {
            refuse(error)
            return false
        }
    }

    /// Takes the result. True: workers that are started from now on have the new ones.
    func endCheck(now: UInt64) -> Bool {
        guard let check else { return false }
        self.check = nil
        checkDeadline = .max
        var isGood = true
        do throws(ServedIdentityError) {
            contents = try finish(check)
        } catch {
            refuse(error)
            isGood = false
        }
        // What was asked for since then is looked at next, whatever became of this: files that were half written may be whole now. What is good
        // is taken all the same: where something changes during each check, none would ever be the last.
        if isChangedMeanwhile {
            isChangedMeanwhile = false
            _ = beginCheck(now: now)
        }
        return isGood
    }

    private func refuse(_ error: ServedIdentityError) {
        messages.warn("\(error.description); what was serves on")
    }

    private func begin() throws(ServedIdentityError) -> Check {
        let certificate = try read("--tls-cert", files.certificate)
        let key = try read("--tls-key", files.key)
        let contents = withUnsafeBytes(of: UInt32(certificate.count)) { Array($0) } + certificate + key
        do {
            let answer = try MemoryFile(name: "sidelight-tls-check", contents: [])
            let file = try MemoryFile(name: "sidelight-tls", contents: contents)
            let process = try ChildProcess(
                executable: try Worker.executable(), arguments: ["--tls-fd", "3", "--answer-fd", "4", "--check-tls"],
                descriptors: [file.fileDescriptor, answer.fileDescriptor], parentDeathSignal: SIGTERM,
                hasOwnGroup: true,
                environment: WorkerVariables.ofProcess(Machine.environmentTexts))
            withExtendedLifetime(file) {}
            return Check(contents: contents, process: process, answer: answer)
        } catch {
            throw ServedIdentityError(description: "the certificate could not be checked: \(error)", exitCode: 70)
        }
    }

    /// What is good, once its process has ended.
    private func finish(_ check: Check) throws(ServedIdentityError) -> [UInt8] {
        let answer: String
        do {
            let status = try check.process.reap().status
            guard status == .exited(0) else {
                throw ServedIdentityError(
                    description: "the certificate could not be checked: sidelight-worker ended with \(status)",
                    exitCode: 70)
            }
            answer = String(decoding: try readToEnd(check.answer.fileDescriptor), as: UTF8.self)
        } catch let error as ServedIdentityError {
            throw error
        } catch {
            throw ServedIdentityError(description: "the certificate could not be checked: \(error)", exitCode: 70)
        }
        for line in answer.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3 else { continue }
            let place = words[1] == "key" ? "--tls-key \(files.key)" : "--tls-cert \(files.certificate)"
            if words[0] == "error" { throw ServedIdentityError(description: "\(place): \(words[2])", exitCode: 2) }
            messages.warn("\(place): \(words[2])")
        }
        return check.contents
    }

    /// A regular file, so that nothing here waits for somebody to write.
    private func read(_ flag: String, _ path: String) throws(ServedIdentityError) -> [UInt8] {
        func failure(_ reason: String) -> ServedIdentityError {
            ServedIdentityError(description: "\(flag) \(path): \(reason)", exitCode: 2)
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure("is no file") }
        guard status.st_size <= Self.fileBytesMax else {
            throw failure("is too large: \(status.st_size) bytes, at most \(Self.fileBytesMax) are read")
        }
        do throws(FileError) {
            return try readToEnd(descriptor)
        } catch {
            throw failure("cannot be read: \(error.reason)")
        }
    }
}
