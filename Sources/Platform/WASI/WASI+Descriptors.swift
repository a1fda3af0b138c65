// Functions of WASI on descriptors: fd_…

internal import Glibc
internal import Linux

/// `fdflags`: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#-fdflags-flags-u16
enum WASIDescriptorFlags {
    static let append: UInt16 = 1
    static let dsync: UInt16 = 2
    static let nonblock: UInt16 = 4
    static let rsync: UInt16 = 8
    static let sync: UInt16 = 16
}

extension WASI {
    /// Buffers of one call that are used; a call may do less than it was asked for.
    private static let vectorsMax = 1024
    /// What a pipe takes without blocking once it is writable: pipe(7), PIPE_BUF.
    private static let pieceBytesMax = 4096

    // MARK: Reading and writing

    private func vectors(_ memory: GuestMemory, _ pointer: UInt32, _ count: UInt32) throws(WASIErrno) -> [iovec] {
        _ = try memory.range(pointer, Int(count) * 8)
        var vectors: [iovec] = []
        // The kernel's own limit. Buffers may lie over each other, so the memory's length is none.
        var left = Int(Int32.max)
        for index in 0..<UInt32(min(Int(count), Self.vectorsMax)) {
            let start = try memory.load(pointer + 8 * index, as: UInt32.self)
            let length = try memory.load(pointer + 8 * index + 4, as: UInt32.self)
            let range = try memory.range(start, Int(length))
            let taken = min(range.count, left)
            if taken > 0 { vectors.append(iovec(iov_base: range.baseAddress, iov_len: taken)) }
            left -= taken
        }
        return vectors
    }

    func read(
        _ number: UInt32, _ memory: GuestMemory, _ pointer: UInt32, _ count: UInt32, at offset: UInt64?,
        _ result: UInt32
    ) throws(WASIErrno) {
        let descriptor = try descriptor(number, offset == nil ? .read : [.read, .seek])
        let vectors = try vectors(memory, pointer, count)
        _ = try memory.range(result, 4)
        guard descriptor.type != .directory else { throw .isdir }
        guard !vectors.isEmpty else { return try memory.store(UInt32(0), at: result) }
        let got = try transfer(descriptor, Int16(POLLIN)) { () throws(WASIErrno) in
            guard let offset else { return readv(descriptor.host, vectors, Int32(vectors.count)) }
            return preadv(descriptor.host, vectors, Int32(vectors.count), try Self.offset(offset))
        }
        try memory.store(UInt32(got), at: result)
    }

    func write(
        _ number: UInt32, _ memory: GuestMemory, _ pointer: UInt32, _ count: UInt32, at offset: UInt64?,
        _ result: UInt32
    ) throws(WASIErrno) {
        let descriptor = try descriptor(number, offset == nil ? .write : [.write, .seek])
        let vectors = try vectors(memory, pointer, count)
        _ = try memory.range(result, 4)
        guard descriptor.type != .directory else { throw .isdir }
        if let offset {
            let done = pwritev(descriptor.host, vectors, Int32(vectors.count), try Self.offset(offset))
            return try memory.store(UInt32(try Self.check(done)), at: result)
        }
        if descriptor.type == .regularFile || vectors.isEmpty {
            let done = writev(descriptor.host, vectors, Int32(vectors.count))
            return try memory.store(UInt32(try Self.check(done)), at: result)
        }
        try memory.store(UInt32(try writeSlowly(descriptor, vectors)), at: result)
    }

    /// To what may make us wait: in pieces that do not block, so that `stop` is seen.
    private func writeSlowly(_ descriptor: Descriptor, _ vectors: [iovec]) throws(WASIErrno) -> Int {
        var done = 0
        do throws(WASIErrno) {
            for vector in vectors {
                var offset = 0
                while offset < vector.iov_len {
                    let length = min(vector.iov_len - offset, Self.pieceBytesMax)
                    let written = try transfer(descriptor, Int16(POLLOUT)) { () throws(WASIErrno) in
                        Glibc.write(descriptor.host, vector.iov_base! + offset, length)
                    }
                    offset += written
                    done += written
                }
            }
        } catch {
            if done == 0 { throw error }
        }
        return done
    }

