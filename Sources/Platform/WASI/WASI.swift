// WASI preview 1, for one instance: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
//
// What comes from the module is not believed: pointers and lengths are checked against its memory, numbers of descriptors against the table here, paths are
// resolved by the kernel below a folder that was handed over, and never by us. What is wrong becomes an errno for the module.
//
// Calls block, on the isolate's thread, since that is what a program of this kind expects; the descriptor `stop` ends every wait.

internal import Glibc
internal import Linux
internal import Policy

final class WASI {
    /// Open at once.
    static let descriptorsMax = 1024
    /// Of a path. Bytes.
    static let pathBytesMax = 4096

    /// One entry of the module's table of descriptors. Closes what it owns.
    final class Descriptor {
        let host: Int32
        let isOwned: Bool
        let type: WASIFileType
        var rights: WASIRights
        var inheriting: WASIRights
        let withheld: WASIWithheld
        /// What the module calls a folder it was given.
        let preopen: [UInt8]?
        /// `fdflags` as the module set them.
        var flags: UInt16
        /// Once it has been read as a folder.
        var stream: OpaquePointer?

        init(
            _ host: Int32, isOwned: Bool, type: WASIFileType, rights: WASIRights, inheriting: WASIRights = [],
            withheld: WASIWithheld = WASIWithheld(), preopen: String? = nil, flags: UInt16 = 0
        ) {
            self.host = host
            self.isOwned = isOwned
            self.type = type
            self.rights = rights
            self.inheriting = inheriting
            self.withheld = withheld
            self.preopen = preopen.map { Array($0.utf8) }
            self.flags = flags
        }

        deinit {
            if let stream { closedir(stream) }
            if isOwned { close(host) }
        }
    }

    let arguments: [[UInt8]]
    let environment: [[UInt8]]
    let clockStep: UInt64
    private let hasRandom: Bool
    /// Readable when the run is to end; negative: there is none.
    let stop: Int32
    var descriptors: [UInt32: Descriptor] = [:]
    /// What the last call did, or was refused, that the policy may have to do with: the host is to note it.
    private(set) var access: Access?

    /// - Parameters:
    ///   - arguments: the program's name first.
    ///   - environment: `NAME=value`.
    ///   - folders: what the module may reach.
    ///   - clockStep: what times are rounded down to, nanoseconds.
    init(
        arguments: [String], environment: [String], folders: [WASIFolder], clockStep: UInt64 = 1,
        hasRandom: Bool = true,
        stop: Int32
    ) throws(SystemCallError) {
        self.arguments = arguments.map { Array($0.utf8) + [0] }
        self.environment = environment.map { Array($0.utf8) + [0] }
        self.clockStep = clockStep
        self.hasRandom = hasRandom
        self.stop = stop
        for number in 0...2 as ClosedRange<Int32> {
            let type = Self.type(of: number)
            descriptors[UInt32(number)] = Descriptor(
                number, isOwned: false, type: type, rights: type == .regularFile ? .file : .stream)
        }
        for (index, folder) in folders.enumerated() {
            let host = open(folder.host, OpenFlags.path | OpenFlags.directory | O_CLOEXEC)
            guard host >= 0 else { throw SystemCallError("open '\(folder.host)'", errno: errno) }
            let descriptor = Descriptor(
                host, isOwned: true, type: .directory, rights: folder.rights.intersection(.directory),
                inheriting: folder.rights, withheld: folder.withheld, preopen: folder.guest)
            // A kernel that cannot keep paths below a folder is found out here and not by the module.
            close(try openBeneath(host, ".", flags: OpenFlags.path))
            descriptors[UInt32(3 + index)] = descriptor
        }
    }

    /// The descriptor of this number, which must have all these rights.
    func descriptor(_ number: UInt32, _ rights: WASIRights = []) throws(WASIErrno) -> Descriptor {
        guard let descriptor = descriptors[number] else { throw .badf }
        try require(descriptor, rights)
        return descriptor
    }

    /// The same of a folder.
    func folder(_ number: UInt32, _ rights: WASIRights) throws(WASIErrno) -> Descriptor {
        guard let descriptor = descriptors[number] else { throw .badf }
        guard descriptor.type == .directory else { throw .notdir }
        try require(descriptor, rights)
        return descriptor
    }

