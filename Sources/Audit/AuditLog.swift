// The writer of the log. Several processes have one store and so one chain: each takes the folder's lock for a batch, looks at what the others have
// written since, appends, syncs, and signs the new end. What it finds that should not be so (a torn line of a process that was killed, an end before the
// signed one) it leaves as it is and puts on record, so that going on hides nothing.

public import Signing
internal import Telemetry

/// Bounds of a log.
public struct AuditLimits: Sendable {
    /// A segment that has as many is closed and another one begun.
    public var segmentBytesMax = 8 << 20
    /// Older ones are removed, which is put on record.
    public var segmentsMax = 64
    /// So often there is a signature in the chain itself.
    public var entriesPerSeal = 256

    public init() {}
}

/// One writer. One thread.
public final class AuditLog {
    private let files: any AuditFiles
    private let limits: AuditLimits
    private let key: SigningKey
    /// Whether the key was made just now.
    public let isKeyNew: Bool
    private var end = End()

    /// The end of the chain, as it is known.
    private struct End {
        var number: UInt64 = 0
        var hash = Digest.zero
        /// Nil: there is none yet.
        var segment: String?
        var bytes = 0
        var sinceSeal = 0
    }

    /// Takes the key that the folder has, or makes one.
    public init(_ files: any AuditFiles, _ limits: AuditLimits = AuditLimits()) throws(AuditFileError) {
        self.files = files
        self.limits = limits
        try files.lock()
        defer { files.unlock() }
        do throws(SigningError) {
            try CryptoLibrary.require()
        } catch {
            throw AuditFileError(error.description)
        }
        (key, isKeyNew) = try Self.key(files)
    }

    public var publicKey: PublicKey { key.publicKey }

    private static func key(_ files: any AuditFiles) throws(AuditFileError) -> (SigningKey, isNew: Bool) {
        if let pem = try files.read(AuditNames.key, from: 0, bytesMax: SigningKey.fileBytesMax) {
            do throws(SigningError) {
                return (try SigningKey(pem: pem), false)
            } catch {
                throw AuditFileError("\(AuditNames.key): \(error)")
            }
        }
        do {
            let key = try SigningKey.generate()
            try files.replace(AuditNames.key, with: key.pem(), isPublic: false)
            try files.replace(AuditNames.publicKey, with: key.publicKey.pem(), isPublic: true)
            return (key, true)
        } catch {
            throw error as? AuditFileError ?? AuditFileError("\(error)")
        }
    }

    // MARK: Appending

    /// Puts them on record, in this order. When it throws, none of them is, and the next call may try anew.
    /// - Parameter isLast: the end is sealed.
    public func append(_ events: [AuditEvent], isLast: Bool = false, now: UInt64) throws(AuditFileError) {
        try files.lock()
        defer { files.unlock() }
        let known = end
        do throws(AuditFileError) {
            let (findings, isOpen) = try catchUp(now)
            try write(findings + events, isOpen: isOpen, isLast: isLast, now)
        } catch {
            end = known
            throw error
        }
    }

    /// - Parameter isOpen: the last line has no end.
    private func write(_ events: [AuditEvent], isOpen: Bool, isLast: Bool, _ now: UInt64) throws(AuditFileError) {
        var pending: [UInt8] = isOpen ? [UInt8(ascii: "\n")] : []
        func put(_ event: AuditEvent) {
            let (line, hash) = AuditEntry.line(event, number: end.number + 1, previous: end.hash)
            pending += line
            end.number += 1
            end.hash = hash
            end.sinceSeal += 1
        }
        var removed: [String] = []
        if !isOpen, end.segment == nil || end.bytes >= limits.segmentBytesMax {
            end.segment = AuditNames.segment(end.number + 1)
            end.bytes = 0
            if let (old, first) = try oldSegments() {
                removed = old
                put(try removal(before: first, now))
            }
        }
        for event in events { put(event) }
        let isFull = end.bytes + pending.count >= limits.segmentBytesMax
        if end.sinceSeal > 0, isLast || isFull || end.sinceSeal >= limits.entriesPerSeal {
            put(try seal(now))
            end.sinceSeal = 0
        }
        guard !pending.isEmpty else { return }
        try flush(pending, now)
        // What stays is found by who begins the next segment.
        for name in removed { try? files.remove(name) }
    }

    /// Appends them and signs the new end: both, or neither.
    private func flush(_ pending: [UInt8], _ now: UInt64) throws(AuditFileError) {
        guard let segment = end.segment else { preconditionFailure("no segment") }
        do throws(AuditFileError) {
            try files.write(segment, pending, at: end.bytes)
            try files.sync(segment)
            try sign(now)
        } catch {
            // Ours, and the lock is, too. If it stays, whoever comes next finds it.
            try? files.truncate(segment, to: end.bytes)
            throw error
        }
        end.bytes += pending.count
    }

    private func seal(_ now: UInt64) throws(AuditFileError) -> AuditEvent {
        do throws(SigningError) {
            return try AuditSeal.event(end.number + 1, previous: end.hash, time: now, key)
        } catch {
            throw AuditFileError(error.description)
        }
    }

    private func sign(_ now: UInt64) throws(AuditFileError) {
        let head: AuditHead
        do throws(SigningError) {
            head = try AuditHead(end.number, end.hash, time: now, key)
        } catch {
            throw AuditFileError(error.description)
        }
        try files.replace(AuditNames.head, with: head.bytes, isPublic: false)
    }

    private func removal(before first: AuditEntry, _ now: UInt64) throws(AuditFileError) -> AuditEvent {
        do throws(SigningError) {
            return try AuditRemoval.event(end.number + 1, previous: end.hash, before: first, time: now, key)
        } catch {
            throw AuditFileError(error.description)
        }
    }

    /// Those that are too many, and the first entry that stays.
    private func oldSegments() throws(AuditFileError) -> ([String], AuditEntry)? {
        let names = try files.list().keys.filter(AuditNames.isSegment).sorted()
        // With the one that is about to be made.
        let count = names.count + 1 - limits.segmentsMax
        guard count > 0, count < names.count else { return nil }
        let first = try files.read(names[count], from: 0, bytesMax: AuditEntry.lineBytesMax) ?? []
        guard let line = first.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first,
            let entry = try? AuditEntry(line: line)
        else { return nil }
        return (Array(names[..<count]), entry)
    }

    // MARK: What is there

    /// Looks at what others have written, or did not finish; what should not be so is returned, to be put on record.
    private func catchUp(_ now: UInt64) throws(AuditFileError) -> ([AuditEvent], isOpen: Bool) {
        let sizes = try files.list().filter { AuditNames.isSegment($0.key) }
        let last = sizes.keys.max()
        if let last, last == end.segment, sizes[last] == end.bytes { return ([], false) }
        var finder = AuditEndFinder(now: now)
        for name in sizes.keys.sorted().reversed() where !finder.isFound {
            finder.look(at: try files.read(name, from: 0, bytesMax: .max) ?? [], of: name)
        }
        finder.compare(try files.read(AuditNames.head, from: 0, bytesMax: AuditHead.bytesMax + 1), publicKey)
        end.number = finder.entry?.number ?? 0
        end.hash = finder.entry?.hash ?? .zero
        end.segment = last
        end.bytes = last.flatMap { sizes[$0] } ?? 0
        // What others have sealed is not known: the next seal comes early rather than late.
        end.sinceSeal = max(end.sinceSeal, limits.entriesPerSeal / 2)
        return (finder.findings, finder.isOpen)
    }
}
