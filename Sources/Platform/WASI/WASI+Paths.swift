// Functions of WASI on paths: path_…
//
// A path is looked up by the kernel, below the folder whose descriptor came with it. Where a call works on a name (it makes, removes, renames), the folder
// of the name is opened first, and the name itself is one component that the kernel does not follow.

internal import Glibc
internal import Linux

extension WASI {
    private static let followLinks: UInt32 = 1

    /// Where a name lies. Closes the folder when it goes.
    private final class Place {
        let folder: Int32
        let name: String
        /// The path ended in a slash.
        let mustBeDirectory: Bool

        init(_ folder: Int32, _ name: String, mustBeDirectory: Bool) {
            self.folder = folder
            self.name = name
            self.mustBeDirectory = mustBeDirectory
        }

        deinit { close(folder) }

        func checkType() throws(WASIErrno) {
            guard mustBeDirectory else { return }
            var status = stat()
            try WASI.check(fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW))
            guard status.st_mode & S_IFMT == S_IFDIR else { throw .notdir }
        }
    }

    private func open(
        _ descriptor: Descriptor, _ path: String, _ flags: Int32, mode: UInt32 = 0
    ) throws(WASIErrno) -> Int32 {
        do throws(SystemCallError) {
            return try openBeneath(descriptor.host, path, flags: flags, mode: mode)
        } catch {
            throw WASIErrno(beneath: error)
        }
    }

    private func place(_ descriptor: Descriptor, _ path: String) throws(WASIErrno) -> Place {
        guard !path.isEmpty else { throw .noent }
        guard !path.utf8.starts(with: "/".utf8) else { throw .notcapable }
        var bytes = path.utf8[...]
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let name = Substring(slash.map { bytes[bytes.index(after: $0)...] } ?? bytes)
        guard name != ".", name != ".." else { throw .inval }
        let parent = slash.map { String(Substring(bytes[..<$0])) } ?? "."
        let folder = try open(descriptor, parent, OpenFlags.path | OpenFlags.directory)
        return Place(folder, String(name), mustBeDirectory: bytes.endIndex != path.utf8.endIndex)
    }

    // MARK: Opening

    func openPath(_ memory: GuestMemory, _ a: WASIArguments) throws(WASIErrno) {
        let oflags = a.u32(4)
        let fdflags = UInt16(truncatingIfNeeded: a.u32(7))
        guard oflags < 16, a.u32(7) < 32 else { throw .inval }
        var needed: WASIRights = .open
        if oflags & 1 != 0 { needed.insert(.createFile) }
        if oflags & 8 != 0 { needed.insert(.setPathSize) }
        let folder = try folder(a.u32(0), needed)
        let wanted = WASIRights(rawValue: a.u64(5)).intersection(folder.inheriting)
        let path = try memory.text(a.u32(2), a.u32(3), lengthMax: Self.pathBytesMax)
        _ = try memory.range(a.u32(8), 4)
        guard descriptors.count < Self.descriptorsMax else { throw .mfile }

        // Never to wait for the other end of a pipe.
        var flags = O_NONBLOCK | O_NOCTTY
        let writes: WASIRights = [.write, .allocate, .setSize]
        let isWritten = oflags & 2 == 0 && !wanted.isDisjoint(with: writes)
        let isRead = !isWritten || !wanted.isDisjoint(with: [.read, .readDirectory])
        flags |= isWritten ? (isRead ? O_RDWR : O_WRONLY) : O_RDONLY
        for (bit, flag) in [(1, O_CREAT), (2, OpenFlags.directory), (4, O_EXCL), (8, O_TRUNC)] as [(UInt32, Int32)]
        where oflags & bit != 0 {
            flags |= flag
        }
        if fdflags & WASIDescriptorFlags.append != 0 { flags |= O_APPEND }
        if fdflags & WASIDescriptorFlags.dsync != 0 { flags |= O_DSYNC }
        if fdflags & (WASIDescriptorFlags.sync | WASIDescriptorFlags.rsync) != 0 { flags |= O_SYNC }
        if a.u32(1) & Self.followLinks == 0 { flags |= OpenFlags.noFollow }
        let host = try open(folder, path, flags, mode: 0o666)
        let type = Self.type(of: host)
        let descriptor = Descriptor(
            host, isOwned: true, type: type,
            rights: wanted.intersection(type.rights),
            inheriting: WASIRights(rawValue: a.u64(6)).intersection(folder.inheriting), withheld: folder.withheld,
            flags: fdflags)
        try memory.store(try add(descriptor), at: a.u32(8))
    }

    // MARK: Status

    func putFileStatus(
        _ number: UInt32, _ flags: UInt32, _ path: String, _ memory: GuestMemory, _ result: UInt32
    ) throws(WASIErrno) {
        let folder = try folder(number, .statPath)
        let host = try openPlace(folder, flags, path)
        defer { close(host) }
        try Self.put(try Self.status(host), memory, result)
    }

    func setTimes(
        _ number: UInt32, _ flags: UInt32, _ path: String, _ access: UInt64, _ modification: UInt64, _ which: UInt32
    ) throws(WASIErrno) {
        let folder = try folder(number, .setPathTimes)
        let host = try openPlace(folder, flags, path)
        defer { close(host) }
        try set(host, access, modification, which)
    }

    private func openPlace(_ folder: Descriptor, _ flags: UInt32, _ path: String) throws(WASIErrno) -> Int32 {
        let follows = flags & Self.followLinks != 0
        return try open(folder, path, follows ? OpenFlags.path : OpenFlags.path | OpenFlags.noFollow)
    }

    // MARK: Names

    func createDirectory(_ number: UInt32, _ path: String) throws(WASIErrno) {
        let place = try place(folder(number, .createDirectory), path)
        try Self.check(mkdirat(place.folder, place.name, 0o777))
    }

    func remove(_ number: UInt32, _ path: String, isDirectory: Bool) throws(WASIErrno) {
        let place = try place(folder(number, isDirectory ? .removeDirectory : .unlink), path)
        try place.checkType()
        try Self.check(unlinkat(place.folder, place.name, isDirectory ? AT_REMOVEDIR : 0))
    }

    func rename(_ number: UInt32, _ path: String, _ newNumber: UInt32, _ newPath: String) throws(WASIErrno) {
        let old = try place(folder(number, .renameSource), path)
        let new = try place(folder(newNumber, .renameTarget), newPath)
        try old.checkType()
        if new.mustBeDirectory, !old.mustBeDirectory {
            var status = stat()
            try Self.check(fstatat(old.folder, old.name, &status, AT_SYMLINK_NOFOLLOW))
            guard status.st_mode & S_IFMT == S_IFDIR else { throw .notdir }
        }
        try Self.check(renameat(old.folder, old.name, new.folder, new.name))
    }

    func link(
        _ number: UInt32, _ flags: UInt32, _ path: String, _ newNumber: UInt32, _ newPath: String
    ) throws(WASIErrno) {
        // A link to where a symbolic link leads: that might be anywhere.
        guard flags & Self.followLinks == 0 else { throw .inval }
        let old = try place(folder(number, .linkSource), path)
        let new = try place(folder(newNumber, .linkTarget), newPath)
        try old.checkType()
        guard !new.mustBeDirectory else { throw .noent }
        try Self.check(linkat(old.folder, old.name, new.folder, new.name, 0))
    }

    /// A target that is absolute is refused: others might follow it out of the folder.
    func symlink(_ target: String, _ number: UInt32, _ path: String) throws(WASIErrno) {
        let place = try place(folder(number, .symlink), path)
        guard !target.isEmpty else { throw .noent }
        guard !target.utf8.starts(with: "/".utf8) else { throw .notcapable }
        guard !place.mustBeDirectory else { throw .noent }
        try Self.check(symlinkat(target, place.folder, place.name))
    }

    func readLink(
        _ number: UInt32, _ path: String, _ memory: GuestMemory, _ pointer: UInt32, _ length: UInt32, _ result: UInt32
    ) throws(WASIErrno) {
        let place = try place(folder(number, .readLink), path)
        try place.checkType()
        let buffer = try memory.range(pointer, Int(length))
        _ = try memory.range(result, 4)
        let target = try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.pathBytesMax) { room in
            let count = readlinkat(place.folder, place.name, room.baseAddress!, room.count)
            return Result { () throws(WASIErrno) in
                Array(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: room[..<(try Self.check(count))])))
            }
        }.get()
        let count = min(target.count, buffer.count)
        buffer.copyBytes(from: target[..<count])
        try memory.store(UInt32(count), at: result)
    }
}