    /// Waits until it can be done, then does it.
    private func transfer(
        _ descriptor: Descriptor, _ events: Int16, _ body: () throws(WASIErrno) -> Int
    ) throws(WASIErrno) -> Int {
        let mayWait = descriptor.flags & WASIDescriptorFlags.nonblock == 0
        while true {
            if descriptor.type != .regularFile {
                guard try wait(for: descriptor.host, events, mayWait: mayWait) else { throw WASIErrno(errno: EAGAIN) }
            }
            let result = try body()
            if result >= 0 { return result }
            if errno == EINTR || (errno == EAGAIN && mayWait && descriptor.type != .regularFile) { continue }
            throw WASIErrno(errno: errno)
        }
    }

    /// False: not now.
    private func wait(for host: Int32, _ events: Int16, mayWait: Bool) throws(WASIErrno) -> Bool {
        var polled = [
            pollfd(fd: host, events: events, revents: 0), pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let ready = Glibc.poll(&polled, 2, mayWait ? -1 : 0)
            if ready < 0, errno != EINTR { throw WASIErrno(errno: errno) }
            if polled[1].revents != 0 { throw .interrupted }
            if ready > 0 { return true }
            if ready == 0 { return false }
        }
    }

    private static func offset(_ offset: UInt64) throws(WASIErrno) -> off_t {
        guard let offset = off_t(exactly: offset) else { throw .inval }
        return offset
    }

    func seek(
        _ number: UInt32, _ offset: Int64, whence: UInt32, _ memory: GuestMemory, _ result: UInt32
    ) throws(WASIErrno) {
        // Where one stands may be asked with less than the right to go elsewhere.
        let descriptor = try descriptor(number, whence == 1 && offset == 0 ? .tell : .seek)
        guard whence <= 2 else { throw .inval }
        guard descriptor.type != .directory else { throw .isdir }
        _ = try memory.range(result, 8)
        let position = try Self.check(lseek(descriptor.host, off_t(offset), Int32(whence)))
        try memory.store(UInt64(position), at: result)
    }

    func tell(_ number: UInt32, _ memory: GuestMemory, _ result: UInt32) throws(WASIErrno) {
        let descriptor = try descriptor(number, .tell)
        guard descriptor.type != .directory else { throw .isdir }
        try memory.store(UInt64(try Self.check(lseek(descriptor.host, 0, SEEK_CUR))), at: result)
    }

    // MARK: The table

    func closeDescriptor(_ number: UInt32) throws(WASIErrno) {
        guard descriptors.removeValue(forKey: number) != nil else { throw .badf }
    }

    func renumber(_ from: UInt32, to: UInt32) throws(WASIErrno) {
        let descriptor = try descriptor(from)
        _ = try self.descriptor(to)
        guard from != to else { return }
        descriptors[to] = descriptor
        descriptors[from] = nil
    }

    // MARK: Status

    func putStatus(of number: UInt32, _ memory: GuestMemory, _ result: UInt32) throws(WASIErrno) {
        let descriptor = try descriptor(number)
        let status = try GuestStruct(memory, result, size: 24)
        status.set(descriptor.type.rawValue, at: 0)
        status.set(descriptor.flags, at: 2)
        status.set(descriptor.rights.rawValue, at: 8)
        status.set(descriptor.inheriting.rawValue, at: 16)
    }