    private func require(_ descriptor: Descriptor, _ rights: WASIRights) throws(WASIErrno) {
        let missing = rights.subtracting(descriptor.rights)
        guard !missing.isEmpty else { return }
        // What nobody has of such a file is not the policy's to give.
        access = descriptor.withheld.access(missing.intersection(descriptor.type.rights))
        throw .notcapable
    }

    /// Puts it at the lowest free number.
    func add(_ descriptor: Descriptor) throws(WASIErrno) -> UInt32 {
        guard descriptors.count < Self.descriptorsMax else { throw .mfile }
        var number: UInt32 = 3
        while descriptors[number] != nil { number += 1 }
        descriptors[number] = descriptor
        return number
    }

    static func type(of host: Int32) -> WASIFileType {
        var status = stat()
        return fstat(host, &status) == 0 ? WASIFileType(mode: status.st_mode) : .unknown
    }

    /// Throws what the system says of a call that returned -1.
    @discardableResult static func check<Result: SignedInteger>(_ result: Result) throws(WASIErrno) -> Result {
        guard result >= 0 else { throw WASIErrno(errno: errno) }
        return result
    }

    // MARK: Calls

    /// Answers a call of the module; 0, or an errno.
    func call(_ function: WASIFunction, _ memory: GuestMemory, _ arguments: WASIArguments) -> UInt16 {
        access = nil
        do throws(WASIErrno) {
            try perform(function, memory, arguments)
            return 0
        } catch {
            return error.code
        }
    }

    private func perform(_ function: WASIFunction, _ m: GuestMemory, _ a: WASIArguments) throws(WASIErrno) {
        switch function {
        case .argsGet: try put(arguments, m, a.u32(0), a.u32(1))
        case .argsSizesGet: try putSizes(arguments, m, a.u32(0), a.u32(1))
        case .environGet: try put(environment, m, a.u32(0), a.u32(1))
        case .environSizesGet: try putSizes(environment, m, a.u32(0), a.u32(1))
        case .clockResGet: try m.store(resolution(a.u32(0)), at: a.u32(1))
        case .clockTimeGet: try m.store(time(a.u32(0)), at: a.u32(2))
        case .pollOneoff: try poll(m, a.u32(0), a.u32(1), a.u32(2), a.u32(3))
        case .randomGet:
            access = .random
            guard hasRandom else { throw .notcapable }
            let range = try m.range(a.u32(0), Int(a.u32(1)))
            if let start = range.baseAddress { arc4random_buf(start, range.count) }
        case .schedYield: break
        case .procRaise: throw .notsup
        case .fdAdvise: try advise(a.u32(0), a.u64(1), a.u64(2), a.u32(3))
        case .fdAllocate: try allocate(a.u32(0), a.u64(1), a.u64(2))
        case .fdClose: try closeDescriptor(a.u32(0))
        case .fdDatasync: try Self.check(fdatasync(descriptor(a.u32(0), .datasync).host))
        case .fdSync: try Self.check(fsync(descriptor(a.u32(0), .sync).host))
        case .fdFdstatGet: try putStatus(of: a.u32(0), m, a.u32(1))
        case .fdFdstatSetFlags: try setFlags(a.u32(0), a.u32(1))
        case .fdFdstatSetRights: try setRights(a.u32(0), a.u64(1), a.u64(2))
        case .fdFilestatGet: try putFileStatus(of: a.u32(0), m, a.u32(1))
        case .fdFilestatSetSize: try setSize(a.u32(0), a.u64(1))
        case .fdFilestatSetTimes: try setTimes(a.u32(0), a.u64(1), a.u64(2), a.u32(3))
        case .fdPrestatGet: try putPrestat(a.u32(0), m, a.u32(1))
        case .fdPrestatDirName: try putPrestatName(a.u32(0), m, a.u32(1), a.u32(2))
        case .fdRead: try read(a.u32(0), m, a.u32(1), a.u32(2), at: nil, a.u32(3))
        case .fdPread: try read(a.u32(0), m, a.u32(1), a.u32(2), at: a.u64(3), a.u32(4))
        case .fdWrite: try write(a.u32(0), m, a.u32(1), a.u32(2), at: nil, a.u32(3))
        case .fdPwrite: try write(a.u32(0), m, a.u32(1), a.u32(2), at: a.u64(3), a.u32(4))
        case .fdReaddir: try readDirectory(a.u32(0), m, a.u32(1), a.u32(2), cookie: a.u64(3), a.u32(4))
        case .fdRenumber: try renumber(a.u32(0), to: a.u32(1))
        case .fdSeek: try seek(a.u32(0), Int64(bitPattern: a.u64(1)), whence: a.u32(2), m, a.u32(3))
        case .fdTell: try tell(a.u32(0), m, a.u32(1))
        case .pathCreateDirectory: try createDirectory(a.u32(0), text(m, a, 1))
        case .pathFilestatGet: try putFileStatus(a.u32(0), a.u32(1), text(m, a, 2), m, a.u32(4))
        case .pathFilestatSetTimes: try setTimes(a.u32(0), a.u32(1), text(m, a, 2), a.u64(4), a.u64(5), a.u32(6))
        case .pathLink: try link(a.u32(0), a.u32(1), text(m, a, 2), a.u32(4), text(m, a, 5))
        case .pathOpen: try openPath(m, a)
        case .pathReadlink: try readLink(a.u32(0), text(m, a, 1), m, a.u32(3), a.u32(4), a.u32(5))
        case .pathRemoveDirectory: try remove(a.u32(0), text(m, a, 1), isDirectory: true)
        case .pathUnlinkFile: try remove(a.u32(0), text(m, a, 1), isDirectory: false)
        case .pathRename: try rename(a.u32(0), text(m, a, 1), a.u32(3), text(m, a, 4))
        case .pathSymlink: try symlink(text(m, a, 0), a.u32(2), text(m, a, 3))
        case .sockAccept, .sockRecv, .sockSend, .sockShutdown:
            _ = try descriptor(a.u32(0))
            throw .notsock
        }
    }