    func setFlags(_ number: UInt32, _ flags: UInt32) throws(WASIErrno) {
        let descriptor = try descriptor(number, .setFlags)
        guard flags < 32 else { throw .inval }
        let flags = UInt16(flags)
        let changed = flags ^ descriptor.flags
        // open(2) alone can set these.
        let ofOpen = WASIDescriptorFlags.dsync | WASIDescriptorFlags.rsync | WASIDescriptorFlags.sync
        guard changed & ofOpen == 0 else { throw .notsup }
        if changed & WASIDescriptorFlags.append != 0 {
            // The standard streams are shared with other processes.
            guard descriptor.isOwned, descriptor.type != .directory else { throw .notsup }
            let own = try Self.check(fcntl(descriptor.host, F_GETFL))
            let isAppend = flags & WASIDescriptorFlags.append != 0
            try Self.check(fcntl(descriptor.host, F_SETFL, isAppend ? own | O_APPEND : own & ~O_APPEND))
        }
        descriptor.flags = flags
    }

    func setRights(_ number: UInt32, _ base: UInt64, _ inheriting: UInt64) throws(WASIErrno) {
        let descriptor = try descriptor(number)
        let (base, inheriting) = (WASIRights(rawValue: base), WASIRights(rawValue: inheriting))
        guard descriptor.rights.isSuperset(of: base), descriptor.inheriting.isSuperset(of: inheriting) else {
            throw .notcapable
        }
        descriptor.rights = base
        descriptor.inheriting = inheriting
    }

    func putFileStatus(of number: UInt32, _ memory: GuestMemory, _ result: UInt32) throws(WASIErrno) {
        try Self.put(try Self.status(descriptor(number, .stat).host), memory, result)
    }

    static func status(_ host: Int32) throws(WASIErrno) -> stat {
        var status = stat()
        try check(fstat(host, &status))
        return status
    }

    static func put(_ status: stat, _ memory: GuestMemory, _ result: UInt32) throws(WASIErrno) {
        let fields = try GuestStruct(memory, result, size: 64)
        fields.set(UInt64(status.st_dev), at: 0)
        fields.set(UInt64(status.st_ino), at: 8)
        fields.set(WASIFileType(mode: status.st_mode).rawValue, at: 16)
        fields.set(UInt64(status.st_nlink), at: 24)
        fields.set(UInt64(clamping: status.st_size), at: 32)
        fields.set(nanoseconds(status.st_atim), at: 40)
        fields.set(nanoseconds(status.st_mtim), at: 48)
        fields.set(nanoseconds(status.st_ctim), at: 56)
    }