    /// The path whose pointer and length are arguments `index` and the next.
    private func text(_ memory: GuestMemory, _ arguments: WASIArguments, _ index: Int) throws(WASIErrno) -> String {
        try memory.text(arguments.u32(index), arguments.u32(index + 1), lengthMax: Self.pathBytesMax)
    }

    // MARK: Arguments and environment

    private func put(
        _ texts: [[UInt8]], _ memory: GuestMemory, _ pointers: UInt32, _ buffer: UInt32
    ) throws(WASIErrno) {
        let all = try memory.range(buffer, texts.reduce(0) { $0 + $1.count })
        _ = try memory.range(pointers, 4 * texts.count)
        var offset = 0
        for (index, text) in texts.enumerated() {
            try memory.store(buffer + UInt32(offset), at: pointers + UInt32(4 * index))
            UnsafeMutableRawBufferPointer(rebasing: all[offset...]).copyBytes(from: text)
            offset += text.count
        }
    }

    private func putSizes(
        _ texts: [[UInt8]], _ memory: GuestMemory, _ count: UInt32, _ length: UInt32
    ) throws(WASIErrno) {
        try memory.store(UInt32(clamping: texts.count), at: count)
        try memory.store(UInt32(clamping: texts.reduce(0) { $0 + $1.count }), at: length)
    }
}

/// A folder that a module is given.
struct WASIFolder {
    /// The module's own name of it.
    let guest: String
    let host: String
    var withheld = WASIWithheld()
    /// Of all that lies in it.
    var rights: WASIRights { WASIRights([.directory, .file]).subtracting(withheld.rights) }
}

/// What the policy does not allow in a folder that a module is given, nor in what lies there.
struct WASIWithheld {
    var rights: WASIRights = []
    /// Of the folder, as the policy has it: what lies there is not decided on by itself.
    var path = ""

    /// What the policy refused to a module that did not have these rights; nil: the policy is not the reason.
    func access(_ missing: WASIRights) -> Access? {
        let refused = missing.intersection(rights)
        if refused.isEmpty { return nil }
        return refused.isDisjoint(with: .changing) ? .read(path: path) : .write(path: path)
    }
}

extension WASIFileType {
    init(mode: mode_t) {
        self =
            switch mode & S_IFMT {
            case S_IFBLK: .blockDevice
            case S_IFCHR: .characterDevice
            case S_IFDIR: .directory
            case S_IFREG: .regularFile
            case S_IFSOCK: .socketStream
            case S_IFLNK: .symbolicLink
            default: .unknown
            }
    }

    /// All that there are of a file of this type.
    var rights: WASIRights {
        switch self {
        case .directory: .directory
        case .regularFile: .file
        default: .stream
        }
    }
}