    private static func nanoseconds(_ time: timespec) -> UInt64 {
        UInt64(
            clamping: Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000).partialValue
                &+ Int64(time.tv_nsec))
    }

    // MARK: Changing a file

    func advise(_ number: UInt32, _ offset: UInt64, _ length: UInt64, _ advice: UInt32) throws(WASIErrno) {
        let descriptor = try descriptor(number, .advise)
        let known = [
            POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM, POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,
            POSIX_FADV_NOREUSE,
        ]
        guard advice < known.count else { throw .inval }
        let (start, count) = (try Self.offset(offset), try Self.offset(length))
        // Advice that cannot be followed is none.
        _ = posix_fadvise(descriptor.host, start, count, known[Int(advice)])
    }

    func allocate(_ number: UInt32, _ offset: UInt64, _ length: UInt64) throws(WASIErrno) {
        let descriptor = try descriptor(number, .allocate)
        guard length > 0 else { throw .inval }
        let code = posix_fallocate(descriptor.host, try Self.offset(offset), try Self.offset(length))
        if code != 0 { throw WASIErrno(errno: code) }
    }

    func setSize(_ number: UInt32, _ size: UInt64) throws(WASIErrno) {
        try Self.check(ftruncate(try descriptor(number, .setSize).host, try Self.offset(size)))
    }

    func setTimes(_ number: UInt32, _ access: UInt64, _ modification: UInt64, _ flags: UInt32) throws(WASIErrno) {
        let descriptor = try descriptor(number, .setTimes)
        try set(descriptor.host, access, modification, flags)
    }

    /// - Parameter flags: `fstflags`.
    func set(_ host: Int32, _ access: UInt64, _ modification: UInt64, _ flags: UInt32) throws(WASIErrno) {
        func time(_ nanoseconds: UInt64, set: Bool, now: Bool) throws(WASIErrno) -> FileTime {
            guard !set || !now else { throw .inval }
            if now { return .now }
            if !set { return .unchanged }
            return FileTime(seconds: Int(nanoseconds / 1_000_000_000), nanoseconds: Int(nanoseconds % 1_000_000_000))
        }
        guard flags < 16 else { throw .inval }
        let access = try time(access, set: flags & 1 != 0, now: flags & 2 != 0)
        let modification = try time(modification, set: flags & 4 != 0, now: flags & 8 != 0)
        do throws(SystemCallError) {
            try Linux.setTimes(host, access: access, modification: modification)
        } catch {
            throw WASIErrno(errno: error.code)
        }
    }

    // MARK: Folders

    func putPrestat(_ number: UInt32, _ memory: GuestMemory, _ result: UInt32) throws(WASIErrno) {
        guard let name = try descriptor(number).preopen else { throw .badf }
        let fields = try GuestStruct(memory, result, size: 8)
        fields.set(UInt32(name.count), at: 4)
    }

    func putPrestatName(
        _ number: UInt32, _ memory: GuestMemory, _ pointer: UInt32, _ length: UInt32
    ) throws(WASIErrno) {
        guard let name = try descriptor(number).preopen else { throw .badf }
        let room = try memory.range(pointer, Int(length))
        guard room.count >= name.count else { throw .nametoolong }
        room.copyBytes(from: name)
    }

    /// - Parameter cookie: what an entry gave for the next one; 0: the first.
    func readDirectory(
        _ number: UInt32, _ memory: GuestMemory, _ pointer: UInt32, _ length: UInt32, cookie: UInt64, _ result: UInt32
    ) throws(WASIErrno) {
        let descriptor = try folder(number, .readDirectory)
        let buffer = try memory.range(pointer, Int(length))
        _ = try memory.range(result, 4)
        let stream = try Self.stream(of: descriptor)
        guard let position = Int(exactly: cookie) else { throw .inval }
        if position == 0 { rewinddir(stream) } else { seekdir(stream, position) }
        var used = 0
        while used < buffer.count {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw WASIErrno(errno: errno) }
                break
            }
            used += Self.put(entry, in: UnsafeMutableRawBufferPointer(rebasing: buffer[used...]))
        }
        try memory.store(UInt32(used), at: result)
    }

    private static func stream(of descriptor: Descriptor) throws(WASIErrno) -> OpaquePointer {
        if let stream = descriptor.stream { return stream }
        // One of its own: that of the folder may only stand for a place.
        let host: Int32
        do throws(SystemCallError) {
            host = try openBeneath(descriptor.host, ".", flags: O_RDONLY | OpenFlags.directory)
        } catch {
            throw WASIErrno(beneath: error)
        }
        guard let stream = fdopendir(host) else {
            let code = errno
            close(host)
            throw WASIErrno(errno: code)
        }
        descriptor.stream = stream
        return stream
    }

    /// A `dirent` and its name, as far as there is room; how many bytes.
    private static func put(_ entry: UnsafeMutablePointer<dirent>, in room: UnsafeMutableRawBufferPointer) -> Int {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: UInt8.self, capacity: 256) { start in
                Array(
                    UnsafeBufferPointer(
                        start: start, count: strnlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), 256)))
            }
        }
        var bytes: [UInt8] = []
        func append<Value: FixedWidthInteger>(_ value: Value) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(UInt64(bitPattern: Int64(entry.pointee.d_off)))
        append(UInt64(entry.pointee.d_ino))
        append(UInt32(name.count))
        append(UInt32(WASIFileType(mode: mode_t(entry.pointee.d_type) << 12).rawValue))
        bytes += name
        let count = min(bytes.count, room.count)
        room.copyBytes(from: bytes[..<count])
        return count
    }
}
